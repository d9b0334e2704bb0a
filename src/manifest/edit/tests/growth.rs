//! Text that is added, and taken out again.

use serde_json::{Value, json};

use super::{add, both_ways, refused};

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
