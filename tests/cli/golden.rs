//! The output for users, word for word: results, explanations, help and refusals are files in `tests/cli/golden`.
//!
//! `UPDATE_GOLDEN=1 cargo test --test cli golden` writes them again; read the difference before you commit it.

use std::fmt::Write as _;
use std::fs;

use crate::command::{MODEL, folder, outcome, plain_model, run, run_in, seldon_tracing, utf16};
use crate::support::fixtures::{examples, root};

/// Compares with a golden file, or writes it.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = root().join("tests/cli/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let why = "UPDATE_GOLDEN=1 writes it anew, for `git diff`";
    assert_eq!(text, expected, "tests/cli/golden/{name}: {why}");
}

#[test]
fn examples_are_injected_and_explained_as_before() {
    for example in examples() {
        let stem = example.file_stem().unwrap().to_str().unwrap();
        let file = format!("examples/{stem}.yaml");
        let with = |arguments: &[&str]| run(&[arguments, &["-f", &file]].concat(), "").data();
        let injected = with(&["inject"]);
        golden(&format!("{stem}.yaml"), &injected);
        golden(&format!("{stem}.diff"), &with(&["inject", "--diff"]));
        golden(&format!("{stem}.explain.txt"), &with(&["explain"]));
        golden(
            &format!("{stem}.explain.json"),
            &with(&["explain", "-o", "json"]),
        );
        // What the files cannot show: that the way back leads to the example.
        assert_eq!(
            run(&["uninject"], &injected).data(),
            fs::read_to_string(&example).unwrap()
        );
    }
}

#[test]
fn an_explanation_shows_each_kind_of_decision() {
    let case = |name: &str, manifest: &str| {
        let run = run(&["explain"], manifest);
        assert_eq!(run.code, 0, "{run:?}");
        golden(&format!("explain-{name}.txt"), &(run.stdout + &run.stderr));
    };
    case("not-asked-for", &crate::command::plain_model());
    case("problems", &MODEL.replace("\"true\"", "tru"));
    case(
        "bad-settings",
        &MODEL.replace(
            "tracing: \"true\"",
            "tracing: \"true\"\n    tracing.seldon.io/agent-port: high\n    tracing.seldon.io/nonsense: x",
        ),
    );
    let injected = run(&["inject"], MODEL).data();
    case("injected", &injected);
    case(
        "to-be-taken-out",
        &injected.replace("tracing: \"true\"", "tracing: \"false\""),
    );
    case(
        "switched-off-by-hand",
        &injected.replacen(
            "- name: TRACING\n            value: \"1\"",
            "- name: TRACING\n            value: \"0\"",
            1,
        ),
    );
    case(
        "unknown-version",
        &MODEL.replace("seldon.io/v1", "seldon.io/v2"),
    );
    case("nothing-there", "kind: ConfigMap\n");
}

/// A model of many containers, whose names the tags contain.
fn many() -> String {
    let container =
        |at: u32| format!("        - {{name: step-{at}, image: 'example.com/step:1'}}\n");
    let containers: String = (2..21).map(container).collect();
    let tags = "    tracing.seldon.io/tags: step={container}\nspec:";
    [
        &MODEL.replace("spec:\n  p", &format!("{tags}\n  p")),
        &*containers,
    ]
    .concat()
}

#[test]
fn an_explanation_of_twenty_containers_fits_a_screen() {
    let many = many();
    let alike = many.replace("={container}", "=one");
    let wrong = MODEL.replace(
        "spec:\n  p",
        "    tracing.seldon.io/nonsense: x\nspec:\n  p",
    );
    let off = "  - name: second\n    annotations: {tracing: 'false'}\n    graph: {name: x, implementation: SKLEARN_SERVER}\n";
    let coloured = [&wrong, off, "---\n", MODEL, "---\n", &plain_model()].concat();
    for (name, arguments, text) in [
        ("twenty-alike", &["explain"][..], &alike),
        ("twenty-tagged", &["explain"], &many),
        ("in-colour", &["--color", "always", "explain"], &coloured),
        ("wide", &["explain", "-o", "wide"], &MODEL.to_owned()),
    ] {
        let mut command = seldon_tracing();
        command.env("COLUMNS", "80").args(arguments);
        let said = outcome(command.write_stdin(text.as_str())).data();
        golden(&format!("explain-{name}.txt"), &said);
        assert!(said.lines().count() <= 25, "{said}");
        assert!(
            arguments[0] != "explain" || said.lines().all(|line| line.chars().count() <= 80),
            "{said}"
        );
    }
}

#[test]
fn help_reads_as_before() {
    let commands: [&[&str]; 18] = [
        &[],
        &["inject"],
        &["uninject"],
        &["explain"],
        &["status"],
        &["resync"],
        &["config"],
        &["config", "check"],
        &["config", "show"],
        &["config", "schema"],
        &["completions"],
        &["man"],
        &["serve"],
        &["controller"],
        &["review"],
        &["check"],
        &["certs"],
        &["certs", "new"],
    ];
    for command in commands {
        let name = [&["help"], command].concat().join("-");
        let with = |flag: &'static str| run(&[command, &[flag]].concat(), "").data();
        golden(
            &format!("{name}.txt"),
            &format!("{}\n==== -h ====\n\n{}", with("--help"), with("-h")),
        );
    }
}

const BAD_CONFIG: &str = "\
trigger: 'not a key!'
targets:
  containers: 3
  container: true
defaults:
  agentPort: 6832
  samplerType: probabilistic
  samplerParam: 5
profiles:
  'true': {}
";

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn refusals_read_as_before() {
    let files = folder(&[
        (
            "bad.yaml",
            "kind: SeldonDeployment\nmetadata:\n  name: [a\nspec: {}\n",
        ),
        ("bad.json", "{\"kind\": \"SeldonDeployment\",\n  \"a\": 1 \"b\": 2}\n"),
        (
            "template.yaml",
            &MODEL.replace("name: model", "name: {{ .Values.name }}"),
        ),
        (
            "duplicate.yaml",
            &MODEL.replace("  name: model\n", "  name: model\n  name: again\n"),
        ),
        (
            "merge.yaml",
            &MODEL
                .replace("metadata:\n", "metadata: &meta\n")
                .replace(
                    "- name: classifier\n          image",
                    "- <<: {name: classifier, env: []}\n          image",
                ),
        ),
        (
            "alias.yaml",
            &[
                MODEL,
                "    svcOrchSpec:\n      env: &shared\n      - {name: A, value: b}\n  - name: second\n    annotations: {tracing: 'false'}\n    svcOrchSpec:\n      env: *shared\n    graph: {name: x, implementation: SKLEARN_SERVER}\n",
            ]
            .concat(),
        ),
        ("latin1.yaml", "kind: ConfigMap\n"),
        ("config.yaml", BAD_CONFIG),
        ("empty/readme.md", "nothing\n"),
        ("good.yaml", MODEL),
    ]);
    fs::write(
        files.path().join("utf16.yaml"),
        utf16(MODEL, u16::to_le_bytes),
    )
    .unwrap();
    fs::write(files.path().join("latin1.yaml"), b"kind: A\nname: \xe9\n").unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("unknown file", &["inject", "-f", "absent.yaml"]),
        ("unknown file to explain", &["explain", "-f", "absent.yaml"]),
        ("bad YAML", &["inject", "-f", "bad.yaml"]),
        ("bad JSON", &["inject", "-f", "bad.json"]),
        ("not UTF-8", &["inject", "-f", "latin1.yaml"]),
        ("template", &["inject", "-f", "template.yaml"]),
        ("duplicate keys", &["inject", "-f", "duplicate.yaml"]),
        ("merge key", &["inject", "-f", "merge.yaml"]),
        ("alias", &["inject", "-f", "alias.yaml"]),
        ("several at once", &["inject", "-f", ".", "--check"]),
        ("to explain", &["explain", "-f", "bad.yaml"]),
        ("empty folder", &["inject", "-f", "empty"]),
        ("no config file", &["inject", "--config", "absent.yaml"]),
        ("bad config", &["inject", "--config", "config.yaml"]),
        ("nothing to check", &["config", "check"]),
        ("unknown profile", &["inject", "--tracing", "sampled"]),
        ("in place without a file", &["inject", "--in-place"]),
        (
            "in place with -",
            &["inject", "--in-place", "-f", "good.yaml", "-f", "-"],
        ),
        ("stdin twice", &["inject", "-f", "-", "-f", "-"]),
        ("stdin for both", &["inject", "--config", "-"]),
        (
            "contradiction",
            &["inject", "--in-place", "--check", "-f", "good.yaml"],
        ),
        ("unknown flag", &["inject", "--inplace"]),
        (
            "a file in both forms",
            &["config", "check", "a.yaml", "-f", "b.yaml"],
        ),
        (
            "in place in UTF-16",
            &["inject", "--in-place", "utf16.yaml"],
        ),
        ("a word of other tools", &["validate"]),
        ("another", &["version"]),
        ("another", &["diff"]),
        ("another", &["install"]),
        (
            "no kubeconfig",
            &["status", "--kubeconfig", "absent", "--context", "c"],
        ),
        ("an unknown standing", &["status", "--fail-on", "broken"]),
        (
            "objects of a cluster and files",
            &["explain", "sdep/model", "good.yaml"],
        ),
        ("names and all", &["resync", "model", "-A"]),
        ("no command", &[]),
        ("no folder for man", &["man", "--dir", "absent"]),
        ("unknown shell", &["completions", "tcsh"]),
    ];
    let mut text = String::new();
    for (what, arguments) in cases {
        let said = run_in(files.path(), arguments, "").refusal();
        let arguments = arguments.join(" ");
        let _ = write!(text, "# {what}\n$ seldon-tracing {arguments}\n{said}\n");
    }
    golden("refusals.txt", &text);
}
