//! The command line on texts, from a pipe or a file to standard output.

use std::fs;

use assert_cmd::Command;
use seldon_tracing::config::Config;
use serde_json::Value;

use crate::command::{MODEL, folder, outcome, plain_model, run, run_in};
use crate::support::fixtures::root;

const OTHERS: &str = "\
# a stream of other people's objects
apiVersion: v1
kind: ConfigMap
metadata: {name: a,   labels: {x: \"y\"}}
data:
  mode: 0644
  text: |
    ---not a marker
---
kind: Template
value: {{ .Values.anything }}
...
# SeldonDeploymentless comment
";

#[test]
fn reads_a_pipe_a_dash_and_files_alike() {
    let files = folder(&[("a.yaml", MODEL)]);
    let piped = run_in(files.path(), &["inject"], MODEL).data();
    assert!(piped.contains("JAEGER_AGENT_HOST"));
    assert_eq!(
        run_in(files.path(), &["inject", "-f", "-"], MODEL).data(),
        piped
    );
    assert_eq!(
        run_in(files.path(), &["inject", "-f", "a.yaml"], "").data(),
        piped
    );
}

#[test]
fn other_documents_of_a_stream_keep_every_byte() {
    assert_eq!(run(&["inject"], OTHERS).data(), OTHERS);
    let both = [OTHERS, "---\n", MODEL].concat();
    let injected = run(&["inject"], &both).data();
    assert!(injected.starts_with(OTHERS));
    assert!(injected.contains("JAEGER_AGENT_PORT"));
    assert_eq!(run(&["uninject"], &injected).data(), both);
}

#[test]
fn goes_into_lists_and_leaves_their_other_items() {
    let indented = MODEL.replace('\n', "\n  ");
    for kind in ["List", "SeldonDeploymentList"] {
        let list = format!(
            "kind: {kind}\nitems:\n- kind: Service   # mine\n- {}\n",
            indented.trim_end()
        );
        let injected = run(&["inject"], &list).data();
        assert!(injected.starts_with(&format!(
            "kind: {kind}\nitems:\n- kind: Service   # mine\n- apiVersion"
        )));
        assert!(injected.contains("JAEGER_AGENT_PORT"), "{kind}");
        assert_eq!(run(&["uninject"], &injected).data(), list);
    }
}

#[test]
fn json_stays_json_in_its_own_layout() {
    let value = seldon_tracing::manifest::tree::Tree::yaml(MODEL)
        .unwrap()
        .to_value()
        .unwrap();
    let pretty = format!("{value:#}\n");
    let tabs = pretty
        .lines()
        .map(|line| {
            let content = line.trim_start();
            format!(
                "{}{content}\n",
                "\t".repeat((line.len() - content.len()) / 2)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let inject = |text: &str| {
        let injected = run(&["inject"], text).data();
        assert_eq!(run(&["uninject"], &injected).data(), text);
        let value: Value = serde_json::from_str(&injected).unwrap();
        let env = &value["spec"]["predictors"][0]["svcOrchSpec"]["env"][0];
        assert_eq!(env["name"], "TRACING");
        injected
    };
    let compact = inject(&value.to_string());
    assert_eq!(compact.lines().count(), 1);
    let indented_by = |text: &str, blank: char| {
        let name = |line: &str| line.trim() == "\"name\": \"TRACING\",";
        let line = text.lines().find(|line| name(line)).unwrap();
        let indent = &line[..line.find('"').unwrap()];
        !indent.is_empty() && indent.chars().all(|letter| letter == blank)
    };
    assert!(indented_by(&inject(&pretty), ' '));
    assert!(indented_by(&inject(&tabs), '\t'));
}

#[test]
fn knows_all_versions_and_leaves_what_it_does_not_know() {
    for version in ["v1", "v1alpha2", "v1alpha3"] {
        let text = MODEL.replace("seldon.io/v1", &format!("seldon.io/{version}"));
        assert!(run(&["inject"], &text).data().contains("JAEGER"));
    }
    for line in [
        "",
        "apiVersion: machinelearning.seldon.io/v2\n",
        "apiVersion: mine/v1\n",
        "apiVersion: 1\n",
    ] {
        let text = MODEL.replace("apiVersion: machinelearning.seldon.io/v1\n", line);
        let left = run(&["inject"], &text);
        assert_eq!((left.code, &left.stdout), (0, &text));
        assert!(
            left.stderr.starts_with("warning: <stdin>:1: "),
            "{}",
            left.stderr
        );
    }
}

#[test]
fn keeps_line_ends_marks_and_a_missing_last_line_end() {
    let crlf = MODEL.replace('\n', "\r\n");
    let injected = run(&["inject"], &crlf).data();
    assert!(injected.contains("- name: TRACING\r\n"));
    assert_eq!(
        injected.matches('\n').count(),
        injected.matches("\r\n").count()
    );
    for text in [
        crlf,
        format!("\u{feff}{MODEL}"),
        MODEL.trim_end().to_owned(),
        format!("%YAML 1.1\n---\n{MODEL}...\n"),
    ] {
        let injected = run(&["inject"], &text).data();
        assert!(injected.contains("TRACING"), "{text:?}");
        assert_eq!(run(&["uninject"], &injected).data(), text);
    }
}

#[test]
fn nothing_and_comments_pass_as_they_are() {
    for text in [
        "",
        "\n",
        "# SeldonDeployment\n",
        "---\n---\n",
        "---\n# kind: SeldonDeployment",
    ] {
        for command in ["inject", "uninject"] {
            assert_eq!(run(&[command], text).data(), text);
            assert_eq!(run(&[command, "--check"], text).code, 0);
        }
    }
}

#[test]
fn a_trigger_from_the_command_line_leaves_no_trace_when_taken_out() {
    let annotated = MODEL.replace("tracing: \"true\"   # a", "owner: me  # a");
    for text in [plain_model(), annotated] {
        assert_eq!(run(&["inject"], &text).data(), text);
        let injected = run(&["inject", "--tracing", "true"], &text).data();
        assert!(injected.contains("tracing: \"true\"") || injected.contains("tracing: 'true'"));
        assert!(injected.contains("TRACING"));
        assert_eq!(run(&["inject"], &injected).data(), injected);
        assert_eq!(run(&["uninject"], &injected).data(), text);
    }
    // What is there says more than the command line.
    let off = MODEL.replace("\"true\"", "\"false\"");
    assert_eq!(run(&["inject", "--tracing", "true"], &off).data(), off);
}

#[test]
fn uninject_leaves_the_trigger_of_the_user() {
    let injected = run(&["inject"], MODEL).data();
    assert_eq!(run(&["uninject"], &injected).data(), MODEL);
    assert_eq!(run(&["uninject"], MODEL).data(), MODEL);
}

#[test]
fn another_config_changes_what_is_there_and_the_way_back_stays() {
    let files = folder(&[("c.yaml", "defaults: {agentPort: 6831}\n")]);
    let again = &["inject", "--config", "c.yaml"];
    for text in [
        MODEL.to_owned(),
        MODEL.replace('\n', "\r\n"),
        seldon_tracing::manifest::tree::Tree::yaml(MODEL)
            .unwrap()
            .to_value()
            .unwrap()
            .to_string(),
    ] {
        let first = run(&["inject"], &text).data();
        let second = run_in(files.path(), again, &first).data();
        assert!(second.contains("6831") && !second.contains("5775"));
        assert_eq!(run_in(files.path(), again, &second).data(), second);
        assert_eq!(run(&["uninject"], &second).data(), text);
    }
    // A person may have written the record in another way.
    let first = run(&["inject"], MODEL).data();
    let at = first.find("injected: '").unwrap();
    let end = at + first[at..].find('\n').unwrap();
    let record = first[at..end]
        .trim_start_matches("injected: '")
        .trim_end_matches('\'');
    let folded = format!(
        "{}injected: >-\n      {record}{}",
        &first[..at],
        &first[end..]
    );
    let second = run_in(files.path(), again, &folded).data();
    assert!(second.contains("6831") && !second.contains("5775"));
    assert_eq!(run(&["uninject"], &second).data(), MODEL);
}

#[test]
fn namespaces_and_configs_are_heeded() {
    let files = folder(&[(
        "c.yaml",
        "trigger: trace\nprofiles: {some: {samplerType: probabilistic, samplerParam: 0.25}}\nnamespaces: {team: {agentPort: 6831}}\n",
    )]);
    let text = MODEL.replace("tracing:", "trace:");
    let with = |arguments: &[&str], text: &str| {
        run_in(files.path(), &[&["inject"], arguments].concat(), text).data()
    };
    assert_eq!(with(&[], &text), text);
    assert!(with(&["--config", "c.yaml"], &text).contains("\"5775\""));
    assert!(with(&["--config", "c.yaml", "-n", "team"], &text).contains("\"6831\""));
    let some = with(&["--config", "c.yaml", "--tracing", "some"], &plain_model());
    assert!(
        some.contains("trace: some\n") && some.contains("0.25"),
        "{some}"
    );
    let plain = plain_model();
    assert_eq!(with(&[], &plain), plain);
    let defaulted = with(&["--namespace-enabled"], &plain);
    assert!(defaulted.contains("JAEGER") && !defaulted.contains("tracing: "));
    assert_eq!(run(&["uninject"], &defaulted).data(), plain);
    let mut command = crate::command::seldon_tracing();
    command.current_dir(files.path()).arg("inject");
    command.env("SELDON_TRACING_CONFIG", "c.yaml");
    let by_environment = crate::command::outcome(command.write_stdin(&*text)).data();
    assert_eq!(by_environment, with(&["--config", "c.yaml"], &text));
}

#[test]
fn the_shown_config_is_a_config() {
    for form in ["yaml", "json"] {
        let shown = run(&["config", "show", "-o", form], "").data();
        assert_eq!(Config::read(&shown).unwrap(), Config::default());
        let checked = run(&["config", "check", "-"], &shown).data();
        assert_eq!(checked, "<stdin>: good (0 profiles, 0 namespaces)\n");
    }
    let text = fs::read_to_string(root().join("manifests/base/config.yaml")).unwrap();
    assert_eq!(Config::read(&text).unwrap(), Config::default());
    let rich = "profiles: {some: {samplerType: const, samplerParam: 1, serviceName: '{name}'}}\nnamespaces: {a: {excludeContainers: [b, c]}}\n";
    let shown = run(&["config", "show", "-f", "-"], rich).data();
    assert_eq!(Config::read(&shown).unwrap(), Config::read(rich).unwrap());
    let again = run(&["config", "show", "-f", "-"], &shown).data();
    assert_eq!(again, shown);
}

#[test]
fn the_schema_of_the_config_is_the_file_that_the_example_names() {
    let schema = run(&["config", "schema"], "").data();
    let path = root().join("manifests/config.schema.json");
    assert_eq!(fs::read_to_string(path).unwrap(), schema);
    let example = fs::read_to_string(root().join("manifests/base/config.yaml")).unwrap();
    let line = "# yaml-language-server: $schema=../config.schema.json";
    assert_eq!(example.lines().next(), Some(line));
}

#[test]
fn completions_and_man_pages_are_written() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell], "").data();
        assert!(script.contains("seldon-tracing") && script.contains("uninject"));
    }
    let pages = folder(&[]);
    run_in(pages.path(), &["man", "--dir", "."], "").data();
    let mut names: Vec<_> = fs::read_dir(pages.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.contains(&"seldon-tracing.1".to_owned()));
    assert!(names.contains(&"seldon-tracing-config-show.1".to_owned()));
    let page = fs::read_to_string(pages.path().join("seldon-tracing-inject.1")).unwrap();
    assert!(page.contains(".SH SYNOPSIS") && page.contains("namespace"));
    // The examples stay lines.
    let (_, examples) = page.split_once(".nf\nExamples:\n").unwrap();
    assert!(examples.contains("\n  kustomize build . |") && examples.contains("\n.fi\n"));
}

#[test]
fn a_stream_of_ten_thousand_documents_is_no_burden() {
    let other = "---\nkind: ConfigMap\ndata: {a: b}\n".repeat(9);
    let stream = format!("---\n{MODEL}{other}").repeat(1000);
    let injected = run(&["inject"], &stream).data();
    assert_eq!(injected.matches("tracing.seldon.io/injected").count(), 1000);
    assert_eq!(injected.matches(&other).count(), 1000);
    assert_eq!(run(&["uninject"], &injected).data(), stream);
}

#[test]
fn explain_says_what_a_written_trigger_would_do() {
    let without = plain_model();
    let explained = run(&["explain"], &without).data();
    assert!(explained.contains("no-trigger"), "{explained}");
    let explained = run(&["explain", "--tracing", "true"], &without).data();
    assert!(
        explained.contains("5 variables") && !explained.contains("no-trigger"),
        "{explained}"
    );
}

#[cfg(unix)]
#[test]
fn a_config_is_read_once_from_a_pipe_and_at_most_256_kib_of_it() {
    let script = "mkfifo fifo && (echo 'defaults: {agentPort: 1}' > fifo &); \"$0\" config show -f fifo -o json";
    let files = folder(&[("bad.yaml", &"b: 1\n".repeat(50))]);
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_seldon-tracing")]);
    let shown = outcome(command.current_dir(files.path())).data();
    assert!(shown.contains("\"agentPort\": \"1\""), "{shown}");
    let piped = run(
        &["config", "check", "/dev/stdin"],
        "defaults: {agentPort: 1}\n",
    );
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""));
    for arguments in [
        &["config", "check", "/dev/zero"][..],
        &["config", "show", "-f", "/dev/zero"],
        &["inject", "--config", "/dev/zero"],
        &["explain", "--config", "/dev/zero"],
    ] {
        let expected = "error: cannot read the config file /dev/zero: it has more than 262144 bytes, which is the limit\n";
        assert_eq!(run(arguments, MODEL).refusal(), expected);
    }
    let checked = run_in(files.path(), &["config", "check", "bad.yaml"], "");
    assert!(
        checked.code == 1 && checked.stderr.ends_with("and 30 more problems\n"),
        "{checked:?}"
    );
    let latin = files.path().join("latin.yaml");
    fs::write(latin, b"# \xe9\n").unwrap();
    let said = run_in(files.path(), &["config", "check", "latin.yaml"], "").refusal();
    assert!(said.contains("latin.yaml: it is not UTF-8 text"), "{said}");
}
