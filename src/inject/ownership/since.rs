//! Whether an object is as it was: then what was injected stays, or is restored exactly, even if the config has changed.

use std::collections::HashMap;

use crate::config::setting::{ANNOTATION_PREFIX, RECORD, RESYNC};
use crate::inject::ownership::record::Record;
use crate::inject::ownership::unchanged::without_ours;
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::{Annotations, SeldonDeployment, read_text};

/// The record in the annotations of an object.
pub(crate) enum Recorded {
    None,
    Unreadable,
    Read(Record<'static>),
}

impl Recorded {
    pub(crate) const fn record(&self) -> Option<&Record<'static>> {
        match self {
            Self::Read(record) => Some(record),
            Self::None | Self::Unreadable => None,
        }
    }
}

/// Reads the record in the annotations of an object.
pub(crate) fn find_record(annotations: &Annotations<'_>) -> Recorded {
    match annotations.get(RECORD) {
        Lenient::Absent => Recorded::None,
        Lenient::Is(Text(text)) => match Record::read(&text) {
            Some(record) => Recorded::Read(record),
            None => Recorded::Unreadable,
        },
        Lenient::Null | Lenient::Odd(_) => Recorded::Unreadable,
    }
}

/// What `old` had of ours, if nothing that we look at has changed since, and no annotation asks for a new decision.
pub(crate) fn unchanged_since<'v>(
    object: &SeldonDeployment<'v>,
    old: Option<&SeldonDeployment<'v>>,
    annotations: &Annotations<'v>,
    found: &Recorded,
    trigger: &str,
) -> Option<Record<'static>> {
    let old = old?;
    let record = older_record(old, annotations, trigger)?;
    // An earlier call for the same write may have restored what the older record has. The object's own record says what came of that.
    let own = found
        .record()
        .filter(|own| **own != record && without_ours(object, own).1.are_whole);
    let current = match own {
        Some(own) => Some(record.clone().restored_as(own)?),
        None => None,
    };
    let (was, claims) = without_ours(old, &record);
    let unchanged = claims.can_be_restored
        && without_ours(object, current.as_ref().unwrap_or(&record)).0 == was;
    unchanged.then(|| current.unwrap_or(record))
}

/// Whether an object with a record of its own, such as a stored manifest, replaces `old`, and the two differ in nothing but what is ours.
pub(crate) fn is_put_back<'v>(
    object: &SeldonDeployment<'v>,
    old: Option<&SeldonDeployment<'v>>,
    annotations: &Annotations<'v>,
    found: &Recorded,
    trigger: &str,
) -> bool {
    let (Some(own), Some(old)) = (found.record(), old) else {
        return false;
    };
    older_record(old, annotations, trigger).is_some_and(|record| {
        *own != record && without_ours(object, own).0 == without_ours(old, &record).0
    })
}

/// The record of the older object, if the same settings ask for tracing and no annotation asks for a new decision.
fn older_record<'v>(
    old: &SeldonDeployment<'v>,
    annotations: &Annotations<'v>,
    trigger: &str,
) -> Option<Record<'static>> {
    if annotations.rest.get(RESYNC).is_some() {
        return None;
    }
    let none = Annotations::default();
    let old_annotations = old.metadata.get()?.annotations.get().unwrap_or(&none);
    let Recorded::Read(record) = find_record(old_annotations) else {
        return None;
    };
    same_settings(annotations, old_annotations, trigger).then_some(record)
}

/// Whether the settings in the annotations are the same. A request that was stored while the webhook was down may have been taken back.
fn same_settings<'v>(new: &'v Annotations<'v>, old: &'v Annotations<'v>, trigger: &str) -> bool {
    let is_read = |key: &str| {
        key == trigger || (key.starts_with(ANNOTATION_PREFIX) && ![RECORD, RESYNC].contains(&key))
    };
    let read = |annotations: &'v Annotations<'v>| -> HashMap<&'v str, Lenient<Text<'v>>> {
        let entries = annotations.rest.0.iter();
        let read = entries.filter(|(key, _)| is_read(key));
        read.map(|(key, value)| (&**key, read_text(value)))
            .collect()
    };
    let new = read(new);
    new.values().all(|value| value.get().is_some()) && new == read(old)
}
