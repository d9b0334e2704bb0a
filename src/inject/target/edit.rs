//! The edits of one environment.

use crate::inject::ownership::present::Present;
use crate::inject::ownership::record::{Before, Part, Parts};
use crate::inject::patch::{EnvEntries, EnvVar, NewValue, Op};
use crate::jaeger::{EnvSet, EnvValue, Variable};
use crate::seldon::object::Env;
use crate::seldon::{Holder, Place};

/// What happens to an environment.
pub(crate) enum EnvEdit<'v> {
    /// It was created for our variables, has no others, and is removed.
    Remove(Before),
    /// It does not exist yet, and is created with these.
    Create(EnvEntries<'v>),
    /// Items of the list are removed, and others are added.
    Items {
        /// The indices of the removed items, from the last to the first.
        goes: Vec<usize>,
        /// The added items, with the index that they had in the older object.
        comes: Vec<(Option<usize>, Variable, EnvValue<'v>)>,
        /// How many items are left in between.
        left: usize,
    },
}

impl<'v> EnvEdit<'v> {
    /// Compares what is present of the recorded variables with what is to be. `old` is where they stood in the older object, `new` what was
    /// created for them.
    pub(crate) fn of(
        env: &Env<'_>,
        present: &Present,
        recorded: &EnvSet<'v>,
        set: &EnvSet<'v>,
        old: Option<&Present>,
        new: Parts,
    ) -> Self {
        let position = |variable| old.and_then(|old| old.here(variable));
        if env.is_absent() {
            let mut entries: EnvEntries<'v> = set
                .entries()
                .map(|(variable, value)| EnvVar(variable, value.clone()))
                .collect();
            if old.is_some() {
                entries
                    .sort_by_key(|EnvVar(variable, _)| position(*variable).unwrap_or(usize::MAX));
            }
            return Self::Create(entries);
        }
        let stays = |variable| set.get(variable) == recorded.get(variable);
        let mut goes: Vec<usize> = Variable::ALL
            .into_iter()
            .filter(|variable| !stays(*variable))
            .flat_map(|variable| present.all_of(variable))
            .collect();
        let mut comes: Vec<_> = set
            .entries()
            .filter(|(variable, _)| !(present.here(*variable).is_some() && stays(*variable)))
            .map(|(variable, value)| (position(variable), variable, value.clone()))
            .collect();
        let length = env.items().len();
        if comes.is_empty() && new.has(Part::Env) && goes.len() == length && length > 0 {
            return Self::Remove(new.before(Part::Env));
        }
        goes.sort_unstable_by(|one, other| other.cmp(one));
        comes.sort_by_key(|(position, ..)| position.unwrap_or(usize::MAX));
        let left = length - goes.len();
        Self::Items { goes, comes, left }
    }

    /// Writes the operations.
    pub(crate) fn write(self, holder: Holder, ops: &mut Vec<Op<'v>>) {
        let list = Place::Env(holder);
        match self {
            Self::Remove(before) => ops.push(Op::take_out(list, before)),
            Self::Create(entries) if entries.is_empty() => {}
            Self::Create(entries) => ops.push(Op::Add(list, NewValue::Env(entries))),
            Self::Items { goes, comes, left } => {
                ops.extend(goes.into_iter().map(|at| Op::RemoveItem(list, at)));
                for ((position, variable, value), count) in comes.into_iter().zip(left..) {
                    let entry = NewValue::EnvVar(EnvVar(variable, value));
                    ops.push(Op::put(list, position, count, entry));
                }
            }
        }
    }
}
