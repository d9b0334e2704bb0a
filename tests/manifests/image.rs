//! The Dockerfile. It is not built here, but compared with the files that it must agree with.

use crate::deployment::pod;
use crate::files::text;

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
    for other in ["CMD", "RUN", "ENV", "SHELL", "VOLUME", "ADD"] {
        assert_eq!(of(other, true), Vec::<String>::new(), "{other}");
    }
}

#[test]
fn the_build_is_that_of_the_documentation_and_what_it_builds_is_copied() {
    let runs = of("RUN", false);
    let [build, place] = runs.as_slice() else {
        panic!("{runs:?}");
    };
    assert!(
        text("docs/install.md").contains(&format!("`{build}`")),
        "{build}"
    );
    assert!(build.contains("+crt-static"), "the image has no libc");
    // Without a target the flag would count for build scripts and macros too, which cannot be static.
    assert!(build.contains("--target ") && build.contains("--locked"));
    assert_eq!(place, "cp target/*/release/seldon-tracing /");
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
    for needed in ["Cargo.toml", "Cargo.lock", "src", "benches"] {
        assert!(sources.contains(&needed), "{needed}");
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
