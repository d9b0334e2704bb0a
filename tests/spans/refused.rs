//! What our settings refuse beyond the values of `crashes.rs`. Set by hand, most of it loses spans or writes them otherwise than was
//! meant, and some of it ends the process. The rest does no harm: such a rule keeps to one way to write a value, and the row says that
//! the span comes.
//!
//! Not among the rows is what neither client reads: names of ConfigMaps and of containers, which the API server would refuse, and
//! `otlp-endpoint`, for `MLServer` is not part of the rig.

use std::fs;

use serde_json::{Value, json};

use crate::models::{annotate, example};
use crate::rig::Rig;
use crate::rig::kubelet::{Environment, environment};

tests![
    values_that_are_refused_as_settings_lose_or_change_spans_of_the_orchestrator_when_set_by_hand,
    values_that_are_refused_as_settings_silence_the_python_wrapper_when_set_by_hand,
];

/// What comes of one request when the value is set by hand.
#[derive(Clone, Copy, Debug)]
enum Comes {
    /// Its span, as with any other value.
    TheSpan,
    NoSpan,
    /// The span, of another service.
    SpanOf(&'static str),
    /// The span, with a tag that is not what was meant.
    Tag(&'static str, &'static str),
    /// The process ends with these words.
    TheEnd(&'static str),
}

/// A variable that anybody may set, and that the kubelet puts in for `$(OTHER)`.
const OTHER: &str = "other,name";

/// Longer than a label of DNS.
const LONG: &str = repeated(&[b'a'; 64]);

/// More than a number of Go's can hold.
const DIGITS: &str = repeated(&[b'9'; 400]);

const fn repeated(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!(),
    }
}

/// Settings, and what comes of the same values in the variables that they would be written to.
const ORCHESTRATOR: &[(&[(&str, &str)], Comes)] = &[
    // Binary thrift is spoken there.
    (&[("agent-port", "6832")], Comes::NoSpan),
    (&[("agent-port", "0")], Comes::NoSpan),
    (&[("agent-port", "70000")], Comes::NoSpan),
    (&[("agent-port", "05775")], Comes::TheSpan),
    (&[("agent-host", "127.0.0.256")], Comes::NoSpan),
    (&[("agent-host", "a..b")], Comes::NoSpan),
    (&[("agent-host", "-a")], Comes::NoSpan),
    (&[("agent-host", LONG)], Comes::NoSpan),
    // To the Python wrapper both are off: see below.
    (
        &[("sampler-type", "const"), ("sampler-param", "1.0")],
        Comes::TheSpan,
    ),
    (
        &[("sampler-type", "const"), ("sampler-param", "2")],
        Comes::TheSpan,
    ),
    (&[("sampler-type", "Const")], Comes::TheSpan),
    (&[("sampler-param", "1e3")], Comes::TheSpan),
    (&[("sampler-param", ".5")], Comes::TheSpan),
    (&[("sampler-param", DIGITS)], Comes::TheEnd("ParseFloat")),
    (&[("tags", "=b")], Comes::Tag("", "b")),
    (&[("tags", "model={nam}")], Comes::Tag("model", "{nam}")),
    (&[("tags", "$a=b")], Comes::Tag("$a", "b")),
    // The Python wrapper ends on this one: see `crashes.rs`.
    (&[("tags", "a=b=c")], Comes::Tag("a", "b=c")),
    (&[("tags", "a=${X:b:c}")], Comes::Tag("a", "b:c")),
    (&[("tags", "a=$(OTHER)")], Comes::TheEnd("parseTags")),
    (&[("service-name", "$(OTHER)")], Comes::SpanOf(OTHER)),
];

/// Sends the settings through the webhook, which is to refuse one of them.
#[track_caller]
fn refused(rig: &Rig, settings: &[(&str, &str)]) {
    let mut manifest = example("own-container.yaml");
    for (key, value) in settings {
        annotate(&mut manifest, &format!("tracing.seldon.io/{key}"), value);
    }
    let warnings = rig.webhook.create(&manifest).warnings;
    let bad = |warning: &String| {
        warning.starts_with("bad-setting: ") || warning.starts_with("bad-sampler-pair: ")
    };
    assert!(warnings.iter().any(bad), "{settings:?}: {warnings:?}");
}

/// `agent-host` is written to `JAEGER_AGENT_HOST`.
fn variable(setting: &str) -> String {
    format!("JAEGER_{}", setting.to_uppercase().replace('-', "_"))
}

fn values_that_are_refused_as_settings_lose_or_change_spans_of_the_orchestrator_when_set_by_hand(
    rig: &Rig,
) {
    // Jaeger's own agent has all ports open that there are.
    let node = rig.agent_node;
    let mut seen = Vec::new();
    for (at, (settings, comes)) in ORCHESTRATOR.iter().enumerate() {
        refused(rig, settings);
        let service = format!("refused-{at}");
        let by_hand = settings.iter();
        let by_hand = by_hand.map(|(key, value)| json!({"name": variable(key), "value": value}));
        let entries = [
            json!({"name": "OTHER", "value": OTHER}),
            json!({"name": "JAEGER_AGENT_HOST", "value": node.0.to_string()}),
            json!({"name": "JAEGER_AGENT_PORT", "value": "5775"}),
            json!({"name": "JAEGER_SAMPLER_TYPE", "value": "const"}),
            json!({"name": "JAEGER_SAMPLER_PARAM", "value": "1"}),
            json!({"name": "JAEGER_SERVICE_NAME", "value": service}),
        ];
        // The last of a name counts.
        let env: Value = entries.into_iter().chain(by_hand).collect();
        let output = rig.orchestrator(&environment(&env, node), 1, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match comes {
            Comes::TheEnd(words) => {
                assert!(!output.status.success() && said.contains(words), "{said}");
            }
            _ => assert!(output.status.success(), "{settings:?}: {said}"),
        }
        seen.push((service, settings, comes));
    }
    rig.settle();
    for (service, settings, comes) in seen {
        let arrived = rig.arrived(&service);
        match comes {
            Comes::NoSpan | Comes::TheEnd(_) => assert!(arrived.is_empty(), "{settings:?}"),
            Comes::TheSpan => assert_eq!(arrived.len(), 1, "{settings:?}"),
            Comes::SpanOf(other) => {
                assert!(arrived.is_empty(), "{settings:?}");
                assert_eq!(rig.arrived(other).len(), 1, "{settings:?}");
            }
            Comes::Tag(key, value) => {
                assert_eq!(arrived.len(), 1, "{settings:?}");
                assert_eq!(arrived[0].process_tag(key), Some(*value), "{arrived:?}");
            }
        }
    }
}

fn values_that_are_refused_as_settings_silence_the_python_wrapper_when_set_by_hand(rig: &Rig) {
    // What is set by hand, the port and the param of the file; and how many spans come of two calls.
    let rows = [
        ("5775", "1", "HandRight", 2),
        ("6832", "1", "HandBinary", 0),
        ("70000", "1", "HandPort", 0),
        ("5775", "1.0", "HandDecimal", 0),
        ("5775", "2", "HandTwo", 0),
    ];
    let mut models = Vec::new();
    for (port, param, class, _) in rows {
        let folder = rig.folder(class);
        let file = folder.join("tracing.yml");
        fs::write(&file, format!("sampler: {{type: const, param: {param}}}")).unwrap();
        let environment: Environment = [
            ("TRACING", "1".to_owned()),
            ("JAEGER_AGENT_HOST", rig.agent_node.0.to_string()),
            ("JAEGER_AGENT_PORT", port.to_owned()),
            ("JAEGER_CONFIG_PATH", file.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        models.push(rig.run_with(&environment, class, &folder));
    }
    for model in &mut models {
        model.predict(2);
    }
    rig.settle();
    for (port, param, class, count) in rows {
        assert_eq!(rig.arrived(class).len(), count, "{port}, {param}");
    }
}
