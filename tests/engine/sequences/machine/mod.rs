//! One SeldonDeployment through a random life, and what has to hold at each call of the webhook.
//!
//! A life is a list of steps of four bytes. The first two make the manifest and the configuration; see [`steps`] for the others.
//! `tests/engine/sequences` draws them from proptest, `fuzz/fuzz_targets/sequences.rs` takes them from libFuzzer.

mod asked;
mod checks;
mod claims;
mod edits;
mod marks;
mod start;
mod steps;
mod structure;

use std::collections::HashSet;
use std::fmt;

use seldon_tracing::admission::{Route, answer};
use seldon_tracing::config::Config;
use serde_json::Value;

/// One step: what is done, and where and how.
pub(crate) type Step = [u8; 4];

/// The steps that a sequence may have.
pub(crate) const MAX_STEPS: usize = 40;

/// Something that does not hold, with the call at which it was seen.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) story: Vec<String>,
    pub(crate) object: Value,
    pub(crate) old: Option<Value>,
    pub(crate) config: &'static str,
    pub(crate) route: Route,
    pub(crate) patch: Value,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            story,
            object,
            old,
            config,
            route,
            patch,
        } = self;
        writeln!(formatter, "{what}")?;
        for (number, step) in story.iter().enumerate() {
            writeln!(formatter, "  {number}. {step}")?;
        }
        let old = old
            .as_ref()
            .map_or_else(|| "(a CREATE)".to_owned(), Value::to_string);
        write!(
            formatter,
            "route: {}\nconfig: {config:?}\nold: {old}\nobject: {object}\npatch: {patch}",
            route.path()
        )
    }
}

/// How much was checked, so that a test can tell that it checked something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Calls of the webhook.
    pub(crate) calls: usize,
    /// Calls that changed something.
    pub(crate) patches: usize,
    /// Calls after which an object that had been injected had opted out.
    pub(crate) opted_out: usize,
}

/// The cluster, as far as one SeldonDeployment sees it.
pub(crate) struct World {
    config: Config,
    config_text: &'static str,
    route: Route,
    /// Whether writes reach the webhook.
    webhook: bool,
    /// What is stored, with marks.
    stored: Value,
    /// What the user applies, and what they applied last.
    manifest: Value,
    applied: Value,
    /// All records that were written in this life: none of them may be refused.
    written: HashSet<String>,
    story: Vec<String>,
    seen: Seen,
}

/// What a webhook call gives.
struct Called {
    patch: Option<Value>,
    reasons: String,
}

/// Lives through the steps.
pub(crate) fn run(steps: &[Step]) -> Result<Seen, Box<Failure>> {
    let mut steps = steps.iter().copied().take(MAX_STEPS);
    let first = steps.next().unwrap_or_default();
    let second = steps.next().unwrap_or_default();
    let manifest = start::manifest(first);
    let (config_text, config) = start::config(second[0]);
    let mut world = World {
        config,
        config_text,
        route: if second[1] % 4 == 1 {
            Route::DefaultOn
        } else {
            Route::Mutate
        },
        webhook: second[2] % 8 != 1,
        stored: Value::Null,
        applied: manifest.clone(),
        manifest,
        written: HashSet::new(),
        story: vec![format!("manifest {first:?}, config {config_text:?}")],
        seen: Seen::default(),
    };
    world.create(world.manifest.clone())?;
    for step in steps {
        world.step(step)?;
    }
    world.end()?;
    Ok(world.seen)
}

impl World {
    fn fail(
        &self,
        what: impl Into<String>,
        object: &Value,
        old: Option<&Value>,
        patch: Option<&Value>,
    ) -> Box<Failure> {
        Box::new(Failure {
            what: what.into(),
            story: self.story.clone(),
            object: marks::bare(object),
            old: old.map(marks::bare),
            config: self.config_text,
            route: self.route,
            patch: patch.cloned().unwrap_or_default(),
        })
    }

    /// The object is created, or created again.
    fn create(&mut self, object: Value) -> Result<(), Box<Failure>> {
        self.write(object, None)
    }

    /// The stored object becomes another.
    fn update(&mut self, object: Value) -> Result<(), Box<Failure>> {
        let old = self.stored.clone();
        self.write(object, Some(&old))
    }

    fn write(&mut self, mut object: Value, old: Option<&Value>) -> Result<(), Box<Failure>> {
        checks::settle_marks(&mut object, old);
        self.stored = if self.webhook {
            self.call(&object, old)?
        } else {
            object
        };
        Ok(())
    }

    /// Asks the webhook, without a look at what comes of it. Takes the texts of the objects.
    fn ask(&self, object: &str, old: Option<&str>) -> Result<Called, String> {
        let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
        let old = old.unwrap_or("null");
        let body = format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","kind":{{
            "group":"machinelearning.seldon.io","version":"v1","kind":"SeldonDeployment"}},"namespace":"seldon","name":"iris",
            "operation":"{operation}","object":{object},"oldObject":{old}}}}}"#
        );
        let answer = answer(body.as_bytes(), self.route, &self.config)
            .map_err(|error| format!("a good request is refused: {error}"))?;
        let most = 4096 + 64 * body.len();
        if answer.body.len() > most {
            return Err(format!(
                "{} bytes are answered to {}",
                answer.body.len(),
                body.len()
            ));
        }
        let reply: Value =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        if reply["response"]["allowed"] != true {
            return Err("the write is denied".to_owned());
        }
        Ok(Called {
            patch: checks::decode(&reply["response"]["patch"])?,
            reasons: reply["response"]["auditAnnotations"]["reasons"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        })
    }
}
