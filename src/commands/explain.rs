//! `explain`: prints what is or would be injected, and why.

use std::io::Write;

use anyhow::bail;
use serde::Serialize;
use serde_json::Value;
use tabwriter::TabWriter;

use super::config;
use super::inject::context;
use super::messages::{self, json, print, printable};
use super::sources::{Source, each, find};
use super::status::Status;
use crate::cli::{Explain, Form};
use crate::config::Config;
use crate::inject::explain::{ExplainedPredictor, ExplainedTarget, Explanation};
use crate::inject::{Context, Outcome, Reason};
use crate::manifest::emit::to_yaml;

/// The version of the schema in `docs/explain.md`.
const SCHEMA: u32 = 1;

/// The answer as JSON or YAML.
#[derive(Serialize)]
struct Answer {
    schema: u32,
    objects: Vec<Located>,
}

/// An object with its place.
#[derive(Serialize)]
struct Located {
    file: String,
    line: usize,
    #[serde(flatten)]
    explanation: Explanation,
}

/// `explain`
pub(super) fn explain(arguments: &Explain) -> anyhow::Result<Status> {
    if arguments.diff && arguments.output != Form::Table {
        bail!("--diff can be combined only with -o table; leave out --diff or -o");
    }
    let file = arguments.surroundings.file.config.as_deref();
    let sources = find(&arguments.input, file)?;
    let Some(config) = config::load(file)? else {
        return Ok(Status::BadInput);
    };
    let tracing = arguments.tracing.as_deref();
    let context = context(&arguments.surroundings, tracing, &config)?;
    let mut explained = Explained::default();
    let mut faults = 0;
    for source in &sources {
        faults += explained.source(source, &config, &context, arguments.diff)?;
    }
    if faults > 0 {
        return Ok(messages::nothing_was("explained", faults));
    }
    let fails = arguments.surroundings.strict && explained.problems > 0;
    print(&match arguments.output {
        Form::Table => table(&explained.objects)?,
        Form::Json => json(&answer(explained.objects)?),
        Form::Yaml => to_yaml(&answer(explained.objects)?),
    })?;
    if !explained.diff.is_empty() {
        messages::print_diff(&format!("\n{}", explained.diff))?;
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
                        note.line = note.line.map(|line| document.first_line + line - 1);
                    }
                    Located {
                        file: name.clone(),
                        line: document.first_line + seen.line - 1,
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

fn table(objects: &[Located]) -> anyhow::Result<String> {
    if objects.is_empty() {
        messages::summary("no SeldonDeployment found");
    }
    let tables: Vec<_> = objects
        .iter()
        .map(object_table)
        .collect::<anyhow::Result<_>>()?;
    Ok(tables.join("\n"))
}

fn object_table(object: &Located) -> anyhow::Result<String> {
    let Located {
        file,
        line,
        explanation,
    } = object;
    let mut lines = Vec::new();
    let name = explanation.name.as_deref().unwrap_or("(no name)");
    let namespace = explanation.namespace.as_deref();
    let namespace = namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
    let state = match (explanation.outcome, explanation.would_change) {
        (Outcome::Injected, _) => "to be injected",
        (Outcome::Removed, _) if explanation.predictors.iter().any(|it| it.traced) => {
            "to be changed"
        }
        (Outcome::Removed, _) => "injected variables are to be removed",
        (Outcome::Unchanged, _) => "traced, nothing to do",
        (Outcome::TracedByHand, _) => "traced by hand, nothing to do",
        (Outcome::UserDisabled, _) => "tracing turned off by the user",
        (Outcome::NothingToTrace, _) => "nothing in it can be traced",
        (Outcome::Skipped, true) => "to be changed",
        (Outcome::Skipped, false) => "not traced",
    };
    let title = format!("{file}:{line}: SeldonDeployment {namespace}{name}: {state}");
    writeln!(lines, "{}", printable(&title))?;
    for predictor in &explanation.predictors {
        predictor_table(predictor, &mut lines)?;
    }
    if !explanation.notes.is_empty() {
        writeln!(lines, "  notes:")?;
    }
    for note in &explanation.notes {
        let mark = if note.problem { "!" } else { "-" };
        let line = note.line.map(|line| format!("line {line}, "));
        let text = format!("{}{note}", line.unwrap_or_default());
        writeln!(lines, "  {mark} {}", printable(&text))?;
    }
    Ok(String::from_utf8(lines)?)
}

fn predictor_table(predictor: &ExplainedPredictor, lines: &mut Vec<u8>) -> anyhow::Result<()> {
    let name = predictor.name.as_deref().unwrap_or(&predictor.path);
    let state = match (predictor.traced, &predictor.profile) {
        (true, Some(profile)) => format!("traced, profile {profile}"),
        (true, None) => "traced".to_owned(),
        (false, _) if predictor.reason == Reason::TracedByHand => {
            format!("traced by hand: {}", because(predictor.reason))
        }
        (false, _) => format!("not injected: {}", because(predictor.reason)),
    };
    let title = format!("  predictor {name}: {state}");
    writeln!(lines, "{}", printable(&title))?;
    // A target that is left alone for the reason given above needs no row.
    let has_rows = |target: &&ExplainedTarget| {
        !target.variables.is_empty() || target.left.is_some_and(|reason| reason != predictor.reason)
    };
    let mut columns = TabWriter::new(Vec::new()).padding(2);
    let mut targets = predictor.targets.iter().filter(has_rows).peekable();
    if targets.peek().is_some() {
        writeln!(
            columns,
            "    TARGET\tVARIABLE\tACTION\tVALUE (FROM) OR REASON"
        )?;
    }
    for target in targets {
        target_rows(target, &mut columns)?;
    }
    let table = columns
        .into_inner()
        .map_err(|error| anyhow::anyhow!("cannot lay out the table: {error}"))?;
    for row in String::from_utf8(table)?.lines() {
        writeln!(lines, "{}", row.trim_end())?;
    }
    Ok(())
}

fn target_rows(target: &ExplainedTarget, rows: &mut impl Write) -> std::io::Result<()> {
    let mut name = printable(format!("{} {}", target.kind, target.name).trim());
    if let (Some(reason), []) = (target.left, target.variables.as_slice()) {
        writeln!(rows, "    {name}\tall\tleave\t{}", because(reason))?;
    }
    for variable in &target.variables {
        writeln!(
            rows,
            "    {}\t{}\t{}\t{}{}{}",
            std::mem::take(&mut name),
            variable.name,
            variable.action,
            variable.value.as_deref().map(printable).unwrap_or_default(),
            variable
                .from
                .map(|from| format!(" ({from})"))
                .unwrap_or_default(),
            variable.reason.map(because).unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn because(reason: Reason) -> String {
    format!("{} [{}]", reason.text(), reason.code())
}
