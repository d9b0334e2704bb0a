//! `explain`: prints what is or would be injected, and why.

mod live;
mod table;

use anyhow::bail;
use serde::Serialize;
use serde_json::Value;

use self::table::Located;
use super::config;
use super::exit::Status;
use super::inject::context;
use super::messages::{self, json, print};
use super::sources::{Source, each, find};
use crate::cli::{Explain, ExplainForm};
use crate::config::Config;
use crate::inject::{Context, Namespace, Task};
use crate::manifest::emit::to_yaml;

/// The version of the schema in `docs/explain.md`.
const SCHEMA: u32 = 1;

/// The answer as JSON or YAML.
#[derive(Serialize)]
struct Answer {
    schema: u32,
    objects: Vec<Located>,
}

/// `explain`
pub(super) fn explain(arguments: &Explain) -> anyhow::Result<Status> {
    let is_table = matches!(arguments.output, ExplainForm::Table | ExplainForm::Wide);
    if arguments.diff && !is_table {
        bail!("--diff can be combined only with a table; leave out --diff or -o");
    }
    let file = arguments.surroundings.file.config.as_deref();
    let (sources, config, namespace) = match live::find(arguments)? {
        Some(found) => (found.sources, Some(found.config), found.namespace),
        None => (find(&arguments.input, file)?, None, Namespace::Unknown),
    };
    let config = match (file, config) {
        (None, Some(config)) => config,
        (file, _) => match config::load(file)? {
            Some(config) => config,
            None => return Ok(Status::Failed),
        },
    };
    let tracing = arguments.tracing.as_deref();
    let mut context = context(&arguments.surroundings, tracing, &config)?;
    context.namespace_default |= namespace == Namespace::On;
    if context.task == Task::Follow {
        context.task = namespace.task();
    }
    let mut explained = Explained::default();
    let mut faults = 0;
    for source in &sources {
        faults += explained.source(source, &config, &context, arguments.diff)?;
    }
    if faults > 0 {
        return Ok(messages::nothing_was("explained", faults));
    }
    if is_table && explained.objects.is_empty() {
        messages::summary("no SeldonDeployment found");
    }
    let fails = arguments.surroundings.strict && explained.problems > 0;
    print(&match arguments.output {
        form @ (ExplainForm::Table | ExplainForm::Wide) => {
            table::text(&explained.objects, &config.trigger, form)
        }
        ExplainForm::Json => json(&answer(explained.objects)?),
        ExplainForm::Yaml => to_yaml(&answer(explained.objects)?),
    })?;
    if !explained.diff.is_empty() {
        messages::print_diff(&format!("\n{}", messages::folded(&explained.diff)))?;
    }
    Ok(if fails { Status::Differs } else { Status::Done })
}

/// The objects of all sources.
#[derive(Default)]
struct Explained {
    objects: Vec<Located>,
    /// The changes of an injection, if `--diff` asks for them.
    diff: String,
    problems: usize,
}

impl Explained {
    /// Explains the objects of one source. Returns how many documents cannot be read or edited.
    fn source(
        &mut self,
        source: &Source,
        config: &Config,
        context: &Context<'_>,
        with_diff: bool,
    ) -> anyhow::Result<usize> {
        let name = source.name();
        // An object of a cluster has no lines.
        let line = |line: usize| (!matches!(source, Source::Live { .. })).then_some(line);
        let (mut before, mut after) = (String::new(), String::new());
        let faults = each(source, config, context, |document, done| {
            self.problems += messages::of_document(&name, document.first_line, &done);
            if with_diff {
                before.push_str(&document.text);
                after.push_str(done.text.as_deref().unwrap_or(&document.text));
            }
            self.objects
                .extend(done.objects.into_iter().map(|mut seen| {
                    for note in &mut seen.explanation.notes {
                        self.problems += usize::from(note.problem);
                        note.line = note.line.and_then(|at| line(document.first_line + at - 1));
                    }
                    Located {
                        file: name.clone(),
                        line: line(document.first_line + seen.line - 1),
                        explanation: seen.explanation,
                    }
                }));
            Ok(())
        })?;
        if before != after {
            self.diff.push_str(&messages::diff(&name, &before, &after));
        }
        Ok(faults)
    }
}

fn answer(objects: Vec<Located>) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(Answer {
        schema: SCHEMA,
        objects,
    })?)
}
