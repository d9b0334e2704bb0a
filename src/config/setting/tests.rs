use super::*;
use crate::config::schema::tests::validator;
use crate::config::template::{MAX_PLACEHOLDERS, Names, Unresolved, expand};
use crate::jaeger::accepts::is_sampler_pair;

/// A setting, what it accepts, and what it refuses.
type Case = (Setting, &'static [&'static str], &'static [&'static str]);

#[expect(clippy::too_many_lines, reason = "one table")]
fn table() -> [Case; Setting::COUNT] {
    [
        (
            Setting::AgentHost,
            &[
                "status.hostIP",
                "jaeger-agent",
                "jaeger.tracing.svc.cluster.local",
                "a.b.",
                "10.0.0.1",
                "[::1]",
                "[fd00::5]",
            ],
            &[
                "",
                "::1",
                "host:6831",
                "http://host",
                "[::1",
                "256.0.0.1",
                "1.2.3",
                "a b",
                "a_b",
                "-a",
                "status.podIP/x",
                "a..b",
            ],
        ),
        (
            Setting::AgentPort,
            &["1", "5775", "6831", "65535"],
            &[
                "",
                "0",
                "-1",
                "65536",
                "6832",
                "+1",
                "05775",
                " 6831",
                "6831\n",
                "udp://10.0.0.1:5775",
                "abc",
            ],
        ),
        (
            Setting::SamplerType,
            &["const", "probabilistic", "ratelimiting", "remote"],
            &["", "Const", "const ", "rate_limiting", "always_on"],
        ),
        (
            Setting::SamplerParam,
            &["0", "1", "0.5", "5", "100", "0.001"],
            &[
                "", "10%", "-1", "+1", "1e3", ".5", "1.", "NaN", "true", "0,5", " 1", "1.2.3",
            ],
        ),
        (
            Setting::ServiceName,
            &[
                "",
                "model",
                "{namespace}/{name}",
                "{name}-{predictor}-{container}",
                "a.b_c:d",
            ],
            &[
                "{pod}",
                "{name",
                "a b",
                "$(NAME)",
                "${NAME:x}",
                "{}",
                "name}",
            ],
        ),
        (
            Setting::Tags,
            &[
                "",
                "team=a",
                "team=a,model={name}",
                "node=${NODE:none}",
                "a=",
                "a=b c",
                "ns={namespace}",
            ],
            &[
                "team",
                "a=b=c",
                "a=b,",
                ",a=b",
                "=b",
                "a=${NODE}",
                "a={pod}",
                "a={name",
                "{name=x",
                "a=${NODE:x",
                "a=$(NODE)",
            ],
        ),
        (
            Setting::ConfigMap,
            &["", "tracing", "tracing/jaeger.yml", "my.config/tracing.yml"],
            &[
                "Tracing", "tracing/", "/x", "a/b/c", "a/..", "a/../b", "a b", "a/x y", "_a",
            ],
        ),
        (
            Setting::OtlpEndpoint,
            &[
                "",
                "otel-collector:4317",
                "otel-collector.observability.svc.cluster.local:4317",
                "10.0.0.1:1",
                "[fd00::5]:65535",
                "[::1]:6832",
            ],
            &[
                "otel-collector",
                "otel-collector:",
                ":4317",
                "http://otel-collector:4317",
                "otel-collector:4317/",
                "otel-collector:0",
                "otel-collector:65536",
                "otel-collector:04317",
                "otel-collector:http",
                "::1:4317",
                "[::1]",
                "256.0.0.1:4317",
                "status.hostIP:4317",
                "$(NODE_IP):4317",
                "a:1,b:2",
                " a:1",
                "a:1 ",
                "a_b:4317",
            ],
        ),
        (
            Setting::ExcludeContainers,
            &["", "a", "a,b", "a, b"],
            &["a b", "a,b/c", "é"],
        ),
    ]
}

#[test]
fn settings_accept_what_the_clients_accept() {
    for (setting, good, bad) in table() {
        for text in good {
            assert!(setting.accepts(text), "{setting:?} must accept {text:?}");
        }
        for text in bad {
            assert!(!setting.accepts(text), "{setting:?} must refuse {text:?}");
        }
        assert!(
            !setting.accepts(&"a".repeat(MAX_SETTING + 1)),
            "{setting:?} must refuse what is too long"
        );
        let many = "{name}".repeat(MAX_PLACEHOLDERS + 1);
        assert!(
            !setting.accepts(&many) && !setting.accepts(&format!("a={many}")),
            "{setting:?} must refuse too many placeholders"
        );
        assert!(
            !setting.accepts(&"a,".repeat(MAX_EXCLUDED + 1)),
            "{setting:?} must refuse too many names"
        );
        for text in ["a=\u{7}", "a=\u{86}", "a=${X:\u{ffff}}"] {
            assert!(
                !setting.accepts(text),
                "{setting:?} must refuse what YAML cannot have in plain text"
            );
        }
    }
}

/// What only [`Config::read`] refuses: a pattern cannot say it, or not so that a person can read it.
const BEYOND_THE_SCHEMA: [&str; 13] = [
    "256.0.0.1",
    "1.2.3",
    "65536",
    "a=${NODE}",
    "a={pod}",
    "a={name",
    "{name=x",
    "a=${NODE:x",
    "a=$(NODE)",
    "a/..",
    "otel-collector:65536",
    "256.0.0.1:4317",
    "status.hostIP:4317",
];

#[test]
fn the_schema_accepts_what_the_settings_accept_and_refuses_nearly_all_that_they_refuse() {
    let schema = validator();
    let mut beyond: Vec<&str> = Vec::new();
    for (setting, good, bad) in table() {
        let accepts = |text: &str| {
            let mut settings = serde_json::Map::new();
            // The halves of the sampler stand together.
            if matches!(setting, Setting::SamplerType | Setting::SamplerParam) {
                settings.insert("samplerType".to_owned(), "ratelimiting".into());
                settings.insert("samplerParam".to_owned(), "1".into());
            }
            settings.insert(setting.config_key().to_owned(), text.into());
            schema.is_valid(&serde_json::json!({"defaults": settings}))
        };
        for text in good {
            assert!(accepts(text), "the schema must accept {setting:?} {text:?}");
        }
        beyond.extend(bad.iter().filter(|text| accepts(text)));
        assert!(!accepts(&"a".repeat(MAX_SETTING + 1)), "{setting:?}");
    }
    assert_eq!(beyond, BEYOND_THE_SCHEMA);
}

#[test]
fn sampler_halves_must_go_together() {
    for (kind, param, fits) in [
        ("const", "0", true),
        ("const", "1", true),
        ("const", "0.5", false),
        ("const", "2", false),
        ("probabilistic", "0.1", true),
        ("probabilistic", "1", true),
        ("probabilistic", "5", false),
        ("remote", "1.5", false),
        ("ratelimiting", "5", true),
        ("other", "1", false),
    ] {
        assert_eq!(is_sampler_pair(kind, param), fits, "{kind} {param}");
    }
}

#[test]
fn templates_are_filled_or_name_what_is_missing() {
    let names = Names {
        namespace: Some("ns"),
        name: Some("m"),
        predictor: Some("p"),
        container: None,
    };
    assert_eq!(
        expand("{namespace}/{name}.{predictor}", &names, 99).unwrap(),
        "ns/m.p"
    );
    assert_eq!(expand("plain", &names, 99).unwrap(), "plain");
    assert_eq!(
        expand("n=${NODE:x},m={name}", &names, 99).unwrap(),
        "n=${NODE:x},m=m"
    );
    assert_eq!(
        expand("{container}", &names, 99),
        Err(Unresolved::Unknown("container"))
    );
    for (most, fits) in [(6, true), (5, false), (3, false), (0, false)] {
        let filled = expand("{name}{name}-{namespace}x", &names, most);
        assert_eq!(filled.is_ok(), fits, "{most}: {filled:?}");
    }
}
