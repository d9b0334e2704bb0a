//! The rules of the engine, each as a small table: objects in, decisions out.

mod bounds;
mod corners;
mod documentation;
mod mlserver;
mod ownership;
mod second_pass;
mod settings;
mod standing;
mod stickiness;
mod targets;
mod triggers;
mod truth;
mod users;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Choice, Context, Outcome, Plan, RECORD, Task, Variable};
use serde_json::{Value, json};

use crate::support::variables::FIVE;

/// What a decision says, in words that tables can compare.
#[derive(Debug)]
struct Seen {
    outcome: Outcome,
    /// Why each predictor is as it is.
    reasons: Vec<&'static str>,
    /// `reason place: detail`
    notes: Vec<String>,
    targets: Vec<SeenTarget>,
}

#[derive(Debug)]
struct SeenTarget {
    /// `kind name`
    who: String,
    left: Option<&'static str>,
    /// By variable: `value (origin)`, or the reason why not.
    choices: Vec<(Variable, String)>,
}

impl Seen {
    fn of(plan: &Plan<'_>) -> Self {
        let targets = plan.targets.iter().map(|target| SeenTarget {
            who: format!("{} {}", target.kind.code(), target.name)
                .trim_end()
                .to_owned(),
            left: target.left.map(seldon_tracing::inject::Reason::code),
            choices: target
                .choices
                .iter()
                .map(|(variable, choice)| (variable, words(choice)))
                .collect(),
        });
        Self {
            outcome: plan.outcome,
            reasons: plan
                .predictors
                .iter()
                .map(|predictor| predictor.reason.code())
                .collect(),
            notes: plan
                .notes
                .iter()
                .map(|note| format!("{} {}: {}", note.reason.code(), note.place, note.detail))
                .collect(),
            targets: targets.collect(),
        }
    }

    fn target(&self, who: &str) -> &SeenTarget {
        let found = self.targets.iter().find(|target| target.who == who);
        found.unwrap_or_else(|| panic!("no target {who}: {self:?}"))
    }

    fn choice(&self, who: &str, variable: Variable) -> &str {
        &self.target(who).choices[variable as usize].1
    }

    fn notes_of(&self, reason: &str) -> usize {
        self.notes
            .iter()
            .filter(|note| note.split(' ').next() == Some(reason))
            .count()
    }
}

fn words(choice: &Choice<'_>) -> String {
    match choice {
        Choice::None => String::new(),
        Choice::Set(value, origin) => format!("{} ({})", value.text(), origin.code()),
        Choice::Leave(reason) => reason.code().to_owned(),
    }
}

/// A `SeldonDeployment` with one predictor.
fn sdep(annotations: &Value, predictor: &Value) -> Value {
    let mut whole = json!({"name": "default", "graph": {"name": "model", "type": "MODEL"}});
    whole
        .as_object_mut()
        .unwrap()
        .extend(predictor.as_object().unwrap().clone());
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris", "namespace": "seldon", "annotations": annotations},
        "spec": {"predictors": [whole]},
    })
}

/// A model with those annotations and a container with those fields.
fn with_container(annotations: &Value, container: &Value) -> Value {
    let mut whole = json!({"name": "model", "image": "m:1"});
    whole
        .as_object_mut()
        .unwrap()
        .extend(container.as_object().unwrap().clone());
    sdep(
        annotations,
        &json!({"componentSpecs": [{"spec": {"containers": [whole]}}]}),
    )
}

/// One that asks for tracing and has one container, with that env.
fn traced(env: &Value) -> Value {
    sdep(
        &json!({"tracing": "true"}),
        &json!({"componentSpecs": [{"spec": {"containers": [{"name": "model", "image": "m:1", "env": env}]}}]}),
    )
}

fn decide_as(
    object: &Value,
    old: Option<&Value>,
    config: &Config,
    context: &Context<'_>,
) -> (Value, Seen) {
    crate::support::common::run(object, old, config, context, Seen::of)
}

fn decide_with(object: &Value, config: &Config) -> (Value, Seen) {
    decide_as(object, None, config, &Context::default())
}

fn decide(object: &Value) -> (Value, Seen) {
    decide_with(object, &Config::default())
}

fn update(object: &Value, old: &Value) -> (Value, Seen) {
    decide_as(object, Some(old), &Config::default(), &Context::default())
}

fn inject(object: &Value) -> Value {
    decide(object).0
}

fn uninject(object: &Value) -> Value {
    let context = Context {
        task: Task::Uninject,
        ..Context::default()
    };
    decide_as(object, None, &Config::default(), &context).0
}

fn predictor(object: &Value) -> &Value {
    &object["spec"]["predictors"][0]
}

fn container(object: &Value) -> &Value {
    &predictor(object)["componentSpecs"][0]["spec"]["containers"][0]
}

/// The names in a list of variables.
fn names(env: &Value) -> Vec<&str> {
    env.as_array().map_or_else(Vec::new, |list| {
        list.iter()
            .map(|entry| entry["name"].as_str().unwrap_or_default())
            .collect()
    })
}

fn record(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"]
        .get(RECORD)
        .and_then(Value::as_str)
}
