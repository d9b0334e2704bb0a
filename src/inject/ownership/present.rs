//! Which of the variables of a record are present, unchanged.

use indexmap::IndexMap;

use crate::inject::patch::ValueFrom;
use crate::jaeger::variable::is_read_by_tracing;
use crate::jaeger::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::{Env, EnvVar};

/// The state of a recorded variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was never recorded for this target.
    #[default]
    Never,
    /// It is at that index, unchanged.
    Here(usize),
    /// A variable of that name has another value, which is the user's.
    Changed,
    /// There is no variable of that name.
    Gone,
}

/// The states of all the variables of a target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present {
    fates: PerVariable<Fate>,
    /// Further entries that say exactly the same. They cannot be told from ours, and stay and go with them.
    copies: Vec<(Variable, usize)>,
}

impl Present {
    /// Looks for the variables of a set in a list.
    pub(crate) fn find(env: &Env<'_>, set: &EnvSet<'_>) -> Self {
        let mut fates = PerVariable::default();
        let mut copies = Vec::new();
        for (variable, _) in set.entries() {
            *fates.get_mut(variable) = Fate::Gone;
        }
        for (at, item) in env.items().iter().enumerate() {
            let Lenient::Is(var) = item else { continue };
            let Some(variable) = var.name.text().and_then(Variable::from_name) else {
                continue;
            };
            let Some(value) = set.get(variable) else {
                continue;
            };
            let fate = fates.get_mut(variable);
            if is_exactly(var, value) {
                if let Fate::Here(earlier) = *fate {
                    copies.push((variable, earlier));
                }
                *fate = Fate::Here(at);
            } else if *fate == Fate::Gone {
                *fate = Fate::Changed;
            }
        }
        Self { fates, copies }
    }

    pub(crate) fn fate(&self, variable: Variable) -> Fate {
        *self.fates.get(variable)
    }

    /// The index of the variable of ours.
    pub(crate) fn here(&self, variable: Variable) -> Option<usize> {
        match self.fate(variable) {
            Fate::Here(at) => Some(at),
            _ => None,
        }
    }

    /// Whether the entry at that index is ours.
    pub(crate) fn is_at(&self, index: usize) -> bool {
        let mut fates = self.fates.iter();
        fates.any(|(_, fate)| *fate == Fate::Here(index))
            || self.copies.iter().any(|(_, at)| *at == index)
    }

    /// The indices of the variable of ours and its copies.
    pub(crate) fn all_of(&self, variable: Variable) -> impl Iterator<Item = usize> {
        let copies = self.copies.iter().filter(move |(of, _)| *of == variable);
        self.here(variable)
            .into_iter()
            .chain(copies.map(|(_, at)| *at))
    }

    /// How many entries are ours, copies included.
    pub(crate) fn entries(&self) -> usize {
        self.count() + self.copies.len()
    }

    /// How many are there.
    pub(crate) fn count(&self) -> usize {
        self.fates
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::Here(_)))
            .count()
    }
}

/// Whether an entry is, to the last key, what we write for that value.
fn is_exactly(var: &EnvVar<'_>, value: &EnvValue<'_>) -> bool {
    match value {
        EnvValue::HostIp => is_host_ip(var),
        EnvValue::Literal(text) => {
            var.rest.is_empty()
                && var.value_from.is_none()
                && matches!(&var.value, Lenient::Is(Text(found)) if found == text)
        }
    }
}

/// Whether the variable is exactly the address of the node.
fn is_host_ip(var: &EnvVar<'_>) -> bool {
    let Some(from) = var.value_from else {
        return false;
    };
    matches!(var.value, Lenient::Absent)
        && var.rest.is_empty()
        && serde_json::from_str::<ValueFrom<'_>>(from.get())
            .is_ok_and(|source| source.field_ref.field_path == HOST_IP)
}

/// The variables of a target that a Jaeger client reads and that are the user's. Most targets have none. Of several with one name
/// the last counts, as Kubernetes has it.
pub(crate) struct UsersVars<'v, 'a>(IndexMap<&'v str, &'v EnvVar<'a>>);

impl<'v, 'a> UsersVars<'v, 'a> {
    /// Looks through a list once.
    pub(crate) fn of(env: &'v Env<'a>, ours: &Present) -> Self {
        let items = env.items().iter().enumerate();
        let vars = items.filter_map(|(at, item)| {
            let var = item.get()?;
            let name = var.name.text().filter(|name| is_read_by_tracing(name))?;
            (!ours.is_at(at)).then_some((name, var))
        });
        Self(vars.collect())
    }

    /// The variable of that name which counts.
    pub(crate) fn last_of(&self, name: &str) -> Option<&'v EnvVar<'a>> {
        self.0.get(name).copied()
    }

    /// All that count, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'v str, &'v EnvVar<'a>)> {
        self.0.iter().map(|(name, var)| (*name, *var))
    }
}
