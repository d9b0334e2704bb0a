//! `explain`: what is or would be injected, and why.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::Value;
use tabwriter::TabWriter;

use super::documents::each;
use super::sources::{Source, find};
use super::talk::printable;
use super::transform::context;
use super::{Status, config, rewrite, talk};
use crate::cli::{Explain, Form};
use crate::config::Config;
use crate::explain::{ExplainedPredictor, ExplainedTarget, ExplainedVariable, Explanation};
use crate::inject::{Context, Reason};
use crate::manifest::emit::to_yaml;

/// The version of the schema in `docs/explain.md`.
const SCHEMA: u32 = 1;

/// The answer for machines.
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
        bail!("--diff goes with the table, for a diff is not for machines; leave out --diff or -o");
    }
    let file = arguments.surroundings.config.as_deref();
    let sources = find(&arguments.input, file)?;
    let Some(config) = config::load(file)? else {
        return Ok(Status::BadInput);
    };
    let context = context(
        &arguments.surroundings,
        arguments.tracing.as_deref(),
        &config,
    )?;
    let mut found = Found::default();
    let mut faults = 0;
    for source in &sources {
        faults += found.read(source, &config, &context, arguments.diff)?;
    }
    if faults > 0 {
        return Ok(talk::nothing_was("explained", faults));
    }
    let text = match arguments.output {
        Form::Table => table(&found.objects)?,
        Form::Json => json(&answer(found.objects)?),
        Form::Yaml => to_yaml(&answer(found.objects)?),
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")?;
    if !found.diff.is_empty() {
        rewrite::print_diff(&format!("\n{}", found.diff))?;
    }
    Ok(Status::Done)
}

/// What was found in the sources.
#[derive(Default)]
struct Found {
    objects: Vec<Located>,
    /// What an injection changes in the texts, if that is asked for.
    diff: String,
}

impl Found {
    /// Explains what is in one source. Says how much of it cannot be worked on.
    fn read(
        &mut self,
        source: &Source,
        config: &Config,
        context: &Context<'_>,
        with_diff: bool,
    ) -> anyhow::Result<usize> {
        let name = source.name();
        let (mut before, mut after) = (String::new(), String::new());
        let faults = each(source, config, context, |document, done| {
            talk::ignored(&name, document.first_line, &done);
            if with_diff {
                before.push_str(&document.text);
                after.push_str(done.text.as_deref().unwrap_or(&document.text));
            }
            self.objects
                .extend(done.objects.into_iter().map(|mut seen| {
                    for note in &mut seen.explanation.notes {
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
            self.diff.push_str(&rewrite::diff(&name, &before, &after));
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

/// The value as JSON that is safe to look at: also the control characters that JSON allows as they are stand escaped.
pub(super) fn json(value: &Value) -> String {
    let mut text = String::new();
    for letter in format!("{value:#}\n").chars() {
        if letter.is_control() && letter != '\n' {
            let _ = write!(text, "\\u{:04x}", u32::from(letter));
        } else {
            text.push(letter);
        }
    }
    text
}

fn table(objects: &[Located]) -> anyhow::Result<String> {
    let mut text = String::new();
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        text.push_str(&object_table(object)?);
    }
    if objects.is_empty() {
        talk::summary("no SeldonDeployment found");
    }
    Ok(text)
}

fn object_table(
    Located {
        file,
        line,
        explanation,
    }: &Located,
) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    let name = explanation.name.as_deref().unwrap_or("(no name)");
    let namespace = explanation
        .namespace
        .as_deref()
        .map(|namespace| format!("{namespace}/"))
        .unwrap_or_default();
    let what = match (explanation.outcome, explanation.would_change) {
        ("injected", _) => "to be injected",
        ("removed", _) if explanation.predictors.iter().any(|it| it.traced) => "to be changed",
        ("removed", _) => "what was injected is to be taken out",
        ("unchanged", _) => "traced, nothing to do",
        (_, true) => "to be changed",
        _ => "not traced",
    };
    writeln!(
        lines,
        "{}:{line}: SeldonDeployment {}: {what}",
        printable(file),
        printable(&format!("{namespace}{name}"))
    )?;
    for predictor in &explanation.predictors {
        predictor_table(predictor, &mut lines)?;
    }
    if !explanation.notes.is_empty() {
        writeln!(lines, "  notes:")?;
    }
    for note in &explanation.notes {
        let mark = if note.problem { "!" } else { "-" };
        let detail = if note.detail.is_empty() {
            String::new()
        } else {
            format!(" ({})", note.detail)
        };
        let line = note
            .line
            .map(|line| format!("line {line}, "))
            .unwrap_or_default();
        let text = format!(
            "{line}{}: {}{detail} [{}]",
            note.path,
            note.text,
            note.reason.code()
        );
        writeln!(lines, "  {mark} {}", printable(&text))?;
    }
    Ok(String::from_utf8(lines)?)
}

fn predictor_table(predictor: &ExplainedPredictor, lines: &mut Vec<u8>) -> anyhow::Result<()> {
    let name = predictor.name.as_deref().unwrap_or(&predictor.path);
    let state = match (predictor.traced, &predictor.profile) {
        (true, Some(profile)) => format!("traced, profile {}", printable(profile)),
        (true, None) => "traced".to_owned(),
        (false, _) => format!(
            "not injected: {} [{}]",
            predictor.reason.text(),
            predictor.reason.code()
        ),
    };
    writeln!(lines, "  predictor {}: {state}", printable(name))?;
    let mut columns = TabWriter::new(Vec::new()).padding(2);
    // What is left alone for the reason that has just been given needs no row of its own.
    let mut targets = predictor
        .targets
        .iter()
        .filter(|target| !target.variables.is_empty() || target.left != Some(predictor.reason))
        .filter(|target| !target.variables.is_empty() || target.left.is_some())
        .peekable();
    if targets.peek().is_some() {
        writeln!(
            columns,
            "    TARGET\tVARIABLE\tACTION\tVALUE (FROM) OR REASON"
        )?;
    }
    for target in targets {
        target_rows(target, &mut columns)?;
    }
    columns.flush()?;
    let table = columns
        .into_inner()
        .map_err(|error| anyhow::anyhow!("cannot lay out the table: {error}"))?;
    let table = String::from_utf8(table)?;
    for row in table.lines() {
        writeln!(lines, "{}", row.trim_end())?;
    }
    Ok(())
}

fn target_rows(target: &ExplainedTarget, rows: &mut impl Write) -> io::Result<()> {
    let mut name = printable(format!("{} {}", target.kind, target.name).trim());
    if let (Some(reason), []) = (target.left, target.variables.as_slice()) {
        writeln!(rows, "    {name}\tall\tleave\t{}", because(reason))?;
    }
    for variable in &target.variables {
        let ExplainedVariable {
            name: variable,
            action,
            value,
            from,
            reason,
        } = variable;
        let value = value.as_deref().map(printable).unwrap_or_default();
        let from = from.map(|from| format!(" ({from})")).unwrap_or_default();
        let reason = reason.map(because).unwrap_or_default();
        writeln!(
            rows,
            "    {}\t{variable}\t{action}\t{value}{from}{reason}",
            std::mem::take(&mut name)
        )?;
    }
    Ok(())
}

fn because(reason: Reason) -> String {
    format!("{} [{}]", reason.text(), reason.code())
}
