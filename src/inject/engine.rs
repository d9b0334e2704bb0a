//! What `spec.annotations` sets in the orchestrators of all predictors.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::jaeger::crashes::{Client, OF_EXECUTOR, crash};
use crate::jaeger::variable::is_read_by_tracing;
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::{Annotations, read_text};

/// Seldon gives the orchestrator an annotation `seldon.io/engine-<x-y>` as the variable `X_Y`, unless `svcOrchSpec` has that name.
const PREFIX: &str = "seldon.io/engine-";

/// The variables that tracing reads and that annotations set, by name. They are looked up once for all orchestrators.
#[derive(Clone, Debug, Default)]
pub(crate) struct EngineVariables<'a>(IndexMap<String, (Cow<'a, str>, Lenient<Text<'a>>)>);

impl<'a> EngineVariables<'a> {
    pub(crate) fn of(annotations: Option<&Annotations<'a>>) -> Self {
        let entries = annotations.map_or(&[][..], |annotations| &annotations.rest.0);
        let variables = entries.iter().filter_map(|(key, raw)| {
            let name = key.strip_prefix(PREFIX)?;
            let name = name.to_ascii_uppercase().replace('-', "_");
            is_read_by_tracing(&name).then(|| (name, (key.clone(), read_text(raw))))
        });
        Self(variables.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Lenient<Text<'a>>> {
        self.0.get(name).map(|(_, value)| value)
    }

    /// The annotations whose values end the orchestrator's process: variable, key, and what the orchestrator expects. There is at most one
    /// for each variable that the orchestrator reads.
    pub(crate) fn crashing(&self) -> impl Iterator<Item = (&str, &str, &'static str)> {
        OF_EXECUTOR.into_iter().filter_map(|name| {
            let (name, (key, value)) = self.0.get_key_value(name)?;
            let expected = crash(Client::Executor, name, value.text()?)?;
            Some((name.as_str(), &**key, expected))
        })
    }
}
