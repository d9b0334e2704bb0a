//! The value of a [`Tree`], as kubectl reads it.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::scalar;
use super::tree::{Format, Id, Kind, MAX_DEPTH, Node, ParseError, Position, Raw, Style, Tag, Tree};

/// How many bytes of value a document may expand to for each byte of its text, and in addition. Real documents stay far below; nested
/// aliases multiply without end.
const EXPANSION: usize = 32;
const EXPANSION_BASE: usize = 1 << 22;

/// How many duplicate keys are reported: an alias may repeat one without end.
const MOST_DUPLICATES: usize = 100;

impl Tree {
    /// The value that kubectl reads: YAML 1.1 words and numbers, aliases and merge keys expanded. A document without a root is null.
    ///
    /// # Errors
    /// Duplicate keys, keys that are collections or null, numbers that JSON does not have, a tag that does not fit its text, aliases
    /// that expand to far more than the text.
    pub fn to_value(&self) -> Result<Value, ParseError> {
        self.root.map_or(Ok(Value::Null), |id| of(self, id))
    }

    /// The value that kubectl reads from text with duplicate keys: the last one counts. The errors are those of the duplicates, at most
    /// a hundred of them.
    ///
    /// # Errors
    /// As [`Tree::to_value`], without duplicate keys.
    pub fn to_value_and_duplicates(&self) -> Result<(Value, Vec<ParseError>), ParseError> {
        self.root
            .map_or(Ok((Value::Null, Vec::new())), |id| lenient(self, id))
    }

    /// The place to show for the value at an RFC 6901 pointer: its key, or in a list the value itself. If the document does not have
    /// the whole pointer, the nearest node above.
    ///
    /// `None` only if the document has no root, or the text is not a pointer.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> Option<Position> {
        let mut value = self.root?;
        let mut at = value;
        if !pointer.is_empty() {
            for token in pointer.strip_prefix('/')?.split('/') {
                let token = token.replace("~1", "/").replace("~0", "~");
                let next = item(self, value, &token).or_else(|| find(self, value, &token));
                let Some(next) = next else { break };
                (at, value) = next;
            }
        }
        Some(self.raw(at).position)
    }

    /// The text of the null at an RFC 6901 pointer, if it is written there without an anchor or a tag.
    #[must_use]
    pub fn null_text(&self, pointer: &str) -> Option<&str> {
        let mut id = self.root?;
        for token in pointer.split('/').skip(1) {
            let raw = self.raw(self.target(id));
            (_, id) = if raw.is_sequence() {
                *raw.entries.get(token.parse::<usize>().ok()?)?
            } else {
                find_own(self, id, &token.replace("~1", "/").replace("~0", "~"))?.1
            };
        }
        let raw = self.raw(id);
        match &raw.kind {
            Kind::Scalar { text, .. } if raw.tag.is_none() && raw.anchor.is_none() => Some(text),
            _ => None,
        }
    }
}

impl Node<'_> {
    /// The value of the node alone, as [`Tree::to_value`] reads it.
    ///
    /// # Errors
    /// As [`Tree::to_value`].
    pub fn value(self) -> Result<Value, ParseError> {
        of(self.tree, self.id)
    }
}

pub(super) fn of(tree: &Tree, id: Id) -> Result<Value, ParseError> {
    let (value, duplicates) = lenient(tree, id)?;
    duplicates.into_iter().next().map_or(Ok(value), Err)
}

fn lenient(tree: &Tree, id: Id) -> Result<(Value, Vec<ParseError>), ParseError> {
    let mut expansion = Expansion {
        tree,
        budget: EXPANSION_BASE + tree.text_len.saturating_mul(EXPANSION),
        duplicates: Vec::new(),
    };
    let value = expansion.node(id, 0)?;
    Ok((value, expansion.duplicates))
}

/// The item of a sequence at that index.
pub(super) fn item(tree: &Tree, sequence: Id, index: &str) -> Option<(Id, Id)> {
    let raw = tree.raw(tree.target(sequence));
    let index: usize = index.parse().ok().filter(|_| raw.is_sequence())?;
    raw.entries.get(index).copied()
}

/// The entry of a mapping by the value of its key: its own entries first, then merged ones.
pub(super) fn find(tree: &Tree, mapping: Id, key: &str) -> Option<(Id, Id)> {
    let mut seen = HashSet::new();
    let mut mappings = vec![mapping];
    while let Some(mapping) = mappings.pop() {
        let mapping = tree.target(mapping);
        if !seen.insert(mapping) {
            continue; // a mapping that is merged twice would double the work at each level
        }
        if let Some(own) = find_own(tree, mapping, key) {
            return Some(own.1);
        }
        let raw = tree.raw(mapping);
        let is_merge = |key: Id| raw.is_mapping() && is_merge(tree.raw(key));
        let merges = raw.entries.iter().filter(|(key, _)| is_merge(*key));
        let next: Vec<_> = merges.flat_map(|(_, value)| merged(tree, *value)).collect();
        mappings.extend(next.into_iter().rev());
    }
    None
}

/// The entry that is written in the mapping itself, with its index.
pub(super) fn find_own(tree: &Tree, mapping: Id, key: &str) -> Option<(usize, (Id, Id))> {
    let raw = tree.raw(tree.target(mapping));
    let is_it = |id| !is_merge(tree.raw(id)) && key_text(tree, id).is_ok_and(|text| text == key);
    let mut entries = raw.entries.iter().copied().enumerate().rev(); // of duplicates, the last one counts
    entries.find(|(_, (id, _))| raw.is_mapping() && is_it(*id))
}

fn is_merge(key: &Raw) -> bool {
    let Kind::Scalar {
        text,
        style: Style::Plain,
    } = &key.kind
    else {
        return false;
    };
    text == "<<"
        && key
            .tag
            .as_ref()
            .is_none_or(|tag| *tag == Tag::Core("merge".to_owned()))
}

/// The mappings that the value of a merge key names: the value itself, or its items.
fn merged(tree: &Tree, value: Id) -> Vec<Id> {
    let raw = tree.raw(tree.target(value));
    if raw.is_sequence() {
        raw.entries.iter().map(|(_, item)| *item).collect()
    } else {
        vec![value]
    }
}

/// A key as the name in the JSON object that kubectl makes.
fn key_text(tree: &Tree, key: Id) -> Result<String, ParseError> {
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
        None => scalar::resolve(text).ok_or_else(|| error(scalar::not_json(text))),
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

/// Reads values within a budget.
struct Expansion<'t> {
    tree: &'t Tree,
    budget: usize,
    /// The errors for duplicate keys.
    duplicates: Vec<ParseError>,
}

impl Expansion<'_> {
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
            Kind::Sequence => raw
                .entries
                .iter()
                .map(|(_, item)| self.node(*item, depth + 1))
                .collect(),
            Kind::Mapping => self.mapping(&raw.entries, depth),
        }
    }

    fn mapping(&mut self, entries: &[(Id, Id)], depth: usize) -> Result<Value, ParseError> {
        let tree = self.tree;
        let (merges, own): (Vec<_>, Vec<_>) = entries
            .iter()
            .partition(|(key, _)| is_merge(tree.raw(*key)));
        let mut map = Map::new();
        for (key, value) in own {
            let name = key_text(tree, key)?;
            let raw = tree.raw(key);
            self.spend(raw, name.len())?;
            if map.contains_key(&name) && self.duplicates.len() < MOST_DUPLICATES {
                let message = format!("duplicate key {name:?}");
                self.duplicates.push(ParseError::new(raw.position, message));
            }
            map.insert(name, self.node(value, depth + 1)?);
        }
        for (_, value) in merges {
            for mapping in merged(tree, value) {
                let Value::Object(mapping) = self.node(mapping, depth + 1)? else {
                    let message = "a merge key needs a mapping or a list of mappings";
                    return Err(ParseError::new(tree.raw(value).position, message));
                };
                for (name, value) in mapping {
                    map.entry(name).or_insert(value); // own keys and earlier mappings win
                }
            }
        }
        Ok(Value::Object(map))
    }

    fn spend(&mut self, raw: &Raw, bytes: usize) -> Result<(), ParseError> {
        const NODE: usize = 16;
        self.budget = self
            .budget
            .checked_sub(bytes + NODE)
            .ok_or_else(|| ParseError::new(raw.position, "the aliases expand to far too much"))?;
        Ok(())
    }
}
