#![allow(clippy::too_many_lines, reason = "tables of cases")]

mod growth;

use super::*;
use serde_json::{Value, json};

fn read(text: &str) -> Tree {
    let json = text.starts_with("{\"") || text.starts_with("{\n");
    let tree = if json {
        Tree::json(text)
    } else {
        Tree::yaml(text)
    };
    tree.unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

fn patch(operations: &Value) -> Patch {
    serde_json::from_value(operations.clone()).unwrap()
}

fn run(text: &str, operations: &Value) -> Result<String, EditError> {
    edit(text, &read(text), &patch(operations))
}

fn add(path: &str, value: &Value) -> Value {
    json!({"op": "add", "path": path, "value": value})
}

fn remove(path: &str) -> Value {
    json!({"op": "remove", "path": path})
}

/// Adds, compares, removes what `created` names, and compares with the text at first.
#[track_caller]
fn both_ways(text: &str, adds: &Value, created: &[&str], expected: &str) {
    let edited = run(text, adds).unwrap_or_else(|refusal| panic!("{refusal}: {text}"));
    assert_eq!(edited, expected);
    let removes = created.iter().map(|path| remove(path)).collect();
    let back = run(&edited, &removes).unwrap_or_else(|refusal| panic!("{refusal}: {edited}"));
    assert_eq!(back, text);
}

#[track_caller]
fn refused(text: &str, operations: &Value, word: &str) {
    let refusal = run(text, operations).unwrap_err();
    assert!(refusal.to_string().contains(word), "{refusal}");
}

#[test]
fn removes_what_a_person_wrote() {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "l:\n  - env:\n      - a # c\n    # about k\n    k: 1\n",
            &["/l/0/env"],
            "l:\n  - # about k\n    k: 1\n",
        ),
        (
            "l:\n  - env: x\n    m: 2\n    k: 1\n",
            &["/l/0/env", "/l/0/m"],
            "l:\n  - k: 1\n",
        ),
        (
            "l:\n  - env: x\n    m: 2\n    k: 1\n",
            &["/l/0/k", "/l/0/env"],
            "l:\n  - m: 2\n",
        ),
        ("l:\n  - env: x\n", &["/l/0/env"], "l:\n  - {}\n"),
        ("- - a\n  - b\n", &["/0/0"], "- - b\n"),
        (
            "a: # c\n  - x\n  - y\nb: 1\n",
            &["/a/1", "/a/0"],
            "a: [] # c\nb: 1\n",
        ),
        ("a: &x\n  k: v\nb: 1\n", &["/a/k"], "a: &x {}\nb: 1\n"),
        ("a: 1\n", &["/a"], "{}\n"),
        ("a: 1\nb: 2\n", &["/a"], "b: 2\n"),
        ("\u{feff}a: 1\nb: 2\n", &["/a"], "\u{feff}b: 2\n"),
        ("a: 1\nb: 2", &["/b"], "a: 1"),
        (
            "# top\na: 1 # gone\n# mid\nb: 2\n",
            &["/a"],
            "# top\n# mid\nb: 2\n",
        ),
        ("a: [1, 2, 3]\n", &["/a/1", "/a/0"], "a: [3]\n"),
        ("a: [1, 2, 3]\n", &["/a/2", "/a/0"], "a: [2]\n"),
        ("a: [ 1, 2, ]\n", &["/a/1", "/a/0"], "a: [  ]\n"),
        ("a: {b: 1, c: 2}\n", &["/a/b"], "a: {c: 2}\n"),
        ("a:\n  b: 1\nc: 2\n", &["/a/b", "/a"], "c: 2\n"),
    ];
    for (text, paths, expected) in cases {
        let removes = paths.iter().map(|path| remove(path)).collect();
        let edited = run(text, &removes).unwrap_or_else(|refusal| panic!("{refusal}: {text}"));
        assert_eq!(&edited, expected, "{text}");
    }
    refused("a: [1, # one\n 2]\n", &json!([remove("/a/1")]), "comment");
}

#[test]
fn fills_keys_without_a_value() {
    let value = json!({"k": ["v"]});
    let cases = [
        ("a:\nb: 1\n", "a:\n  k:\n  - v\nb: 1\n"),
        ("a: # c\nb: 1\n", "a: # c\n  k:\n  - v\nb: 1\n"),
        (
            "a: null # c\r\nb: ~\r\n",
            "a: # c\r\n  k:\r\n  - v\r\nb: ~\r\n",
        ),
        ("{a: , b: 1}\n", "{a: {k: [v]} , b: 1}\n"),
        ("{\"a\": null}\n", "{\"a\": {\"k\": [\"v\"]}}\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text, &json!([add("/a", &value)])).unwrap(), expected);
    }
    assert_eq!(
        run("a:\n", &json!([add("/a", &json!("x"))])).unwrap(),
        "a: x\n"
    );
    refused("a: 1\n", &json!([add("/a", &json!(2))]), "there already");
    refused("a:  ~\n", &json!([add("/a", &value)]), "one space");
    // Where all that was added goes, the null comes back, with the same text if that is known.
    let emptied = json!([add("/a", &json!(null))]);
    assert_eq!(
        run("a: # c\n- v # d\n# e\n", &emptied).unwrap(),
        "a: null # c\n# e\n"
    );
    assert_eq!(run("a: [v]\n", &emptied).unwrap(), "a: null\n");
    assert_eq!(run("{a: [v] }\n", &emptied).unwrap(), "{a: null }\n");
    refused(
        "a: &x\nb: *x\n",
        &json!([add("/a", &json!(2))]),
        "there already",
    );
}

#[test]
fn aliases_are_written_once_or_refused() {
    let text = "a:\n  env: &e\n  - n: 1\nb:\n  env: *e\n";
    let both = json!([add("/a/env/-", &json!("x")), add("/b/env/-", &json!("x"))]);
    let edited = "a:\n  env: &e\n  - n: 1\n  - x\nb:\n  env: *e\n";
    both_ways(text, &both, &["/a/env/1", "/b/env/1"], edited);
    refused(text, &json!([add("/a/env/-", &json!("x"))]), "anchor &e");
    refused(text, &json!([add("/b/env/-", &json!("x"))]), "anchor &e");
    let differ = json!([add("/a/env/-", &json!("x")), add("/b/env/-", &json!("y"))]);
    refused(text, &differ, "differ");
    refused(text, &json!([remove("/a/env")]), "anchor &e");
    assert_eq!(
        run(text, &json!([remove("/b/env")])).unwrap(),
        "a:\n  env: &e\n  - n: 1\nb: {}\n"
    );

    let merged = "x: &x\n  env: [1]\nc:\n  <<: *x\n  n: 1\n";
    both_ways(
        merged,
        &json!([add("/c/m", &json!(1))]),
        &["/c/m"],
        "x: &x\n  env: [1]\nc:\n  <<: *x\n  n: 1\n  m: 1\n",
    );
    refused(merged, &json!([add("/c/env/-", &json!(2))]), "merge key");
    refused(merged, &json!([remove("/c/env")]), "merge key");
    refused(merged, &json!([add("/x/env/-", &json!(2))]), "anchor &x");
}

#[test]
fn refusals_say_where_and_why() {
    let text = "a: 1\nspec:\n  list:\n  - x\n";
    let refusal = run(text, &json!([add("/spec/list/0", &json!("y"))])).unwrap_err();
    assert_eq!((refusal.line, &*refusal.pointer), (4, "/spec/list/0"));
    refused("? a\n: b\n", &json!([add("/c", &json!(1))]), "`?`");
    refused("{? a : b}\n", &json!([add("/c", &json!(1))]), "`?`");
    refused("[a: b]\n", &json!([add("/0/c", &json!(1))]), "braces");
    refused(
        "a: 1\na: 2\n",
        &json!([add("/c", &json!(1))]),
        "duplicate key",
    );
    refused(
        text,
        &json!([{"op": "replace", "path": "/a", "value": 1}]),
        "only add and remove",
    );
    refused(text, &json!([remove("/a/b")]), "does not fit");
    refused(
        "# nothing\n",
        &json!([add("/a", &json!(1))]),
        "does not fit",
    );
    refused(
        "a: 1\rb: 2\n",
        &json!([add("/c", &json!(1))]),
        "carriage return",
    );
    assert_eq!(run(text, &json!([])).unwrap(), text);
}

#[test]
fn a_text_gives_way_to_another() {
    let record = json!("{\"v\":2}");
    for (text, expected) in [
        (
            "a:\n  r: '{\"v\":1}'  # ours\n  b: 1\n",
            "a:\n  r: '{\"v\":2}'  # ours\n  b: 1\n",
        ),
        ("a: {r: x, b: 1}\n", "a: {r: '{\"v\":2}', b: 1}\n"),
        ("{\"a\":{\"r\":\"x\"}}", "{\"a\":{\"r\":\"{\\\"v\\\":2}\"}}"),
        (
            "a:\n  r: |\n    x\n\n  b: 1\n",
            "a:\n  r: '{\"v\":2}'\n\n  b: 1\n",
        ),
        ("a:\n  r: >-\n    x", "a:\n  r: '{\"v\":2}'"),
        ("a:\n  r: \"one\n    line\"\n", "a:\n  r: '{\"v\":2}'\n"),
    ] {
        assert_eq!(run(text, &json!([add("/a/r", &record)])).unwrap(), expected);
    }
    for text in ["a:\n  r: &x y\n", "a:\n  r: [1]\n"] {
        refused(text, &json!([add("/a/r", &record)]), "is there already");
    }
}
