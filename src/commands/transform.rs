//! `inject` and `uninject`: manifests in, manifests out.

use std::io::{self, Seek, SeekFrom, Write};

use anyhow::{Context as _, bail};
use tempfile::SpooledTempFile;

use super::documents::each;
use super::interrupt::{Interrupt, Interrupted};
use super::rewrite::{self, Rewrites};
use super::sources::{Source, find};
use super::talk::plural;
use super::{Status, config, talk};
use crate::cli::{Inject, Output, Surroundings, Uninject};
use crate::config::Config;
use crate::inject::{Context, Task};
use crate::offline::Done;

/// How much output is held in memory before it goes to a temporary file: nothing is printed before all is known to be right.
const HELD_IN_MEMORY: usize = 4 * 1024 * 1024;

/// `inject`
pub(super) fn inject(arguments: &Inject) -> anyhow::Result<Status> {
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

/// What the command line says beside the manifests.
pub(super) fn context<'a>(
    surroundings: &'a Surroundings,
    tracing: Option<&'a str>,
    config: &Config,
) -> anyhow::Result<Context<'a>> {
    Ok(Context {
        namespace: surroundings.namespace.as_deref(),
        namespace_default: surroundings.namespace_default,
        task: task(tracing, config)?,
    })
}

/// What `--tracing` asks for.
fn task<'a>(tracing: Option<&'a str>, config: &Config) -> anyhow::Result<Task<'a>> {
    let Some(value) = tracing else {
        return Ok(Task::Follow);
    };
    let known = value.eq_ignore_ascii_case("true")
        || value.eq_ignore_ascii_case("false")
        || config.profiles.contains_key(value);
    if known {
        return Ok(Task::Trigger(value));
    }
    let allowed = ["true", "false"]
        .into_iter()
        .chain(config.profiles.keys().map(String::as_str))
        .collect::<Vec<_>>()
        .join(", ");
    bail!("--tracing {value}: there is no such profile in the config; allowed: {allowed}");
}

/// What a run has come to so far.
#[derive(Default)]
struct Totals {
    files: usize,
    objects: usize,
    injected: usize,
    removed: usize,
    changed_files: usize,
    faults: usize,
}

impl Totals {
    fn count(&mut self, done: &Done) {
        self.objects += done.objects.len();
        let of = |outcome| {
            done.objects
                .iter()
                .filter(|seen| seen.explanation.outcome == outcome)
                .count()
        };
        self.injected += of("injected");
        self.removed += of("removed");
    }
}

fn transform(
    sources: &[Source],
    output: &Output,
    config: &Config,
    context: &Context<'_>,
) -> anyhow::Result<Status> {
    if !output.in_place {
        return work(sources, output, config, context, &Interrupt::default());
    }
    sources.iter().try_for_each(rewrite::check)?;
    let interrupt = Interrupt::listen().context("cannot listen to signals")?;
    let done = work(sources, output, config, context, &interrupt);
    // What was prepared is removed by now.
    if let Some(error) = done
        .as_ref()
        .err()
        .filter(|error| error.is::<Interrupted>())
    {
        super::report(error);
        interrupt.end()?;
    }
    done
}

fn work(
    sources: &[Source],
    output: &Output,
    config: &Config,
    context: &Context<'_>,
    interrupt: &Interrupt,
) -> anyhow::Result<Status> {
    let mut totals = Totals::default();
    let mut held = SpooledTempFile::new(HELD_IN_MEMORY);
    let mut rewrites = Rewrites::default();
    let mut ends_line = true;
    for source in sources {
        let name = source.name();
        let mut changed = false;
        let mut before = String::new();
        let mut after = String::new();
        let mut first = true;
        totals.files += 1;
        let faults = each(source, config, context, |document, done| {
            interrupt.check()?;
            talk::warnings(&name, document.first_line, &done);
            totals.count(&done);
            changed |= done.text.is_some();
            let text = done.text.as_deref().unwrap_or(&document.text);
            if output.prints_manifests() {
                // A byte order mark stands at the beginning of a stream or not at all.
                let text = if first && totals.files > 1 {
                    text.trim_start_matches('\u{feff}')
                } else {
                    text
                };
                if std::mem::take(&mut first) && totals.files > 1 {
                    held.write_all(separator(ends_line, text).as_bytes())?;
                }
                held.write_all(text.as_bytes())?;
                ends_line = text.ends_with('\n');
            } else if output.diff || output.in_place {
                before.push_str(&document.text);
                after.push_str(text);
            }
            Ok(())
        })?;
        totals.faults += faults;
        if !changed {
            continue;
        }
        totals.changed_files += 1;
        if output.diff {
            held.write_all(rewrite::diff(&name, &before, &after).as_bytes())?;
        } else if output.check {
            writeln!(held, "{}", talk::printable(&name))?;
        }
        if let (true, Source::File(path)) = (output.in_place, source) {
            rewrites.add(path, &after)?;
        }
    }
    interrupt.check()?;
    conclude(output, &totals, held, rewrites, interrupt)
}

/// What stands between the documents of two files.
fn separator(ends_line: bool, text: &str) -> &'static str {
    let mut lines = text.lines().map(str::trim_end);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    let first = first.unwrap_or_default();
    let is_marker = first == "---" || first.starts_with("--- ") || first.starts_with("---\t");
    match (ends_line, is_marker, first.starts_with('%')) {
        (true, true, _) => "",
        (false, true, _) => "\n",
        // Before a directive the last document has to be ended; the next one has a marker of its own.
        (true, _, true) => "...\n",
        (false, _, true) => "\n...\n",
        (true, false, false) => "---\n",
        (false, false, false) => "\n---\n",
    }
}

fn conclude(
    output: &Output,
    totals: &Totals,
    mut held: SpooledTempFile,
    rewrites: Rewrites,
    interrupt: &Interrupt,
) -> anyhow::Result<Status> {
    if totals.faults > 0 {
        let written = if output.in_place {
            "written"
        } else {
            "printed"
        };
        return Ok(talk::nothing_was(written, totals.faults));
    }
    rewrites.carry_out()?;
    interrupt.over();
    held.seek(SeekFrom::Start(0))?;
    if output.diff {
        let mut text = String::new();
        io::Read::read_to_string(&mut held, &mut text)?;
        rewrite::print_diff(&text)?;
    } else {
        io::copy(&mut held, &mut io::stdout().lock()).context("cannot write to standard output")?;
    }
    io::stdout()
        .flush()
        .context("cannot write to standard output")?;
    if output.in_place || output.check {
        talk::summary(&format!(
            "{}, {}: {} injected, {} taken out; {} {}",
            plural(totals.files, "file"),
            plural(totals.objects, "SeldonDeployment"),
            totals.injected,
            totals.removed,
            plural(totals.changed_files, "file"),
            if output.check {
                "would change"
            } else {
                "written"
            },
        ));
    }
    Ok(if output.check && totals.changed_files > 0 {
        Status::Differs
    } else {
        Status::Done
    })
}
