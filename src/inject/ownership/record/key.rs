//! The keys that things of the record go by.

use std::borrow::Cow;

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
