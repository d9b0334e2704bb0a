//! Manifests as text: what `inject` puts in, `uninject` takes out to the byte, and an edit of the text is the edit of the value.

#![no_main]

use arbitrary::{Result, Unstructured};
use json_patch::Patch;
use libfuzzer_sys::fuzz_target;
use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, RECORD, Task};
use seldon_tracing::manifest::edit::edit;
use seldon_tracing::manifest::stream::Documents;
use seldon_tracing::manifest::tree::{ParseError, Tree};
use seldon_tracing::offline;
use serde_json::{Value, json};

type Read = fn(&str) -> std::result::Result<Tree, ParseError>;

/// The text, without what comes behind the last line `#edits:`, which chooses the edits.
fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    const MARK: &[u8] = b"\n#edits:";
    match data.windows(MARK.len()).rposition(|window| window == MARK) {
        Some(at) => (&data[..=at], &data[at + MARK.len()..]),
        None => (data, b""),
    }
}

fuzz_target!(|data: &[u8]| {
    let (text, edits) = cut(data);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let documents: Vec<_> = Documents::new(text.as_bytes()).flatten().collect();
    let joined: String = documents.iter().map(|document| &*document.text).collect();
    assert_eq!(joined, text, "the documents in a row are the stream");
    documents
        .iter()
        .for_each(|document| round_trip(&document.text));
    for read in [Tree::yaml, Tree::json] {
        // Bytes that are used up choose nothing more.
        let _ = edit_at_random(text, read, edits);
    }
});

fn run(text: &str, task: Task<'_>) -> Option<String> {
    let context = Context {
        namespace: Some("models"),
        task,
        ..Context::default()
    };
    let done = offline::run(text, &Config::default(), &context).ok()?;
    Some(done.text.unwrap_or_else(|| text.to_owned()))
}

fn round_trip(text: &str) {
    // What was injected before loses what it had then.
    if text.contains(RECORD) || text.contains("injected") {
        return;
    }
    let Some(injected) = run(text, Task::Trigger("true")) else {
        return;
    };
    assert_eq!(
        run(&injected, Task::Trigger("true")).as_ref(),
        Some(&injected),
        "injecting twice is injecting once"
    );
    assert_eq!(
        run(&injected, Task::Uninject).as_deref(),
        Some(text),
        "what was put in is taken out: {injected:?}"
    );
}

/// All places of a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<(String, bool)>) {
    found.push((at.to_owned(), value.is_array() || value.is_object()));
    match value {
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(item, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// The edited text is read as the text was: one that JSON can read may be edited as YAML, and is only YAML then.
fn edit_at_random(text: &str, read: Read, edits: &[u8]) -> Result<()> {
    let Ok(tree) = read(text) else {
        return Ok(());
    };
    let Ok(value) = tree.to_value() else {
        return Ok(());
    };
    let mut bytes = Unstructured::new(edits);
    let mut after = value;
    let mut patch = Vec::new();
    for _ in 0..bytes.int_in_range(0..=4)? {
        let mut places = Vec::new();
        pointers(&after, "", &mut places);
        let (place, is_nested) = bytes.choose(&places)?.clone();
        let operation = if is_nested && bytes.ratio(2, 3)? {
            let is_list = after.pointer(&place).is_some_and(Value::is_array);
            let keys: &[&str] = if is_list {
                &["-", "0"]
            } else {
                &["a", "env", "x y", "~1", "true"]
            };
            let values = [
                json!("text"),
                json!({"name": "a", "value": "1"}),
                json!([{"a": {"b": "c: d"}}]),
                json!("a\nb\n"),
            ];
            json!({"op": "add", "path": format!("{place}/{}", bytes.choose(keys)?), "value": bytes.choose(&values)?})
        } else if place.is_empty() {
            continue;
        } else {
            json!({"op": "remove", "path": place})
        };
        let one: Patch = serde_json::from_value(json!([operation])).expect("it is a patch");
        json_patch::patch(&mut after, &one).expect("it applies");
        patch.push(operation);
    }
    let patch: Patch = serde_json::from_value(Value::Array(patch)).expect("it is a patch");
    if let Ok(edited) = edit(text, &tree, &patch) {
        let tree = read(&edited).expect("what was written can be read");
        assert_eq!(tree.to_value(), Ok(after), "{edited:?} after {patch:?}");
    }
    Ok(())
}
