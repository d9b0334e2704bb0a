use std::fmt::Write;

use super::*;
use crate::manifest::value;
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    Tree::yaml(text)
        .and_then(|tree| tree.to_value())
        .unwrap_or_else(|error| panic!("{error:?}"))
}

fn error(text: &str) -> (usize, usize, String) {
    let error = Tree::yaml(text)
        .and_then(|tree| tree.to_value())
        .unwrap_err();
    (error.position.line, error.position.column, error.message)
}

#[test]
fn reads_what_kubectl_reads() {
    let cases = [
        ("", json!(null)),
        ("# nothing\n", json!(null)),
        ("---\n", json!(null)),
        ("%YAML 1.1\n---\na: 1\n...\n", json!({"a": 1})),
        ("\u{feff}a: 'x'\r\n", json!({"a": "x"})),
        (
            "1: a\ntrue: b\n1.5: c\n",
            json!({"1": "a", "true": "b", "1.5": "c"}),
        ),
        (
            "a: &x {b: [1]}\nc: *x\n",
            json!({"a": {"b": [1]}, "c": {"b": [1]}}),
        ),
        (
            "a: !!str 1\nb: !!int \"2\"\nc: ! 3\nd: !foo 4\n",
            json!({"a": "1", "b": 2, "c": "3", "d": "4"}),
        ),
        (
            "a: &a {x: 1, w: 1}\nb: &b {w: 2, z: 2}\nc:\n  z: 3\n  <<: [*a, *b]\n",
            json!({"a": {"x": 1, "w": 1}, "b": {"w": 2, "z": 2}, "c": {"z": 3, "x": 1, "w": 1}}),
        ),
        ("a: {\"<<\": 1}\n", json!({"a": {"<<": 1}})),
        ("a: |\n  x", json!({"a": "x"})),
        ("a: >\n  x\n  y\n\n  z\n", json!({"a": "x y\nz\n"})),
        ("{\n\t\"a\":\t[1]\n}", json!({"a": [1]})),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn says_where_it_cannot_read() {
    assert_eq!(
        error("a: 1\nb: 2\n'a': 3\n"),
        (3, 1, "duplicate key \"a\"".to_owned())
    );
    assert_eq!(error("x:\n  é: {a: .inf}\n").0, 2);
    assert_eq!(error("x:\n  é: {a: .inf}\n").1, 10);
    assert_eq!(
        error("a: 1\n---\nb: 1\n"),
        (2, 1, "a second document begins here".to_owned())
    );
    assert!(error("a: *b\n").2.contains("anchor"));
    assert!(error("a: &a [*a]\n").2.contains("within"));
    assert!(error("[a]: 1\n").2.contains("a key must"));
    assert!(error("a: !!int x\n").2.contains("!!int"));
    assert!(error("a: !!binary YQ==\n").2.contains("!!binary"));
    assert!(error("a: {<<: 1}\n").2.contains("merge"));
    assert_eq!(error("a: [1\nb: 2\n").0, 2);
    let json = Tree::json("{\"a\": 1,\n \"a\": 2}")
        .unwrap()
        .to_value()
        .unwrap_err();
    assert_eq!((json.position.line, json.position.column), (2, 2));
    let json = Tree::json("{\n  \"a\": x}").unwrap_err();
    assert_eq!(
        (json.position.line, json.position.column, &*json.message),
        (2, 8, "expected value")
    );
}

#[test]
fn bounds_what_a_document_may_cost() {
    for depth in [300, 100_000] {
        assert!(Tree::yaml(&"[".repeat(depth)).is_err());
        assert!(Tree::yaml(&"- ".repeat(depth)).is_err());
        assert!(Tree::yaml(&"{a: ".repeat(depth)).is_err());
        assert!(Tree::json(&"[".repeat(depth)).is_err());
    }
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = format!("*a{},", level - 1).repeat(9);
        writeln!(laughs, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(error(&laughs).2.contains("expand"));
    let mut nested = "a0: &a0 [x]\n".to_owned();
    for level in 1..5000 {
        writeln!(nested, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(error(&nested).2.contains("nest"));
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..60 {
        writeln!(
            merges,
            "a{level}: &a{level} {{<<: [*a{0}, *a{0}]}}",
            level - 1
        )
        .unwrap();
    }
    let tree = Tree::yaml(&merges).unwrap();
    let (_, last) = value::find(&tree, 0, "a59").unwrap();
    assert!(value::find(&tree, last, "y").is_none());
    assert!(error(&merges).2.contains("expand"));
}

#[test]
fn locates_pointers() {
    let text = "kind: X # é\nspec:\n  a/b:\n  - n: 1\n    m: {q: [1, 2]}\n  - &x\n    k: v\n  c:\n    <<: *x\nl: *x\n";
    let tree = Tree::yaml(text).unwrap();
    let at = |pointer| tree.locate(pointer).map(|at| (at.line, at.column));
    assert_eq!(at(""), Some((1, 1)));
    assert_eq!(at("/spec"), Some((2, 1)));
    assert_eq!(at("/spec/a~1b/0"), Some((4, 5)));
    assert_eq!(at("/spec/a~1b/0/m/q/1"), Some((5, 16)));
    assert_eq!(at("/spec/a~1b/0/m/zz/1"), Some((5, 5)));
    assert_eq!(at("/spec/a~1b/7"), Some((3, 3)));
    assert_eq!(at("/spec/a~1b/1/k"), Some((7, 5)));
    assert_eq!(at("/spec/c/k"), Some((7, 5)));
    assert_eq!(at("/l/k"), Some((7, 5)));
    assert_eq!(at("no pointer"), None);
    assert_eq!(Tree::yaml("# x\n").unwrap().locate("/a"), None);
    let json = Tree::json("{\"a\": {\n\t\"é\": 1, \"c\": []}}").unwrap();
    assert_eq!(
        json.locate("/a/c"),
        Some(Position {
            line: 2,
            column: 10
        })
    );
}

#[test]
fn nodes_have_spans_and_positions() {
    let text = "a: 'x' # c\nb:\n- &k !!str y\n-   # d\n  - |+\n    t\n\nc: [1, {d: }]\n";
    let tree = Tree::yaml(text).unwrap();
    let root = tree.root().unwrap();
    let span = |node: Node<'_>| &text[tree.raw(node.id).span.clone()];
    let spans: Vec<_> = root
        .as_mapping()
        .unwrap()
        .map(|(key, value)| (key.as_str().unwrap(), span(value), value.position()))
        .collect();
    let place = |line, column| Position { line, column };
    assert_eq!(spans[0], ("a", "'x'", place(1, 4)));
    assert_eq!(
        spans[1],
        ("b", "- &k !!str y\n-   # d\n  - |+\n    t\n\n", place(3, 1))
    );
    assert_eq!(spans[2], ("c", "[1, {d: }]", place(8, 4)));
    let (_, list) = root.as_mapping().unwrap().nth(1).unwrap();
    let items: Vec<_> = list.as_sequence().unwrap().collect();
    assert_eq!(span(items[0]), "&k !!str y");
    assert_eq!(items[0].value(), Ok(json!("y")));
    assert!(matches!(
        &tree.raw(items[0].id).kind,
        Kind::Scalar { text, style: Style::Plain } if text == "y"
    ));
    assert_eq!(items[1].position(), place(5, 3));
    let literal = items[1].as_sequence().unwrap().next().unwrap();
    assert_eq!(
        (span(literal), literal.position()),
        ("|+\n    t\n\n", place(5, 5))
    );
    let (_, flow) = root.as_mapping().unwrap().nth(2).unwrap();
    assert!(tree.raw(flow.id).is_sequence() && tree.raw(flow.id).flow);
}
