//! The pieces that two objects are compared by.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::seldon::lenient::Rest;

/// A piece of a flattened object.
pub(crate) enum Piece<'v, 'a> {
    Open,
    Close,
    Absent,
    /// A null that is an item of a list.
    Null,
    /// Something that is not read, and so never taken for equal.
    Odd,
    Text(&'v str),
    Raw(&'a RawValue),
    Rest(&'v Rest<'a>),
}

impl Piece<'_, '_> {
    pub(crate) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open, Self::Open)
            | (Self::Close, Self::Close)
            | (Self::Absent, Self::Absent)
            | (Self::Null, Self::Null) => true,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Raw(one), Self::Raw(other)) => same_raw(one, other),
            (Self::Rest(one), Self::Rest(other)) => same_rest(one, other),
            _ => false,
        }
    }
}

/// The longest value that is parsed to be compared, in bytes: parsed, it takes many times its length.
const MAX_PARSED: usize = 64 * 1024;

/// Equal bytes are the rule, for the API server sorts keys; other spellings of one value cost a parse.
fn same_raw(one: &RawValue, other: &RawValue) -> bool {
    let is_short = |raw: &RawValue| raw.get().len() <= MAX_PARSED;
    one.get() == other.get()
        || is_short(one)
            && is_short(other)
            && matches!(
                (serde_json::from_str::<Value>(one.get()), serde_json::from_str::<Value>(other.get())),
                (Ok(one), Ok(other)) if one == other
            )
}

fn same_rest<'a>(one: &Rest<'a>, other: &Rest<'a>) -> bool {
    let in_order = one.0.len() == other.0.len()
        && one
            .0
            .iter()
            .zip(&other.0)
            .all(|((one, _), (other, _))| one == other);
    if in_order {
        let mut pairs = one.0.iter().zip(&other.0);
        return pairs.all(|((_, one), (_, other))| same_raw(one, other));
    }
    let by_key = |rest: &Rest<'a>| -> HashMap<_, _> {
        rest.0
            .iter()
            .map(|(key, value)| (key.clone(), *value))
            .collect()
    };
    let (one, other) = (by_key(one), by_key(other));
    one.len() == other.len()
        && one.iter().all(|(key, value)| {
            let beside = other.get(key);
            beside.is_some_and(|beside| same_raw(value, beside))
        })
}
