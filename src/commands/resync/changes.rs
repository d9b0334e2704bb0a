//! What a new decision changes in a model: the variables, and the predictors whose pods restart.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::inject::{RESYNC, Variable};

/// What changes in one model.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changes {
    /// The predictors whose pods restart.
    pub(super) restarts: Vec<Restart>,
    /// The variables that change in them.
    pub(super) variables: Vec<Changed>,
}

/// A predictor whose pods restart.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restart {
    pub(super) predictor: String,
    /// How many pods of each of its Deployments the manifest asks for.
    pub(super) replicas: u64,
}

/// A variable that changes.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    pub(super) predictor: String,
    /// The name of the container; `svcOrchSpec` for the orchestrator.
    pub(super) target: String,
    pub(super) variable: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
}

/// Whether the request is still in an object, because no webhook answered it.
pub(super) fn is_unanswered(object: &Value) -> bool {
    object["metadata"]["annotations"].get(RESYNC).is_some()
}

impl Changes {
    /// Compares a model with what the API server would store.
    pub(super) fn between(before: &Value, after: &Value) -> Self {
        let mut changes = Self::default();
        for (old, new) in predictors(before).iter().zip(predictors(after)) {
            if old == new {
                continue;
            }
            let predictor = text(&new["name"]);
            let replicas = [&new["replicas"], &after["spec"]["replicas"]];
            let replicas = replicas.into_iter().find_map(Value::as_u64);
            changes.restarts.push(Restart {
                predictor: predictor.clone(),
                replicas: replicas.unwrap_or(1),
            });
            let (old, new) = (variables(old), variables(new));
            let mut keys: Vec<_> = new.keys().chain(old.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys
                .into_iter()
                .filter(|key| old.get(*key) != new.get(*key))
            {
                let (target, variable) = key.clone();
                // Another webhook may change a variable of the user's, whose value must not be shown.
                let is_known = Variable::from_name(&variable).is_some();
                let value = |of: &Variables| of.get(key).filter(|_| is_known).cloned();
                changes.variables.push(Changed {
                    predictor: predictor.clone(),
                    target,
                    variable,
                    before: value(&old),
                    after: value(&new),
                });
            }
        }
        changes
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.restarts.is_empty()
    }
}

fn predictors(object: &Value) -> &[Value] {
    let predictors = object["spec"]["predictors"].as_array();
    predictors.map_or(&[], Vec::as_slice)
}

/// Values by target and name.
type Variables = BTreeMap<(String, String), String>;

fn variables(predictor: &Value) -> Variables {
    let mut found = Variables::new();
    let mut add = |target: String, holder: &Value| {
        for entry in holder["env"].as_array().into_iter().flatten() {
            let value = match &entry["valueFrom"]["fieldRef"]["fieldPath"] {
                Value::String(path) => path.clone(),
                _ => text(&entry["value"]),
            };
            found.insert((target.clone(), text(&entry["name"])), value);
        }
    };
    let pods = predictor["componentSpecs"].as_array().into_iter().flatten();
    for pod in pods.map(|component| &component["spec"]) {
        let lists = [&pod["containers"], &pod["initContainers"]];
        for container in lists.into_iter().filter_map(Value::as_array).flatten() {
            add(text(&container["name"]), container);
        }
    }
    add("svcOrchSpec".to_owned(), &predictor["svcOrchSpec"]);
    add(
        "explainer".to_owned(),
        &predictor["explainer"]["containerSpec"],
    );
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_predictors_that_change_restart_and_only_variables_that_differ_are_told() {
        let model = |port: &str, tags: bool| {
            let mut env = json!([
                {"name": "MINE", "value": "secret"},
                {"name": "JAEGER_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
                {"name": "JAEGER_AGENT_PORT", "value": port},
            ]);
            if tags {
                env[0] = json!({"name": "JAEGER_TAGS", "value": "a=b"});
            }
            json!({"spec": {"replicas": 3, "predictors": [
                {"name": "main", "componentSpecs": [{"spec": {"containers": [{"name": "m", "env": env}]}}]},
                {"name": "canary", "replicas": 2, "svcOrchSpec": {"env": [env[2]]}},
                {"name": "other", "graph": {}},
            ]}})
        };
        assert!(Changes::between(&model("1", false), &model("1", false)).is_empty());
        let mut before = model("1", false);
        let with_tags = model("2", true);
        before["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"][0] =
            json!({"name": "JAEGER_SERVICE_NAME", "value": "s"});
        let changes = Changes::between(&before, &with_tags);
        let restarts: Vec<_> = changes
            .restarts
            .iter()
            .map(|it| (&*it.predictor, it.replicas))
            .collect();
        assert_eq!(restarts, [("main", 3), ("canary", 2)]);
        let told = changes.variables.iter().map(|it| {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!(
                "{} {} {} {}",
                it.target,
                it.variable,
                shown(&it.before),
                shown(&it.after)
            )
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "m JAEGER_AGENT_PORT 1 2",
                "m JAEGER_SERVICE_NAME s -",
                "m JAEGER_TAGS - a=b",
                "svcOrchSpec JAEGER_AGENT_PORT 1 2",
            ]
        );
    }
}
