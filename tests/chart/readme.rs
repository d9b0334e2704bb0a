//! The table of `manifests/chart/README.md` is made of `values.yaml`.
//!
//! `UPDATE_GOLDEN=1 cargo test --test chart readme` writes it again.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::helm::chart;
use crate::support::fixtures::documents;
use crate::support::registry;

tests![TESTS: registry::Test<fn()>; its_table_is_made_of_the_values];

const START: &str = "<!-- made of values.yaml -->\n";
const END: &str = "<!-- end -->\n";

/// A value that has a comment.
pub(crate) struct Described {
    /// `image.tag`
    pub(crate) path: String,
    text: String,
    /// Nothing of a value whose parts are described.
    default: Option<Value>,
}

/// The values of the chart, in order.
pub(crate) fn described() -> Vec<Described> {
    let text = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let defaults = documents(&text).remove(0);
    let mut found: Vec<Described> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut around: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some(said) = bare.strip_prefix("# ") {
            comment.push(said);
            continue;
        }
        let Some((key, _)) = bare.split_once(':').filter(|_| !bare.starts_with('-')) else {
            assert!(comment.is_empty(), "a comment of nothing: {comment:?}");
            continue;
        };
        around.retain(|(outer, _)| *outer < indent);
        around.push((indent, key));
        if comment.is_empty() {
            continue;
        }
        let keys: Vec<_> = around.iter().map(|(_, key)| *key).collect();
        let pointer = format!("/{}", keys.join("/"));
        let path = keys.join(".");
        if let Some(outer) = found
            .iter_mut()
            .find(|it| path.starts_with(&format!("{}.", it.path)))
        {
            outer.default = None;
        }
        found.push(Described {
            path,
            text: std::mem::take(&mut comment).join(" "),
            default: defaults.pointer(&pointer).cloned(),
        });
    }
    found
}

fn its_table_is_made_of_the_values() {
    let mut table = "| value | default | what it is |\n|---|---|---|\n".to_owned();
    for one in described() {
        let default = match one.default {
            Some(default) if default.to_string().len() > 120 => "see `values.yaml`".to_owned(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let text = one.text.replace('|', "\\|");
        writeln!(table, "| `{}` | {default} | {text} |", one.path).unwrap();
    }
    let path = chart().join("README.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{START}\n{table}\n{END}{after}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, fresh).unwrap();
        return;
    }
    let say = "README.md of the chart is stale; UPDATE_GOLDEN=1 writes it anew";
    assert!(page == fresh, "{say}");
}
