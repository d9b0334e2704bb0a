//! The operations of a patch (<https://www.rfc-editor.org/rfc/rfc6902>).

use std::fmt::Write;

use serde::Serialize;

use super::value::NewValue;
use crate::seldon::Place;

/// One operation of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op<'a> {
    /// Creates a key, or gives it another value.
    Add(Place<'a>, NewValue<'a>),
    /// Puts an item at the end of a list.
    Append(Place<'a>, NewValue<'a>),
    /// Puts an item before the one of that index.
    Insert(Place<'a>, usize, NewValue<'a>),
    /// Takes a key out.
    Remove(Place<'a>),
    /// Takes an item out of a list.
    RemoveItem(Place<'a>, usize),
}

impl<'a> Op<'a> {
    /// Puts an item where it was in an older list, if that is inside of this one of `count` items; else at the end.
    pub(crate) fn put(
        list: Place<'a>,
        position: Option<usize>,
        count: usize,
        item: NewValue<'a>,
    ) -> Self {
        match position {
            Some(at) if at < count => Self::Insert(list, at, item),
            _ => Self::Append(list, item),
        }
    }

    /// Takes out what was created there, and puts back what stood there before.
    pub(crate) fn take_out(place: Place<'a>, before: Option<&'static str>) -> Self {
        before.map_or(Self::Remove(place), |null| {
            Self::Add(place, NewValue::Null(null))
        })
    }

    /// The place that is named in the pointer, and what stands behind it.
    const fn at(&self) -> (Place<'a>, End) {
        match self {
            Self::Add(place, _) | Self::Remove(place) => (*place, End::Here),
            Self::Append(list, _) => (*list, End::Last),
            Self::Insert(list, index, _) | Self::RemoveItem(list, index) => {
                (*list, End::Index(*index))
            }
        }
    }

    /// Writes the pointer over what is in `path`. The place of the operation before it need not be spelled again.
    fn write_path(&self, before: Option<(&Self, usize)>, path: &mut String) -> usize {
        let (place, end) = self.at();
        let length = match before {
            Some((before, length)) if before.at().0 == place => {
                path.truncate(length);
                length
            }
            _ => {
                path.clear();
                // Writing into a String cannot fail.
                let _ = place.write_pointer(path);
                path.len()
            }
        };
        match end {
            End::Here => {}
            End::Last => path.push_str("/-"),
            End::Index(index) => {
                let _ = write!(path, "/{index}");
            }
        }
        length
    }
}

/// The last part of a pointer.
#[derive(Clone, Copy)]
enum End {
    Here,
    Last,
    Index(usize),
}

impl<'a> Op<'a> {
    /// Whether it changes the spec.
    pub(crate) const fn is_in_spec(&self) -> bool {
        !matches!(self.at().0, Place::Annotations | Place::Annotation(_))
    }

    /// Whether it brings a variable.
    pub(crate) const fn adds_variables(&self) -> bool {
        matches!(self.value(), Some(value) if !matches!(value, NewValue::Null(_) | NewValue::Text(_) | NewValue::Annotations(_)))
    }

    const fn value(&self) -> Option<&NewValue<'a>> {
        match self {
            Self::Add(_, value) | Self::Append(_, value) | Self::Insert(_, _, value) => Some(value),
            Self::Remove(_) | Self::RemoveItem(..) => None,
        }
    }
}

/// An operation with its pointer.
struct Spelled<'o, 'a> {
    path: &'o str,
    op: &'o Op<'a>,
}

impl Serialize for Spelled<'_, '_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let value = self.op.value();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("op", if value.is_some() { "add" } else { "remove" })?;
        map.serialize_entry("path", self.path)?;
        if let Some(value) = value {
            map.serialize_entry("value", value)?;
        }
        map.end()
    }
}

/// The operations of a patch as RFC 6902 writes them.
pub(crate) struct Ops<'o, 'a>(pub(crate) &'o [Op<'a>]);

impl Serialize for Ops<'_, '_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        let mut path = String::with_capacity(128);
        let mut before = None;
        for op in self.0 {
            let length = op.write_path(before, &mut path);
            before = Some((op, length));
            seq.serialize_element(&Spelled { path: &path, op })?;
        }
        seq.end()
    }
}
