//! `jaeger-config`: the sampler of the settings, rendered as the file that Seldon's Python wrapper reads.

use k8s_openapi::api::core::v1;
use seldon_tracing::manifest::stream::Documents;
use seldon_tracing::manifest::tree::Tree;
use serde_json::{Value, json};

use crate::command::{MODEL, folder, run, run_in};

fn yaml(text: &str) -> Value {
    Tree::yaml(text).unwrap().to_value().unwrap()
}

/// The model with further annotations.
fn model(name: &str, annotations: &[(&str, &str)]) -> String {
    let lines = annotations
        .iter()
        .map(|(key, text)| format!("    tracing.seldon.io/{key}: \"{text}\"\n"))
        .collect::<Vec<_>>()
        .concat();
    MODEL
        .replace("  name: model\n", &format!("  name: {name}\n"))
        .replace("  annotations:\n", &format!("  annotations:\n{lines}"))
}

/// The objects that were printed, each of which Kubernetes' own type holds without a loss.
fn rendered(text: &str) -> Vec<Value> {
    let documents = Documents::new(text.as_bytes()).map(|document| yaml(&document.unwrap().text));
    documents
        .filter(|object| !object.is_null())
        .inspect(|object| {
            let typed: v1::ConfigMap = serde_json::from_value(object.clone()).unwrap();
            assert_eq!(&serde_json::to_value(typed).unwrap(), object);
        })
        .collect()
}

#[test]
fn every_sampler_comes_back_from_the_file_that_is_rendered() {
    let sampler = |kind: &str, param: Value| json!({"sampler": {"type": kind, "param": param}});
    for (kind, param, file) in [
        ("const", "0", sampler("const", json!(0))),
        ("const", "1", sampler("const", json!(1))),
        ("probabilistic", "0", sampler("probabilistic", json!(0))),
        (
            "probabilistic",
            "0.50",
            sampler("probabilistic", json!(0.5)),
        ),
        ("probabilistic", "1", sampler("probabilistic", json!(1))),
        ("ratelimiting", "0.1", sampler("ratelimiting", json!(0.1))),
        ("ratelimiting", "010", sampler("ratelimiting", json!(10))),
        // To the Python client, no sampler is the remote one.
        ("remote", "0.5", json!({})),
    ] {
        let asked = [
            ("config-map", "jaeger-client"),
            ("sampler-type", kind),
            ("sampler-param", param),
        ];
        let objects = rendered(&run(&["jaeger-config"], &model("m", &asked)).data());
        let [object] = &objects[..] else {
            panic!("{objects:?}")
        };
        let text = object["data"]["tracing.yml"].as_str().unwrap();
        assert_eq!(yaml(text), file, "{kind} {param}");
    }
}

#[test]
fn what_an_injection_mounts_is_what_is_rendered() {
    let manifest = [
        &model("a", &[("config-map", "one"), ("sampler-type", "remote")])[..],
        "---\n",
        &model("b", &[("config-map", "two/jaeger.yml")]),
    ]
    .concat();
    let objects = rendered(&run(&["jaeger-config", "-n", "ml"], &manifest).data());
    let injected = run(&["inject", "-n", "ml"], &manifest).data();
    let volumes: Vec<Value> = Documents::new(injected.as_bytes())
        .map(|document| yaml(&document.unwrap().text))
        .map(|object| {
            object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["volumes"][0]["configMap"]
                .clone()
        })
        .collect();
    assert_eq!((objects.len(), volumes.len()), (2, 2));
    for (object, volume) in objects.iter().zip(&volumes) {
        assert_eq!(object["metadata"]["name"], volume["name"]);
        assert_eq!(object["metadata"]["namespace"], "ml");
        let key = volume["items"][0]["key"].as_str().unwrap();
        assert!(object["data"][key].is_string(), "{object} {volume}");
    }
    // What was injected asks for the same, and the order of the manifests makes no difference.
    let again = run(&["jaeger-config", "-n", "ml"], &injected).data();
    assert_eq!(rendered(&again), objects);
}

#[test]
fn the_example_holds_the_config_map_that_the_command_prints() {
    let file = "examples/python-sampler.yaml";
    let text = std::fs::read_to_string(crate::support::fixtures::root().join(file)).unwrap();
    let printed = run(&["jaeger-config", "-f", file], "").data();
    assert!(text.contains(&format!("\n{printed}---\n")), "{printed}");
}

#[test]
fn settings_of_the_config_are_rendered_too() {
    let config = "\
defaults: {configMap: jaeger-client, samplerType: ratelimiting, samplerParam: 2}
profiles:
  sampled: {configMap: jaeger-client/sampled.yml, samplerType: probabilistic, samplerParam: 0.25}
namespaces:
  quiet: {samplerType: const, samplerParam: 0}
";
    let models = [
        MODEL,
        "---\n",
        &MODEL.replace("\"true\"", "sampled"),
        "---\n",
        &MODEL.replace("  name: model\n", "  name: model\n  namespace: quiet\n"),
    ]
    .concat();
    let files = folder(&[("config.yaml", config), ("models.yaml", &models)]);
    let with = |arguments: &[&str]| {
        let all = [&["jaeger-config", "--config", "config.yaml"], arguments].concat();
        rendered(&run_in(files.path(), &all, "").data())
    };
    let data = |object: &Value, key: &str| yaml(object["data"][key].as_str().unwrap());
    let found = with(&["-f", "models.yaml"]);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["metadata"].get("namespace"), None);
    let expected = |kind: &str, param: Value| json!({"sampler": {"type": kind, "param": param}});
    let cluster = expected("ratelimiting", json!(2));
    let sampled = expected("probabilistic", json!(0.25));
    let quiet = expected("const", json!(0));
    assert_eq!(data(&found[0], "tracing.yml"), cluster);
    assert_eq!(data(&found[0], "sampled.yml"), sampled);
    assert_eq!(found[1]["metadata"]["namespace"], "quiet");
    assert_eq!(data(&found[1], "tracing.yml"), quiet);
    // Without manifests, the config alone decides.
    let alone = with(&["--name", "jaeger-client/x.yml"]);
    assert_eq!(data(&alone[0], "x.yml"), cluster);
    let alone = with(&["--name", "jaeger-client", "-n", "quiet"]);
    assert_eq!(alone, found[1..]);
    let alone = with(&["--name", "c", "-n", "quiet", "--tracing", "sampled"]);
    assert_eq!(data(&alone[0], "tracing.yml"), sampled);
}

#[test]
fn predictors_that_share_a_file_must_want_one_sampler() {
    let one = model("one", &[("config-map", "jaeger-client")]);
    let two = model(
        "two",
        &[("config-map", "jaeger-client"), ("sampler-param", "0")],
    );
    let files = folder(&[("1.yaml", &one), ("2.yaml", &two)]);
    let said = run_in(files.path(), &["jaeger-config", "-f", "."], "").refusal();
    for part in [
        "ConfigMap jaeger-client, key tracing.yml",
        "predictor default of SeldonDeployment one (./1.yaml:1) wants the sampler const 1",
        "predictor default of SeldonDeployment two (./2.yaml:1) wants const 0",
        "tracing.seldon.io/config-map: jaeger-client/OTHER-KEY",
        "nothing was rendered: 1 problem to mend first",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    // Another key, or another namespace, is another file.
    let other_key = two.replace("\"jaeger-client\"", "\"jaeger-client/OTHER-KEY\"");
    let both = run(
        &["jaeger-config"],
        &[&one[..], "---\n", &other_key].concat(),
    )
    .data();
    let keys = rendered(&both)[0]["data"].as_object().unwrap().len();
    assert_eq!(keys, 2);
    let elsewhere = two.replace("  name: two\n", "  name: two\n  namespace: other\n");
    let both = run(
        &["jaeger-config"],
        &[&one[..], "---\n", &elsewhere].concat(),
    )
    .data();
    assert_eq!(rendered(&both).len(), 2);
}

#[test]
fn who_mounts_none_is_said_and_nothing_is_printed() {
    let untraced = model("untraced", &[("config-map", "cm")]).replace("\"true\"", "\"false\"");
    for (manifest, said) in [
        (
            MODEL,
            "1 SeldonDeployment mounts no ConfigMap: model (<stdin>:1)\n",
        ),
        (
            &untraced,
            "1 SeldonDeployment mounts no ConfigMap: untraced (<stdin>:1)\n",
        ),
        ("kind: Service\n", "no SeldonDeployment found\n"),
    ] {
        let run = run(&["jaeger-config"], manifest);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    }
    // Whoever names one that no container mounts needs none, and has no say in what is in it.
    let asked = model("asked", &[("config-map", "cm")]);
    let excluded = model(
        "excluded",
        &[
            ("config-map", "cm"),
            ("exclude-containers", "classifier"),
            ("sampler-param", "0"),
        ],
    );
    let mlserver = "\
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: mlserver
  annotations: {tracing: 'true', tracing.seldon.io/config-map: cm, tracing.seldon.io/otlp-endpoint: 'otel:4317',
    tracing.seldon.io/sampler-param: '0'}
spec:
  protocol: v2
  predictors: [{name: default, graph: {name: m, implementation: SKLEARN_SERVER}}]
";
    for (nobody, name) in [(&excluded[..], "excluded"), (mlserver, "mlserver")] {
        let both = run(&["jaeger-config"], &[nobody, "---\n", &asked].concat());
        assert_eq!(both.code, 0, "{both:?}");
        assert_eq!(rendered(&both.stdout).len(), 1);
        let said = format!("1 SeldonDeployment mounts no ConfigMap: {name} (<stdin>:1)\n");
        assert_eq!(both.stderr, said);
    }
    let mixed = run(&["jaeger-config"], &[MODEL, "---\n", &asked].concat());
    assert_eq!(mixed.code, 0);
    assert_eq!(rendered(&mixed.stdout).len(), 1);
    assert_eq!(
        mixed.stderr,
        "1 SeldonDeployment mounts no ConfigMap: model (<stdin>:1)\n"
    );
}

#[test]
fn a_config_map_that_a_person_wrote_is_not_rendered_over() {
    let model_ = model("m", &[("config-map", "cm")]);
    let by_hand = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {tracing.yml: 'logging: true'}\n---\n";
    let run_ = run(&["jaeger-config"], &[by_hand, &model_].concat());
    assert_eq!((run_.code, run_.stdout.as_str()), (0, ""));
    assert!(
        run_.stderr
            .contains("<stdin>:1: ConfigMap cm stands there already"),
        "{run_:?}"
    );
    // Nor does anybody mind then who wants what in it.
    let other = model("n", &[("config-map", "cm"), ("sampler-param", "0")]);
    let both = run(
        &["jaeger-config"],
        &[by_hand, &model_, "---\n", &other].concat(),
    );
    assert_eq!((both.code, both.stdout.as_str()), (0, ""), "{both:?}");
    // One without a namespace may go to any.
    let in_one = model_.replace("  name: m\n", "  name: m\n  namespace: ml\n");
    let beside = run(&["jaeger-config"], &[by_hand, &in_one].concat());
    assert_eq!((beside.code, beside.stdout.as_str()), (0, ""), "{beside:?}");
    // One of another name or namespace is none of this.
    for other in [
        by_hand.replace("name: cm", "name: other"),
        by_hand.replace("name: cm", "name: cm, namespace: other"),
    ] {
        assert_eq!(
            rendered(&run(&["jaeger-config"], &[&other[..], &model_].concat()).data()).len(),
            1
        );
    }
    // What was rendered before is rendered again, so that it can be kept beside the manifests.
    let first = run(&["jaeger-config"], &model_).data();
    let kept = [&first[..], "---\n", &model_].concat();
    assert_eq!(run(&["jaeger-config"], &kept).data(), first);
}

#[test]
fn bad_input_is_refused_as_by_the_other_commands() {
    for (arguments, manifest, said) in [
        (
            &["--name", "Upper"][..],
            "",
            "--name Upper: must be NAME or NAME/KEY",
        ),
        (&["--name", ""], "", "must be NAME or NAME/KEY"),
        (&["--name", "a/../b"], "", "must be NAME or NAME/KEY"),
        (&["--name", "a", "-f", "x.yaml"], "", "cannot be used with"),
        (
            &["--name", "a", "--tracing", "false"],
            "",
            "asks for no tracing",
        ),
        (&["--name", "a", "--tracing", "p"], "", "no such profile"),
        (&["--tracing", "p"], MODEL, "no such profile"),
        (
            &[],
            "kind: SeldonDeployment\n  a: [\n",
            "nothing was rendered",
        ),
    ] {
        let said_really = run(&[&["jaeger-config"], arguments].concat(), manifest).refusal();
        assert!(said_really.contains(said), "{arguments:?}: {said_really}");
    }
    // A setting that was ignored is not in the file, and that is said.
    let bad = model("m", &[("config-map", "cm"), ("sampler-param", "10%")]);
    let run = run(&["jaeger-config"], &bad);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("[bad-setting]"), "{run:?}");
    assert!(run.stdout.contains("param: 1\n"), "{run:?}");
}
