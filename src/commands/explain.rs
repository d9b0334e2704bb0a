//! `explain`: what is or would be injected, and why.

use std::io::{self, Write};

use anyhow::Context as _;
use serde::Serialize;
use tabwriter::TabWriter;

use super::sources::find;
use super::talk::printable;
use super::{Status, config, talk};
use crate::cli::{Explain, Form};
use crate::explain::{ExplainedPredictor, ExplainedTarget, ExplainedVariable, Explanation};
use crate::inject::Context;
use crate::manifest::emit::to_yaml;
use crate::manifest::stream::Documents;
use crate::offline;

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
    let Some(config) = config::load(arguments.surroundings.config.as_deref())? else {
        return Ok(Status::BadInput);
    };
    let context = Context {
        namespace: arguments.surroundings.namespace.as_deref(),
        namespace_default: arguments.surroundings.namespace_default,
        ..Context::default()
    };
    let mut status = Status::Done;
    let mut objects = Vec::new();
    for source in find(&arguments.input)? {
        let name = source.name();
        for document in Documents::new(source.open()?) {
            let document = document.with_context(|| format!("cannot read {name}"))?;
            match offline::run(&document.text, &config, &context) {
                Ok(done) => {
                    for (line, why) in &done.ignored {
                        talk::summary(&format!("{name}:{}: {why}", document.first_line + line - 1));
                    }
                    objects.extend(done.objects.into_iter().map(|mut seen| {
                        for note in &mut seen.explanation.notes {
                            note.line = note.line.map(|line| document.first_line + line - 1);
                        }
                        Located {
                            file: name.clone(),
                            line: document.first_line + seen.line - 1,
                            explanation: seen.explanation,
                        }
                    }));
                }
                Err(fault) => {
                    talk::fault(&name, document.first_line, &fault);
                    status = Status::BadInput;
                }
            }
        }
    }
    let text = match arguments.output {
        Form::Table => table(&objects)?,
        Form::Json => format!(
            "{:#}\n",
            serde_json::to_value(Answer {
                schema: SCHEMA,
                objects
            })?
        ),
        Form::Yaml => to_yaml(&serde_json::to_value(Answer {
            schema: SCHEMA,
            objects,
        })?),
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")?;
    Ok(status)
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
        ("removed", _) => "traces of an injection to be taken out",
        ("unchanged", _) => "traced, nothing to do",
        (_, true) => "to be changed",
        _ => "not traced",
    };
    writeln!(
        lines,
        "{file}:{line}: SeldonDeployment {}: {what}",
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
        let text = format!(
            "{}: {}{detail} [{}]",
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
        (true, Some(profile)) => format!("traced, profile {profile}"),
        (true, None) => "traced".to_owned(),
        (false, _) => format!(
            "nothing of ours in it: {} [{}]",
            predictor.reason.text(),
            predictor.reason.code()
        ),
    };
    writeln!(lines, "  predictor {}: {state}", printable(name))?;
    let mut columns = TabWriter::new(Vec::new()).padding(2);
    if predictor
        .targets
        .iter()
        .any(|target| target.left.is_some() || !target.variables.is_empty())
    {
        writeln!(columns, "    TARGET\tVARIABLE\tVALUE\tFROM\tACTION")?;
    }
    for target in &predictor.targets {
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
    let name = printable(format!("{} {}", target.kind, target.name).trim());
    let mut first = Some(name);
    if let Some(reason) = target.left {
        let target = first.take().unwrap_or_default();
        writeln!(
            rows,
            "    {target}\t\t\t\tleft alone: {} [{}]",
            reason.text(),
            reason.code()
        )?;
    }
    for variable in &target.variables {
        let target = first.take().unwrap_or_default();
        let ExplainedVariable {
            name,
            action,
            value,
            from,
            reason,
        } = variable;
        let why = reason
            .map(|reason| format!(": {} [{}]", reason.text(), reason.code()))
            .unwrap_or_default();
        let value = printable(value.as_deref().unwrap_or_default());
        writeln!(
            rows,
            "    {target}\t{name}\t{value}\t{}\t{action}{why}",
            from.unwrap_or_default()
        )?;
    }
    Ok(())
}
