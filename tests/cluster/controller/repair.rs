//! What the controller does about models that an outage of the webhook let through.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use kube::api::{DynamicObject, ListParams};
use serde_json::{Value, json};

use super::Controller;
use crate::models::{is_traced, model, untraced, value, written};
use crate::rig::installation::get;
use crate::rig::{Cluster, Space, until};
use crate::writes::{apply, quietly, record};

tests![
    models_of_an_outage_are_repaired_after_it_each_once_and_no_other_is_touched,
    two_controllers_write_each_model_once,
    a_single_model_is_tried_during_an_outage_and_repaired_after_it,
    without_seldons_resource_it_waits_for_it,
];

/// Repair alone, which waits for one second where a person's controller waits for 30.
pub(super) const FLAGS: [&str; 3] = [
    "--certificates=false",
    "--repair-grace=1s",
    "--repairs-per-minute=1000",
];

/// The same as it is for a person, with the defaults that are shipped.
const AS_SHIPPED: [&str; 1] = ["--certificates=false"];

/// A webhook that does not run, until this is dropped.
pub(super) struct Outage<'c>(&'c Cluster);

impl<'c> Outage<'c> {
    pub(super) fn begin(cluster: &'c Cluster) -> Self {
        cluster.installation().webhook().go_down();
        Self(cluster)
    }
}

impl Drop for Outage<'_> {
    fn drop(&mut self) {
        let webhook = self.0.installation().webhook();
        self.0.block_on(webhook.go_up());
    }
}

/// All models of a namespace, by name.
fn all(space: &Space<'_>) -> BTreeMap<String, Value> {
    let models = space.models();
    let every = ListParams::default();
    let list = space.cluster.block_on(models.list(&every)).unwrap();
    let named = |object: &DynamicObject| {
        let name = object.metadata.name.clone().unwrap();
        (name, serde_json::to_value(object).unwrap())
    };
    list.items.iter().map(named).collect()
}

pub(super) fn events(space: &Space<'_>, reason: &str) -> usize {
    let field = format!("reason={reason}");
    let found = space.kubectl(&["get", "events", "--field-selector", &field, "-o", "name"]);
    found.ok().lines().count()
}

#[expect(clippy::too_many_lines, reason = "one scenario")]
fn models_of_an_outage_are_repaired_after_it_each_once_and_no_other_is_touched(cluster: &Cluster) {
    let space = cluster.space("repaired");
    let by_default = cluster.default_on_space("repaired-by-default");
    let names = |kind: &str, count: usize| -> Vec<String> {
        (0..count).map(|at| format!("{kind}-{at}")).collect()
    };
    let [before, leaving, never] =
        [("before", 20), ("leaving", 3), ("never", 5)].map(|(kind, count)| names(kind, count));
    let asking: Vec<_> = before.iter().chain(&leaving).map(|it| model(it)).collect();
    quietly(apply(&space, &asking));
    let not_asking: Vec<_> = never.iter().map(|it| untraced(it)).collect();
    quietly(apply(&space, &not_asking));
    let mut by_hand = model("by-hand");
    by_hand["metadata"]["annotations"] = json!({"tracing": "false"});
    let container =
        &mut by_hand["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0];
    container["env"] = json!([{"name": "TRACING", "value": "1"}]);
    quietly(apply(&space, &[by_hand]));
    let at_first = all(&space);

    let controller = Controller::start(cluster, &AS_SHIPPED);
    let outage = Outage::begin(cluster);
    let new = names("new", 200);
    let models: Vec<_> = new.iter().map(|it| model(it)).collect();
    quietly(apply(&space, &models));
    quietly(apply(&by_default, &[untraced("by-default")]));
    for name in &leaving {
        let model = format!("sdep/{name}");
        space.kubectl(&["annotate", &model, "tracing-"]).ok();
    }
    let mut going = model("going");
    going["metadata"]["finalizers"] = json!(["example.com/waits"]);
    quietly(apply(&space, &[going]));
    space
        .kubectl(&["delete", "sdep/going", "--wait=false"])
        .ok();
    let going = written(&space.get("going"));
    let standing = |standing: &str| {
        let label = format!("standing=\"{standing}\"");
        controller.metric("seldon_tracing_models", &label)
    };
    until("the controller has seen what is missing", || {
        standing("missing") > 200.5 && standing("leftover") > 2.5
    });
    // The grace period ends during the outage, or the rest of it would be measured.
    let repairs = |result: &str| {
        let label = format!("result=\"{result}\"");
        controller.metric("seldon_tracing_repairs_total", &label)
    };
    until("a repair is tried in vain", || repairs("in-vain") > 0.5);
    assert!(
        all(&space)
            .iter()
            .all(|(name, it)| !new.contains(name) || !is_traced(it))
    );

    let back = Instant::now();
    drop(outage);
    until("all models are repaired", || {
        standing("missing") < 0.5 && standing("leftover") < 0.5
    });
    let took = back.elapsed();
    eprintln!(
        "cluster: 204 models of an outage were repaired {:.1} s after its end",
        took.as_secs_f64()
    );
    assert!(took < Duration::from_mins(1), "{took:?}");
    let now = all(&space);
    for name in &new {
        assert!(is_traced(&now[name]), "{name}");
        assert_eq!(written(&now[name]).generation, 2, "{name}: once");
    }
    for name in &leaving {
        assert_eq!(*record(&now[name]), Value::Null, "{name}");
        let before = written(&at_first[name]).generation;
        assert_eq!(written(&now[name]).generation, before + 1, "{name}");
    }
    for name in before
        .iter()
        .chain(&never)
        .chain(["by-hand".to_owned()].iter())
    {
        assert_eq!(written(&now[name]), written(&at_first[name]), "{name}");
    }
    assert_eq!(written(&now["going"]), going, "it is being deleted");
    let finish = ["patch", "sdep/going", "--type=merge"];
    let finish = [
        &finish[..],
        &[r#"--patch={"metadata":{"finalizers":null}}"#],
    ]
    .concat();
    space.kubectl(&finish).ok();
    assert!(is_traced(&by_default.get("by-default")));
    until("each repair has an Event", || {
        events(&space, "TracingRepaired") == 203
    });
    let described = space.kubectl(&["describe", "sdep/new-0"]).ok();
    assert!(described.contains("Its pods restart once"), "{described}");
    assert!((repairs("done") - 204.0).abs() < 0.5);
}

/// Both have seen the same models at the same time, and so both write them at the same time.
fn two_controllers_write_each_model_once(cluster: &Cluster) {
    let space = cluster.space("by-two");
    let two = [(); 2].map(|()| Controller::start(cluster, &FLAGS));
    let outage = Outage::begin(cluster);
    let models: Vec<_> = (0..30).map(|at| model(&format!("model-{at}"))).collect();
    quietly(apply(&space, &models));
    let missing =
        |one: &Controller<'_>| one.metric("seldon_tracing_models", "standing=\"missing\"");
    until("both have seen them", || {
        two.iter().all(|one| missing(one) > 29.5)
    });
    drop(outage);
    until("both have seen that all are repaired", || {
        two.iter().all(|one| missing(one) < 0.5)
    });
    for (name, model) in all(&space) {
        assert!(is_traced(&model), "{name}");
        assert_eq!(written(&model).generation, 2, "{name}: once");
    }
    let repairs = |one: &Controller<'_>, result: &str| {
        let label = format!("result=\"{result}\"");
        one.metric("seldon_tracing_repairs_total", &label)
    };
    let done: f64 = two.iter().map(|one| repairs(one, "done")).sum();
    let failed: f64 = two.iter().map(|one| repairs(one, "failed")).sum();
    eprintln!("cluster: of 30 models, two controllers repaired {done} in sum; {failed} failed");
    assert!(done > 29.5 && failed < 0.5, "{done} {failed}");
}

fn a_single_model_is_tried_during_an_outage_and_repaired_after_it(cluster: &Cluster) {
    let space = cluster.space("single");
    let controller = Controller::start(cluster, &FLAGS);
    let outage = Outage::begin(cluster);
    quietly(apply(&space, &[model("single")]));
    let stored = written(&space.get("single"));
    let in_vain = || controller.metric("seldon_tracing_repairs_total", "result=\"in-vain\"");
    until("it was tried", || in_vain() > 0.5);
    // Nothing is written by that, and the user can read why.
    assert_eq!(written(&space.get("single")), stored);
    until("the user is told", || {
        events(&space, "TracingNotRepaired") == 1
    });
    drop(outage);
    until("it is repaired", || is_traced(&space.get("single")));
    assert_eq!(written(&space.get("single")).generation, 2);
    assert_eq!(events(&space, "TracingNotRepaired"), 1);

    // No repair helps with what the user has to change.
    let mut problem = model("problem");
    problem["metadata"]["annotations"] = json!({"tracing": "yes"});
    apply(&space, &[problem]).ok();
    until("the user is told of the problem", || {
        events(&space, "TracingProblem") == 1
    });
    let described = space.kubectl(&["describe", "sdep/problem"]).ok();
    assert!(described.contains("TracingProblem"), "{described}");
}

/// What the controller logs of a watch that fails, and how it counts it.
const NOT_WATCHED: &str = "cannot watch the SeldonDeployments";
const WATCH: &str = "check=\"watch-models\"";

fn without_seldons_resource_it_waits_for_it(cluster: &Cluster) {
    let name = "seldondeployments.machinelearning.seldon.io";
    let mut definition = get(cluster.plane(), "customresourcedefinition", name);
    cluster
        .kubectl(&["delete", "customresourcedefinition", name])
        .ok();
    let controller = Controller::start(cluster, &FLAGS);
    until("it says what is not there", || {
        controller.has_problem("[!]watch-models: cannot watch the SeldonDeployments")
    });
    for written_by_the_server in ["resourceVersion", "uid", "creationTimestamp", "generation"] {
        let metadata = definition["metadata"].as_object_mut().unwrap();
        metadata.remove(written_by_the_server);
    }
    definition["status"] = Value::Null;
    let file = cluster.plane().file("definition.json");
    fs::write(&file, definition.to_string()).unwrap();
    let file = file.display().to_string();
    cluster.kubectl(&["create", "-f", &file]).ok();
    until("it watches", || {
        controller.has_problem("[+]watch-models ok")
    });
    until_models_are_written(cluster);

    // It goes away under the watch.
    let missing = controller.process.lines_with(NOT_WATCHED);
    assert_eq!(missing, 1, "{}", controller.process.log());
    let delete = ["delete", "customresourcedefinition", name];
    cluster.kubectl(&delete).ok();
    until("it says again what is not there", || {
        controller.has_problem("[!]watch-models: cannot watch the SeldonDeployments")
    });
    let models = || controller.metric("seldon_tracing_models", "");
    let errors = || controller.metric("seldon_tracing_controller_errors_total", WATCH);
    let before = errors();
    until("it tries again", || errors() > before + 1.5);
    let missing = controller.process.lines_with(NOT_WATCHED);
    assert_eq!(missing, 2, "{}", controller.process.log());
    cluster.kubectl(&["create", "-f", &file]).ok();
    until_models_are_written(cluster);
    until("it watches again", || {
        controller.has_problem("[+]watch-models ok") && models() > 0.5
    });
}

/// The API server takes a moment to serve a resource.
fn until_models_are_written(cluster: &Cluster) {
    until("models can be written", || {
        let space = cluster.space("after");
        let created = space.kubectl_with(&model("after").to_string(), &["create", "-f", "-"]);
        created.code == Some(0)
            && value(crate::models::container(&space.get("after")), "TRACING") == Some("1")
    });
}
