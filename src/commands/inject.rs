//! `inject` and `uninject`: manifests in, manifests out.

use std::io::{self, Read, Seek, Write};

use anyhow::{Context as _, bail};
use serde::de::IgnoredAny;
use tempfile::SpooledTempFile;

use super::config;
use super::exit::Status;
use super::in_place::{self, Interrupt, Interrupted, Prepared};
use super::messages::{self, json, plural};
use super::sources::{Source, each, find};
use super::summary::Summary;
use crate::cli::{DataForm, Inject, Output, Surroundings, Uninject};
use crate::config::Config;
use crate::inject::{Context, Task};
use crate::manifest::emit::to_yaml;
use crate::offline::{parse, unreadable};

/// Nothing is printed before all input is known to be good. More output than this waits in a temporary file.
const HELD_IN_MEMORY: usize = 4 * 1024 * 1024;

/// `inject`
pub(super) fn inject(arguments: &Inject) -> anyhow::Result<Status> {
    let file = arguments.surroundings.file.config.as_deref();
    let sources = find(&arguments.input, file)?;
    let Some(config) = config::load(file)? else {
        return Ok(Status::Failed);
    };
    let tracing = arguments.tracing.as_deref();
    let context = context(&arguments.surroundings, tracing, &config)?;
    let strict = arguments.surroundings.strict;
    run(&sources, &arguments.output, strict, &config, &context)
}

/// `uninject`
pub(super) fn uninject(arguments: &Uninject) -> anyhow::Result<Status> {
    let file = arguments.file.config.as_deref();
    let sources = find(&arguments.input, file)?;
    let Some(config) = config::load(file)? else {
        return Ok(Status::Failed);
    };
    let context = Context {
        task: Task::Uninject,
        ..Context::default()
    };
    run(&sources, &arguments.output, false, &config, &context)
}

/// What the flags say about all manifests.
pub(super) fn context<'a>(
    surroundings: &'a Surroundings,
    tracing: Option<&'a str>,
    config: &Config,
) -> anyhow::Result<Context<'a>> {
    Ok(Context {
        namespace: surroundings.namespace.as_deref(),
        namespace_default: surroundings.namespace_enabled,
        task: tracing.map_or(Ok(Task::Follow), |value| task(value, config))?,
        nulls: None,
    })
}

/// The task of `--tracing VALUE`.
fn task<'a>(value: &'a str, config: &Config) -> anyhow::Result<Task<'a>> {
    let allowed: Vec<_> = ["true", "false"]
        .into_iter()
        .chain(config.profiles.keys().map(String::as_str))
        .collect();
    let is_word = ["true", "false"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    if is_word || allowed.contains(&value) {
        return Ok(Task::Trigger(value));
    }
    bail!(
        "--tracing {value}: there is no such profile in the config; allowed: {}",
        allowed.join(", ")
    );
}

fn run(
    sources: &[Source],
    output: &Output,
    strict: bool,
    config: &Config,
    context: &Context<'_>,
) -> anyhow::Result<Status> {
    let mut run = Run::new(output);
    if output.in_place {
        sources.iter().try_for_each(in_place::check)?;
        run.interrupt = Interrupt::listen().context("cannot listen to signals")?;
    }
    let done = sources
        .iter()
        .try_for_each(|source| run.source(source, config, context))
        .and_then(|()| Ok(run.interrupt.check()?));
    match done {
        Ok(()) => run.conclude(strict),
        Err(error) => {
            let Run {
                interrupt,
                prepared,
                ..
            } = run;
            drop(prepared);
            if error.is::<Interrupted>() {
                messages::error(&format!("{error:#}"));
                interrupt.end()?;
            }
            Err(error)
        }
    }
}

/// One run over all sources.
struct Run<'a> {
    output: &'a Output,
    files: usize,
    changed_files: usize,
    faults: usize,
    warnings: usize,
    summary: Summary,
    /// The output.
    held: SpooledTempFile,
    /// Whether the printed text ends with a line break.
    ends_line: bool,
    /// Whether all of it is JSON objects.
    only_json: bool,
    prepared: Prepared,
    interrupt: Interrupt,
}

impl<'a> Run<'a> {
    fn new(output: &'a Output) -> Self {
        Self {
            output,
            files: 0,
            changed_files: 0,
            faults: 0,
            warnings: 0,
            summary: Summary::default(),
            held: SpooledTempFile::new(HELD_IN_MEMORY),
            ends_line: true,
            only_json: true,
            prepared: Prepared::default(),
            interrupt: Interrupt::default(),
        }
    }

    fn source(
        &mut self,
        source: &Source,
        config: &Config,
        context: &Context<'_>,
    ) -> anyhow::Result<()> {
        let name = source.name();
        let mut changed = false;
        let (mut before, mut after) = (String::new(), String::new());
        let mut first = true;
        self.files += 1;
        let faults = each(source, config, context, |document, done| {
            self.interrupt.check()?;
            if let Some(duplicate) = done.duplicates.first() {
                messages::fault(&name, document.first_line, duplicate);
                self.faults += 1;
                return Ok(());
            }
            self.warnings += messages::warnings(&name, document.first_line, &done);
            for seen in &done.objects {
                let would = self.output.check || (self.output.diff && !self.output.in_place);
                self.summary.add(&seen.explanation, context.task, would);
            }
            changed |= done.text.is_some();
            let text = done.text.as_deref().unwrap_or(&document.text);
            if let Some(form) = self.output.output {
                self.print_as(form, &name, document.first_line, text)?;
            } else if self.output.prints_manifests() {
                self.print(text, std::mem::take(&mut first))?;
            } else if self.output.diff || self.output.in_place {
                before.push_str(&document.text);
                after.push_str(text);
            }
            Ok(())
        })?;
        self.faults += faults;
        if !changed {
            return Ok(());
        }
        self.changed_files += 1;
        if self.output.diff {
            let diff = messages::diff(&name, &before, &after);
            self.held.write_all(diff.as_bytes())?;
        } else if self.output.check {
            writeln!(self.held, "{}", messages::printable(&name))?;
        }
        if let (true, Source::File(path)) = (self.output.in_place, source) {
            self.prepared.add(path, &after)?;
        }
        Ok(())
    }

    /// Holds the objects of a document for printing in a format.
    fn print_as(
        &mut self,
        form: DataForm,
        name: &str,
        first_line: usize,
        text: &str,
    ) -> io::Result<()> {
        match parse(text).and_then(|tree| tree.to_value()) {
            Ok(value) if value.is_null() => Ok(()),
            Ok(value) => self.held.write_all(
                match form {
                    DataForm::Yaml => format!("---\n{}", to_yaml(&value)),
                    DataForm::Json => json(&value),
                }
                .as_bytes(),
            ),
            Err(error) => {
                self.faults += 1;
                messages::fault(name, first_line, &unreadable(text, error));
                Ok(())
            }
        }
    }

    /// Holds a document for printing, with a separator between two files.
    fn print(&mut self, text: &str, is_first: bool) -> io::Result<()> {
        let mut text = text;
        // JSON objects need nothing between them, unless YAML stands before them.
        let is_json =
            text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok();
        if self.files > 1 && (is_first || (is_json && !self.only_json)) {
            // Only the beginning of a stream can have a byte order mark.
            text = text.trim_start_matches('\u{feff}');
            let separator = match (is_json && self.only_json, self.ends_line) {
                (true, true) => "",
                (true, false) => "\n",
                _ => separator(self.ends_line, text),
            };
            self.held.write_all(separator.as_bytes())?;
        }
        self.only_json &= is_json;
        self.held.write_all(text.as_bytes())?;
        self.ends_line = text.ends_with('\n');
        Ok(())
    }

    fn conclude(mut self, strict: bool) -> anyhow::Result<Status> {
        let written = if self.output.in_place {
            "written"
        } else {
            "printed"
        };
        if self.faults > 0 {
            return Ok(messages::nothing_was(written, self.faults));
        }
        self.prepared.replace()?;
        self.interrupt.over();
        self.held.rewind()?;
        if self.output.diff {
            let mut text = String::new();
            self.held.read_to_string(&mut text)?;
            messages::print_diff(&text)?;
        } else {
            let mut stdout = io::stdout().lock();
            io::copy(&mut self.held, &mut stdout)
                .and_then(|_| stdout.flush())
                .context("cannot write to standard output")?;
        }
        if !self.output.quiet {
            let files = plural(self.changed_files, "file");
            let changed = match (self.output.in_place, self.output.check) {
                (true, _) => Some(format!("; {files} written")),
                (_, true) => Some(format!("; {files} would change")),
                _ => None,
            };
            self.summary.say(self.files, changed.as_deref());
        }
        let differs = self.output.check && self.changed_files > 0;
        Ok(if differs || (strict && self.warnings > 0) {
            Status::Differs
        } else {
            Status::Done
        })
    }
}

/// The text between the documents of two files.
fn separator(ends_line: bool, text: &str) -> &'static str {
    let mut lines = text.lines().map(str::trim_end);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    let first = first.unwrap_or_default();
    let is_marker = first == "---" || first.starts_with("--- ") || first.starts_with("---\t");
    match (ends_line, is_marker, first.starts_with('%')) {
        (true, true, _) => "",
        (false, true, _) => "\n",
        // A directive follows only an ended document, and has a marker of its own.
        (true, _, true) => "...\n",
        (false, _, true) => "\n...\n",
        (true, false, false) => "---\n",
        (false, false, false) => "\n---\n",
    }
}
