//! Values that crash the process that reads them. A user's value stays as it is, and the user gets a warning.
//!
//! Only values that people mistype are known here. Each rule was seen in the client that has it: the Python wrapper with `jaeger_client`
//! 4.4, and the executor with `jaeger-client-go` 2.25
//! (<https://github.com/jaegertracing/jaeger-client-go/blob/v2.25.0/config/config_env.go>).

use super::accepts::is_sampler_pair;

/// The software that reads the environment of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Seldon's Python wrapper, in model containers.
    Wrapper,
    /// Seldon's executor, the orchestrator, written in Go.
    Executor,
    /// `MLServer`, which reads nothing but its own variables.
    MlServer,
}

/// The variables of the orchestrator that [`crash`] knows.
pub(crate) const OF_EXECUTOR: [&str; 5] = [
    "JAEGER_SAMPLER_TYPE",
    "JAEGER_SAMPLER_PARAM",
    "JAEGER_AGENT_HOST",
    "JAEGER_AGENT_PORT",
    "JAEGER_TAGS",
];

/// What the client expects, if the value of that variable crashes it.
pub(crate) fn crash(client: Client, name: &str, text: &str) -> Option<&'static str> {
    // Kubernetes replaces $(VAR) before the process sees it.
    if text.contains("$(") {
        return None;
    }
    let (crashes, expected) = match client {
        Client::Wrapper => wrapper(name, text)?,
        // To the Go client, an empty variable is the same as none.
        Client::Executor if !text.is_empty() => executor(name, text)?,
        Client::Executor | Client::MlServer => return None,
    };
    crashes.then_some(expected)
}

fn wrapper(name: &str, text: &str) -> Option<(bool, &'static str)> {
    Some(match name {
        "TRACING" => (
            !is_python_int(text),
            "the Python wrapper needs a whole number, such as \"1\"",
        ),
        "JAEGER_TAGS" => {
            let is_bad = |item: &str| item.matches('=').count() != 1;
            (
                !text.is_empty() && text.split(',').any(is_bad),
                "the Python wrapper needs key=value(,key=value)*",
            )
        }
        "JAEGER_CONFIG_PATH" => (
            text.is_empty(),
            "the Python wrapper needs the path of a file",
        ),
        _ => return None,
    })
}

fn executor(name: &str, text: &str) -> Option<(bool, &'static str)> {
    Some(match name {
        "JAEGER_SAMPLER_TYPE" => {
            let mut known = ["const", "probabilistic", "ratelimiting", "remote"].into_iter();
            (
                !known.any(|kind| text.eq_ignore_ascii_case(kind)),
                "the orchestrator knows const, probabilistic, ratelimiting and remote",
            )
        }
        "JAEGER_SAMPLER_PARAM" => {
            // Go takes "inf", but digits that are too many for a number are an error to it.
            let overflows = |number: f64| {
                number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit())
            };
            (
                text.parse().map_or(true, overflows),
                "the orchestrator needs a plain number, such as 1 or 0.1",
            )
        }
        "JAEGER_AGENT_HOST" => (
            text.contains(':') && !text.starts_with('['),
            "the orchestrator needs a host without port; an IPv6 address stands in brackets",
        ),
        "JAEGER_AGENT_PORT" => (
            text.parse::<i64>().is_err(),
            "the orchestrator needs a port number",
        ),
        "JAEGER_TAGS" => (
            !text.split(',').all(is_go_tag),
            "the orchestrator needs key=value(,key=value)*, and ${VAR:default}",
        ),
        _ => return None,
    })
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
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn values_that_were_seen_to_crash_are_known() {
        for (client, name, bad, good) in [
            (
                Client::Wrapper,
                "TRACING",
                &["true", "", "1.0", "--1", "1__0"][..],
                &["0", "1", " 2 ", "+1", "1_0", "$(T)"][..],
            ),
            (
                Client::Wrapper,
                "JAEGER_TAGS",
                &["foo", "k=a=b", "a=b,"],
                &["", "a=b", "a=b,c=d"],
            ),
            (Client::Wrapper, "JAEGER_CONFIG_PATH", &[""], &["/etc/x"]),
            (Client::Wrapper, "JAEGER_SAMPLER_TYPE", &[], &["bogus"]),
            (Client::Executor, "TRACING", &[], &["true"]),
            (
                Client::Executor,
                "JAEGER_SAMPLER_TYPE",
                &["rate_limiting", "always_on", "const "],
                &["const", "Const", ""],
            ),
            (
                Client::Executor,
                "JAEGER_SAMPLER_PARAM",
                &["10%", "true", " 1", "1e999"],
                &["1", "-2", "1e3", "inf", ""],
            ),
            (
                Client::Executor,
                "JAEGER_AGENT_HOST",
                &["::1", "host:6831", "http://a"],
                &["h", "[::1]", "10.0.0.1"],
            ),
            (
                Client::Executor,
                "JAEGER_AGENT_PORT",
                &["abc", "tcp://x", "6831\n"],
                &["0", "-1", "70000"],
            ),
            (
                Client::Executor,
                "JAEGER_TAGS",
                &["foo", "a=b,", "a=${X}"],
                &["a=b=c", "a=${X:y}"],
            ),
        ] {
            for text in bad {
                assert!(
                    crash(client, name, text).is_some(),
                    "{name}={text:?} crashes"
                );
            }
            for text in good {
                assert_eq!(crash(client, name, text), None, "{name}={text:?} starts");
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
