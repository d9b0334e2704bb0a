//! Imports point down, and what is pure stays pure. The sources are parsed, so it does not matter how a `use` is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The modules of `src`, from the ground up. A module may import from those on the lines above its own.
const LAYERS: &[&[&str]] = &[
    // Macros, which every file of the crate sees without an import.
    &["table"],
    // The API server that is played shares no code with the webhook that it calls.
    &[
        "seldon",
        "jaeger",
        "pki",
        "manifest",
        "cli",
        "files",
        "apiserver",
    ],
    &["config"],
    &["inject"],
    &["admission", "offline", "process"],
    &["serve", "cluster"],
    &["controller"],
    &["commands"],
];

/// The modules that only compute.
const PURE: &[&str] = &[
    "table",
    "seldon",
    "jaeger",
    "manifest",
    "config",
    "inject",
    "admission",
    "offline",
];

/// A file of a pure module that reads what its caller hands it, piece by piece, because a stream can be longer than the memory.
const READS: &str = "manifest::stream";

/// What a pure module does not use: the modules of `std` that reach outside of the process, and crates and macros that do.
const IMPURE: &[&str] = &[
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "std::fs",
    "std::io",
    "std::net",
    "std::time",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "tracing",
    "kube",
    "axum",
    "hyper",
];

/// The text of each file by its module path, such as `inject::target::edit`.
type Sources = BTreeMap<String, String>;

/// The paths that a file names.
#[derive(Default)]
struct Paths {
    named: BTreeSet<Vec<String>>,
}

impl Paths {
    fn of(text: &str) -> BTreeSet<Vec<String>> {
        let mut paths = Self::default();
        paths.visit_file(&syn::parse_file(text).unwrap());
        paths.named
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => drop(self.named.insert(with(&name.ident))),
            syn::UseTree::Rename(name) => drop(self.named.insert(with(&name.ident))),
            syn::UseTree::Glob(_) => drop(self.named.insert(before.to_vec())),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(before, tree);
                }
            }
        }
    }

    /// The paths in what a macro is given, which is no syntax yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.named.insert(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => self.tokens(group.stream()),
                _ => colons = 0,
            }
        }
        // As in `visit_visibility`.
        if path != ["super"] {
            self.named.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.named
            .insert(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// `pub(super)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // Tests may reach for what they like.
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }
}

/// The file that a path leads into, if it begins in this crate.
fn leads_to(sources: &Sources, from: &str, path: &[String]) -> Option<String> {
    let mut module: Vec<&str> = from.split("::").collect();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            module.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                module.pop();
                rest = &rest[1..];
            }
        }
        name => {
            let child = format!("{from}::{name}");
            if !sources.contains_key(&child) {
                return None;
            }
        }
    }
    module.extend(rest.iter().map(String::as_str));
    (1..=module.len())
        .rev()
        .map(|length| module[..length].join("::"))
        .find(|candidate| sources.contains_key(candidate))
        .filter(|file| file != from)
}

/// What is wrong with the imports of some sources, a line each.
fn faults(sources: &Sources) -> Vec<String> {
    let mut faults = Vec::new();
    let mut arrows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    for (file, text) in sources {
        let paths = Paths::of(text);
        let room = file.split("::").next().unwrap();
        let Some(own) = layer(room) else {
            faults.push(format!("{room} is in no layer"));
            continue;
        };
        for path in &paths {
            let path = path.join("::");
            let is_impure = |name: &&&str| path == **name || path.starts_with(&format!("{name}::"));
            let is_pure = PURE.contains(&room) && file != READS;
            // All of std by a glob or another name, so the modules are named nowhere.
            if is_pure && path == "std" {
                faults.push(format!("{file} uses all of std, but {room} is pure"));
            }
            if let Some(name) = IMPURE.iter().find(is_impure).filter(|_| is_pure) {
                faults.push(format!("{file} uses {name}, but {room} is pure"));
            }
        }
        let targets: BTreeSet<String> = paths
            .iter()
            .filter_map(|path| leads_to(sources, file, path))
            .collect();
        for target in &targets {
            let other = target.split("::").next().unwrap();
            if other != room && layer(other).is_none_or(|other| other >= own) {
                faults.push(format!("{file} imports {target}, which is not below it"));
            }
        }
        arrows.insert(file, targets);
    }
    faults.extend(circle(&arrows).map(|files| format!("a circle: {}", files.join(" -> "))));
    faults
}

/// Files that import each other in a circle, if there are any.
fn circle(arrows: &BTreeMap<&str, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(
        arrows: &BTreeMap<&str, BTreeSet<String>>,
        done: &mut BTreeSet<String>,
        way: &mut Vec<String>,
        file: &str,
    ) -> Option<Vec<String>> {
        if let Some(at) = way.iter().position(|earlier| earlier == file) {
            return Some(way[at..].to_vec());
        }
        if done.contains(file) {
            return None;
        }
        way.push(file.to_owned());
        let mut targets = arrows.get(file).into_iter().flatten();
        let found = targets.find_map(|target| visit(arrows, done, way, target));
        way.pop();
        done.insert(file.to_owned());
        found
    }
    let mut done = BTreeSet::new();
    arrows
        .keys()
        .find_map(|file| visit(arrows, &mut done, &mut Vec::new(), file))
}

fn read(folder: &Path, module: &str, sources: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = if module.is_empty() {
            name.clone()
        } else {
            format!("{module}::{name}")
        };
        if path.is_dir() {
            read(&path, &inner, sources);
        } else if name == "mod" {
            sources.insert(module.to_owned(), fs::read_to_string(path).unwrap());
        } else if !["tests", "main", "lib"].contains(&name.as_str()) {
            sources.insert(inner, fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn imports_point_down_without_circles_and_the_pure_modules_are_pure() {
    let mut sources = Sources::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&source, "", &mut sources);
    assert!(sources.len() > 100, "{} files", sources.len());
    assert_eq!(faults(&sources), Vec::<String>::new());
}

#[test]
fn no_file_of_the_sources_has_more_than_400_lines() {
    let mut sources = Sources::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&source, "", &mut sources);
    let long = sources
        .iter()
        .filter(|(_, text)| text.lines().count() > 400);
    assert_eq!(
        long.map(|(file, _)| file).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn each_kind_of_fault_is_found() {
    for (files, fault) in [
        (
            &[
                ("seldon", ""),
                ("config", "use crate::inject::plan;"),
                ("inject", ""),
            ][..],
            "config imports inject, which is not below it",
        ),
        (
            &[
                ("seldon", "fn f() -> crate::jaeger::Variable {}"),
                ("jaeger", ""),
            ],
            "seldon imports jaeger, which is not below it",
        ),
        (
            &[
                ("inject", "mod a; mod b;"),
                ("inject::a", "use super::b::B;"),
                ("inject::b", "use super::{a::A};"),
            ],
            "a circle: inject::a -> inject::b",
        ),
        (
            &[("config", "use std::{fmt, fs, io};")],
            "config uses std::fs, but config is pure",
        ),
        (
            &[(
                "inject",
                "fn f() { println!(\"{}\", std::env::var(\"A\")); }",
            )],
            "inject uses std::env, but inject is pure",
        ),
        (
            &[("seldon", "use tokio as t;")],
            "seldon uses tokio, but seldon is pure",
        ),
        (&[("garden", "")], "garden is in no layer"),
    ] {
        has_fault(files, fault);
    }
}

#[test]
fn what_is_impure_is_found_however_it_is_named() {
    for (text, name) in [
        ("use std::*; fn f() { fs::read(\"a\"); }", "all of std"),
        ("use std as s; fn f() { s::fs::read(\"a\"); }", "all of std"),
        ("fn f() { ::std::fs::read(\"a\"); }", "std::fs"),
        ("fn f() { eprintln!(\"{}\", 1); }", "eprintln"),
    ] {
        let fault = format!("inject uses {name}, but inject is pure");
        has_fault(&[("inject", text)], &fault);
    }
}

fn has_fault(files: &[(&str, &str)], fault: &str) {
    let files = files.iter();
    let sources: Sources = files
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect();
    let faults = faults(&sources);
    assert!(faults.iter().any(|found| found == fault), "{faults:?}");
}
