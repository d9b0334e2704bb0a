//! Things of the record by name, in the order of the object, and the keys that they go by.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::shape::Key;

/// A map in the order in which it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a, T>(pub(crate) Vec<(Cow<'a, str>, T)>);

impl<T> Default for Named<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<'_, T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds a key, looking first behind `cursor`, where the last one was found: records are in the order of the object.
    pub(crate) fn find(&self, key: &str, cursor: &mut usize) -> Option<&T> {
        let count = self.0.len();
        let at = (0..count)
            .map(|step| (*cursor + step) % count)
            .find(|at| self.0[*at].0 == key)?;
        *cursor = at + 1;
        Some(&self.0[at].1)
    }
}

impl<T> Named<'_, T> {
    /// Sorts what is in `other` too as it stands there; the rest comes behind it.
    pub(crate) fn order_as(&mut self, other: &Named<'_, T>) {
        let places: HashMap<&str, usize> = (0..)
            .zip(&other.0)
            .map(|(at, (key, _))| (&**key, at))
            .collect();
        self.0
            .sort_by_key(|(key, _)| places.get(&**key).copied().unwrap_or(usize::MAX));
    }
}

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Named<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamedVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
            type Value = Named<'de, T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut named = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    named.push((key, value));
                }
                Ok(Named(named))
            }
        }
        deserializer.deserialize_map(NamedVisitor(std::marker::PhantomData))
    }
}

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
