#![allow(clippy::too_many_lines, reason = "tables of cases")]

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
fn block_collections_grow_at_their_end() {
    let env = json!([{"name": "A", "value": "1"}]);
    let item = &env[0];
    let cases: &[(&str, Value, &[&str], &str)] = &[
        (
            "a: 1\n",
            json!([add("/b", &json!("x"))]),
            &["/b"],
            "a: 1\nb: x\n",
        ),
        (
            "a: 1",
            json!([add("/b", &json!("x"))]),
            &["/b"],
            "a: 1\nb: x",
        ),
        (
            "a: 1\r\n",
            json!([add("/b", &env)]),
            &["/b"],
            "a: 1\r\nb:\r\n- name: A\r\n  value: \"1\"\r\n",
        ),
        (
            "a: 1 # c\n# end\n\n",
            json!([add("/b", &json!(2))]),
            &["/b"],
            "a: 1 # c\nb: 2\n# end\n\n",
        ),
        (
            "---\na: 1\n...\n",
            json!([add("/b", &json!(2))]),
            &["/b"],
            "---\na: 1\nb: 2\n...\n",
        ),
        (
            "\u{feff}a: 1\n",
            json!([add("/b", &json!(2))]),
            &["/b"],
            "\u{feff}a: 1\nb: 2\n",
        ),
        (
            "a:\n  - x\nb: 1\n",
            json!([add("/a/-", item), add("/a/-", &json!("z"))]),
            &["/a/2", "/a/1"],
            "a:\n  - x\n  - name: A\n    value: \"1\"\n  - z\nb: 1\n",
        ),
        (
            "a:\n- x\n\n# about b\nb: 1\n",
            json!([add("/a/-", item)]),
            &["/a/1"],
            "a:\n- x\n- name: A\n  value: \"1\"\n\n# about b\nb: 1\n",
        ),
        // The dash of the surroundings: below the key, or indented.
        (
            "l:\n  - n: 1\n",
            json!([add("/l/0/env", &env)]),
            &["/l/0/env"],
            "l:\n  - n: 1\n    env:\n      - name: A\n        value: \"1\"\n",
        ),
        (
            "l:\n- n: 1\n",
            json!([add("/l/0/env", &env)]),
            &["/l/0/env"],
            "l:\n- n: 1\n  env:\n  - name: A\n    value: \"1\"\n",
        ),
        // The step of the surroundings.
        (
            "m:\n    a: 1\n",
            json!([add("/m/b", &json!({"c": {"d": "e"}}))]),
            &["/m/b"],
            "m:\n    a: 1\n    b:\n        c:\n            d: e\n",
        ),
        // All at one place, the deeper first.
        (
            "l:\n- e:\n  - x: 1",
            json!([
                add("/z", &json!(0)),
                add("/l/-", &json!("k")),
                add("/l/0/f", &json!([])),
                add("/l/0/e/-", &json!("v"))
            ]),
            &["/z", "/l/1", "/l/0/f", "/l/0/e/1"],
            "l:\n- e:\n  - x: 1\n  - v\n  f: []\n- k\nz: 0",
        ),
        (
            "a: {b: c}  # flow\n",
            json!([add("/d", &json!({"e": null}))]),
            &["/d"],
            "a: {b: c}  # flow\nd:\n  e: null\n",
        ),
        (
            "'a b' : 1\n\"c\" : # d\n  2\n",
            json!([add("/e", &json!("on"))]),
            &["/e"],
            "'a b' : 1\n\"c\" : # d\n  2\ne: \"on\"\n",
        ),
        (
            "a:\n  b: two\n    lines # c\n\nz: 1\n",
            json!([add("/a/c", &json!(1))]),
            &["/a/c"],
            "a:\n  b: two\n    lines # c\n  c: 1\n\nz: 1\n",
        ),
        (
            "- - a\n  - b\n",
            json!([add("/0/-", &json!("c")), add("/-", &json!([["d"]]))]),
            &["/1", "/0/2"],
            "- - a\n  - b\n  - c\n- - - d\n",
        ),
        (
            "a: &x # c\n  b: 1\n",
            json!([add("/a/c", &json!(1))]),
            &["/a/c"],
            "a: &x # c\n  b: 1\n  c: 1\n",
        ),
        (
            "a: !!map\n  b:\n",
            json!([add("/a/c", &json!(1))]),
            &["/a/c"],
            "a: !!map\n  b:\n  c: 1\n",
        ),
        (
            "a:\n  - \n",
            json!([add("/a/-", &json!(1))]),
            &["/a/1"],
            "a:\n  - \n  - 1\n",
        ),
        (
            "a: &x\n",
            json!([add("/c", &json!(1))]),
            &["/c"],
            "a: &x\nc: 1\n",
        ),
        (
            "m:\n  annotations:\n    k: v # c\n",
            json!([add(
                "/m/annotations/tracing.io~1x",
                &json!("{\"a\":\"it's\"}")
            )]),
            &["/m/annotations/tracing.io~1x"],
            "m:\n  annotations:\n    k: v # c\n    tracing.io/x: '{\"a\":\"it''s\"}'\n",
        ),
    ];
    for (text, adds, created, expected) in cases {
        both_ways(text, adds, created, expected);
    }
}

#[test]
fn block_scalars_keep_their_ends() {
    let adds = json!([add("/b", &json!(1))]);
    for (text, expected) in [
        ("a: |\n  x\n", "a: |\n  x\nb: 1\n"),
        ("a: |\n  x\n\n\n", "a: |\n  x\nb: 1\n\n\n"),
        (
            "a: |-\n  x\n    \n  \n# c\n",
            "a: |-\n  x\n    \nb: 1\n  \n# c\n",
        ),
        (
            "a: |+ # keep\n  x\n\n# c\n",
            "a: |+ # keep\n  x\n\nb: 1\n# c\n",
        ),
        ("a: |+\r\n  x\r\n\r\n", "a: |+\r\n  x\r\n\r\nb: 1\r\n"),
        ("a: |+\n\n\n", "a: |+\n\n\nb: 1\n"),
        ("a: >\n\n  x\n\n  y\n", "a: >\n\n  x\n\n  y\nb: 1\n"),
        ("a: |2\n    x\n  y\n", "a: |2\n    x\n  y\nb: 1\n"),
        ("a: |\n", "a: |\nb: 1\n"),
        ("a: &k !!str |-\n  | > x", "a: &k !!str |-\n  | > x\nb: 1"),
        ("a: |\n\n\n", "a: |\nb: 1\n\n\n"),
    ] {
        both_ways(text, &adds, &["/b"], expected);
    }
    both_ways(
        "a:\n  b:\n  - |+\n    x\n\n  c: 1\n",
        &json!([add("/a/b/-", &json!(1))]),
        &["/a/b/1"],
        "a:\n  b:\n  - |+\n    x\n\n  - 1\n  c: 1\n",
    );
    // With the line break that has to come, it would be another text.
    refused("a: |\n  x", &adds, "expected value");
}

#[test]
fn flow_collections_grow_in_their_own_style() {
    let item = json!({"name": "A", "value": "1"});
    let cases: &[(&str, Value, &[&str], &str)] = &[
        (
            "a: [1, 2]\n",
            json!([add("/a/-", &item)]),
            &["/a/2"],
            "a: [1, 2, {name: A, value: \"1\"}]\n",
        ),
        (
            "a: [ ]\n",
            json!([add("/a/-", &json!("x, y")), add("/a/-", &json!(2))]),
            &["/a/1", "/a/0"],
            "a: [\"x, y\", 2 ]\n",
        ),
        (
            "a: { } # c\n",
            json!([add("/a/b", &json!(1)), add("/a/c", &json!([]))]),
            &["/a/b", "/a/c"],
            "a: {b: 1, c: [] } # c\n",
        ),
        (
            "a: [1, 2,]\n",
            json!([add("/a/-", &json!(3))]),
            &["/a/2"],
            "a: [1, 2, 3,]\n",
        ),
        (
            "a: {b: , c: }\n",
            json!([add("/a/d", &json!(3))]),
            &["/a/d"],
            "a: {b: , c:, d: 3 }\n",
        ),
        (
            "a: {b, c}\n",
            json!([add("/a/d", &json!(3))]),
            &["/a/d"],
            "a: {b, c, d: 3}\n",
        ),
        (
            "a: [\n  1, # one\n  2  # two\n]\n",
            json!([add("/a/-", &json!(3))]),
            &["/a/2"],
            "a: [\n  1, # one\n  2,\n  3  # two\n]\n",
        ),
        (
            "a: [\n  {n: 1},\n  {n: 2}\n]\n",
            json!([add("/a/-", &item)]),
            &["/a/2"],
            "a: [\n  {n: 1},\n  {n: 2},\n  {name: A, value: \"1\"}\n]\n",
        ),
        (
            "a: {\"b\":1,\"c\":[]}\n",
            json!([add("/a/d", &item)]),
            &["/a/d"],
            "a: {\"b\":1,\"c\":[],\"d\":{\"name\":\"A\",\"value\":\"1\"}}\n",
        ),
        (
            "{\"a\":[{\"b\":1}]}",
            json!([add("/a/-", &item)]),
            &["/a/1"],
            "{\"a\":[{\"b\":1},{\"name\":\"A\",\"value\":\"1\"}]}",
        ),
        (
            "{\"a\": {}}\n",
            json!([add("/a/b", &json!([1, 2]))]),
            &["/a/b"],
            "{\"a\": {\"b\": [1, 2]}}\n",
        ),
        (
            "{\n\t\"a\": [\n\t\t{\n\t\t\t\"b\": 1\n\t\t}\n\t]\n}\n",
            json!([add("/a/-", &item)]),
            &["/a/1"],
            "{\n\t\"a\": [\n\t\t{\n\t\t\t\"b\": 1\n\t\t},\n\t\t{\n\t\t\t\"name\": \"A\",\n\t\t\t\"value\": \"1\"\n\t\t}\n\t]\n}\n",
        ),
        (
            "{\r\n  \"a\": [{\r\n    \"b\": 1\r\n  }]\r\n}",
            json!([add("/a/-", &item), add("/c", &json!({"d": []}))]),
            &["/a/1", "/c"],
            "{\r\n  \"a\": [{\r\n    \"b\": 1\r\n  }, {\r\n    \"name\": \"A\",\r\n    \"value\": \"1\"\r\n  }],\r\n  \"c\": {\r\n    \"d\": []\r\n  }\r\n}",
        ),
    ];
    for (text, adds, created, expected) in cases {
        both_ways(text, adds, created, expected);
    }
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
