//! The webhook's answer: body in, body out.

use std::borrow::Cow;

use serde::de::DeserializeSeed;

use super::malformed::{AnswerError, Malformed};
use super::request::{API_VERSION, KIND, Request, Review, Text};
use super::response::Response;
use super::weight::{MAX_UID, MAX_VIEWS};
use crate::config::Config;
use crate::inject::{
    AuditAnnotations, Budget, Context, Lenient, Outcome, Plan, Reason, TargetKind, Task, plan,
};

table! {
    /// The webhook entry that a request comes from.
    pub enum Route
    /// The path in the webhook configuration.
    pub fn path -> &'static str {
        /// For objects that have the trigger annotation.
        Mutate = "/mutate",
        /// For objects in namespaces with the label `tracing=enabled`.
        DefaultOn = "/mutate/default-on",
    }
}

table! {
    /// What the user does with the object.
    pub enum Operation
    /// The stable name in metrics and logs.
    pub fn code -> &'static str {
        /// Create it.
        Create = "create",
        /// Change it.
        Update = "update",
        /// Delete it, connect to it, or an operation of a future API server.
        Other = "other",
    }
}

/// A decision, for the log and the metrics. It contains no value of an annotation or variable, and nothing about the user.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The uid of the request.
    pub uid: Cow<'a, str>,
    /// The namespace of the object.
    pub namespace: Option<Cow<'a, str>>,
    /// Its name, or the prefix that the API server completes.
    pub name: Option<Cow<'a, str>>,
    /// What the user does with it.
    pub operation: Operation,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The result.
    pub outcome: Outcome,
    /// How many targets of each kind have variables of ours after the patch, in the order of [`TargetKind::ALL`].
    pub targets: [usize; TargetKind::ALL.len()],
    /// How many operations the patch has.
    pub operations: usize,
    /// The outcome, the reasons and the targets, as the audit log receives them.
    pub audit_annotations: AuditAnnotations,
    /// How many warnings the user receives.
    pub warnings: usize,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// The AdmissionReview, as JSON.
    pub body: Vec<u8>,
    /// The decision.
    pub decision: Decision<'a>,
}

/// Answers a request. The same body, route and configuration give the same bytes.
///
/// No request is denied: an object that cannot be traced is allowed as it is, with a warning if the user should know.
///
/// # Errors
/// A body that is not an AdmissionReview of `admission.k8s.io/v1`, or an answer that cannot be written.
pub fn answer<'a>(
    body: &'a [u8],
    route: Route,
    config: &Config,
) -> Result<Answer<'a>, AnswerError> {
    let text = text(body)?;
    let budget = Budget::of(MAX_VIEWS);
    let mut request = match read(text, &budget) {
        Err(_) if budget.is_spent() => {
            let decision = Decision::of(read(text, &budget)?)?;
            return left_alone(decision, Reason::TooManyParts);
        }
        read => read?,
    };
    let (object, old) = (request.object.take(), request.old_object.take());
    let ours = request.kind.is_seldon_deployment()
        && Text::non_empty(request.sub_resource.take()).is_none();
    let mut decision = Decision::of(request)?;
    if !ours || decision.operation == Operation::Other {
        return left_alone(decision, Reason::OtherRequest);
    }
    let object = object.ok_or(Malformed::Missing("request.object"))?;
    let namespace = decision.namespace.clone();
    let context = Context {
        namespace: namespace.as_deref(),
        namespace_default: route == Route::DefaultOn,
        task: Task::Follow,
        nulls: None,
    };
    // Only an UPDATE has an old object; another request that has one is wrong about it.
    let old = old.filter(|_| decision.operation == Operation::Update);
    let plan = plan(&object, old.as_ref(), config, &context)
        .without_nulls()
        .without_request();
    if decision.name.is_none() {
        decision.name = object.name().map(|name| Cow::Owned(name.to_owned()));
    }
    decision.outcome = plan.outcome;
    decision.audit_annotations = plan.audit_annotations();
    decision.answer(Some(&plan), &plan.warnings())
}

/// The uid of a request that could not be answered, for a message; `None` if it cannot be read.
#[must_use]
pub fn uid_of(body: &[u8]) -> Option<String> {
    let request = read(text(body).ok()?, &Budget::spent()).ok()?;
    Some(Decision::of(request).ok()?.uid.into_owned())
}

fn text(body: &[u8]) -> Result<&str, Malformed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Malformed::Empty);
    }
    // One check of all bytes costs less than one for each string.
    std::str::from_utf8(body).map_err(|error| Malformed::NotUtf8 {
        valid_up_to: error.valid_up_to(),
    })
}

/// Reads an AdmissionReview, without its objects if the budget is spent.
fn read<'a>(text: &'a str, budget: &Budget) -> Result<Request<'a>, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Lenient::Is(review) = budget.part::<Review<'_>>().deserialize(&mut deserializer)? else {
        return Err(Malformed::NotAReview { line: 1, column: 1 });
    };
    deserializer.end()?;
    if review.kind.0 != KIND || review.api_version.0 != API_VERSION {
        return Err(Malformed::OtherVersion);
    }
    review.request.ok_or(Malformed::Missing("request"))
}

impl<'a> Decision<'a> {
    /// The decision to leave the object of a request alone.
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
            outcome: Outcome::Skipped,
            targets: [0; TargetKind::ALL.len()],
            operations: 0,
            audit_annotations: AuditAnnotations::default(),
            warnings: 0,
        })
    }

    fn answer(
        mut self,
        plan: Option<&Plan<'_>>,
        warnings: &[String],
    ) -> Result<Answer<'a>, AnswerError> {
        let mut patch = Vec::new();
        if let Some(plan) = plan {
            self.targets = TargetKind::ALL.map(|kind| plan.traced_targets(kind));
            self.operations = plan.operations();
        }
        if let Some(plan) = plan.filter(|plan| !plan.is_empty()) {
            patch.reserve_exact(2048);
            plan.write_patch(&mut patch)
                .map_err(|error| AnswerError::Unwritten(error.to_string()))?;
        }
        self.warnings = warnings.len();
        let response = Response {
            uid: &self.uid,
            allowed: true,
            patch_type: (!patch.is_empty()).then_some("JSONPatch"),
            patch: &patch,
            audit_annotations: &self.audit_annotations,
            warnings,
        };
        Ok(Answer {
            body: response.write()?,
            decision: self,
        })
    }
}

/// The answer to a request whose object is not looked at.
fn left_alone(mut decision: Decision<'_>, reason: Reason) -> Result<Answer<'_>, AnswerError> {
    decision.audit_annotations = AuditAnnotations {
        outcome: decision.outcome.code(),
        reasons: reason.code().to_owned(),
        targets: String::new(),
    };
    let warning = || format!("{}: {}", reason.code(), reason.text());
    let warnings: Vec<String> = reason.is_problem().then(warning).into_iter().collect();
    decision.answer(None, &warnings)
}
