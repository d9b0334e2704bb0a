//! The webhook's answer: body in, body out.

use std::borrow::Cow;

use serde::de::DeserializeSeed;

use super::malformed::Malformed;
use super::request::{API_VERSION, KIND, Reading, Request, Text};
use super::response::Response;
use crate::config::Config;
use crate::inject::{Budget, Context, Outcome, Reason, TargetKind, Task, plan};

/// The longest uid that is echoed, in bytes; the API server's have 36.
pub const MAX_UID: usize = 128;

/// The most memory that the views of the objects in one request may take, in bytes. The views of an object of 1.5 MiB, the largest that etcd
/// stores, take less even if it is nothing but short variables; and two of them come with an update.
pub const MAX_VIEWS: usize = 12 << 20;

/// Bodies up to this size, with at most [`SMALL_PARTS`] commas, are decided at once; others wait for each other.
const SMALL_BODY: usize = 64 * 1024;

/// See [`SMALL_BODY`]. Every item of a list but its first, and every key of an object but its first, has a comma.
const SMALL_PARTS: usize = 1_000;

/// Whether the decision for a request takes more than the usual time and memory.
#[must_use]
pub fn is_large(body: &[u8]) -> bool {
    body.len() > SMALL_BODY || memchr::memchr_iter(b',', body).count() > SMALL_PARTS
}

/// Which of the two webhook entries asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Objects that carry the trigger.
    Mutate,
    /// Objects of namespaces that are labelled `tracing=enabled`.
    DefaultOn,
}

impl Route {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mutate, Self::DefaultOn];

    /// The path that the webhook configuration names.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Mutate => "/mutate",
            Self::DefaultOn => "/mutate/default-on",
        }
    }
}

/// What is being done with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is new.
    Create,
    /// It is changed.
    Update,
    /// It is removed, connected to, or something that the API server has yet to invent.
    Other,
}

impl Operation {
    /// The stable name in metrics and logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Other => "other",
        }
    }
}

/// What was decided, for the log and the metrics. No value of an annotation or of a variable is in it, and nothing of the user.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// Which request.
    pub uid: Cow<'a, str>,
    /// Where the object is.
    pub namespace: Option<Cow<'a, str>>,
    /// Its name, or the beginning of it that the API server completes.
    pub name: Option<Cow<'a, str>>,
    /// What is done with it.
    pub operation: Operation,
    /// Whether it is only tried.
    pub dry_run: bool,
    /// What came of it.
    pub outcome: Outcome,
    /// How many targets of each kind hold variables of ours after the patch, in the order of [`TargetKind::ALL`].
    pub targets: [usize; TargetKind::ALL.len()],
    /// How many operations the patch has.
    pub operations: usize,
    /// The outcome, the reasons and the targets, as the audit log gets them.
    pub audit_annotations: Vec<(&'static str, String)>,
    /// How many warnings the user gets.
    pub warnings: usize,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// The AdmissionReview, as JSON.
    pub body: Vec<u8>,
    /// What was decided.
    pub decision: Decision<'a>,
}

/// Answers a request. The same body, route and configuration give the same bytes.
///
/// It never denies: an object that cannot be traced is allowed as it is, with a warning where somebody should know.
///
/// # Errors
/// A body that is not an AdmissionReview of `admission.k8s.io/v1`: the one who asks gets a 4xx.
pub fn answer<'a>(body: &'a [u8], route: Route, config: &Config) -> Result<Answer<'a>, Malformed> {
    let text = text(body)?;
    let budget = Budget::of(MAX_VIEWS);
    let mut request = match read(text, Reading(Some(&budget))) {
        Err(_) if budget.is_spent() => {
            let about = About::of(read(text, Reading(None))?)?;
            return Ok(left_alone(about, Reason::TooManyParts));
        }
        read => read?,
    };
    let (object, old) = (request.object.take(), request.old_object.take());
    let ours = request.kind.is_seldon_deployment()
        && Text::non_empty(request.sub_resource.take()).is_none();
    let about = About::of(request)?;
    if !ours || about.operation == Operation::Other {
        return Ok(left_alone(about, Reason::OtherRequest));
    }
    let object = object.ok_or(Malformed::Missing("request.object"))?;
    let context = Context {
        namespace: about.namespace.as_deref(),
        namespace_default: route == Route::DefaultOn,
        task: Task::Follow,
    };
    // What was there before a CREATE is of no interest, whoever says that there was something.
    let old = old.filter(|_| about.operation == Operation::Update);
    let plan = plan(&object, old.as_ref(), config, &context);
    let mut patch = Vec::new();
    if !plan.is_empty() {
        patch.reserve_exact(2048);
        plan.write_patch(&mut patch);
    }
    let warnings = plan.warnings();
    let audit_annotations = plan.audit_annotations();
    let body = Response {
        uid: &about.uid,
        patch: &patch,
        audit_annotations: &audit_annotations,
        warnings: &warnings,
    }
    .write();
    let targets = TargetKind::ALL.map(|kind| plan.traced_targets(kind));
    let (outcome, operations) = (plan.outcome, plan.operations());
    let name = about.name.clone();
    Ok(Answer {
        body,
        decision: Decision {
            name: name.or_else(|| object.name().map(|name| Cow::Owned(name.to_owned()))),
            outcome,
            targets,
            operations,
            audit_annotations,
            warnings: warnings.len(),
            uid: about.uid,
            namespace: about.namespace,
            operation: about.operation,
            dry_run: about.dry_run,
        },
    })
}

/// The uid of a request that could not be answered, to name it in a message; nothing where not even that can be read.
#[must_use]
pub fn uid_of(body: &[u8]) -> Option<String> {
    let request = read(text(body).ok()?, Reading(None)).ok()?;
    Some(About::of(request).ok()?.uid.into_owned())
}

fn text(body: &[u8]) -> Result<&str, Malformed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Malformed::Empty);
    }
    // One look at all bytes costs less than one at each string.
    std::str::from_utf8(body).map_err(|error| Malformed::NotUtf8 {
        valid_up_to: error.valid_up_to(),
    })
}

/// Reads a review and checks that it is one.
fn read<'a>(text: &'a str, reading: Reading<'_>) -> Result<Request<'a>, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let review = reading.deserialize(&mut deserializer)?;
    deserializer.end()?;
    if review.kind.0 != KIND || review.api_version.0 != API_VERSION {
        return Err(Malformed::OtherVersion);
    }
    review.request.ok_or(Malformed::Missing("request"))
}

/// What a request is about.
struct About<'a> {
    uid: Cow<'a, str>,
    namespace: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    operation: Operation,
    dry_run: bool,
}

impl<'a> About<'a> {
    fn of(request: Request<'a>) -> Result<Self, Malformed> {
        let uid = request.uid.0;
        if uid.is_empty() {
            return Err(Malformed::Missing("request.uid"));
        }
        if uid.len() > MAX_UID {
            return Err(Malformed::LongUid);
        }
        Ok(Self {
            uid,
            namespace: Text::non_empty(request.namespace),
            name: Text::non_empty(request.name),
            operation: match request.operation.0.as_ref() {
                "CREATE" => Operation::Create,
                "UPDATE" => Operation::Update,
                "" => return Err(Malformed::Missing("request.operation")),
                _ => Operation::Other,
            },
            dry_run: request.dry_run.unwrap_or(false),
        })
    }
}

/// The answer to a request that is not looked into.
fn left_alone(about: About<'_>, reason: Reason) -> Answer<'_> {
    let audit_annotations = vec![
        ("outcome", Outcome::Skipped.code().to_owned()),
        ("reasons", reason.code().to_owned()),
    ];
    let warnings: Vec<String> = reason
        .is_problem()
        .then(|| format!("{}: {}", reason.code(), reason.text()))
        .into_iter()
        .collect();
    let body = Response {
        uid: &about.uid,
        patch: &[],
        audit_annotations: &audit_annotations,
        warnings: &warnings,
    }
    .write();
    Answer {
        body,
        decision: Decision {
            uid: about.uid,
            namespace: about.namespace,
            name: about.name,
            operation: about.operation,
            dry_run: about.dry_run,
            outcome: Outcome::Skipped,
            targets: [0; TargetKind::ALL.len()],
            operations: 0,
            audit_annotations,
            warnings: warnings.len(),
        },
    }
}
