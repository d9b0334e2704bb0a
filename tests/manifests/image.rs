//! The Dockerfile, and the image that is made without Docker. The Dockerfile is not built here, but compared with the files that it must
//! agree with.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};
use tempfile::tempdir;

use crate::deployment::pod;
use crate::files::text;
use crate::support::fixtures::root;

/// The instructions, each with its arguments.
fn instructions() -> Vec<(String, String)> {
    text("Dockerfile")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, rest)| (name.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// The arguments of an instruction in the stages from scratch, or in those before.
#[track_caller]
fn of(name: &str, last: bool) -> Vec<String> {
    let all = instructions();
    let start = all.iter().rposition(|(name, _)| name == "FROM").unwrap();
    let (before, after) = all.split_at(start);
    let stage = if last { after } else { before };
    let found = stage.iter().filter(|(one, _)| one == name);
    found.map(|(_, arguments)| arguments.clone()).collect()
}

#[test]
fn the_image_is_one_file_run_by_the_user_of_the_pod() {
    assert_eq!(of("FROM", true), ["scratch"]);
    let copies = of("COPY", true);
    assert_eq!(copies.len(), 1, "the binary and nothing else: {copies:?}");
    let to = copies[0].split(' ').next_back().unwrap();
    // The form without a shell, for there is none.
    assert_eq!(of("ENTRYPOINT", true), [format!("[\"{to}\"]")]);
    assert_eq!(to, concat!("/", env!("CARGO_PKG_NAME")));
    let security = pod().security_context.unwrap();
    let user = security.run_as_user.unwrap();
    assert!(user > 0);
    // Numbers: the kubelet cannot tell that a name is not root.
    let ids = format!("{user}:{}", security.run_as_group.unwrap());
    assert_eq!(of("USER", true), [ids]);
    assert_eq!(labels(), expected_labels());
    for other in ["CMD", "RUN", "ENV", "SHELL", "VOLUME", "ADD"] {
        assert_eq!(of(other, true), Vec::<String>::new(), "{other}");
    }
}

/// The labels of the Dockerfile.
fn labels() -> Value {
    let of_line = |label: String| -> (String, Value) {
        let (key, value) = label.split_once('=').unwrap();
        (key.to_owned(), serde_json::from_str(value).unwrap())
    };
    let labels = of("LABEL", true).into_iter().map(of_line);
    Value::Object(labels.collect::<Map<_, _>>())
}

/// What Cargo.toml says. Where the sources are and which commit it is, only a release knows.
fn expected_labels() -> Value {
    json!({
        "org.opencontainers.image.title": env!("CARGO_PKG_NAME"),
        "org.opencontainers.image.description": env!("CARGO_PKG_DESCRIPTION"),
        "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
    })
}

/// Makes an image of a program that is nothing but the beginning of one, for a machine.
fn made(folder: &Path, machine: u8) -> Vec<u8> {
    let program = folder.join(env!("CARGO_PKG_NAME"));
    let mut header = b"\x7fELF".to_vec();
    header.resize(18, 0);
    header.push(machine);
    fs::write(&program, header).unwrap();
    let archive = folder.join("image.tar");
    let dockerfile = fs::File::open(root().join("Dockerfile")).unwrap();
    let made = Command::new(root().join("release/image"))
        .arg(program)
        .arg("library/seldon-tracing:0.1.0")
        .arg(&archive)
        .arg("org.opencontainers.image.revision=abc")
        .stdin(dockerfile)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::read(archive).unwrap()
}

#[test]
fn an_image_without_docker_is_what_the_dockerfile_says_and_the_same_each_time() {
    for (machine, architecture) in [(0x3e, "amd64"), (0xb7, "arm64")] {
        let (one, two) = (tempdir().unwrap(), tempdir().unwrap());
        assert_eq!(made(one.path(), machine), made(two.path(), machine));
        let layout = one.path();
        let unpacked = Command::new("tar")
            .args(["--extract", "--file", "image.tar"])
            .current_dir(layout)
            .status()
            .unwrap();
        assert!(unpacked.success());
        let read = |file: &str| -> Value {
            serde_json::from_slice(&fs::read(layout.join(file)).unwrap()).unwrap()
        };
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap();
            let path = format!("blobs/{}", digest.replace(':', "/"));
            let size = fs::metadata(layout.join(&path)).unwrap().len();
            assert_eq!(descriptor["size"], size);
            path
        };
        let mut labels = labels();
        labels["org.opencontainers.image.revision"] = json!("abc");
        let described = read("index.json")["manifests"][0].clone();
        assert_eq!(described["platform"]["architecture"], architecture);
        let manifest = read(&blob(&described));
        assert_eq!(manifest["annotations"], labels);
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
        let layer = blob(&manifest["layers"][0]);
        let config = read(&blob(&manifest["config"]));
        assert_eq!(config["architecture"], architecture);
        assert_eq!(config["config"]["Labels"], labels);
        assert_eq!(config["config"]["User"], of("USER", true)[0].as_str());
        assert_eq!(
            config["config"]["Entrypoint"].to_string(),
            of("ENTRYPOINT", true)[0]
        );
        let listed = Command::new("tar")
            .args(["--list", "--verbose", "--numeric-owner", "--file"])
            .arg(layout.join(&layer))
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(
            listed.starts_with("-rwxr-xr-x 0/0") && listed.ends_with(" seldon-tracing\n"),
            "{listed}"
        );
        assert_eq!(listed.lines().count(), 1, "{listed}");
        // Docker before version 25 reads these.
        assert_eq!(read("manifest.json")[0]["Layers"], json!([layer]));
    }
}

#[test]
fn the_build_is_that_of_a_release_and_what_it_builds_is_copied() {
    assert_eq!(of("RUN", false), [r#"cp "$(release/binary)" /"#]);
    let copy = &of("COPY", true)[0];
    assert_eq!(copy, "--from=build /seldon-tracing /seldon-tracing");
    let compiler = format!("rust:{} AS build", env!("CARGO_PKG_RUST_VERSION"));
    assert_eq!(of("FROM", false), [compiler]);
}

#[test]
fn all_that_the_build_reads_is_copied_and_nothing_secret() {
    let copies = of("COPY", false);
    let sources: Vec<_> = copies.iter().flat_map(|copy| copy.split(' ')).collect();
    // Cargo.toml names the benchmarks, so cargo wants to see their files.
    let read = ["src", "third-party", "manifests/config.schema.json"];
    let scripts = ["release/binary", "release/tool"];
    let named = ["Cargo.toml", "Cargo.lock", "benches"];
    for needed in named.iter().chain(&read).chain(&scripts) {
        assert!(sources.contains(needed), "{needed}");
    }
    for source in sources {
        assert!(!source.contains("certs") && source != ".", "{source}");
    }
    let ignored = text(".dockerignore");
    assert!(
        ignored.lines().any(|line| line == "certs"),
        "keys stay at home"
    );
}
