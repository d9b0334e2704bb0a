//! The keys that predictors and containers go by in the record. Names should be distinct, but nothing has validated the object yet.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::seldon::Lenient;
use crate::seldon::lenient::Text;

/// The key of the `ordinal`th thing of that name (from 0): names need not be distinct in what is not yet validated.
pub(crate) fn key(name: &str, ordinal: usize) -> Cow<'_, str> {
    let plain = !name.contains(['#', '%']);
    match (plain, ordinal) {
        (true, 0) => Cow::Borrowed(name),
        (true, _) => Cow::Owned(format!("{name}#{}", ordinal + 1)),
        (false, _) => Cow::Owned(format!(
            "{}#{}",
            name.replace('%', "%25").replace('#', "%23"),
            ordinal + 1
        )),
    }
}

/// The name in a key.
pub(crate) fn name_in_key(key: &str) -> Cow<'_, str> {
    match key.rsplit_once('#') {
        None => Cow::Borrowed(key),
        Some((name, _)) if !name.contains('%') => Cow::Borrowed(name),
        Some((name, _)) => Cow::Owned(name.replace("%23", "#").replace("%25", "%")),
    }
}

/// Counts names as they pass, so that each thing gets a key of its own.
pub(crate) struct Ordinals<'v> {
    /// How often each name has passed; not kept where all names are distinct, which is the rule.
    passed: Option<HashMap<&'v str, usize>>,
}

impl<'v> Ordinals<'v> {
    /// For the names that are going to pass.
    pub(crate) fn of<'a: 'v>(names: impl Iterator<Item = &'v Lenient<Text<'a>>>) -> Self {
        let mut names = names.map(|name| name.text().unwrap_or_default());
        // Most objects have one predictor, and need no list of names.
        let first = names.next();
        let mut texts: Vec<&str> = names.collect();
        if !texts.is_empty() {
            texts.extend(first);
        }
        texts.sort_unstable();
        let distinct = texts.windows(2).all(|pair| pair[0] != pair[1]);
        Self {
            passed: (!distinct).then(HashMap::new),
        }
    }

    /// The key of the next thing, by its name.
    pub(crate) fn key<'a>(&mut self, name: &'v Lenient<Text<'a>>) -> Cow<'v, str> {
        let name = name.text().unwrap_or_default();
        let ordinal = self.passed.as_mut().map_or(0, |passed| {
            let count = passed.entry(name).or_default();
            *count += 1;
            *count - 1
        });
        key(name, ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_odd_names_are_distinct() {
        let keys = [
            key("a", 0),
            key("a", 1),
            key("a#2", 0),
            key("a%232", 0),
            key("", 0),
            key("", 1),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(one), "{one}");
        }
        for name in ["a", "a#2", "a%232", "100%", "%25", "#", ""] {
            assert_eq!(name_in_key(&key(name, 0)), name);
            assert_eq!(name_in_key(&key(name, 1)), name);
        }
    }
}
