//! Values that are known to end the process that reads them. The user's stay as they are; the user is told.
//!
//! Each rule was seen in the client that has it: the Python wrapper with `jaeger_client` 4.4, and the executor with
//! `jaeger-client-go` 2.25 (<https://github.com/jaegertracing/jaeger-client-go/blob/v2.25.0/config/config_env.go>).

use crate::jaeger::accepts::is_sampler_pair;
use crate::jaeger::go_net::{is_host, is_request_uri};

/// Who reads the environment of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Seldon's Python wrapper, in model containers.
    Wrapper,
    /// Seldon's executor, written in Go.
    Executor,
    /// `MLServer`, which reads nothing but its own variables.
    MlServer,
}

/// The variables of the orchestrator that [`crash`] knows.
pub(crate) const CRASHING: [&str; 16] = [
    "JAEGER_SAMPLER_TYPE",
    "JAEGER_SAMPLER_PARAM",
    "JAEGER_AGENT_HOST",
    "JAEGER_AGENT_PORT",
    "JAEGER_DISABLED",
    "JAEGER_RPC_METRICS",
    "JAEGER_REPORTER_LOG_SPANS",
    "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED",
    "JAEGER_SAMPLER_MAX_OPERATIONS",
    "JAEGER_REPORTER_MAX_QUEUE_SIZE",
    "JAEGER_SAMPLER_REFRESH_INTERVAL",
    "JAEGER_REPORTER_FLUSH_INTERVAL",
    "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL",
    "JAEGER_TAGS",
    "JAEGER_ENDPOINT",
    "TRACING",
];

/// What the reader would have accepted, where it ends its process on that value.
pub(crate) fn crash(reader: Reader, name: &str, text: &str) -> Option<&'static str> {
    // Kubernetes replaces $(VAR) before the process sees it.
    if text.contains("$(") {
        return None;
    }
    match reader {
        Reader::Wrapper => match name {
            "TRACING" => (!is_python_int(text))
                .then_some("the Python wrapper needs a whole number, such as \"1\""),
            "JAEGER_TAGS" => text
                .split(',')
                .any(|item| !text.is_empty() && item.matches('=').count() != 1)
                .then_some("the Python wrapper needs key=value(,key=value)*"),
            "JAEGER_CONFIG_PATH" => text
                .is_empty()
                .then_some("the Python wrapper needs the path of a file"),
            _ => None,
        },
        Reader::MlServer => None,
        // To the Go client an empty variable is none.
        Reader::Executor if text.is_empty() => None,
        Reader::Executor => match name {
            "JAEGER_SAMPLER_TYPE" => {
                let known = ["const", "probabilistic", "ratelimiting", "remote"];
                let found = known.iter().any(|kind| text.eq_ignore_ascii_case(kind));
                (!found).then_some(
                    "the orchestrator knows const, probabilistic, ratelimiting and remote",
                )
            }
            "JAEGER_SAMPLER_PARAM" => text
                .parse::<f64>()
                // Go takes "inf", but digits that are too many for a number are an error to it.
                .map_or(true, |number| {
                    number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit())
                })
                .then_some("the orchestrator needs a plain number, such as 1 or 0.1"),
            "JAEGER_AGENT_HOST" => (!is_host(text)).then_some(
                "the orchestrator needs a host without port; an IPv6 address stands in brackets",
            ),
            "JAEGER_AGENT_PORT" => text
                .parse::<i64>()
                .is_err()
                .then_some("the orchestrator needs a port number"),
            "JAEGER_DISABLED"
            | "JAEGER_RPC_METRICS"
            | "JAEGER_REPORTER_LOG_SPANS"
            | "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED" => go_bool(text)
                .is_none()
                .then_some("the orchestrator needs true or false"),
            "JAEGER_SAMPLER_MAX_OPERATIONS" | "JAEGER_REPORTER_MAX_QUEUE_SIZE" => text
                .parse::<i64>()
                .is_err()
                .then_some("the orchestrator needs a whole number"),
            "JAEGER_SAMPLER_REFRESH_INTERVAL"
            | "JAEGER_REPORTER_FLUSH_INTERVAL"
            | "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL" => (!is_go_duration(text))
                .then_some("the orchestrator needs a duration with a unit, such as 1s"),
            "JAEGER_TAGS" => (!text.split(',').all(is_go_tag))
                .then_some("the orchestrator needs key=value(,key=value)*, and ${VAR:default}"),
            "JAEGER_ENDPOINT" => (!is_request_uri(text)).then_some("the orchestrator needs a URL"),
            _ => None,
        },
    }
}

/// Whether the executor ends its process on a sampler whose halves are each well formed.
pub(crate) fn sampler_crash(kind: &str, param: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    matches!(kind.as_str(), "probabilistic" | "remote")
        && param.parse::<f64>().is_ok()
        && !is_sampler_pair(&kind, param)
}

/// Python's `int(text)`.
fn is_python_int(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['+', '-']);
    let signs = text.trim().len() - digits.len();
    signs <= 1
        && digits
            .split('_')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the Python wrapper reads it as a number that is 0.
pub(crate) fn is_python_zero(text: &str) -> bool {
    is_python_int(text) && !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// Go's `strconv.ParseBool`.
pub(crate) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Go's `time.ParseDuration`.
fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let number = &rest[..rest.len() - unit.len()];
        let known = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        let Some(after) = known.iter().find_map(|known| {
            let after = unit.strip_prefix(known)?;
            (!after.starts_with(char::is_alphabetic)).then_some(after)
        }) else {
            return false;
        };
        if !number.bytes().any(|byte| byte.is_ascii_digit()) || number.matches('.').count() > 1 {
            return false;
        }
        rest = after;
    }
    true
}

fn is_go_tag(item: &str) -> bool {
    let Some((_, value)) = item.split_once('=') else {
        return false;
    };
    let value = value.trim();
    !(value.starts_with("${") && value.ends_with('}')) || value.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_were_seen_to_crash_are_known() {
        for (reader, name, bad, good) in [
            (
                Reader::Wrapper,
                "TRACING",
                &["true", "", "1.0", "--1", "1__0"][..],
                &["0", "1", " 2 ", "+1", "1_0", "$(T)"][..],
            ),
            (
                Reader::Wrapper,
                "JAEGER_TAGS",
                &["foo", "k=a=b", "a=b,"],
                &["", "a=b", "a=b,c=d"],
            ),
            (Reader::Wrapper, "JAEGER_CONFIG_PATH", &[""], &["/etc/x"]),
            (Reader::Wrapper, "JAEGER_SAMPLER_TYPE", &[], &["bogus"]),
            (Reader::Executor, "TRACING", &[], &["true"]),
            (
                Reader::Executor,
                "JAEGER_SAMPLER_TYPE",
                &["rate_limiting", "always_on", "const "],
                &["const", "Const", ""],
            ),
            (
                Reader::Executor,
                "JAEGER_SAMPLER_PARAM",
                &["10%", "true", " 1", "1e999"],
                &["1", "-2", "1e3", "inf", ""],
            ),
            (
                Reader::Executor,
                "JAEGER_AGENT_HOST",
                &["::1", "host:6831", "a]"],
                &["h", "[::1]", "10.0.0.1"],
            ),
            (
                Reader::Executor,
                "JAEGER_AGENT_PORT",
                &["abc", "tcp://x", "6831\n"],
                &["0", "-1", "70000"],
            ),
            (
                Reader::Executor,
                "JAEGER_DISABLED",
                &["yes", "no", "tRUE"],
                &["t", "False", "1"],
            ),
            (
                Reader::Executor,
                "JAEGER_REPORTER_FLUSH_INTERVAL",
                &["1000", "s", "1x", "1.2.3s"],
                &["1s", "1m30s", "0", "-1.5h", "10ms"],
            ),
            (
                Reader::Executor,
                "JAEGER_REPORTER_MAX_QUEUE_SIZE",
                &["1.5"],
                &["100"],
            ),
            (
                Reader::Executor,
                "JAEGER_TAGS",
                &["foo", "a=b,", "a=${X}"],
                &["a=b=c", "a=${X:y}"],
            ),
            (
                Reader::Executor,
                "JAEGER_ENDPOINT",
                &["jaeger", "10.0.0.1:14268", "http://a b/"],
                &["http://jaeger:14268/api/traces", "jaeger:14268"],
            ),
        ] {
            for text in bad {
                assert!(
                    crash(reader, name, text).is_some(),
                    "{name}={text:?} crashes"
                );
            }
            for text in good {
                assert_eq!(crash(reader, name, text), None, "{name}={text:?} starts");
            }
        }
        assert!(
            sampler_crash("probabilistic", "5")
                && sampler_crash("remote", "1.5")
                && sampler_crash("Probabilistic", "-1")
        );
        assert!(!sampler_crash("const", "5") && !sampler_crash("ratelimiting", "5"));
        assert!(
            is_python_zero("0")
                && is_python_zero(" 00 ")
                && !is_python_zero("10")
                && !is_python_zero("")
        );
    }
}
