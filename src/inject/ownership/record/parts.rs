//! Two small sets in the record: the structures that had to be created, and the variables that the user took out again.

use std::borrow::Cow;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::jaeger::Variable;

table! {
    /// A structure that had to be created, in the order in which the record lists them.
    pub(crate) enum Part
    /// The name in the record.
    fn name -> &'static str {
        Annotations = "annotations",
        SvcOrchSpec = "svcOrchSpec",
        ComponentSpecs = "componentSpecs",
        ComponentSpec = "componentSpec",
        PodSpec = "podSpec",
        Containers = "containers",
        Container = "container",
        Env = "env",
        VolumeMounts = "volumeMounts",
        Volumes = "volumes",
    }
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

/// How texts spell a null.
const NULLS: [&str; 5] = ["null", "", "~", "Null", "NULL"];

/// What stood where a structure had to be created: nothing, or a null in one of its spellings.
pub(crate) type Before = Option<&'static str>;

/// The known spelling of a null.
pub(crate) fn spelling(text: &str) -> Before {
    NULLS.into_iter().find(|known| *known == text)
}

/// The structures that had to be created, and what stood there before. They take four bytes, because a record has them for each container:
/// three bits for each part, which are 0 for a part that was not created, 1 where nothing was before, and more for the spellings of a null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts(u32);

impl Parts {
    const fn state(self, part: Part) -> u32 {
        self.0 >> (part as u32 * 3) & 7
    }

    pub(crate) const fn has(self, part: Part) -> bool {
        self.state(part) != 0
    }

    /// What stood where that part was created.
    pub(crate) fn before(self, part: Part) -> Before {
        let null = (self.state(part) as usize).checked_sub(2)?;
        NULLS.get(null).copied()
    }

    pub(crate) fn set(&mut self, part: Part, before: Before) {
        let null = NULLS.into_iter().zip(2..);
        let state = before.and_then(|text| null.into_iter().find(|(known, _)| *known == text));
        self.unset(part);
        self.0 |= state.map_or(1, |(_, state)| state) << (part as u32 * 3);
    }

    pub(crate) const fn unset(&mut self, part: Part) {
        self.0 &= !(7 << (part as u32 * 3));
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0 == 0
    }

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

/// The name of a part; where a null stood, as in YAML: `env: ~`.
impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mine = Part::ALL.into_iter().filter(|part| self.has(*part));
        serializer.collect_seq(mine.map(|part| match self.before(part) {
            None => Cow::Borrowed(part.name()),
            Some("") => Cow::Owned(format!("{}:", part.name())),
            Some(null) => Cow::Owned(format!("{}: {null}", part.name())),
        }))
    }
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unknown = || D::Error::custom("unknown name");
        let mut parts = Self::default();
        for text in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            let (name, null) = match text.split_once(':') {
                None => (&*text, None),
                Some((name, null)) => (name, Some(null.strip_prefix(' ').unwrap_or(null))),
            };
            let before = null.map(|null| spelling(null).ok_or_else(unknown));
            let part = Part::ALL.into_iter().find(|part| part.name() == name);
            parts.set(part.ok_or_else(unknown)?, before.transpose()?);
        }
        Ok(parts)
    }
}

/// The variables that the user took out again. They take two bytes, because a record has them for each container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Omitted(u16);

impl Omitted {
    pub(crate) const fn has(self, variable: Variable) -> bool {
        self.0 & (1 << variable as u16) != 0
    }

    pub(crate) const fn set(&mut self, variable: Variable) {
        self.0 |= 1 << variable as u16;
    }

    pub(crate) const fn unset(&mut self, variable: Variable) {
        self.0 &= !(1 << variable as u16);
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Serialize for Omitted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mine = Variable::ALL.iter().filter(|one| self.has(**one));
        serializer.collect_seq(mine.map(|one| one.name()))
    }
}

impl<'de> Deserialize<'de> for Omitted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut some = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            let one = Variable::from_name(&name);
            some.set(one.ok_or_else(|| D::Error::custom("unknown name"))?);
        }
        Ok(some)
    }
}
