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

/// Counts how often each name has passed, so that each thing gets a key of its own.
#[derive(Default)]
pub(crate) struct Keys<'v>(HashMap<&'v str, usize>);

impl<'v> Keys<'v> {
    /// The key of the next thing, by its name.
    pub(crate) fn key<'a>(&mut self, name: &'v Lenient<Text<'a>>) -> Cow<'v, str> {
        let name = name.text().unwrap_or_default();
        let count = self.0.entry(name).or_default();
        *count += 1;
        key(name, *count - 1)
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
