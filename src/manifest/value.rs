//! The value of a [`Tree`], as kubectl reads it.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::scalar::{self, Plain};
use super::tree::{Format, Id, Kind, MAX_DEPTH, ParseError, Raw, Style, Tag, Tree};

/// How many bytes of value a document may expand to for each byte of its text, and on top.
/// Honest documents stay far below; nested aliases multiply without end.
const EXPANSION: usize = 32;
const EXPANSION_BASE: usize = 1 << 22;

pub(super) fn of(tree: &Tree, id: Id) -> Result<Value, ParseError> {
    let budget = EXPANSION_BASE + tree.text_len.saturating_mul(EXPANSION);
    Reader { tree, budget }.node(id, 0)
}

/// The entry of a mapping by what its key reads as, its own before merged ones.
pub(super) fn find(tree: &Tree, mapping: Id, key: &str) -> Option<(Id, Id)> {
    let mut seen = HashSet::new();
    let mut sources = vec![mapping];
    while let Some(mapping) = sources.pop() {
        let mapping = tree.target(mapping);
        if !seen.insert(mapping) {
            continue; // merged twice; without this, the ways through would multiply
        }
        if let Some(own) = find_own(tree, mapping, key) {
            return Some(own);
        }
        if let Kind::Mapping { entries, .. } = &tree.raw(mapping).kind {
            let merges = entries.iter().filter(|(key, _)| is_merge(tree.raw(*key)));
            let next: Vec<_> = merges.flat_map(|(_, value)| merged(tree, *value)).collect();
            sources.extend(next.into_iter().rev());
        }
    }
    None
}

/// The entry that is physically in the mapping.
pub(super) fn find_own(tree: &Tree, mapping: Id, key: &str) -> Option<(Id, Id)> {
    let Kind::Mapping { entries, .. } = &tree.raw(tree.target(mapping)).kind else {
        return None;
    };
    entries.iter().copied().find(|(id, _)| {
        !is_merge(tree.raw(*id)) && key_text(tree, *id).is_ok_and(|text| text == key)
    })
}

pub(super) fn is_merge(key: &Raw) -> bool {
    match &key.kind {
        Kind::Scalar {
            text,
            style: Style::Plain,
        } => {
            text == "<<"
                && key
                    .tag
                    .as_ref()
                    .is_none_or(|tag| *tag == Tag::Core("merge".to_owned()))
        }
        _ => false,
    }
}

/// The mappings that the value of a merge key names: it, or the items of a list.
fn merged(tree: &Tree, value: Id) -> Vec<Id> {
    match &tree.raw(tree.target(value)).kind {
        Kind::Sequence { items, .. } => items.clone(),
        _ => vec![value],
    }
}

/// A key as the name in the JSON object that kubectl makes.
pub(super) fn key_text(tree: &Tree, key: Id) -> Result<String, ParseError> {
    let raw = tree.raw(tree.target(key));
    let value = match &raw.kind {
        Kind::Scalar { text, style } => scalar_value(tree.format, raw, text, *style)?,
        _ => Value::Null,
    };
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(word) => Ok(word.to_string()),
        // Go writes the float 1.0 as 1.
        Value::Number(number) if number.is_f64() => {
            Ok(number.as_f64().unwrap_or_default().to_string())
        }
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(ParseError::new(
            tree.raw(key).position,
            "a key must be text, a number, true or false",
        )),
    }
}

fn scalar_value(format: Format, raw: &Raw, text: &str, style: Style) -> Result<Value, ParseError> {
    let error = |message: String| ParseError::new(raw.position, message);
    if format == Format::Json && style == Style::Plain {
        return json_word(text).ok_or_else(|| error(format!("cannot read `{text}` as JSON")));
    }
    match &raw.tag {
        Some(Tag::Core(tag)) if matches!(&**tag, "str" | "int" | "float" | "bool" | "null") => {
            scalar::tagged(tag, text).map_err(error)
        }
        Some(Tag::Core(tag)) if tag == "binary" => {
            Err(error("a !!binary value is not supported".to_owned()))
        }
        Some(_) => Ok(Value::String(text.to_owned())),
        None if style != Style::Plain => Ok(Value::String(text.to_owned())),
        None => match scalar::resolve(text) {
            Plain::Null => Ok(Value::Null),
            Plain::Bool(value) => Ok(Value::Bool(value)),
            Plain::Number(number) => Ok(Value::Number(number)),
            Plain::NotJson => Err(error(scalar::not_json(text))),
            Plain::Text => Ok(Value::String(text.to_owned())),
        },
    }
}

/// A JSON word or number; `serde_json` alone would read some floats a little off.
fn json_word(text: &str) -> Option<Value> {
    match text {
        "null" => return Some(Value::Null),
        "true" | "false" => return Some(Value::Bool(text == "true")),
        _ => {}
    }
    let whole = text.parse().map(Number::from_i128).ok().flatten();
    whole
        .or_else(|| text.parse().ok().and_then(Number::from_f64))
        .map(Value::Number)
}

struct Reader<'t> {
    tree: &'t Tree,
    budget: usize,
}

impl Reader<'_> {
    /// `depth` counts through aliases, which may nest deeper than the text does.
    fn node(&mut self, id: Id, depth: usize) -> Result<Value, ParseError> {
        let raw = self.tree.raw(id);
        let error = |message: String| ParseError::new(raw.position, message);
        if depth > MAX_DEPTH {
            return Err(error(format!("aliases nest more than {MAX_DEPTH} deep")));
        }
        self.spend(raw, 0)?;
        match &raw.kind {
            Kind::Scalar { text, style } => {
                self.spend(raw, text.len())?;
                scalar_value(self.tree.format, raw, text, *style)
            }
            Kind::Alias(target) => self.node(*target, depth + 1),
            Kind::Sequence { items, .. } => items
                .iter()
                .map(|item| self.node(*item, depth + 1))
                .collect(),
            Kind::Mapping { entries, .. } => self.mapping(entries, depth),
        }
    }

    fn mapping(&mut self, entries: &[(Id, Id)], depth: usize) -> Result<Value, ParseError> {
        let mut map = Map::new();
        for &(key, value) in entries
            .iter()
            .filter(|(key, _)| !is_merge(self.tree.raw(*key)))
        {
            let name = key_text(self.tree, key)?;
            let raw = self.tree.raw(key);
            self.spend(raw, name.len())?;
            if map.contains_key(&name) {
                let message = format!("the key {name:?} stands here a second time");
                return Err(ParseError::new(raw.position, message));
            }
            map.insert(name, self.node(value, depth + 1)?);
        }
        for &(_, value) in entries
            .iter()
            .filter(|(key, _)| is_merge(self.tree.raw(*key)))
        {
            for source in merged(self.tree, value) {
                let Value::Object(source) = self.node(source, depth + 1)? else {
                    return Err(ParseError::new(
                        self.tree.raw(value).position,
                        "a merge key needs a mapping or a list of mappings",
                    ));
                };
                for (name, value) in source {
                    map.entry(name).or_insert(value); // own keys and earlier mappings win
                }
            }
        }
        Ok(Value::Object(map))
    }

    fn spend(&mut self, raw: &Raw, bytes: usize) -> Result<(), ParseError> {
        const NODE: usize = 16;
        match self.budget.checked_sub(bytes + NODE) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(ParseError::new(
                raw.position,
                "the aliases expand to far too much",
            )),
        }
    }
}
