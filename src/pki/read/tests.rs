use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::pki::{Authority, Names, Pair, Purpose};

static NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let names = Names {
        dns: vec!["localhost".to_owned(), "*.svc".to_owned()],
        ip: vec![[127, 0, 0, 1].into(), [0u16; 8].into()],
    };
    let authority = Authority::new(Some("a CA"), NOW, time::Duration::days(2)).unwrap();
    authority
        .issue(&names, Purpose::Server, NOW, time::Duration::DAY)
        .unwrap()
});

/// Stands where a key would.
const SAID: &str = "must not be said";

const PRIVATE: &str = "there is a private key in it: keep keys in separate files";

fn refusal(text: impl AsRef<[u8]>) -> String {
    read_certificates(text.as_ref()).unwrap_err().to_string()
}

#[test]
fn all_that_is_in_a_certificate_is_read() {
    let read = read_certificates(PAIR.chain.as_bytes()).unwrap();
    let [leaf, authority] = &read[..] else {
        panic!("{read:?}");
    };
    assert_eq!(leaf.subject, "CN=localhost");
    assert_eq!(
        (leaf.issuer.as_str(), authority.issuer.as_str()),
        ("CN=a CA", "CN=a CA")
    );
    assert_eq!(leaf.dns, ["localhost", "*.svc"]);
    assert_eq!(
        leaf.ip.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["127.0.0.1", "::"]
    );
    assert_eq!(leaf.not_before, NOW - time::Duration::HOUR);
    assert_eq!(leaf.not_after, NOW + time::Duration::DAY);
    assert!(!leaf.is_authority && authority.is_authority);
}

#[test]
fn text_around_certificates_and_windows_line_ends_are_allowed() {
    let around = format!("\u{feff}subject=x\n\n{}\nend of it", PAIR.chain);
    assert_eq!(read_certificates(around.as_bytes()).unwrap().len(), 2);
    let windows = PAIR.chain.replace('\n', "\r\n");
    assert_eq!(read_certificates(windows.as_bytes()).unwrap().len(), 2);
}

#[test]
fn a_private_key_is_told_of_and_not_shown() {
    for label in [
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    ] {
        for text in [
            format!(
                "{}-----BEGIN {label}-----\n{SAID}\n-----END {label}-----\n",
                PAIR.chain
            ),
            format!("-----BEGIN {label}-----\r\n{SAID}"),
            format!("  -----BEGIN {label}----- \n{SAID}\n"),
            format!(" -----BEGIN {label}----- {SAID} -----END {label}-----"),
        ] {
            let said = refusal(&text);
            assert!(said.starts_with(PRIVATE) && !said.contains(SAID), "{said}");
        }
    }
    let both = [PAIR.key.as_str(), &PAIR.chain].concat();
    assert!(refusal(&both).starts_with(PRIVATE));
}

#[test]
fn what_holds_no_certificate_is_told_for_what_it_is() {
    let first = &PAIR
        .chain
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .unwrap();
    let der = read_certificates(first.as_bytes()).unwrap()[0].der.clone();
    for (text, part) in [
        (b"".to_vec(), "empty"),
        (b" \r\n\t\n".to_vec(), "empty"),
        (
            b"hello".to_vec(),
            "no line of it is -----BEGIN CERTIFICATE-----",
        ),
        (der, "openssl x509 -inform der"),
        (
            b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==".to_vec(),
            "base64 -d",
        ),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----"
                .to_vec(),
            "begins with \"CERTIFICATE REQUEST\"",
        ),
        (
            b"-----BEGIN \x1b[31m-----\n".to_vec(),
            "certificate 1 in it is broken",
        ),
        (
            b"-----BEGIN \x1b[31m-----\n-----END \x1b[31m-----".to_vec(),
            "\\x1b[31m",
        ),
    ] {
        let said = refusal(&text);
        assert!(said.contains(part), "{said}");
        assert!(!said.contains('\u{1b}'));
    }
}

#[test]
fn broken_certificates_are_told_by_their_number() {
    let good = &PAIR.chain;
    for (text, part) in [
        (
            &good[..good.len() - 30],
            "certificate 2 in it is broken: it has no -----END",
        ),
        (
            &good.replacen("\nMII", "\nM!I", 1),
            "certificate 1 in it is broken: the text between",
        ),
        (
            &good.replacen("\nMII", "\nMIA", 1),
            "certificate 1 in it is broken: it is not an X.509",
        ),
        (
            &good.replacen("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE---", 1),
            "certificate 1 in it is broken: its -----BEGIN",
        ),
        (
            &format!("{good}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "certificate 3 in it is broken: it is not an X.509",
        ),
        (
            &format!("{good}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
            "certificate 3 in it is broken: it is not an X.509",
        ),
    ] {
        let said = refusal(text);
        assert!(said.contains(part), "{said}");
    }
    let mut der = read_certificates(good.as_bytes()).unwrap()[0].der.clone();
    der.extend([0, 0, 0]);
    assert_eq!(read(der).unwrap_err(), "3 bytes follow it");
}

#[test]
fn megabytes_of_nonsense_are_refused() {
    assert!(refusal(vec![b'A'; MAX_BYTES + 1]).starts_with("it is longer than 8 MiB"));
    assert!(refusal(vec![b'-'; MAX_BYTES]).contains("no line of it"));
    assert!(refusal(vec![b'\n'; MAX_BYTES]).contains("empty"));
    assert!(refusal("-----BEGIN CERTIFICATE-----\n".repeat(200_000)).contains("cut off"));
    let block = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    assert!(refusal(block.repeat(100_000)).contains("certificate 1 in it is broken"));
    // Sequences in sequences, as deep as they go.
    let deep = [[0x30, 0x80].repeat(100_000), vec![0; 100_000]].concat();
    read(deep).unwrap_err();
}

#[test]
fn only_the_ca_with_the_name_and_the_key_of_the_issuer_has_signed() {
    let authority = |name| Authority::new(Some(name), NOW, time::Duration::DAY).unwrap();
    let one = |text: &str| read_certificates(text.as_bytes()).unwrap().remove(0);
    let [leaf, ca] = &read_certificates(PAIR.chain.as_bytes()).unwrap()[..] else {
        panic!("it has a leaf and a CA");
    };
    assert!(leaf.is_signed_by(ca) && ca.is_signed_by(ca));
    // Another name; the same name with another key.
    for name in ["another CA", "a CA"] {
        assert!(!leaf.is_signed_by(&one(authority(name).certificate())));
    }
    // A leaf cannot sign, under any name.
    let namesake = authority("localhost");
    let names = Names {
        dns: vec!["x".to_owned()],
        ip: vec![],
    };
    let pair = namesake.issue(&names, Purpose::Server, NOW, time::Duration::DAY);
    let below = one(&pair.unwrap().chain);
    assert!(below.is_signed_by(&one(namesake.certificate())) && !below.is_signed_by(leaf));
    let mut changed = leaf.clone();
    // The last byte is one of the signature.
    *changed.der.last_mut().unwrap() ^= 1;
    assert!(!changed.is_signed_by(ca));
}

/// A certificate that was read can be used without a panic.
fn use_all(text: &[u8]) {
    let Ok(read) = read_certificates(text) else {
        return;
    };
    for certificate in &read {
        let _ = certificate.is_signed_by(&read[0]);
        for at in [NOW, certificate.not_before, certificate.not_after] {
            let _ = certificate.validity(at);
        }
    }
}

fn in_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nonsense_is_no_reason_to_fall(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        use_all(&bytes);
        use_all(in_pem(&bytes).as_bytes());
    }

    #[test]
    fn a_changed_text_is_no_reason_to_fall(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = PAIR.chain.clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        use_all(&bytes);
        use_all(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn a_changed_certificate_is_no_reason_to_fall(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let good = read_certificates(PAIR.chain.as_bytes()).unwrap();
        let mut der = good[0].der.clone();
        for (at, byte) in changes {
            let at = at.index(der.len());
            der[at] = byte;
        }
        // A changed certificate never counts as signed.
        let text = in_pem(&der) + &in_pem(&good[1].der);
        use_all(text.as_bytes());
        let signed = |der| Some(X509Certificate::from_der(der).ok()?.1.tbs_certificate.as_ref().to_vec());
        if let Ok(read) = read_certificates(text.as_bytes())
            && signed(&der) != signed(&good[0].der)
        {
            prop_assert!(!read[0].is_signed_by(&read[1]));
        }
        use_all(in_pem(&der[..cut.index(der.len())]).as_bytes());
    }
}
