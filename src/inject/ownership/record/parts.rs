//! Two small sets in the record: the structures that had to be created, and the variables that the user took out again.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::jaeger::Variable;

/// A structure that had to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Annotations,
    SvcOrchSpec,
    ComponentSpecs,
    ComponentSpec,
    PodSpec,
    Containers,
    Container,
    Env,
    VolumeMounts,
    Volumes,
}

impl Part {
    /// The structures that may have been created around stubs, outermost first.
    pub(crate) const AROUND_STUBS: [Self; 4] = [
        Self::ComponentSpecs,
        Self::ComponentSpec,
        Self::PodSpec,
        Self::Containers,
    ];
}

/// Something that the record lists by name.
pub(crate) trait Listed: Copy + 'static {
    /// All of its kind, in the order in which the record lists them.
    const ALL: &'static [Self];

    fn name(self) -> &'static str;

    /// A number below 16 of its own.
    fn number(self) -> u8;
}

impl Listed for Part {
    const ALL: &'static [Self] = &[
        Self::Annotations,
        Self::SvcOrchSpec,
        Self::ComponentSpecs,
        Self::ComponentSpec,
        Self::PodSpec,
        Self::Containers,
        Self::Container,
        Self::Env,
        Self::VolumeMounts,
        Self::Volumes,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Annotations => "annotations",
            Self::SvcOrchSpec => "svcOrchSpec",
            Self::ComponentSpecs => "componentSpecs",
            Self::ComponentSpec => "componentSpec",
            Self::PodSpec => "podSpec",
            Self::Containers => "containers",
            Self::Container => "container",
            Self::Env => "env",
            Self::VolumeMounts => "volumeMounts",
            Self::Volumes => "volumes",
        }
    }

    fn number(self) -> u8 {
        self as u8
    }
}

impl Listed for Variable {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        Self::name(self)
    }

    fn number(self) -> u8 {
        self as u8
    }
}

/// Some of a kind. It takes two bytes, because a record has one for each container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subset<T>(u16, PhantomData<T>);

/// The structures that had to be created.
pub(crate) type Parts = Subset<Part>;

/// The variables that the user took out again.
pub(crate) type Omitted = Subset<Variable>;

impl<T> Default for Subset<T> {
    fn default() -> Self {
        Self(0, PhantomData)
    }
}

impl<T: Listed> Subset<T> {
    pub(crate) fn has(self, one: T) -> bool {
        self.0 & (1 << one.number()) != 0
    }

    pub(crate) fn set(&mut self, one: T) {
        self.0 |= 1 << one.number();
    }

    pub(crate) fn unset(&mut self, one: T) {
        self.0 &= !(1 << one.number());
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Parts {
    /// Whether anything was created around stubs.
    pub(crate) fn has_any_around_stubs(self) -> bool {
        Part::AROUND_STUBS.into_iter().any(|part| self.has(part))
    }

    /// Forgets what was created around stubs.
    pub(crate) fn unset_around_stubs(&mut self) {
        for part in Part::AROUND_STUBS {
            self.unset(part);
        }
    }
}

impl<T: Listed> Serialize for Subset<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mine = T::ALL.iter().filter(|one| self.has(**one));
        serializer.collect_seq(mine.map(|one| one.name()))
    }
}

impl<'de, T: Listed> Deserialize<'de> for Subset<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut some = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            let one = T::ALL.iter().find(|one| one.name() == name);
            some.set(*one.ok_or_else(|| D::Error::custom("unknown name"))?);
        }
        Ok(some)
    }
}
