//! How much memory the decision for a request may take, told from its bytes before any of it is spent.
//!
//! A body of 7 MiB can hold millions of empty containers, each of which would cost kilobytes of plan and patch. What the API server
//! sends is nowhere near that; but the port is open to everything in the cluster.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::request::Review;
use crate::inject::ANNOTATION_PREFIX;

/// Bodies up to this size, with at most [`SMALL_PARTS`] commas, are decided on the spot; others one after the other.
const SMALL_BODY: usize = 256 * 1024;

/// See [`SMALL_BODY`]. Every item of a list but its first, and every key of an object but its first, has a comma.
const SMALL_PARTS: usize = 2_000;

/// The most bytes that a decision may take beside its request, by this estimate.
pub const MAX_WEIGHT: usize = 32 * 1024 * 1024;

/// What is estimated for one of each; tests/weight.rs holds it against what is really allocated.
const LIST: usize = 2_560;
const ITEM: usize = 320;
const ENTRY: usize = 96;
/// A container, a predictor or a node of a graph: its targets, their variables, reasons and record, the patch and its base64.
const TARGET: usize = 6_144;

/// A setting in the annotations of the object, good or bad: every predictor looks at it again, which takes time more than memory.
const SETTING: usize = MAX_WEIGHT / 256;

/// Deeper than this nothing is read; `serde_json` ends at 128.
const DEPTH: usize = 100;

/// Whether a request is to be decided where nobody waits behind it.
#[must_use]
pub fn is_large(body: &[u8]) -> bool {
    body.len() > SMALL_BODY || memchr::memchr_iter(b',', body).count() > SMALL_PARTS
}

/// Whether the decision for a large request stays below [`MAX_WEIGHT`]. What cannot be read is not decided either: the engine skips
/// over numbers and strings that no reader of Kubernetes takes, and would go on behind them.
///
/// # Errors
/// What cannot be read.
pub(super) fn is_too_heavy(text: &str) -> Result<bool, serde_json::Error> {
    let review = serde_json::from_str::<Review<'_, Weighed>>(text)?;
    Ok(review.request.is_some_and(|request| {
        let weights = [request.object, request.old_object];
        let weight = weights
            .into_iter()
            .flatten()
            .map(|Weighed(weight)| weight)
            .fold(0, usize::saturating_add);
        weight > MAX_WEIGHT
    }))
}

/// The weight of an object.
struct Weighed(usize);

impl<'de> Deserialize<'de> for Weighed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut weight = 0;
        Weigher {
            weight: &mut weight,
            place: Place::Object,
            depth: 0,
        }
        .deserialize(deserializer)?;
        Ok(Self(weight))
    }
}

/// Where in an object something stands, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Object,
    Metadata,
    /// The annotations of the object.
    Annotations,
    /// A list whose items are or hold targets.
    Targets,
    Elsewhere,
}

struct Weigher<'w> {
    weight: &'w mut usize,
    place: Place,
    depth: usize,
}

impl Weigher<'_> {
    fn add(&mut self, weight: usize) {
        *self.weight = self.weight.saturating_add(weight);
    }

    /// Where the value of a key stands; nothing for one that is never read.
    fn below(&self, key: &str) -> Option<Place> {
        match (self.place, key) {
            (Place::Object, "metadata") => Some(Place::Metadata),
            (Place::Metadata, "annotations") => Some(Place::Annotations),
            (Place::Object, "spec") => Some(Place::Elsewhere),
            (Place::Object | Place::Metadata, _) => None,
            (_, "predictors" | "componentSpecs" | "containers" | "initContainers" | "children") => {
                Some(Place::Targets)
            }
            _ => Some(Place::Elsewhere),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Weigher<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if self.depth >= DEPTH {
            let raw = <&RawValue>::deserialize(deserializer)?;
            self.add(raw.get().len().saturating_mul(TARGET / 2));
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Weigher<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            self.add(match self.place {
                Place::Annotations if key.starts_with(ANNOTATION_PREFIX) => SETTING,
                _ => ENTRY,
            });
            match self.below(&key) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(place) => map.next_value_seed(Weigher {
                    weight: self.weight,
                    place,
                    depth: self.depth + 1,
                })?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.add(LIST);
        let targets = self.place == Place::Targets;
        loop {
            let item = Weigher {
                weight: self.weight,
                place: Place::Elsewhere,
                depth: self.depth + 1,
            };
            if seq.next_element_seed(item)?.is_none() {
                return Ok(());
            }
            self.add(if targets { TARGET } else { ITEM });
        }
    }

    fn visit_borrowed_str<E: Error>(self, _: &'de str) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        // A string with escapes is copied.
        self.add(text.len());
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}
