//! Which variables are injected, and where.

use seldon_tracing::config::{Config, Targets};
use seldon_tracing::inject::Variable;
use serde_json::{Value, json};

use super::{FIVE, container, decide, decide_with, inject, names, predictor, sdep};

fn on() -> Value {
    json!({"tracing": "true"})
}

#[test]
fn every_container_of_every_component_is_a_target_and_init_containers_are_not() {
    let object = sdep(
        &on(),
        &json!({"componentSpecs": [
            {"spec": {"containers": [{"name": "a"}, {"name": "b", "env": []}], "initContainers": [{"name": "i"}]}},
            {"spec": {"containers": [{"name": "c", "env": [{"name": "X", "value": "y"}]}]}},
        ]}),
    );
    let result = inject(&object);
    let components = &predictor(&result)["componentSpecs"];
    assert_eq!(names(&components[0]["spec"]["containers"][0]["env"]), FIVE);
    assert_eq!(names(&components[0]["spec"]["containers"][1]["env"]), FIVE);
    assert_eq!(
        names(&components[1]["spec"]["containers"][0]["env"])[1..],
        FIVE,
        "ours come behind the user's variables"
    );
    assert_eq!(
        components[0]["spec"]["initContainers"],
        json!([{"name": "i"}])
    );
    let config = Config {
        targets: Targets {
            init_containers: true,
            ..Targets::default()
        },
        ..Config::default()
    };
    let (result, _) = decide_with(&object, &config);
    assert_eq!(
        names(&predictor(&result)["componentSpecs"][0]["spec"]["initContainers"][0]["env"]),
        FIVE
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_kind_of_target_has_a_switch() {
    let object = sdep(
        &on(),
        &json!({
            "graph": {"name": "server", "implementation": "SKLEARN_SERVER"},
            "componentSpecs": [{"spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]}}],
            "explainer": {"type": "AnchorTabular", "containerSpec": {"name": "e"}},
        }),
    );
    let all = Targets {
        init_containers: true,
        ..Targets::default()
    };
    let off: [(&str, Targets); 5] = [
        (
            "container a",
            Targets {
                containers: false,
                ..all
            },
        ),
        (
            "init-container i",
            Targets {
                init_containers: false,
                ..all
            },
        ),
        (
            "orchestrator",
            Targets {
                orchestrator: false,
                ..all
            },
        ),
        (
            "prepackaged-server server",
            Targets {
                prepackaged_servers: false,
                ..all
            },
        ),
        (
            "explainer e",
            Targets {
                explainer: false,
                ..all
            },
        ),
    ];
    let (_, seen) = decide_with(
        &object,
        &Config {
            targets: all,
            ..Config::default()
        },
    );
    let mut all_of_them: Vec<_> = seen
        .targets
        .iter()
        .map(|target| target.who.as_str())
        .collect();
    all_of_them.sort_unstable();
    let mut expected = off.map(|(who, _)| who);
    expected.sort_unstable();
    assert_eq!(all_of_them, expected);
    assert!(seen.targets.iter().all(|target| target.left.is_none()));
    for (who, targets) in off {
        let (_, seen) = decide_with(
            &object,
            &Config {
                targets,
                ..Config::default()
            },
        );
        if who.starts_with("prepackaged") {
            assert!(
                seen.notes
                    .iter()
                    .any(|note| note
                        .starts_with("target-switched-off spec.predictors[0].graph: server")),
                "{seen:?}"
            );
        } else {
            assert_eq!(seen.target(who).left, Some("target-switched-off"));
        }
        assert_eq!(
            seen.targets
                .iter()
                .filter(|target| target.left.is_none())
                .count(),
            4,
            "{who}"
        );
    }
}

#[test]
fn the_orchestrator_is_created_where_it_is_absent_and_left_out_without_an_engine() {
    for (predictor_part, expected) in [
        (json!({}), Some(5)),
        (json!({"svcOrchSpec": {}}), Some(5)),
        (json!({"svcOrchSpec": {"resources": {}}}), Some(5)),
        (json!({"svcOrchSpec": {"env": []}}), Some(5)),
        (json!({"svcOrchSpec": {"env": null}}), Some(5)),
        (json!({"svcOrchSpec": null}), Some(5)),
        (
            json!({"annotations": {"seldon.io/no-engine": "true"}}),
            None,
        ),
        (
            json!({"annotations": {"seldon.io/no-engine": "false"}}),
            Some(5),
        ),
    ] {
        let object = sdep(&on(), &predictor_part);
        let (result, seen) = decide(&object);
        let env = &predictor(&result)["svcOrchSpec"]["env"];
        assert_eq!(env.as_array().map(Vec::len), expected, "{predictor_part}");
        if predictor_part["annotations"]["seldon.io/no-engine"] == "true" {
            assert_eq!(seen.target("orchestrator").left, Some("no-orchestrator"));
        }
        assert_eq!(super::uninject(&result), object);
    }
}

#[test]
fn engine_annotations_count_as_set_by_the_user() {
    for (key, value, variable, other, in_pair) in [
        (
            "seldon.io/engine-jaeger-agent-host",
            "j",
            Variable::AgentHost,
            Variable::AgentPort,
            true,
        ),
        (
            "seldon.io/engine-JAEGER-SAMPLER-TYPE",
            "const",
            Variable::SamplerType,
            Variable::SamplerParam,
            true,
        ),
        (
            "seldon.io/engine-tracing",
            "1",
            Variable::Tracing,
            Variable::AgentHost,
            false,
        ),
    ] {
        let mut object = sdep(
            &on(),
            &json!({"componentSpecs": [{"spec": {"containers": [{"name": "model"}]}}]}),
        );
        object["spec"]["annotations"] = json!({key: value});
        let (result, seen) = decide(&object);
        assert_eq!(
            seen.choice("orchestrator", variable),
            "engine-annotation",
            "{key}"
        );
        assert_eq!(
            seen.choice("orchestrator", other) == "pair-user-set",
            in_pair,
            "{key}"
        );
        assert_eq!(
            names(&container(&result)["env"]),
            FIVE,
            "only the orchestrator reads them"
        );
    }
    let mut object = sdep(&on(), &json!({}));
    object["spec"]["annotations"] = json!({"seldon.io/engine-tracing": "0"});
    assert_eq!(
        decide(&object).1.target("orchestrator").left,
        Some("user-disabled")
    );
    object["spec"]["annotations"] = json!({"seldon.io/engine-jaeger-sampler-param": "10%"});
    assert_eq!(decide(&object).1.notes_of("crashing-value"), 1);
}

#[test]
fn servers_that_read_the_variables_get_a_container() {
    for (implementation, reason) in [
        ("SKLEARN_SERVER", None),
        ("XGBOOST_SERVER", None),
        ("MLFLOW_SERVER", None),
        ("TENSORFLOW_SERVER", None),
        ("OUR_OWN_SERVER", None),
        ("TRITON_SERVER", Some("server-cannot-trace")),
        ("HUGGINGFACE_SERVER", Some("server-cannot-trace")),
        ("TEMPO_SERVER", Some("server-cannot-trace")),
        ("SIMPLE_MODEL", Some("built-in-node")),
        ("SIMPLE_ROUTER", Some("built-in-node")),
        ("RANDOM_ABTEST", Some("built-in-node")),
        ("AVERAGE_COMBINER", Some("built-in-node")),
        ("UNKNOWN_IMPLEMENTATION", Some("built-in-node")),
    ] {
        let object = sdep(
            &on(),
            &json!({"graph": {"name": "m", "implementation": implementation}}),
        );
        let (result, seen) = decide(&object);
        let stub = container(&result);
        assert_eq!(stub.is_object(), reason.is_none(), "{implementation}");
        match reason {
            None => {
                assert_eq!(stub["name"], "m");
                assert_eq!(names(&stub["env"]), FIVE);
                assert_eq!(stub.as_object().unwrap().len(), 2);
                assert!(seen.notes.is_empty(), "{seen:?}");
            }
            Some(reason) => assert_eq!(
                seen.notes,
                [format!(
                    "{reason} spec.predictors[0].graph: m ({implementation})"
                )]
            ),
        }
        assert_eq!(super::uninject(&result), object);
    }
}

#[test]
fn protocols_other_than_seldons_are_not_traced_in_servers_and_explainers() {
    for (protocol, server, explainer) in [
        (json!("seldon"), None, true),
        (json!(""), None, true),
        (json!("tensorflow"), Some("protocol-cannot-trace"), true),
        (json!("v2"), Some("needs-otlp-endpoint"), false),
        (json!("kfserving"), Some("needs-otlp-endpoint"), false),
    ] {
        let mut object = sdep(
            &on(),
            &json!({
                "graph": {"name": "m", "implementation": "SKLEARN_SERVER"},
                "explainer": {"type": "AnchorTabular", "containerSpec": {}},
            }),
        );
        object["spec"]["protocol"] = protocol.clone();
        let (result, seen) = decide(&object);
        assert_eq!(
            container(&result).is_object(),
            server.is_none(),
            "{protocol}"
        );
        assert!(
            server.is_none_or(|reason| seen.notes_of(reason) == 1),
            "{seen:?}"
        );
        assert_eq!(
            seen.target("explainer").left,
            (!explainer).then_some("explainer-overwritten"),
            "{protocol}"
        );
        assert_eq!(
            predictor(&result)["explainer"]["containerSpec"]
                .get("env")
                .is_some(),
            explainer
        );
        assert!(
            predictor(&result)["svcOrchSpec"].is_object(),
            "the orchestrator traces with every protocol"
        );
    }
}

#[test]
fn explainers_are_traced_where_the_user_wrote_their_container() {
    for (explainer, note, traced) in [
        (
            json!({"type": "AnchorTabular"}),
            Some("explainer-without-container"),
            false,
        ),
        (json!({}), Some("explainer-without-type"), false),
        (
            json!({"type": "AnchorTabular", "containerSpec": {}}),
            None,
            true,
        ),
        (
            json!({"type": "AnchorTabular", "containerSpec": {"image": "x"}}),
            None,
            true,
        ),
        (json!({"type": "", "containerSpec": {}}), None, false),
        (json!({"containerSpec": {}}), None, false),
        (
            json!({"type": "AnchorTabular", "containerSpec": null}),
            Some("explainer-without-container"),
            false,
        ),
        (json!(null), None, false),
    ] {
        let object = sdep(&on(), &json!({"explainer": explainer}));
        let (result, seen) = decide(&object);
        assert_eq!(
            predictor(&result)["explainer"]["containerSpec"]["env"].is_array(),
            traced,
            "{explainer}"
        );
        assert_eq!(
            seen.notes.len(),
            usize::from(note.is_some()),
            "{explainer} {seen:?}"
        );
        assert!(
            note.is_none_or(|note| seen.notes_of(note) == 1),
            "{explainer} {seen:?}"
        );
        assert_eq!(super::uninject(&result), object);
    }
}

#[test]
fn stubs_come_in_graph_order_behind_the_users_containers() {
    let graph = json!({"name": "router", "implementation": "SIMPLE_ROUTER", "children": [
        {"children": [{"name": "c", "implementation": "XGBOOST_SERVER"}], "name": "b", "implementation": "SKLEARN_SERVER"},
        {"name": "own", "implementation": "SKLEARN_SERVER"},
        {"name": "a", "implementation": "MLFLOW_SERVER"},
        {"name": "a", "implementation": "MLFLOW_SERVER"},
    ]});
    let own = json!({"name": "own", "image": "x"});
    let stubs = ["own", "b", "c", "a"];
    for components in [
        json!([{"spec": {"containers": [own]}}]),
        json!([{"metadata": {}, "spec": {"containers": [own], "volumes": []}}, {"spec": {"containers": [{"name": "z"}]}}]),
    ] {
        let object = sdep(
            &on(),
            &json!({"graph": graph, "componentSpecs": components}),
        );
        let (result, seen) = decide(&object);
        assert_eq!(
            names(&predictor(&result)["componentSpecs"][0]["spec"]["containers"]),
            stubs
        );
        assert_eq!(seen.notes_of("own-container"), 1);
        assert_eq!(super::uninject(&result), object);
    }
    for components in [
        json!([]),
        json!([{}]),
        json!([{"spec": {}}]),
        json!([{"spec": {"containers": []}}]),
        json!([{"metadata": {"labels": {}}}]),
    ] {
        let object = sdep(
            &on(),
            &json!({"graph": graph, "componentSpecs": components}),
        );
        let result = inject(&object);
        assert_eq!(
            names(&predictor(&result)["componentSpecs"][0]["spec"]["containers"]),
            ["b", "c", "own", "a"],
            "{components}"
        );
        assert_eq!(super::uninject(&result), object);
    }
}

#[test]
fn a_graph_that_cannot_be_read_is_said() {
    let mut graph = json!({"name": "deep", "implementation": "SKLEARN_SERVER"});
    for _ in 0..200 {
        graph = json!({"children": [graph]});
    }
    let text = sdep(&on(), &json!({"graph": graph})).to_string();
    // Deeper than the JSON reader of the API server's own webhooks goes; the view reads past it.
    let view = seldon_tracing::inject::SeldonDeployment::from_json(text.as_bytes());
    if let Ok(view) = view {
        let config = Config::default();
        let plan = seldon_tracing::inject::plan(&view, None, &config, &super::Context::default());
        assert!(
            plan.notes
                .iter()
                .any(|note| note.reason.code() == "graph-too-deep")
        );
    }
    let object = sdep(
        &on(),
        &json!({"graph": {"implementation": "SKLEARN_SERVER", "children": "odd"}}),
    );
    assert_eq!(
        decide(&object).1.notes,
        [
            "odd-type spec.predictors[0].graph: expected a node with a name, found a node without a name"
        ]
    );
}
