//! What the clients that read the values accept: `jaeger-client-go` in the orchestrator, `jaeger_client` in the Python wrapper
//! (<https://www.jaegertracing.io/docs/1.22/client-features/>), and Kubernetes itself.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::jaeger::variable::HOST_IP;

/// The longest name of a service, in bytes.
pub(crate) const MAX_SERVICE_NAME: usize = 2048;

/// The longest list of tags, in bytes.
pub(crate) const MAX_TAGS: usize = 4096;

/// `status.hostIP`, a host name, IPv4, or IPv6 in brackets: the Go client ends its process on anything with a further colon.
pub(crate) fn is_agent_host(text: &str) -> bool {
    if text == HOST_IP || text.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    // A name whose last label is a number would be read as a mistyped IPv4 address.
    let last = name.rsplit('.').next().unwrap_or(name);
    is_host_name(name) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// A port. 6832 is refused: it expects binary thrift, which neither client sends.
pub(crate) fn is_agent_port(text: &str) -> bool {
    is_port(text) && text != "6832"
}

/// 1 to 65535 in plain digits.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
        && text.parse::<u16>().is_ok()
}

/// `HOST:PORT`, a target of gRPC without a scheme. The address of the node cannot stand in it: a variable is a text or a field, and not both.
pub(crate) fn is_otlp_endpoint(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| host != HOST_IP && is_agent_host(host) && is_port(port))
}

/// The types that every client knows, spelled as every client reads them.
pub(crate) fn is_sampler_type(text: &str) -> bool {
    matches!(text, "const" | "probabilistic" | "ratelimiting" | "remote")
}

/// `[0-9]+(\.[0-9]+)?`, of a length that every client's number can hold.
pub(crate) fn is_sampler_param(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| {
        (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole) && digits(fraction)
}

/// Whether the two halves of a sampler go together; each of them is known to be well formed.
pub(crate) fn is_sampler_pair(kind: &str, param: &str) -> bool {
    let Ok(number) = param.parse::<f64>() else {
        return false;
    };
    match kind {
        "const" => matches!(param, "0" | "1"),
        "probabilistic" | "remote" => (0.0..=1.0).contains(&number),
        "ratelimiting" => number >= 0.0,
        _ => false,
    }
}

/// What goes with a sampler type, for people.
pub(crate) fn sampler_param_expected(kind: &str) -> &'static str {
    match kind {
        "const" => "0 or 1",
        "probabilistic" | "remote" => "from 0 to 1",
        _ => "0 or more",
    }
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 bytes, upper case allowed as DNS allows it
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names>).
pub(crate) fn is_dns_label(text: &str) -> bool {
    is_word(text, 63, b"-") && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether a text has at most so many bytes, all of them letters, digits or one of `others`.
pub(crate) fn is_word(text: &str, most: usize, others: &[u8]) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    (1..=most).contains(&text.len()) && text.bytes().all(is_part)
}

/// Labels joined by dots.
fn is_host_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// The same in lower case
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>).
pub(crate) fn is_dns_name(text: &str) -> bool {
    is_host_name(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A name that shells, Jaeger and Kubernetes' own `$(VAR)` expansion leave as it is.
pub(crate) fn is_service_name(text: &str) -> bool {
    is_word(text, MAX_SERVICE_NAME, b"._-/:")
}

/// `key=value(,key=value)*`: both clients end their process on an item without exactly one `=`, and the Go client on a
/// `${VAR}` without `:default`.
pub(crate) fn is_tags(text: &str) -> bool {
    // What Kubernetes puts in for $(VAR) could hold anything.
    text.len() <= MAX_TAGS
        && !text.contains("$(")
        && text.split(',').all(|item| {
            let Some((key, value)) = item.split_once('=') else {
                return false;
            };
            let value = value.trim();
            let variable_has_default = match value.strip_prefix("${") {
                Some(variable) => variable.strip_suffix('}').is_some_and(|inner| {
                    inner
                        .split_once(':')
                        .is_some_and(|(name, default)| !name.is_empty() && !default.contains(':'))
                }),
                None => !value.contains(['{', '}']),
            };
            !key.trim().is_empty()
                && !key.contains(['{', '}', '$'])
                && !value.contains('=')
                && variable_has_default
        })
}

/// `[-._a-zA-Z0-9]+` and no way out of the folder
/// (<https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object>).
pub(crate) fn is_config_map_key(key: &str) -> bool {
    is_word(key, 253, b"-._") && !key.starts_with("..") && key != "."
}
