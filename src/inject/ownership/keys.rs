//! Keys for things that should have distinct names, but need not, in an object that nobody has validated yet.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::inject::ownership::record;
use crate::seldon::lenient::{Lenient, Text};

/// Counts names as they pass, so that each thing gets a key of its own.
pub(crate) struct Ordinals<'v> {
    /// How often each name has passed; not kept where all names are distinct, which is the rule.
    passed: Option<HashMap<&'v str, usize>>,
}

impl<'v> Ordinals<'v> {
    /// For the names that are going to pass.
    pub(crate) fn of<'a: 'v>(
        names: impl Iterator<Item = Option<&'v Lenient<Text<'a>>>> + Clone,
    ) -> Self {
        let mut texts: Vec<&str> = names
            .flatten()
            .map(|name| name.text().unwrap_or_default())
            .collect();
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
        record::key(name, ordinal)
    }
}
