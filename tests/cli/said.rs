//! What is said beside the result, the exit codes, and the forms of input that kubectl reads too.

use std::fs;

use serde_json::Value;

use crate::command::{MODEL, folder, plain_model, run, run_in, utf16};

/// A key of the model written twice, with a wrong first value.
fn duplicate() -> String {
    MODEL.replace("  name: model\n", "  name: wrong\n  name: model\n")
}

#[test]
fn a_line_for_each_object_says_what_was_done() {
    let text = [
        MODEL.replace("  name: model\n", "  name: churn\n  namespace: models\n"),
        plain_model(),
        MODEL.replace(
            "{name: classifier, type: MODEL}",
            "{name: other, implementation: SKLEARN_SERVER, modelUri: 'gs://bucket'}",
        ),
    ]
    .join("---\n");
    let injected = run(&["inject"], &text);
    assert_eq!(
        injected.stderr,
        "models/churn: injected into 1 container and the orchestrator\n\
         model: skipped, no tracing annotation\n\
         model: injected into 1 container, 1 prepackaged server and the orchestrator\n\
         1 file, 3 SeldonDeployments: 2 injected, 0 removed\n"
    );
    let again = run(&["inject"], &injected.stdout);
    assert!(
        again
            .stderr
            .starts_with("models/churn: unchanged, already injected\n")
    );
    let removed = run(&["uninject"], &injected.stdout);
    assert_eq!(
        removed.stderr,
        "models/churn: removed from 1 container and the orchestrator\n\
         model: skipped, nothing was injected\n\
         model: removed from 1 container, 1 prepackaged server and the orchestrator\n\
         1 file, 3 SeldonDeployments: 0 injected, 2 removed\n"
    );
    let would = run(&["inject", "--diff"], MODEL).stderr;
    assert_eq!(
        would,
        "model: would be injected into 1 container and the orchestrator\n"
    );
    let off = run(&["inject", "--tracing", "false"], &plain_model()).stderr;
    assert_eq!(off, "model: skipped, the tracing annotation is false\n");
    let none = run(&["inject"], "kind: ConfigMap\n").stderr;
    assert_eq!(none, "no SeldonDeployment found\n");
    for command in ["inject", "uninject"] {
        assert_eq!(run(&[command, "--quiet"], &text).stderr, "");
    }
}

#[test]
fn strict_makes_a_warning_exit_with_1() {
    let troubled = MODEL.replace("\"true\"", "maybe");
    for (text, code) in [(MODEL, 0), (&troubled, 1)] {
        for command in ["inject", "explain", "review"] {
            assert_eq!(run(&[command], text).code, 0);
            let strict = run(&[command, "--strict"], text);
            assert_eq!(strict.code, code, "{command}: {strict:?}");
            assert_eq!(strict.stdout, run(&[command], text).stdout);
        }
    }
    for command in ["explain", "review"] {
        assert_eq!(run(&[command, "--strict"], &duplicate()).code, 1);
    }
}

#[test]
fn a_check_names_and_with_a_diff_it_shows() {
    let files = folder(&[("a.yaml", MODEL)]);
    let with = |flags: &[&str]| run_in(files.path(), &[&["inject", "a.yaml"], flags].concat(), "");
    let (check, diff, both) = (
        with(&["--check"]),
        with(&["--diff"]),
        with(&["--check", "--diff"]),
    );
    assert_eq!((check.code, check.stdout.as_str()), (1, "a.yaml\n"));
    assert_eq!((both.code, both.stdout), (1, diff.stdout));
}

#[test]
fn a_path_needs_no_flag() {
    let files = folder(&[
        ("a.yaml", MODEL),
        ("b.yaml", &plain_model()),
        ("c.yaml", ""),
    ]);
    let with = |arguments: &[&str]| {
        let run = run_in(files.path(), arguments, "");
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout
    };
    for command in ["inject", "uninject", "explain", "review"] {
        let (bare, flag) = (with(&[command, "a.yaml"]), with(&[command, "-f", "a.yaml"]));
        assert!(!bare.is_empty() && bare == flag, "{command}");
    }
    assert_eq!(
        with(&["inject", "a.yaml", "b.yaml"]),
        with(&["inject", "-f", "a.yaml", "-f", "b.yaml"])
    );
    assert_eq!(
        with(&["config", "check", "c.yaml"]),
        with(&["config", "check", "-f", "c.yaml"])
    );
    assert_eq!(
        with(&["config", "show", "c.yaml"]),
        with(&["config", "show", "--config", "c.yaml"])
    );
    assert_eq!(
        run(&["review"], MODEL).stdout,
        run(&["review", "-"], MODEL).stdout
    );
}

#[test]
fn the_old_name_of_a_flag_still_works() {
    let enabled = run(&["inject", "--namespace-enabled"], &plain_model()).data();
    let default = run(&["inject", "--namespace-default"], &plain_model()).data();
    assert!(enabled.contains("JAEGER") && enabled == default);
}

#[test]
fn inject_prints_yaml_or_json() {
    let text = format!("{MODEL}---\n# nothing\n---\nkind: ConfigMap\n");
    let values = |text: &str| -> Vec<Value> {
        let stream = serde_json::Deserializer::from_str(text).into_iter();
        stream.collect::<Result<_, _>>().unwrap()
    };
    let json = run(&["inject", "-o", "json"], &text).data();
    assert_eq!(values(&json).len(), 2);
    assert!(json.contains("JAEGER_AGENT_HOST"));
    let yaml = run(&["inject", "-o", "yaml"], &text).data();
    assert_eq!(yaml.matches("---\n").count(), 2);
    let back = run(&["inject", "-o", "json"], &yaml).data();
    assert_eq!(values(&back), values(&json));
    let said = run(&["inject", "-o", "json"], "a: [\n").refusal();
    assert!(said.contains("nothing was printed"), "{said}");
}

#[test]
fn json_objects_may_follow_each_other() {
    let object = run(&["inject", "-q", "--tracing", "false", "-o", "json"], MODEL).data();
    let object: Value = serde_json::from_str(&object).unwrap();
    let object = run(&["uninject"], &object.to_string()).data();
    let lines = format!("{object}\n{{\"kind\":\"Service\"}}\n{object}\n");
    let injected = run(&["inject"], &lines);
    assert_eq!(injected.stdout.lines().count(), 3);
    assert_eq!(injected.stdout.matches("JAEGER_AGENT_PORT\"").count(), 4);
    assert_eq!(run(&["uninject"], &injected.stdout).data(), lines);
    let explained = run(&["explain"], &lines).data();
    assert!(explained.contains("(<stdin>:1)") && explained.contains("(<stdin>:3)"));
    let bad = format!("{object}\n{{\"kind\": \"SeldonDeployment\",}}\n{object}\n");
    let said = run(&["inject"], &bad).refusal();
    assert!(said.starts_with("error: <stdin>:2: "), "{said}");
    // Beside YAML, each of them gets a marker, so that the stream can be read again.
    let files = folder(&[("a.json", &lines), ("b.yaml", MODEL), ("c.json", &lines)]);
    for (paths, markers) in [
        (&["a.json", "c.json"][..], 0),
        (&["a.json", "b.yaml"], 1),
        (&["b.yaml", "a.json"], 3),
    ] {
        let printed = run_in(files.path(), &[&["inject"], paths].concat(), "").data();
        assert_eq!(printed.matches("---\n").count(), markers, "{paths:?}");
        assert_eq!(run(&["uninject"], &printed).code, 0, "{paths:?}");
    }
}

#[test]
fn utf_16_is_read_by_its_mark() {
    let expected = run(&["inject"], MODEL).data();
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let files = folder(&[]);
        fs::write(files.path().join("a.yaml"), utf16(MODEL, bytes)).unwrap();
        for command in ["inject", "explain", "review"] {
            let run = run_in(files.path(), &[command, "a.yaml"], "");
            let added = if command == "explain" {
                "5 variables"
            } else {
                "JAEGER"
            };
            assert!(run.code == 0 && run.stdout.contains(added), "{run:?}");
        }
        assert_eq!(
            run_in(files.path(), &["inject", "a.yaml"], "").data(),
            expected
        );
    }
    let files = folder(&[]);
    let mut cut = utf16(MODEL, u16::to_le_bytes);
    cut.push(b'x');
    for bytes in [b"\xff\xfe\x00\xd8".to_vec(), cut] {
        fs::write(files.path().join("a.yaml"), bytes).unwrap();
        let said = run_in(files.path(), &["inject", "a.yaml"], "").refusal();
        assert!(said.contains("cannot open a.yaml"), "{said}");
    }
}

#[test]
fn a_key_that_is_written_twice_is_explained_and_not_edited() {
    let warning = "warning: <stdin>:5: duplicate key \"name\"; the last one counts\n";
    for command in ["explain", "review"] {
        let run = run(&[command], &duplicate());
        assert_eq!((run.code, run.stderr.as_str()), (0, warning));
        assert!(run.stdout.contains("model") && !run.stdout.contains("wrong"));
    }
    for command in ["inject", "uninject"] {
        let said = run(&[command], &duplicate()).refusal();
        assert!(
            said.starts_with("error: <stdin>:5: duplicate key \"name\"\n"),
            "{said}"
        );
    }
    let json = "{\"apiVersion\": \"machinelearning.seldon.io/v1\", \"kind\": \"Service\", \"kind\": \"SeldonDeployment\"}";
    let explained = run(&["explain"], json);
    assert!(
        explained.stdout.starts_with("(no name): not traced"),
        "{explained:?}"
    );
}

#[test]
fn the_items_of_a_resource_list_are_injected() {
    let item = MODEL.replace('\n', "\n  ");
    let list = format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig: {{kind: Any}}\nitems:\n- kind: Service\n- {}\n",
        item.trim_end()
    );
    let injected = run(&["inject"], &list).data();
    assert!(injected.contains("kind: ResourceList\nfunctionConfig: {kind: Any}\n"));
    assert!(injected.contains("JAEGER_AGENT_PORT"));
    assert_eq!(run(&["uninject"], &injected).data(), list);
}
