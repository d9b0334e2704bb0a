//! Two small sets in the record: the structures that had to be created, and the variables that the user took out again.

use std::borrow::Cow;

use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::jaeger::variable::Variable;

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
    const ALL: [Self; 10] = [
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

    const fn name(self) -> &'static str {
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
}

/// A set of created structures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts(u16);

impl Parts {
    pub(crate) const fn has(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    pub(crate) const fn set(&mut self, part: Part) {
        self.0 |= 1 << part as u16;
    }

    pub(crate) const fn unset(&mut self, part: Part) {
        self.0 &= !(1 << part as u16);
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            Part::ALL
                .into_iter()
                .filter(|part| self.has(*part))
                .map(Part::name),
        )
    }
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut parts = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            let part = Part::ALL.into_iter().find(|part| part.name() == name);
            parts.set(part.ok_or_else(|| D::Error::custom("unknown part"))?);
        }
        Ok(parts)
    }
}

/// Variables that the user took out again, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Omitted(u16);

impl Omitted {
    pub(crate) const fn has(self, variable: Variable) -> bool {
        self.0 & (1 << variable as u8) != 0
    }

    pub(crate) const fn set(&mut self, variable: Variable) {
        self.0 |= 1 << variable as u8;
    }

    pub(crate) const fn unset(&mut self, variable: Variable) {
        self.0 &= !(1 << variable as u8);
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Serialize for Omitted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for variable in Variable::ALL
            .into_iter()
            .filter(|variable| self.has(*variable))
        {
            seq.serialize_element(variable.name())?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Omitted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut omitted = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            omitted.set(
                Variable::from_name(&name).ok_or_else(|| D::Error::custom("unknown variable"))?,
            );
        }
        Ok(omitted)
    }
}
