//! `certs new`, and its certificates as others read them: x509-parser, rustls and openssl.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use seldon_tracing::pki::{Authority, Names, Purpose};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{OID_EC_P256, OID_SIG_ECDSA_WITH_SHA256};
use x509_parser::prelude::FromDer;

use crate::command::{Run, folder, run, run_in};

const SERVICE: &str = "seldon-tracing.seldon-tracing.svc";
const FILES: [&str; 4] = ["ca.crt", "ca.key", "tls.crt", "tls.key"];

/// A folder in which `certs new` has made a CA and a certificate for `SERVICE` and `127.0.0.1`, in `made`.
fn made() -> TempDir {
    let folder = TempDir::new().unwrap();
    let run = new(folder.path(), &["--dir", "made"]);
    assert_eq!(run.code, 0, "{run:?}");
    let paths = FILES.map(|name| format!("made/{name}\n")).concat();
    assert_eq!(run.stdout, paths);
    folder
}

fn new(folder: &Path, arguments: &[&str]) -> Run {
    let names = ["certs", "new", "--dns", SERVICE, "--ip", "127.0.0.1"];
    run_in(folder, &[&names, arguments].concat(), "")
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join("made").join(name)).unwrap()
}

fn ders(text: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(text.as_bytes())
        .map(Result::unwrap)
        .collect()
}

#[test]
fn the_hint_names_the_commands_that_come_next() {
    let folder = TempDir::new().unwrap();
    let run = new(folder.path(), &["--dir", "a b"]);
    assert_eq!(run.code, 0, "{run:?}");
    for part in [
        "seldon-tracing serve --tls-cert 'a b/tls.crt' --tls-key 'a b/tls.key'",
        "seldon-tracing review ",
        "--cacert 'a b/ca.crt'",
    ] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    assert!(!run.stderr.contains("PRIVATE") && !run.stdout.contains("PRIVATE"));
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only_and_so_is_a_folder_that_is_made() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = TempDir::new().unwrap();
    // Whoever lets everybody write lets nobody read keys.
    let binary = env!("CARGO_BIN_EXE_seldon-tracing");
    let status = Command::new("sh")
        .args([
            "-c",
            "umask 0; exec \"$0\" certs new --dir x/y --ip ::1",
            binary,
        ])
        .current_dir(folder.path())
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let inner = folder.path().join("x/y");
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&folder.path().join("x")), 0o700);
    for (name, expected) in FILES.into_iter().zip([0o644, 0o600, 0o644, 0o600]) {
        assert_eq!(mode(&inner.join(name)), expected, "{name}");
    }
    // A folder that was there keeps its mode.
    let there = folder.path().join("there");
    fs::create_dir(&there).unwrap();
    fs::set_permissions(&there, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(new(folder.path(), &["--dir", "there"]).code, 0);
    assert_eq!(mode(&there), 0o755);
}

#[test]
fn nothing_is_overwritten_and_nothing_is_written_beside_it() {
    for name in FILES {
        let files = folder(&[(&format!("made/{name}"), "mine")]);
        let said = new(files.path(), &["--dir", "made"]).refusal();
        assert!(said.contains(&format!("made/{name} would be overwritten")));
        assert!(said.contains("another --dir"), "{said}");
        let there = fs::read_dir(files.path().join("made")).unwrap().count();
        assert_eq!((there, read(&files, name).as_str()), (1, "mine"));
    }
    #[cfg(unix)]
    {
        // Also a link that leads nowhere is there, and is not written through.
        let files = folder(&[("made/other", "")]);
        let link = files.path().join("made/ca.key");
        std::os::unix::fs::symlink("../elsewhere", link).unwrap();
        let said = new(files.path(), &["--dir", "made"]).refusal();
        assert!(said.contains("made/ca.key"), "{said}");
        assert!(!files.path().join("elsewhere").exists());
    }
    let twice = made();
    let before = FILES.map(|name| read(&twice, name));
    let said = new(twice.path(), &["--dir", "made"]).refusal();
    assert!(said.contains("made/tls.key") && said.contains("move them away"));
    assert_eq!(FILES.map(|name| read(&twice, name)), before);
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_written() {
    for (arguments, part) in [
        (
            &["--days", "366", "--ca-days", "365"][..],
            "--days 366 is more than --ca-days 365",
        ),
        (&["--dns", "10.0.0.1"], "--ip 10.0.0.1"),
        (&["--dns", "https://a.b"], "no scheme"),
        (&["--days", "0"], "0"),
    ] {
        let folder = TempDir::new().unwrap();
        let said = new(folder.path(), &[&["--dir", "made"], arguments].concat()).refusal();
        assert!(said.contains(part), "{said}");
        assert!(!folder.path().join("made").exists());
    }
    let files = folder(&[("file", "")]);
    let said = new(files.path(), &["--dir", "file/made"]).refusal();
    assert!(said.contains("nothing was written"), "{said}");
    let said = run(&["certs", "new", "--dir", "x"], "").refusal();
    assert!(said.contains("--dns"), "{said}");
}

#[test]
fn a_certificate_has_the_names_the_usages_and_the_hour_for_wrong_clocks() {
    let folder = made();
    let now = OffsetDateTime::now_utc();
    let chain = ders(&read(&folder, "tls.crt"));
    let ca_file = ders(&read(&folder, "ca.crt"));
    assert_eq!((chain.len(), &chain[1..]), (2, &ca_file[..]));
    let parsed = |at: usize| X509Certificate::from_der(&chain[at]).unwrap().1;
    let (leaf, ca) = (parsed(0), parsed(1));

    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let expected = [
        GeneralName::DNSName(SERVICE),
        GeneralName::IPAddress(&[127, 0, 0, 1]),
    ];
    assert_eq!(names.value.general_names, expected);
    let extended = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.server_auth && !extended.client_auth && !extended.any);
    let usage = leaf.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(usage.value.flags, 1, "digitalSignature only");
    assert!(!leaf.is_ca());

    let constraints = ca.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let usage = ca.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && usage.value.crl_sign());
    assert!(!usage.value.digital_signature());
    assert!(ca.extended_key_usage().unwrap().is_none());

    let key_id = |of: &X509Certificate<'_>, authority: bool| {
        of.extensions()
            .iter()
            .find_map(|it| match it.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(id) if authority => {
                    id.key_identifier.as_ref().map(|id| id.0.to_vec())
                }
                ParsedExtension::SubjectKeyIdentifier(id) if !authority => Some(id.0.to_vec()),
                _ => None,
            })
    };
    assert!(key_id(&leaf, true).is_some());
    assert_eq!(key_id(&leaf, true), key_id(&ca, false));

    let mut serials = vec![];
    for (certificate, days) in [(&leaf, 365), (&ca, 3650)] {
        let validity = certificate.validity();
        let early = now - validity.not_before.to_datetime();
        assert!(
            early >= Duration::HOUR && early < Duration::hours(2),
            "{early}"
        );
        let left = validity.not_after.to_datetime() - now;
        assert_eq!((left + Duration::minutes(1)).whole_days(), days);
        assert_eq!(
            certificate.signature_algorithm.algorithm,
            OID_SIG_ECDSA_WITH_SHA256
        );
        let curve = certificate.public_key().algorithm.parameters.as_ref();
        assert_eq!(curve.unwrap().as_oid().unwrap(), OID_EC_P256);
        // Positive, and of 20 bytes at most.
        let serial = certificate.raw_serial();
        assert!(serial[0] < 0x80 && serial.len() <= 17 && serial.len() > 12);
        serials.push(serial.to_vec());
    }
    assert_ne!(serials[0], serials[1]);
}

#[test]
fn clients_take_the_certificate_for_its_names_and_for_no_other() {
    let folder = made();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(ders(&read(&folder, "ca.crt")));
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .unwrap();
    let chain = ders(&read(&folder, "tls.crt"));
    let at = |time: UnixTime, name: &str| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier
            .verify_server_cert(&chain[0], &chain[1..], &name, &[], time)
            .map_err(|error| format!("{error:?}"))
    };
    let now = UnixTime::now();
    for name in [SERVICE, "SELDON-tracing.seldon-tracing.svc", "127.0.0.1"] {
        at(now, name).unwrap();
    }
    for name in ["seldon-tracing.other.svc", "127.0.0.2", "localhost"] {
        let refusal = at(now, name).unwrap_err();
        assert!(refusal.contains("NotValidForName"), "{refusal}");
    }
    // A clock that is almost an hour behind, one that is further behind, and the end.
    let after = |seconds: i64| {
        let seconds = now.as_secs().checked_add_signed(seconds).unwrap();
        at(
            UnixTime::since_unix_epoch(StdDuration::from_secs(seconds)),
            SERVICE,
        )
    };
    after(-3500).unwrap();
    assert!(after(-3700).unwrap_err().contains("NotValidYet"));
    after(365 * 86_400 - 60).unwrap();
    assert!(after(365 * 86_400 + 60).unwrap_err().contains("Expired"));

    let key = PrivateKeyDer::from_pem_slice(read(&folder, "tls.key").as_bytes()).unwrap();
    rustls::sign::CertifiedKey::from_der(chain, key, &provider)
        .unwrap()
        .keys_match()
        .unwrap();
}

#[test]
fn a_clients_certificate_is_one_for_clients_only() {
    let now = OffsetDateTime::now_utc();
    let authority = Authority::new(None, now, Duration::days(10)).unwrap();
    let names = Names {
        dns: vec![],
        ip: vec![IpAddr::from([127, 0, 0, 1])],
    };
    let issue = |purpose| {
        ders(
            &authority
                .issue(&names, purpose, now, Duration::DAY)
                .unwrap()
                .chain,
        )
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(ders(authority.certificate()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .unwrap();
    let verify = |chain: &[CertificateDer<'_>]| {
        verifier.verify_client_cert(&chain[0], &chain[1..], UnixTime::now())
    };
    verify(&issue(Purpose::Client)).unwrap();
    verify(&issue(Purpose::Server)).unwrap_err();
}

#[test]
fn openssl_takes_it_too() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!(
            "LEFT OUT: there is no openssl here, so what it makes of the certificates was not tested"
        );
        return;
    }
    let folder = made();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(folder.path().join("made"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (
            output.status.success(),
            text + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let verify = [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        "ca.crt",
    ];
    for name in [["-verify_hostname", SERVICE], ["-verify_ip", "127.0.0.1"]] {
        let (good, text) = openssl(&[&verify[..], &name, &["tls.crt"]].concat());
        assert!(good && text.contains("tls.crt: OK"), "{text}");
    }
    let other = ["-verify_hostname", "localhost", "tls.crt"];
    assert!(!openssl(&[&verify[..], &other].concat()).0);

    let (good, text) = openssl(&["x509", "-in", "tls.crt", "-noout", "-text"]);
    assert!(good, "{text}");
    for part in [
        "ecdsa-with-SHA256",
        "prime256v1",
        "CA:FALSE",
        "TLS Web Server Authentication",
        &format!("DNS:{SERVICE}, IP Address:127.0.0.1"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (good, text) = openssl(&["x509", "-in", "ca.crt", "-noout", "-text"]);
    assert!(good && text.contains("CA:TRUE, pathlen:0"), "{text}");
}
