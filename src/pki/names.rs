//! The names that a certificate is for.

use std::net::IpAddr;

use rcgen::SanType;
use rcgen::string::Ia5String;

use super::PkiError;

/// The names that a certificate is for, which clients compare with what they have dialled (RFC 6125, RFC 9525).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// DNS names, in any case; the first label may be a wildcard.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
}

impl Names {
    /// The names as they stand in a certificate: checked, in lower case, each of them once.
    pub(super) fn alternatives(&self) -> Result<Vec<SanType>, PkiError> {
        let mut found = Vec::new();
        let dns = self.dns.iter().map(|name| dns(name));
        let ip = self.ip.iter().map(|ip| Ok(SanType::IpAddress(*ip)));
        for name in dns.chain(ip) {
            let name = name?;
            if !found.contains(&name) {
                found.push(name);
            }
        }
        Ok(found)
    }

    /// The name for people, if there is one that is short enough: a common name has at most 64 characters (RFC 5280, appendix A.1).
    pub(super) fn common(&self) -> Option<String> {
        let dns = self.dns.iter().map(|name| name.to_ascii_lowercase());
        let ip = self.ip.iter().map(IpAddr::to_string);
        dns.chain(ip).find(|name| name.len() <= 64)
    }
}

fn dns(name: &str) -> Result<SanType, PkiError> {
    let wrong = |why: String| PkiError::Name {
        name: name.to_owned(),
        why,
    };
    check(name).map_err(wrong)?;
    Ia5String::try_from(name.to_ascii_lowercase())
        .map(SanType::DnsName)
        .map_err(|error| wrong(error.to_string()))
}

/// Checks a DNS name by the rules for names of hosts (RFC 1123 §2.1, RFC 1035 §2.3.4), which are those of Kubernetes as well.
fn check(name: &str) -> Result<(), String> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Err(format!("it is an address; give it as one: --ip {bare}"));
    }
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if name.ends_with('.') {
        return Err("clients do not compare the dot at its end; leave it out".to_owned());
    }
    if !name.is_ascii() {
        return Err("it is not ASCII; give it in its encoded form (xn--…)".to_owned());
    }
    if name.len() > 253 {
        return Err(format!(
            "it has {} characters, and a DNS name has at most 253",
            name.len()
        ));
    }
    let host = name.strip_prefix("*.").unwrap_or(name);
    if host.contains('*') {
        return Err(
            "a wildcard stands for the whole first label and nothing else, as in *.example.com"
                .to_owned(),
        );
    }
    for label in host.split('.') {
        check_label(label)?;
    }
    let last = host.rsplit('.').next().unwrap_or(host);
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        // An address in a short form such as 127.1, or no name at all: no client looks for it among the DNS names.
        return Err("its last label is a number, which no DNS name ends with; an address goes with --ip, in full".to_owned());
    }
    Ok(())
}

fn check_label(label: &str) -> Result<(), String> {
    if label.is_empty() {
        return Err("there is nothing between two of its dots, or before the first".to_owned());
    }
    if label.len() > 63 {
        return Err(format!(
            "its label {label} has {} characters, and a label has at most 63",
            label.len()
        ));
    }
    let other = |letter: &char| !letter.is_ascii_alphanumeric() && *letter != '-';
    if let Some(letter) = label.chars().find(other) {
        return Err(format!(
            "{letter:?} is not allowed in it: give the name of a host, of letters, digits, - and ., without a scheme, a port or a path"
        ));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(format!(
            "its label {label} begins or ends with -, which is allowed only within a label"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(name: &str) -> String {
        match dns(name) {
            Err(error @ PkiError::Name { .. }) => error.to_string(),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_of_hosts_are_taken() {
        for name in [
            "localhost",
            "seldon-tracing.seldon-tracing.svc",
            "*.seldon-tracing.svc",
            "xn--bcher-kva.example",
            "3com.com",
            "1.2.3.4.nip.io",
            &format!("{}.example", "a".repeat(63)),
        ] {
            assert!(dns(name).is_ok(), "{name}: {:?}", dns(name));
        }
    }

    #[test]
    fn names_that_no_client_could_look_for_are_refused_with_advice() {
        for (name, part) in [
            ("", "empty"),
            ("127.0.0.1", "--ip 127.0.0.1"),
            ("::1", "--ip ::1"),
            ("[::1]", "--ip ::1"),
            ("127.1", "--ip"),
            ("example.com.", "dot at its end"),
            ("a..b", "between two of its dots"),
            (".a", "before the first"),
            ("*", "whole first label"),
            ("a.*.b", "whole first label"),
            ("f*.b", "whole first label"),
            ("*.*.b", "whole first label"),
            ("-a.b", "begins or ends with -"),
            ("a-.b", "begins or ends with -"),
            ("https://example.com", "without a scheme"),
            ("example.com:443", "a port"),
            ("a b", "' ' is not allowed"),
            ("a_b.example", "'_' is not allowed"),
            ("b\u{fc}cher.example", "xn--"),
            (&"a".repeat(64), "at most 63"),
            (
                &"a.".repeat(127).replace("a.a.a.", "aaaa.a."),
                "dot at its end",
            ),
            (&format!("{}b", "a.".repeat(127)), "at most 253"),
        ] {
            assert!(why(name).contains(part), "{}", why(name));
        }
        // What would steer a terminal is escaped.
        assert!(why("a\u{1b}[31m").contains("\\u{1b}"));
    }

    #[test]
    fn a_name_is_written_once_and_in_lower_case() {
        let names = Names {
            dns: vec!["Localhost".to_owned(), "localhost".to_owned()],
            ip: vec![IpAddr::from([127, 0, 0, 1]); 2],
        };
        let found = names.alternatives().unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(names.common().as_deref(), Some("localhost"));
        let long = Names {
            dns: vec!["a".repeat(60) + ".example"],
            ip: vec![],
        };
        assert_eq!(long.common(), None);
    }
}
