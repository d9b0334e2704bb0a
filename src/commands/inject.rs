//! `inject` and `uninject`: manifests in, manifests out.

use std::io::{self, Read, Seek, Write};

use anyhow::{Context as _, bail};
use tempfile::SpooledTempFile;

use super::config;
use super::in_place::{self, Interrupt, Interrupted, Prepared};
use super::messages::{self, plural};
use super::sources::{Source, each, find};
use super::status::Status;
use crate::cli::{Inject, Output, Surroundings, Uninject};
use crate::config::Config;
use crate::inject::{Context, Outcome, Task};
use crate::offline::Done;

/// Nothing is printed before all input is known to be good. More output than this waits in a temporary file.
const HELD_IN_MEMORY: usize = 4 * 1024 * 1024;

/// `inject`
pub(super) fn inject(arguments: &Inject) -> anyhow::Result<Status> {
    let file = arguments.surroundings.config.as_deref();
    let sources = find(&arguments.input, file)?;
    let Some(config) = config::load(file)? else {
        return Ok(Status::BadInput);
    };
    let tracing = arguments.tracing.as_deref();
    let context = context(&arguments.surroundings, tracing, &config)?;
    transform(&sources, &arguments.output, &config, &context)
}

/// `uninject`
pub(super) fn uninject(arguments: &Uninject) -> anyhow::Result<Status> {
    let file = arguments.config.as_deref();
    let sources = find(&arguments.input, file)?;
    let Some(config) = config::load(file)? else {
        return Ok(Status::BadInput);
    };
    let context = Context {
        task: Task::Uninject,
        ..Context::default()
    };
    transform(&sources, &arguments.output, &config, &context)
}

/// What the flags say about all manifests.
pub(super) fn context<'a>(
    surroundings: &'a Surroundings,
    tracing: Option<&'a str>,
    config: &Config,
) -> anyhow::Result<Context<'a>> {
    Ok(Context {
        namespace: surroundings.namespace.as_deref(),
        namespace_default: surroundings.namespace_default,
        task: tracing.map_or(Ok(Task::Follow), |value| task(value, config))?,
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

fn transform(
    sources: &[Source],
    output: &Output,
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
        Ok(()) => run.conclude(),
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
    objects: usize,
    injected: usize,
    removed: usize,
    changed_files: usize,
    faults: usize,
    /// The output.
    held: SpooledTempFile,
    /// Whether the printed text ends with a line break.
    ends_line: bool,
    prepared: Prepared,
    interrupt: Interrupt,
}

impl<'a> Run<'a> {
    fn new(output: &'a Output) -> Self {
        Self {
            output,
            files: 0,
            objects: 0,
            injected: 0,
            removed: 0,
            changed_files: 0,
            faults: 0,
            held: SpooledTempFile::new(HELD_IN_MEMORY),
            ends_line: true,
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
        self.faults += each(source, config, context, |document, done| {
            self.interrupt.check()?;
            messages::warnings(&name, document.first_line, &done);
            self.count(&done);
            changed |= done.text.is_some();
            let text = done.text.as_deref().unwrap_or(&document.text);
            if self.output.prints_manifests() {
                self.print(text, std::mem::take(&mut first))?;
            } else if self.output.diff || self.output.in_place {
                before.push_str(&document.text);
                after.push_str(text);
            }
            Ok(())
        })?;
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

    fn count(&mut self, done: &Done) {
        self.objects += done.objects.len();
        for seen in &done.objects {
            match seen.explanation.outcome {
                Outcome::Injected => self.injected += 1,
                Outcome::Removed => self.removed += 1,
                Outcome::Unchanged
                | Outcome::TracedByHand
                | Outcome::UserDisabled
                | Outcome::NothingToTrace
                | Outcome::Skipped => {}
            }
        }
    }

    /// Holds a document for printing, with a separator between two files.
    fn print(&mut self, text: &str, is_first: bool) -> io::Result<()> {
        let mut text = text;
        if is_first && self.files > 1 {
            // Only the beginning of a stream can have a byte order mark.
            text = text.trim_start_matches('\u{feff}');
            self.held
                .write_all(separator(self.ends_line, text).as_bytes())?;
        }
        self.held.write_all(text.as_bytes())?;
        self.ends_line = text.ends_with('\n');
        Ok(())
    }

    fn conclude(mut self) -> anyhow::Result<Status> {
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
        if self.output.in_place || self.output.check {
            messages::summary(&format!(
                "{}, {}: {} injected, {} removed; {} {}",
                plural(self.files, "file"),
                plural(self.objects, "SeldonDeployment"),
                self.injected,
                self.removed,
                plural(self.changed_files, "file"),
                if self.output.check {
                    "would change"
                } else {
                    "written"
                },
            ));
        }
        Ok(if self.output.check && self.changed_files > 0 {
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
