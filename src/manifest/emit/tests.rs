use super::*;
use serde_json::json;

#[test]
fn writes_as_kubectl_prints() {
    let value = json!({
        "kind": "X",
        "metadata": {"name": "a", "labels": {}, "annotations": {"tracing.io/x": "{\"a\":\"it's\"}"}},
        "spec": {"list": [{"env": [{"name": "A", "value": "1"}], "args": ["--port", "-1"]}, [], [[1, 2]], "x"]},
        "text": "one\n  two\n",
        "last": "a\n\n",
    });
    let expected = r#"kind: X
metadata:
  name: a
  labels: {}
  annotations:
    tracing.io/x: '{"a":"it''s"}'
spec:
  list:
  - env:
    - name: A
      value: "1"
    args:
    - --port
    - "-1"
  - []
  - - - 1
      - 2
  - x
text: |
  one
    two
last: |+
  a

"#;
    assert_eq!(to_yaml(&value), expected);
    assert_eq!(to_yaml(&json!("x")), "x\n");
    assert_eq!(to_yaml(&json!([])), "[]\n");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn quotes_exactly_what_needs_it() {
    for plain in [
        "a",
        "a b",
        "http://x/y:z",
        "seldonio/x:1.2",
        "--port",
        "a#b",
        "it's",
        "status.hostIP",
        "v1",
        "é",
        "a{b}",
        "a, b",
        "e1",
        "nano",
        "0.5.0-dev",
    ] {
        assert_eq!(to_yaml(&json!(plain)), format!("{plain}\n"));
    }
    for quoted in [
        "",
        " ",
        "1",
        "1.0",
        "0644",
        "0o7",
        "0x1F",
        "1e3",
        "1_0",
        ".5",
        "+1",
        "-1",
        ".inf",
        "-.INF",
        ".NaN",
        "true",
        "No",
        "on",
        "y",
        "~",
        "null",
        "=",
        "<<",
        "12:30",
        "2001-01-01",
        "2001-01-01T00:00:00Z",
        "1.2.3.4",
        "a: b",
        "a:",
        "a #b",
        " a",
        "a ",
        "- a",
        "-",
        "? a",
        ":",
        "@a",
        "`a",
        "%a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a",
        "#a",
        "---",
        "--- a",
        "...",
        "{a",
        "[a",
    ] {
        assert_eq!(to_yaml(&json!(quoted)), format!("\"{quoted}\"\n"));
    }
    assert_eq!(
        to_yaml(&json!("a\u{85}\u{2028}\u{7f}\t\r\u{1}")),
        "\"a\\u0085\\u2028\\u007f\\t\\r\\u0001\"\n"
    );
    assert_eq!(to_yaml(&json!(1e300)), "1.0e+300\n");
    assert_eq!(to_yaml(&json!("a \nb")), "\"a \\nb\"\n");
}
