//! Random documents in random styles: every edit can be undone to the byte.

use json_patch::Patch;
use proptest::prelude::*;
use seldon_tracing::manifest::edit::edit;
use seldon_tracing::manifest::emit::to_yaml;
use seldon_tracing::manifest::stream::Documents;
use seldon_tracing::manifest::tree::Tree;
use serde_json::{Map, Value, json};

use crate::edits::{json_tree, yaml};

tests![TESTS: crate::Plain;
    emitted_yaml_reads_back,
    yaml_edits_come_back,
    json_edits_come_back,
    any_text_is_read_or_refused,
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[ -~]{0,8}",
        "[-:#{}&*!|>'\"%@ ,0-9a-z\u{e9}\u{2028}\u{85}\t\n]{0,6}",
        prop::sample::select(vec![
            "true",
            "on",
            "y",
            "null",
            "~",
            "0644",
            "1e3",
            "1_0",
            "0x1f",
            ".5",
            "12:30",
            "",
            " ",
            "2001-01-01",
            "---",
            "...",
            "a: b",
            "a #b",
            "<<",
            "=",
            "- a",
            "line\ntwo\n",
            "{\"a\":1}",
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_filter_map("finite", |float| {
            float.is_finite().then(|| Value::from(float))
        }),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            map(inner),
        ]
    })
}

fn map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((text(), inner), 0..4)
        .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>()))
}

/// Decisions made by proptest, so that a failure shrinks to the plainest style.
struct Choices {
    bytes: Vec<u8>,
    at: usize,
}

impl Choices {
    fn below(&mut self, bound: u8) -> u8 {
        self.at += 1;
        self.bytes
            .get(self.at % self.bytes.len().max(1))
            .map_or(0, |byte| byte % bound)
    }

    fn one_in(&mut self, odds: u8) -> bool {
        self.below(odds) == odds - 1
    }
}

/// A document as some person might have written it.
struct Writer {
    choices: Choices,
    step: usize,
    dash: usize,
    out: String,
    /// Whether some block scalar keeps all its line breaks.
    kept: bool,
}

impl Writer {
    fn block(&mut self, value: &Value, column: usize, after: &str) {
        match value {
            Value::Object(map) if !map.is_empty() && !self.choices.one_in(5) => {
                // A mapping may begin on the line of its dash, nothing else of a key's value may.
                let mut first = after == "-";
                if first {
                    self.out.push(' ');
                }
                for (key, value) in map {
                    if !first {
                        self.line_break(column);
                    }
                    first = false;
                    let key = self.scalar(&Value::from(key.as_str()));
                    self.out.push_str(&key);
                    self.out.push(':');
                    let below = match value {
                        Value::Array(_) => column + self.dash,
                        _ => column + self.step,
                    };
                    self.block(value, below, ":");
                }
            }
            Value::Array(items) if !items.is_empty() && !self.choices.one_in(5) => {
                let mut first = after == "-";
                if first {
                    self.out.push(' ');
                }
                for item in items {
                    if !first {
                        self.line_break(column);
                    }
                    first = false;
                    self.out.push('-');
                    self.block(item, column + 2, "-");
                }
            }
            Value::String(text) if text == "line\ntwo\n" && !after.is_empty() => {
                // A block that keeps its ends would take the blank lines put in below.
                let keep = self.choices.one_in(4);
                self.kept |= keep;
                self.out.push_str(if keep { " |+" } else { " | # c" });
                for line in text.lines() {
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(column + 4));
                    self.out.push_str(line);
                }
            }
            Value::Null if !after.is_empty() && self.choices.one_in(2) => {}
            flow => {
                if after.is_empty() {
                    self.line_break(column);
                }
                self.out.push_str(if after.is_empty() { "" } else { " " });
                self.flow(flow, column + 2);
            }
        }
    }

    fn line_break(&mut self, column: usize) {
        if self.out.is_empty() {
            return;
        }
        if self.choices.one_in(6) && !self.out.ends_with("two") {
            self.out.push_str(" # said here");
        }
        self.out.push('\n');
        if self.choices.one_in(8) && !self.out.ends_with("two\n") {
            self.out
                .push_str(["\n", "# above\n", "      # far\n"][usize::from(self.choices.below(3))]);
        }
        self.out.push_str(&" ".repeat(column));
    }

    fn flow(&mut self, value: &Value, column: usize) {
        let (open, close, parts): (_, _, Vec<(Option<&String>, &Value)>) = match value {
            Value::Object(map) => (
                "{",
                "}",
                map.iter().map(|(key, value)| (Some(key), value)).collect(),
            ),
            Value::Array(items) => ("[", "]", items.iter().map(|item| (None, item)).collect()),
            scalar => {
                let scalar = self.scalar(scalar);
                self.out.push_str(&scalar);
                return;
            }
        };
        self.out.push_str(open);
        let padding = if self.choices.one_in(4) { " " } else { "" };
        self.out.push_str(padding);
        let lines = !parts.is_empty() && self.choices.one_in(4);
        let count = parts.len();
        for (index, (key, value)) in parts.into_iter().enumerate() {
            if lines {
                self.out.push('\n');
                self.out.push_str(&" ".repeat(column + 2));
            }
            if let Some(key) = key {
                self.out.push_str(
                    &Value::from(key.as_str())
                        .to_string()
                        .replace('\u{85}', "\\u0085")
                        .replace('\u{2028}', "\\u2028")
                        .replace('\u{7f}', "\\u007f"),
                );
                self.out.push_str(": ");
            }
            self.flow(value, column + 2);
            if index + 1 < count {
                self.out.push_str(if lines { "," } else { ", " });
            } else if self.choices.one_in(6) {
                self.out.push(',');
            }
        }
        if lines {
            self.out.push('\n');
            self.out.push_str(&" ".repeat(column));
        }
        self.out.push_str(padding);
        self.out.push_str(close);
    }

    fn scalar(&mut self, value: &Value) -> String {
        let plain = to_yaml(value).trim_end().to_owned();
        let single = value.as_str().filter(|text| {
            self.choices.one_in(4) && text.chars().all(|char| (' '..='~').contains(&char))
        });
        let fits = !plain.contains('\n')
            && !plain.contains([',', '[', ']', '{', '}'])
            && !plain.starts_with('-');
        match (single, value) {
            (Some(text), _) => format!("'{}'", text.replace('\'', "''")),
            (None, Value::String(_)) if !fits => format!("{value}")
                .replace('\u{85}', "\\u0085")
                .replace('\u{2028}', "\\u2028")
                .replace('\u{7f}', "\\u007f"),
            _ => plain,
        }
    }
}

fn write(value: &Value, bytes: Vec<u8>) -> String {
    let mut choices = Choices { bytes, at: 0 };
    let step = 2 + usize::from(choices.below(3));
    let dash = usize::from(choices.below(3));
    let mut writer = Writer {
        choices,
        step,
        dash,
        out: String::new(),
        kept: false,
    };
    if writer.choices.one_in(3) {
        writer.out.push_str("# head\n---");
    }
    writer.block(value, 0, "");
    let mut text = writer.out;
    // Without its line break, a block scalar would be another text.
    if text.ends_with("two") || !writer.choices.one_in(3) {
        text.push('\n');
        if !writer.kept && writer.choices.one_in(3) {
            text.push_str("\n# end\n");
        }
    }
    if writer.choices.one_in(3) {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// Adds to collections all over the value, and the removes that take them back.
fn patches(value: &Value, new: &[Value], choices: &mut Choices) -> (Patch, Patch) {
    let mut adds = Vec::new();
    let mut removes = Vec::new();
    let mut todo = vec![(String::new(), value)];
    while let Some((path, value)) = todo.pop() {
        let pick = |choices: &mut Choices| new[usize::from(choices.below(64)) % new.len()].clone();
        match value {
            Value::Object(map) => {
                for index in 0..choices.below(3) {
                    let key = format!("new.io/{index}");
                    if !map.contains_key(&key) {
                        let path = format!("{path}/{}", key.replace('/', "~1"));
                        adds.push(json!({"op": "add", "path": path, "value": pick(choices)}));
                        removes.push(json!({"op": "remove", "path": path}));
                    }
                }
                for (key, value) in map {
                    todo.push((
                        format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")),
                        value,
                    ));
                }
            }
            Value::Array(items) => {
                for index in 0..choices.below(3) {
                    adds.push(
                        json!({"op": "add", "path": format!("{path}/-"), "value": pick(choices)}),
                    );
                    let index = items.len() + usize::from(index);
                    removes.push(json!({"op": "remove", "path": format!("{path}/{index}")}));
                }
                todo.extend(
                    items
                        .iter()
                        .enumerate()
                        .map(|(index, item)| (format!("{path}/{index}"), item)),
                );
            }
            _ => {}
        }
    }
    removes.reverse();
    let patch = |operations: Vec<Value>| serde_json::from_value(Value::Array(operations)).unwrap();
    (patch(adds), patch(removes))
}

fn there_and_back(text: &str, read: fn(&str) -> Tree, new: &[Value], bytes: Vec<u8>) {
    let tree = read(text);
    let value = tree.to_value().unwrap();
    let (adds, removes) = patches(&value, new, &mut Choices { bytes, at: 7 });
    let edited = edit(text, &tree, &adds).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    let mut expected = value;
    json_patch::patch(&mut expected, &adds).unwrap();
    assert_eq!(read(&edited).to_value().unwrap(), expected);
    let back = edit(&edited, &read(&edited), &removes)
        .unwrap_or_else(|refusal| panic!("back: {refusal}\n{text}\n{edited}"));
    assert_eq!(back, text, "by way of\n{edited}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").map_or(400, |cases| cases.parse().unwrap()), failure_persistence: None, ..ProptestConfig::default() })]

    fn emitted_yaml_reads_back(value in value()) {
        let text = to_yaml(&value);
        prop_assert_eq!(yaml(&text).to_value().unwrap(), value, "{}", text);
    }

    fn yaml_edits_come_back(
        value in map(value()),
        new in prop::collection::vec(value(), 1..4),
        bytes in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let text = write(&value, bytes.clone());
        prop_assert_eq!(yaml(&text).to_value().unwrap(), value, "{}", text);
        there_and_back(&text, yaml, &new, bytes);
    }

    fn json_edits_come_back(
        value in map(value()),
        new in prop::collection::vec(value(), 1..4),
        bytes in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        there_and_back(&value.to_string(), json_tree, &new, bytes.clone());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        there_and_back(&pretty, json_tree, &new, bytes.clone());
        there_and_back(&pretty.replace('\n', "\r\n"), json_tree, &new, bytes);
    }

    fn any_text_is_read_or_refused(text in "[-a:# \\[\\]{},&*|>?!%'\"0-9\n\r\t\u{feff}]{0,40}") {
        let documents: Vec<_> = Documents::new(text.as_bytes()).map(Result::unwrap).collect();
        prop_assert_eq!(documents.iter().map(|document| document.text.as_str()).collect::<String>(), text.as_str());
        for document in documents {
            let Ok(tree) = Tree::yaml(&document.text) else { continue };
            let Ok(value) = tree.to_value() else { continue };
            let (adds, removes) = patches(&value, &[json!({"a": ["b"]})], &mut Choices { bytes: vec![1, 2], at: 0 });
            if let Ok(edited) = edit(&document.text, &tree, &adds) {
                let back = edit(&edited, &yaml(&edited), &removes)
                    .unwrap_or_else(|refusal| panic!("{refusal} {:?} {edited:?}", document.text));
                prop_assert_eq!(back, document.text, "by way of {:?}", edited);
            }
        }
    }
}
