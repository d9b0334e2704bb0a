//! What Go's `net` and `net/url` take for an address. Where versions of Go differ, what any of them takes is good: a warning has to be true.

/// Whether `net.SplitHostPort` finds the host in `HOST:PORT`.
pub(crate) fn is_host(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|inner| !inner.contains(['[', ']'])),
        None => !text.contains([':', '[', ']']),
    }
}

/// Whether `url.ParseRequestURI` takes the text. To it `jaeger:14268` has the scheme `jaeger`, and nothing after it is looked at.
pub(crate) fn is_request_uri(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return false;
    }
    let (has_scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (true, rest),
        _ => (false, text),
    };
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    if !rest.starts_with('/') {
        return has_scheme;
    }
    let Some(rest) = rest.strip_prefix("//").filter(|_| has_scheme) else {
        return has_good_escapes(rest);
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    is_authority(authority) && has_good_escapes(path)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `USER@HOST:PORT`, or less.
fn is_authority(text: &str) -> bool {
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let port = if host.starts_with('[') {
        host.rfind(']').map(|end| &host[end + 1..])
    } else {
        Some(host.rfind(':').map_or("", |colon| &host[colon..]))
    };
    let is_port = |port: &str| {
        port.is_empty()
            || port
                .strip_prefix(':')
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // Neither a user nor a host has these.
    let refused = [' ', '#', '\\', '^', '`', '{', '|', '}'];
    port.is_some_and(is_port) && !text.contains(refused) && has_good_escapes(text)
}

fn has_good_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_taken_as_by_go() {
        for bad in [
            "::1",
            "host:6831",
            "http://h",
            "a]",
            "[",
            "a[b]",
            "[[a]]",
            "[a]b",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
        for good in [
            "h",
            "[::1]",
            "[fe80::1%eth0]",
            "10.0.0.1",
            "a b",
            "[a]",
            "[]",
        ] {
            assert!(is_host(good), "{good}");
        }
    }

    #[test]
    fn addresses_are_taken_as_by_go() {
        for bad in [
            "",
            "jaeger",
            "10.0.0.1:14268",
            " http://h",
            "http://a b/",
            "http://h:port/",
            "http://h:p?x",
            "http://[x",
            "http://[::1]x/",
            "http://h#x",
            "http://{h}/",
            "http://u ser@h/",
            "http://h/%zz",
            "/%2",
            "http://h/\n",
            "jaeger:1\u{7f}",
        ] {
            assert!(!is_request_uri(bad), "{bad:?}");
        }
        for good in [
            "http://jaeger:14268/api/traces",
            "jaeger:14268",
            "jaeger:%zz",
            "http://[::1]:14268/",
            "http://[fe80::1%25eth0]/",
            "http://u:p%40@h:14268/",
            "http://h:/a b?c=%zz",
            "http://h?x:y",
            "http://é_x/",
            "http://",
            "//a b/",
            "*",
        ] {
            assert!(is_request_uri(good), "{good:?}");
        }
    }
}
