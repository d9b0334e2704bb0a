//! Reading JSON that may be anything: a part is there, absent, null or of another type than expected, and none of these is an error.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A part of an object, of any shape.
#[derive(Clone, Debug, Default)]
pub(crate) enum Lenient<T> {
    #[default]
    Absent,
    /// A key without a value. It counts as absent: the API server drops it.
    Null,
    /// The value has another type than expected; this names it for people.
    Odd(&'static str),
    Is(T),
}

impl<T> Lenient<T> {
    /// The part, if it is what was expected.
    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Is(part) => Some(part),
            _ => None,
        }
    }

    /// Applies a function to the part. A value that is not the expected part stays as it is.
    pub(crate) fn map<'v, U>(&'v self, of: impl FnOnce(&'v T) -> U) -> Lenient<U> {
        match self {
            Self::Absent => Lenient::Absent,
            Self::Null => Lenient::Null,
            Self::Odd(found) => Lenient::Odd(found),
            Self::Is(part) => Lenient::Is(of(part)),
        }
    }

    /// Absent if it goes, and itself otherwise.
    pub(crate) fn unless(self, goes: bool) -> Self {
        if goes { Self::Absent } else { self }
    }

    /// The type of a value that is not as expected, for people; nothing if it is as expected or absent.
    pub(crate) fn odd(&self) -> Option<&'static str> {
        match self {
            Self::Odd(found) => Some(found),
            Self::Absent | Self::Null | Self::Is(_) => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    /// The same for a value that is not a field, such as an item of a list: the API server does not drop a null there.
    pub(crate) fn not_a_field(self) -> Self {
        match self {
            Self::Null => Self::Odd("null"),
            shape => shape,
        }
    }
}

/// Whether two parts say the same. What is of another type is not read, and so never taken for equal, but for a null that is an item of a
/// list.
impl<T: PartialEq> PartialEq for Lenient<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Is(one), Self::Is(other)) => one == other,
            (Self::Odd(one), Self::Odd(other)) => (*one, *other) == ("null", "null"),
            _ => self.is_absent() && other.is_absent(),
        }
    }
}

/// The memory that the views of one request may take, in bytes.
///
/// Three bytes of JSON (`{},`) can become a view of some hundred bytes, so the length of a body does not bound what its views take. Reading
/// pays for every list item and every key before it is kept, and fails once the budget is spent.
#[derive(Debug)]
pub(crate) struct Budget(Cell<Option<usize>>);

impl Budget {
    pub(crate) const fn of(bytes: usize) -> Self {
        Self(Cell::new(Some(bytes)))
    }

    /// For reading nothing that costs.
    pub(crate) const fn spent() -> Self {
        Self(Cell::new(None))
    }

    /// For what a person reads on their own machine, and for short texts.
    pub(crate) const fn unlimited() -> Self {
        Self::of(usize::MAX)
    }

    /// Pays for memory that is about to be taken.
    pub(crate) fn pay<E: Error>(&self, bytes: usize) -> Result<(), E> {
        self.0
            .set(self.0.get().and_then(|left| left.checked_sub(bytes)));
        if self.is_spent() {
            return Err(E::custom("the views of this object take too much memory"));
        }
        Ok(())
    }

    /// Whether the budget was exceeded, which made reading fail.
    pub(crate) const fn is_spent(&self) -> bool {
        self.0.get().is_none()
    }

    /// Reads a part of that type within the budget.
    pub(crate) const fn part<T>(&self) -> Part<'_, T> {
        Part(self, PhantomData)
    }
}

/// Reads one part of an object within a budget.
pub(crate) struct Part<'b, T>(&'b Budget, PhantomData<T>);

/// A part that knows which JSON type it is made from; the other types become [`Lenient::Odd`].
pub(crate) trait FromJson<'de>: Sized {
    fn from_map<A: MapAccess<'de>>(map: A, _budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        IgnoredAny.visit_map(map)?;
        Ok(Lenient::Odd("an object"))
    }

    fn from_seq<A: SeqAccess<'de>>(seq: A, _budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        IgnoredAny.visit_seq(seq)?;
        Ok(Lenient::Odd("a list"))
    }

    fn from_text(_text: Cow<'de, str>) -> Lenient<Self> {
        Lenient::Odd("a string")
    }
}

impl<'de, T: FromJson<'de>> DeserializeSeed<'de> for Part<'_, T> {
    type Value = Lenient<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Lenient<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: FromJson<'de>> Visitor<'de> for Part<'_, T> {
    type Value = Lenient<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::from_map(map, self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::from_seq(seq, self.0)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(T::from_text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::from_text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Lenient::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Lenient::Odd("a boolean"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Lenient::Odd("a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Lenient::Odd("a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Lenient::Odd("a number"))
    }
}

impl<'de, T: FromJson<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Budget::unlimited().part().deserialize(deserializer)
    }
}

/// A string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de> FromJson<'de> for Text<'de> {
    fn from_text(text: Cow<'de, str>) -> Lenient<Self> {
        Lenient::Is(Self(text))
    }
}

impl Lenient<Text<'_>> {
    /// The string, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.get().map(|Text(text)| text.as_ref())
    }
}

/// A list whose items may each be odd.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Items<T>(pub(crate) Vec<Lenient<T>>);

impl<'de, T: FromJson<'de>> FromJson<'de> for Items<T> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A, budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(budget.part())? {
            // Room for the usual list at once, without being lavish for the large items.
            make_room(&mut items, (2048 / size_of::<Lenient<T>>()).max(1), budget)?;
            items.push(item.not_a_field());
        }
        Ok(Lenient::Is(Self(items)))
    }
}

/// Makes room for one more item, which the budget pays for: `first` at the beginning, twice as many each time.
fn make_room<T, E: Error>(items: &mut Vec<T>, first: usize, budget: &Budget) -> Result<(), E> {
    if items.len() == items.capacity() {
        let more = items.len().max(first);
        budget.pay(more.saturating_mul(size_of::<T>()))?;
        items.reserve_exact(more);
    }
    Ok(())
}

impl<T> Lenient<Items<T>> {
    /// The items; none if it is not a list.
    pub(crate) fn items(&self) -> &[Lenient<T>] {
        self.get().map_or(&[], |Items(items)| items)
    }
}

/// A key of an object, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The keys of an object that are of no interest but to be compared, with the bytes of their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Rest<'a> {
    pub(crate) fn push<E: Error>(
        &mut self,
        key: Cow<'a, str>,
        value: &'a RawValue,
        budget: &Budget,
    ) -> Result<(), E> {
        // One allocation for most objects instead of a chain of growing ones.
        make_room(&mut self.0, 8, budget)?;
        self.0.push((key, value));
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the value under a key that is rarely needed. One whose view would take more than a mebibyte is not read: Kubernetes allows
    /// 256 KiB for all annotations, and the budget of the request is spent on what is always read.
    pub(crate) fn read<T: FromJson<'a>>(&self, key: &str) -> Lenient<T> {
        let Some(raw) = self.get(key) else {
            return Lenient::Absent;
        };
        let budget = Budget::of(1 << 20);
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let read = budget.part().deserialize(&mut json);
        read.unwrap_or(Lenient::Odd("unreadable"))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        // The last of two equal keys counts, as in every JSON reader of the API server.
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }
}

/// Whether two objects have the same keys with the same values, in any order.
impl PartialEq for Rest<'_> {
    fn eq(&self, other: &Self) -> bool {
        let pairs = || self.0.iter().zip(&other.0);
        let in_order =
            self.0.len() == other.0.len() && pairs().all(|(one, other)| one.0 == other.0);
        if in_order {
            return pairs().all(|(one, other)| Json(one.1) == Json(other.1));
        }
        let by_key = |rest: &Self| -> HashMap<_, _> { rest.0.iter().cloned().collect() };
        let (one, other) = (by_key(self), by_key(other));
        one.len() == other.len()
            && one.iter().all(|(key, value)| {
                let beside = other.get(key);
                beside.is_some_and(|beside| Json(value) == Json(beside))
            })
    }
}

/// A value that is only compared.
pub(crate) struct Json<'a>(pub(crate) &'a RawValue);

/// The longest value that is parsed to be compared, in bytes: parsed, it takes many times its length.
const MAX_PARSED: usize = 64 * 1024;

/// Equal bytes are the rule, for the API server sorts keys; other spellings of one value cost a parse.
impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.0.get(), other.0.get());
        let parsed = |text: &str| {
            let is_short = text.len() <= MAX_PARSED;
            is_short.then(|| serde_json::from_str::<Value>(text).ok())?
        };
        one == other || parsed(one).is_some_and(|one| parsed(other) == Some(one))
    }
}
