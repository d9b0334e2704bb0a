//! What is the user's stays the user's, whatever they write, and whatever a record claims.

use serde_json::{Value, json};

use crate::models::{self, RECORD, container, essence, is_traced, names, value, written};
use crate::rig::kubectl::{Ran, command, finish};
use crate::rig::{Cluster, Space};
use crate::support::variables::FIVE;
use crate::writes::{create, quietly, record, warned};

tests![
    variables_of_the_user_win_wherever_they_stand,
    a_value_that_the_user_patches_or_edits_is_the_users_from_then_on,
    a_variable_that_the_user_deletes_stays_out_until_they_opt_in_again,
    a_forged_record_takes_nothing_of_the_users,
    a_record_copied_from_another_model_is_believed_only_where_it_is_true,
    a_damaged_or_removed_record_is_put_back_from_the_object_before,
    a_damaged_record_of_a_new_model_is_replaced,
    a_record_of_200_kb_is_not_read_and_the_model_is_traced,
    a_model_without_room_for_a_record_is_deployed_untraced,
];

/// What the first predictor gives the orchestrator.
fn orchestrator(object: &Value) -> &Value {
    &object["spec"]["predictors"][0]["svcOrchSpec"]
}

fn annotate(space: &Space<'_>, annotation: &str) -> Ran {
    space.kubectl(&["annotate", "--overwrite", "sdep/model", annotation])
}

fn patch(space: &Space<'_>, patch: &Value) -> Ran {
    let patch = format!("--patch={patch}");
    space.kubectl(&["patch", "sdep/model", "--type=json", &patch])
}

/// Whoever owns it can still deploy it: a new image is stored.
#[track_caller]
fn is_deployable(space: &Space<'_>) {
    let image = "/spec/predictors/0/componentSpecs/0/spec/containers/0/image";
    let new = "example.com/model:2";
    patch(
        space,
        &json!([{"op": "replace", "path": image, "value": new}]),
    )
    .ok();
    assert_eq!(container(&space.get("model"))["image"], new);
}

/// An untraced model with variables of the user's in its container and its orchestrator.
fn by_hand() -> Value {
    let mut model = models::untraced("model");
    let predictor = &mut model["spec"]["predictors"][0];
    predictor["componentSpecs"][0]["spec"]["containers"][0]["env"] = json!([
        {"name": "MODEL_NAME", "value": "one"},
        {"name": "JAEGER_AGENT_HOST", "value": "agent.example.com"},
        {"name": "JAEGER_AGENT_PORT", "value": "6831"},
    ]);
    predictor["svcOrchSpec"] = json!({"env": [
        {"name": "JAEGER_SAMPLER_TYPE", "value": "probabilistic"},
        {"name": "JAEGER_SAMPLER_PARAM", "valueFrom": {"configMapKeyRef": {"name": "sampling", "key": "share"}}},
    ]});
    model
}

fn variables_of_the_user_win_wherever_they_stand(cluster: &Cluster) {
    let space = cluster.space("wins");
    let mut model = by_hand();
    let containers = &mut model["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"];
    let off = json!({"name": "quiet", "image": "example.com/quiet:1", "env": [{"name": "TRACING", "value": "0"}]});
    containers.as_array_mut().unwrap().push(off);
    quietly(create(&space, &model));
    let before = space.get("model");

    quietly(annotate(&space, "tracing=true"));
    let traced = space.get("model");
    // Nothing of theirs moves, ours comes behind it, and no name is there twice.
    let of_theirs = container(&before)["env"].as_array().unwrap();
    let there = container(&traced)["env"].as_array().unwrap();
    assert_eq!(there[..3], of_theirs[..], "the user's stay");
    assert_eq!(
        names(container(&traced))[3..],
        ["TRACING", "JAEGER_SAMPLER_TYPE", "JAEGER_SAMPLER_PARAM"]
    );
    let of_theirs = orchestrator(&before)["env"].as_array().unwrap();
    let there = orchestrator(&traced)["env"].as_array().unwrap();
    assert_eq!(there[..2], of_theirs[..], "the user's stay");
    assert_eq!(
        names(orchestrator(&traced))[2..],
        ["TRACING", "JAEGER_AGENT_HOST", "JAEGER_AGENT_PORT"]
    );
    let second = "/spec/predictors/0/componentSpecs/0/spec/containers/1";
    assert_eq!(traced.pointer(second), before.pointer(second), "TRACING=0");

    quietly(annotate(&space, "tracing-"));
    assert_eq!(essence(&space.get("model")), essence(&before), "opted out");
}

fn a_value_that_the_user_patches_or_edits_is_the_users_from_then_on(cluster: &Cluster) {
    let space = cluster.space("changes");
    quietly(create(&space, &models::model("model")));
    let env = "/spec/predictors/0/componentSpecs/0/spec/containers/0/env";
    assert_eq!(names(container(&space.get("model"))), FIVE);

    let port = json!([{"op": "replace", "path": format!("{env}/2/value"), "value": "6831"}]);
    // Host and port are set both or neither: ours goes, and they hear of it.
    warned(patch(&space, &port), "port-without-host");
    let patched = space.get("model");
    assert_eq!(
        value(container(&patched), "JAEGER_AGENT_PORT"),
        Some("6831")
    );
    assert_eq!(
        value(orchestrator(&patched), "JAEGER_AGENT_PORT"),
        Some("5775")
    );

    let mut edit = command(cluster.plane());
    edit.args(["--namespace", &space.name, "edit", "sdep/model"]);
    // Only below svcOrchSpec, the last of the predictor.
    let sampler = "/svcOrchSpec:/,$ {s/value: const/value: probabilistic/; /JAEGER_SAMPLER_PARAM/ {n; s/\"1\"/\"0.5\"/}}";
    edit.env("KUBE_EDITOR", format!("sed -i -e '{sampler}'"));
    finish(edit, "").ok();
    let edited = space.get("model");
    let theirs = [
        ("JAEGER_SAMPLER_TYPE", "probabilistic"),
        ("JAEGER_SAMPLER_PARAM", "0.5"),
    ];
    for (name, text) in theirs {
        assert_eq!(value(orchestrator(&edited), name), Some(text), "{edited}");
    }
    // What is theirs is in no record: the port of the container, the sampler of the orchestrator.
    let record: Value = serde_json::from_str(record(&edited).as_str().unwrap()).unwrap();
    let recorded = |target: &Value| {
        let set = usize::try_from(target["set"].as_u64().unwrap()).unwrap();
        let set = record["sets"][set].as_object().unwrap();
        set.keys().cloned().collect::<Vec<_>>()
    };
    let ours = &record["predictors"]["default"];
    assert_eq!(
        recorded(&ours["containers"]["classifier"]),
        ["TRACING", "JAEGER_SAMPLER_TYPE", "JAEGER_SAMPLER_PARAM"]
    );
    assert_eq!(recorded(&ours["orchestrator"]), FIVE[..3]);

    // Other writes leave it so, and a new spec does too.
    annotate(&space, "note=1").ok();
    assert_eq!(edited["spec"], space.get("model")["spec"]);
    is_deployable(&space);
    assert_eq!(
        container(&edited)["env"],
        container(&space.get("model"))["env"]
    );

    quietly(annotate(&space, "tracing-"));
    let after = space.get("model");
    let port = json!([{"name": "JAEGER_AGENT_PORT", "value": "6831"}]);
    assert_eq!(container(&after)["env"], port, "opted out");
    let sampler = theirs.map(|(name, value)| json!({"name": name, "value": value}));
    assert_eq!(orchestrator(&after), &json!({"env": sampler}), "opted out");
    assert_eq!(after["metadata"]["annotations"], json!({"note": "1"}));
}

fn a_variable_that_the_user_deletes_stays_out_until_they_opt_in_again(cluster: &Cluster) {
    let space = cluster.space("deletes");
    let untraced = models::untraced("model");
    quietly(create(&space, &untraced));
    let before = space.get("model");
    quietly(annotate(&space, "tracing=true"));

    let env = "/spec/predictors/0/componentSpecs/0/spec/containers/0/env";
    let tracing = json!([
        {"op": "test", "path": format!("{env}/0/name"), "value": "TRACING"},
        {"op": "remove", "path": format!("{env}/0")},
    ]);
    quietly(patch(&space, &tracing));
    let without = space.get("model");
    assert_eq!(names(container(&without)), FIVE[1..]);
    assert_eq!(names(orchestrator(&without)), FIVE);
    quietly(annotate(&space, "note=1"));
    assert_eq!(space.get("model")["spec"], without["spec"]);
    is_deployable(&space);
    assert_eq!(names(container(&space.get("model"))), FIVE[1..]);

    quietly(space.kubectl(&["annotate", "sdep/model", "tracing-", "note-"]));
    let mut after = space.get("model");
    assert_eq!(container(&after)["image"], "example.com/model:2");
    let containers = &mut after["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"];
    containers[0]["image"] = container(&before)["image"].clone();
    assert_eq!(essence(&after), essence(&before), "opted out");
    quietly(annotate(&space, "tracing=true"));
    assert_eq!(names(container(&space.get("model"))), FIVE);
}

/// A record in our form that claims these variables, the container, and the orchestrator's part.
fn forged(variables: &Value) -> String {
    json!({
        "v": 1,
        "sets": [variables],
        "predictors": {"default": {
            "new": ["svcOrchSpec", "componentSpecs", "componentSpec", "podSpec", "containers"],
            "containers": {"classifier": {"set": 0, "new": ["container", "env"]}},
            "orchestrator": {"set": 0, "new": ["env"]},
        }},
    })
    .to_string()
}

fn a_forged_record_takes_nothing_of_the_users(cluster: &Cluster) {
    let defaults = json!({
        "TRACING": "1",
        "JAEGER_AGENT_HOST": {"fieldPath": "status.hostIP"},
        "JAEGER_AGENT_PORT": "5775",
        "JAEGER_SAMPLER_TYPE": "const",
        "JAEGER_SAMPLER_PARAM": "1",
    });
    let of_any_name = json!({"MODEL_NAME": "one"});
    let of_any_value =
        json!({"JAEGER_AGENT_HOST": "agent.example.com", "JAEGER_AGENT_PORT": "none"});
    // Their names with values of ours is something that we could have written; the others are not.
    for (claimed, readable) in [
        (defaults, true),
        (of_any_name, false),
        (of_any_value, false),
    ] {
        let space = cluster.space("forged");
        let mut model = by_hand();
        model["metadata"]["annotations"] = json!({"tracing": "false", RECORD: forged(&claimed)});
        let created = create(&space, &model);
        if readable {
            quietly(created);
        } else {
            warned(created, "record-unreadable");
        }
        let after = space.get("model");
        assert_eq!(after["spec"], model["spec"], "{claimed}");
        // What is not a record of ours is no business of ours either.
        assert_eq!(record(&after).is_string(), !readable, "{claimed}");

        // And with tracing on: what is theirs stands first, and once.
        annotate(&space, "tracing=true").ok();
        let traced = space.get("model");
        let of_theirs = container(&model)["env"].as_array().unwrap();
        assert_eq!(
            container(&traced)["env"].as_array().unwrap()[..3],
            of_theirs[..]
        );
        let of_theirs = orchestrator(&model)["env"].as_array().unwrap();
        assert_eq!(
            orchestrator(&traced)["env"].as_array().unwrap()[..2],
            of_theirs[..]
        );
        assert!(is_traced(&traced), "{traced}");
        is_deployable(&space);
    }
}

fn a_record_copied_from_another_model_is_believed_only_where_it_is_true(cluster: &Cluster) {
    let space = cluster.space("copied");
    quietly(space.kubectl_with(&models::model("source").to_string(), &["create", "-f", "-"]));
    let source = space.get("source");
    // As people copy a model: all of it under another name.
    let yaml = space.kubectl(&["get", "sdep/source", "-o", "yaml"]).ok();
    let yaml = yaml.replacen("\n  name: source\n", "\n  name: model\n", 1);
    let lines = yaml.lines();
    let copy: Vec<_> = lines
        .filter(|line| !line.starts_with("  resourceVersion:") && !line.starts_with("  uid:"))
        .collect();
    quietly(space.kubectl_with(&copy.join("\n"), &["create", "-f", "-"]));
    let copied = space.get("model");
    assert_eq!(copied["spec"], source["spec"], "there is nothing to do");
    assert_eq!(record(&copied), record(&source));
    quietly(annotate(&space, "tracing-"));
    let after = space.get("model");
    let untraced = models::untraced("source");
    assert_eq!(after["spec"], untraced["spec"], "it is true there");
    assert_eq!(after["metadata"]["annotations"], json!(null));

    // The annotation alone, on a model whose variables are by hand.
    let elsewhere = cluster.space("copied");
    let mut model = by_hand();
    model["metadata"]["annotations"] = json!({RECORD: record(&source)});
    quietly(create(&elsewhere, &model));
    assert_eq!(elsewhere.get("model")["spec"], model["spec"]);
    is_deployable(&elsewhere);
}

fn a_damaged_or_removed_record_is_put_back_from_the_object_before(cluster: &Cluster) {
    let space = cluster.space("damaged");
    quietly(create(&space, &models::model("model")));
    let traced = space.get("model");
    let damaged = format!("{RECORD}={{\"v\":1,\"sets\":[");
    warned(annotate(&space, &damaged), "record-unreadable");
    // The API server notes who wrote the annotation, before it asks us; nothing else is left of that write.
    assert_eq!(essence(&space.get("model")), essence(&traced));
    quietly(annotate(&space, &format!("{RECORD}-")));
    let again = space.get("model");
    assert_eq!(essence(&again), essence(&traced));
    assert_eq!(written(&again).generation, 1);
    quietly(annotate(&space, "tracing-"));
    let after = space.get("model");
    assert_eq!(
        after["spec"],
        models::untraced("model")["spec"],
        "opted out"
    );
}

fn a_damaged_record_of_a_new_model_is_replaced(cluster: &Cluster) {
    let space = cluster.space("damaged");
    let mut model = by_hand();
    model["metadata"]["annotations"] = json!({"tracing": "true", RECORD: "{\"v\":1,"});
    warned(create(&space, &model), "record-unreadable");
    assert!(is_traced(&space.get("model")));
    is_deployable(&space);
    quietly(annotate(&space, "tracing-"));
    let mut after = space.get("model");
    let containers = &mut after["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"];
    containers[0]["image"] = container(&model)["image"].clone();
    assert_eq!(after["spec"], model["spec"], "opted out");
}

fn a_record_of_200_kb_is_not_read_and_the_model_is_traced(cluster: &Cluster) {
    let space = cluster.space("large");
    let mut model = by_hand();
    // It would be a record if it were shorter, and would claim what stands there.
    let claim =
        forged(&json!({"JAEGER_AGENT_HOST": "agent.example.com", "JAEGER_AGENT_PORT": "6831"}));
    let large = format!("{claim}{}", " ".repeat(200 * 1024));
    model["metadata"]["annotations"] = json!({"tracing": "false", RECORD: large});
    warned(create(&space, &model), "record-unreadable");
    let created = space.get("model");
    assert_eq!(created["spec"], model["spec"]);
    assert_eq!(record(&created), &json!(large), "it is left alone");

    warned(annotate(&space, "tracing=true"), "record-unreadable");
    let traced = space.get("model");
    assert!(is_traced(&traced), "{traced}");
    assert!(record(&traced).as_str().unwrap().len() < 1024, "a new one");
    is_deployable(&space);
}

/// The API server refuses an object whose annotations are longer than 256 KiB together.
fn a_model_without_room_for_a_record_is_deployed_untraced(cluster: &Cluster) {
    let space = cluster.space("full");
    let mut model = models::model("model");
    model["metadata"]["annotations"]["ballast"] = json!("x".repeat(256 * 1024 - 200));
    warned(create(&space, &model), "record-too-large");
    let stored = space.get("model");
    assert_eq!(stored["spec"], model["spec"]);
    // And so it is: another 200 bytes are too many.
    let more = format!("more={}", "x".repeat(200));
    let refused = annotate(&space, &more).refused();
    assert!(refused.contains("Too long"), "{refused}");

    let ballast = annotate(&space, "ballast=short");
    quietly(ballast);
    assert!(is_traced(&space.get("model")));
}
