//! The command line on files and folders, its messages, and what they never contain.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use crate::command::{MODEL, folder, outcome, plain_model, run, run_in, seldon_tracing};
use crate::support::binary;
use crate::support::fixtures::{examples, root, yaml_in};

const BAD: &str = "kind: SeldonDeployment\na: [\n";

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn walks_folders_in_order_and_passes_by_what_is_hidden() {
    let plain = plain_model();
    let files = folder(&[
        ("m/b.yml", MODEL),
        ("m/a/z.json", "{}"),
        ("m/a/deep/er/x.yaml", MODEL),
        ("m/.git/hidden.yaml", BAD),
        ("m/.hidden.yaml", BAD),
        ("m/notes.txt", BAD),
        ("m/plain.yaml", &plain),
        ("other.yaml", MODEL),
    ]);
    let checked = run_in(
        files.path(),
        &["inject", "--check", "-f", "other.yaml", "-f", "m"],
        "",
    );
    assert_eq!(checked.code, 1);
    assert_eq!(checked.stdout, "other.yaml\nm/a/deep/er/x.yaml\nm/b.yml\n");
    assert_eq!(
        checked.stderr,
        "model: would be injected into 1 container and the orchestrator\n".repeat(3)
            + "model: skipped, no tracing annotation\n\
               5 files, 4 SeldonDeployments: 3 to inject, 0 to remove; 3 files would change\n"
    );
    assert_eq!(read(files.path(), "other.yaml"), MODEL);
}

#[test]
fn writes_in_place_and_finds_nothing_more_to_do() {
    let files = folder(&[("m/a.yaml", MODEL), ("m/b.yaml", &plain_model())]);
    let written = run_in(files.path(), &["inject", "--in-place", "-f", "m"], "");
    assert_eq!((written.code, written.stdout.as_str()), (0, ""));
    assert_eq!(
        written.stderr,
        "model: injected into 1 container and the orchestrator\n\
         model: skipped, no tracing annotation\n\
         2 files, 2 SeldonDeployments: 1 injected, 0 removed; 1 file written\n"
    );
    assert!(read(files.path(), "m/a.yaml").contains("JAEGER"));
    assert_eq!(read(files.path(), "m/b.yaml"), plain_model());
    let check = run_in(files.path(), &["inject", "--check", "-f", "m"], "");
    assert_eq!((check.code, check.stdout.as_str()), (0, ""));
    let check = run_in(files.path(), &["uninject", "--check", "-f", "m"], "");
    assert_eq!((check.code, check.stdout.as_str()), (1, "m/a.yaml\n"));
    run_in(files.path(), &["uninject", "--in-place", "-f", "m"], "");
    assert_eq!(read(files.path(), "m/a.yaml"), MODEL);
    assert_eq!(fs::read_dir(files.path().join("m")).unwrap().count(), 2);
}

#[test]
fn writes_no_file_if_anything_is_wrong_and_says_all_that_is() {
    let files = folder(&[
        ("a.yaml", MODEL),
        ("b.yaml", BAD),
        ("c.yaml", &[MODEL, "---\n", BAD, "---\n", BAD].concat()),
    ]);
    for mode in [&["--in-place"][..], &["--diff"], &["--check"], &[]] {
        let arguments = [&["inject", "-f", "."], mode].concat();
        let said = run_in(files.path(), &arguments, "").refusal();
        assert_eq!(said.lines().count(), 4, "{said}");
        assert!(said.contains("./b.yaml:") && said.contains("fix 3 problems first"));
    }
    assert_eq!(read(files.path(), "a.yaml"), MODEL);
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 3);
}

#[test]
fn a_diff_has_colour_only_where_it_is_wanted() {
    let plain = run(&["inject", "--diff"], MODEL).data();
    assert!(plain.starts_with("--- a/<stdin>\n+++ b/<stdin>\n@@ "));
    assert!(plain.contains("\n+          - name: TRACING\n") && !plain.contains('\u{1b}'));
    let colour = run(&["inject", "--diff", "--color", "always"], MODEL).data();
    assert!(colour.contains("\u{1b}[32m+          - name: TRACING\u{1b}[0m\n"));
    assert_eq!(run(&["inject", "--diff"], &plain_model()).data(), "");
    let said = run(&["inject", "--color", "always"], BAD).refusal();
    assert!(said.starts_with('\u{1b}'));
}

#[test]
fn printed_files_are_one_stream_that_can_be_read_again() {
    let marked = format!("# c\n---\n{MODEL}");
    let directive = format!("%YAML 1.1\n---\n{MODEL}");
    let texts = [
        MODEL.to_owned(),
        MODEL.trim_end().to_owned(),
        marked,
        directive,
        format!("\u{feff}{MODEL}"),
        MODEL.replace('\n', "\r\n"),
        format!("{MODEL}...\n"),
        "{\"kind\": \"Other\"}".to_owned(),
        "# nothing\n".to_owned(),
    ];
    for first in &texts {
        for second in &texts {
            let files = folder(&[("a.yaml", first), ("b.yaml", second)]);
            let both = ["inject", "-f", "a.yaml", "-f", "b.yaml"];
            let injected = run_in(files.path(), &both, "").data();
            let count = [first, second].map(|text| text.matches("SeldonDep").count());
            let count: usize = count.iter().sum();
            let found = injected.matches("tracing.seldon.io/injected").count();
            assert_eq!(found, count, "{first:?} {second:?}");
            let back = run(&["uninject"], &injected).data();
            assert_eq!(back.matches("SeldonDep").count(), count);
            assert!(!back.contains("JAEGER") && !back.contains("\n\u{feff}"));
            let seen = run(&["explain", "-o", "json"], &injected).data();
            let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
            assert_eq!(seen["objects"].as_array().unwrap().len(), count);
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let stream = format!("---\n{MODEL}").repeat(400);
    let files = folder(&[("many.yaml", &stream)]);
    let path = files.path().join("many.yaml");
    for arguments in [&["inject"][..], &["inject", "--diff"], &["explain"]] {
        let mut child = binary::command()
            .args(arguments)
            .arg("-f")
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0];
        let mut reader = child.stdout.take().unwrap();
        reader.read_exact(&mut first).unwrap();
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn control_characters_stay_out_of_what_is_said() {
    let nasty = "\\e[31mred\\x9b\\u202e\\n";
    let text = MODEL
        .replace("name: classifier\n", &format!("name: \"{nasty}\"\n"))
        .replace(
            "name: model\n",
            &format!("name: \"{nasty}\"\n  namespace: \"{nasty}\"\n"),
        )
        .replace("name: default\n", &format!("name: \"{nasty}\"\n"))
        .replace("\"true\"", &format!("\"{nasty}\""));
    let steers = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    for arguments in [
        &["inject"][..],
        &["explain"],
        &["explain", "--namespace-enabled"],
    ] {
        let run = run(arguments, &text);
        let printed = if arguments[0] == "explain" {
            &*run.stdout
        } else {
            ""
        };
        assert!(!run.stderr.contains(steers), "{run:?}");
        assert!(!printed.contains(steers), "{run:?}");
        assert!(!printed.contains("\n\n"), "{printed}");
    }
    for form in ["json", "yaml"] {
        let shown = run(&["explain", "-o", form], &text).data();
        assert!(
            !shown.contains(|letter: char| letter.is_control() && letter != '\n'),
            "{shown:?}"
        );
    }
    let odd = MODEL
        .replace("seldon.io/v1", "seldon.io/\\u001b[31m")
        .replace("apiVersion: machine", "apiVersion: \"machine");
    let odd = odd.replacen("[31m\n", "[31m\"\n", 1);
    let said = run(&["explain"], &odd).stderr;
    assert!(
        said.contains("left unchanged") && !said.contains(steers),
        "{said:?}"
    );
}

#[cfg(unix)]
#[test]
fn control_characters_in_names_of_files_stay_out_too() {
    let name = "a\u{1b}[31m.yaml";
    let files = folder(&[(name, MODEL), ("bad\u{1b}.yaml", BAD)]);
    for arguments in [
        &["inject", "-f", "."][..],
        &["inject", "--diff", "-f", name],
        &["inject", "--check", "-f", name],
        &["explain", "-f", name],
        &["explain", "-o", "json", "-f", name],
        &["config", "check", name],
        &["inject", "-f", "absent\u{1b}"],
    ] {
        let run = run_in(files.path(), arguments, "");
        assert!(
            !format!("{}{}", run.stdout, run.stderr).contains('\u{1b}'),
            "{run:?}"
        );
    }
}

/// Every value of a variable and of an annotation that is not ours is a secret.
#[test]
fn values_of_the_user_are_never_said() {
    let canary = "CANARY";
    let secrets = |names: &[&str], indent: &str| {
        let entry = |name: &&str| format!("{indent}- {{name: {name}, value: {canary}-{name}}}\n");
        names.iter().map(entry).collect::<Vec<_>>().concat()
    };
    let names = [
        "PASSWORD",
        "TRACING",
        "JAEGER_AGENT_HOST",
        "JAEGER_AGENT_PORT",
        "JAEGER_SAMPLER_TYPE",
        "JAEGER_SAMPLER_PARAM",
        "JAEGER_DISABLED",
        "JAEGER_TAGS",
        "JAEGER_SERVICE_NAME",
        "JAEGER_ENDPOINT",
        "JAEGER_CONFIG_PATH",
        "JAEGER_PASSWORD",
        "JAEGER_REPORTER_FLUSH_INTERVAL",
        "JAEGER_REPORTER_MAX_QUEUE_SIZE",
    ];
    let base = MODEL
        .replace("annotations:\n", &format!("annotations:\n    note: {canary}\n    seldon.io/engine-jaeger-user: {canary}\n"))
        .replace("spec:\n  predictors", &format!("spec:\n  annotations: {{seldon.io/engine-jaeger-agent-host: {canary}}}\n  predictors"));
    for chosen in names.iter().map(|name| vec![*name]).chain([names.to_vec()]) {
        let text = format!(
            "{base}          env:\n{}    svcOrchSpec:\n      env:\n{}",
            secrets(&chosen, "          "),
            secrets(&chosen, "      ")
        );
        let injected = run(&["inject"], &text);
        assert_eq!(injected.code, 0, "{injected:?}");
        let mut said = injected.stderr;
        for input in [&text, &injected.stdout] {
            for form in ["table", "json", "yaml"] {
                let run = run(&["explain", "-o", form], input);
                assert_eq!(run.code, 0);
                said.push_str(&run.stdout);
                said.push_str(&run.stderr);
            }
        }
        said.push_str(&run(&["inject", "--check"], &text).stderr);
        assert!(!said.contains(canary), "{chosen:?}: {said}");
        // A text that cannot be read is not quoted either.
        let broken = text.replace("graph: {", "graph: {{");
        let run = run(&["inject"], &broken);
        assert!(!run.refusal().contains(canary));
    }
}

#[test]
fn everything_that_is_said_goes_to_standard_error() {
    let text = MODEL.replace("\"true\"", "maybe");
    let run = run(&["inject", "-q"], &text);
    assert_eq!((run.code, run.stdout), (0, text));
    assert!(
        run.stderr
            .starts_with("warning: <stdin>:6: metadata.annotations.tracing: ")
    );
    assert_eq!(run.stderr.lines().count(), 1);
}

#[test]
fn the_examples_are_kept_free_of_injections() {
    let mut command = seldon_tracing();
    command.args(["uninject", "--check", "-f", "examples"]);
    let run = outcome(&mut command);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    let inner = yaml_in(&root().join("examples/worked"));
    let files = format!("{} files", examples().len() + inner.len());
    let total = run.stderr.lines().last().unwrap();
    assert!(total.starts_with(&files), "{total}");
}
