//! The names in a certificate.

use std::net::IpAddr;

use rcgen::SanType;
use rcgen::string::Ia5String;

use super::error::PkiError;

/// The names in a certificate. Clients compare them with the name that they connect to (RFC 6125, RFC 9525).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// DNS names, in any case; the first label may be a wildcard.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
}

impl Names {
    /// The names as a certificate holds them: checked, in lower case, without duplicates.
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

    /// The first name that is short enough for a common name, which has at most 64 characters (RFC 5280, appendix A.1).
    pub(super) fn common(&self) -> Option<String> {
        let dns = self.dns.iter().map(|name| name.to_ascii_lowercase());
        let ip = self.ip.iter().map(IpAddr::to_string);
        dns.chain(ip).find(|name| name.len() <= 64)
    }
}

fn dns(name: &str) -> Result<SanType, PkiError> {
    let wrong = |why| PkiError(format!("{name:?} is not a valid DNS name: {why}"));
    check(name).map_err(wrong)?;
    Ia5String::try_from(name.to_ascii_lowercase())
        .map(SanType::DnsName)
        .map_err(|error| wrong(error.to_string()))
}

/// Checks a DNS name by the rules for host names (RFC 1123 §2.1, RFC 1035 §2.3.4), which Kubernetes has too.
fn check(name: &str) -> Result<(), String> {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Err(format!("it is an address: use --ip {bare}"));
    }
    if !name.is_ascii() {
        return Err("it is not ASCII: use its encoded form (xn--…)".to_owned());
    }
    let host = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // No client looks up a short address such as 127.1 among the DNS names.
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    if name.len() > 253 || is_number || !host.split('.').all(is_label) {
        return Err(
            "a host name has at most 253 characters; its labels have at most 63, of letters, digits and - within; the last label is not a \
             number, and only the whole first label may be *; there is no scheme, port, path or dot at the end"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(name: &str) -> String {
        let error = dns(name).unwrap_err().to_string();
        assert!(error.contains("is not a valid DNS name"), "{error}");
        error
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
            ("", "at most 253"),
            ("127.0.0.1", "--ip 127.0.0.1"),
            ("::1", "--ip ::1"),
            ("[::1]", "--ip ::1"),
            ("127.1", "not a number"),
            ("example.com.", "dot at the end"),
            ("a..b", "labels"),
            (".a", "labels"),
            ("*", "whole first label"),
            ("a.*.b", "whole first label"),
            ("f*.b", "whole first label"),
            ("*.*.b", "whole first label"),
            ("-a.b", "- within"),
            ("a-.b", "- within"),
            ("https://example.com", "no scheme"),
            ("example.com:443", "port"),
            ("a b", "letters, digits"),
            ("a_b.example", "letters, digits"),
            ("b\u{fc}cher.example", "xn--"),
            (&"a".repeat(64), "at most 63"),
            (&format!("{}b", "a.".repeat(127)), "at most 253"),
        ] {
            assert!(why(name).contains(part), "{}", why(name));
        }
        // Control characters are escaped.
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
