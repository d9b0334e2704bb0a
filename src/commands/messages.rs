//! What commands print: messages on standard error, JSON and diffs on standard output.

use std::fmt::{self, Write as _};
use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use imara_diff::{
    Algorithm, Diff, InternedInput, Interner, Token, UnifiedDiffConfig, UnifiedDiffPrinter,
};
use serde_json::Value;

use super::exit::Status;
use crate::cli::Cli;
use crate::config::setting::RECORD;
use crate::offline::{Done, Fault};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Text from a manifest without the characters that control a terminal.
pub(super) fn printable(text: &str) -> String {
    let is_unsafe = |letter: char| letter.is_control() || changes_direction(letter);
    text.replace(is_unsafe, "\u{fffd}")
}

/// Such characters show text in another order than it is stored in.
const fn changes_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn say(style: Style, word: &str, text: &str) {
    let text = Cli::text(text);
    let mut stderr = anstream::stderr().lock();
    // If standard error is closed, there is nowhere left to report it.
    let _ = writeln!(stderr, "{style}{word}{style:#}: {}", printable(&text));
}

/// Reports a document that cannot be read or edited.
pub(super) fn fault(file: &str, first_line: usize, fault: &Fault) {
    let line = first_line + fault.line - 1;
    let path = match fault.path.as_str() {
        "" => String::new(),
        path => format!("{path}: "),
    };
    error(&format!("{file}:{line}: {path}{}", fault.message));
}

/// Reports an error.
pub(super) fn error(text: &str) {
    say(ERROR, "error", text);
}

/// Reports that a command did nothing because of errors in its input.
pub(super) fn nothing_was(done: &str, faults: usize) -> Status {
    let problems = plural(faults, "problem");
    error(&format!("nothing was {done}: fix {problems} first"));
    Status::Failed
}

/// Reports the problems in a document. Returns how many there are.
pub(super) fn warnings(file: &str, first_line: usize, done: &Done) -> usize {
    let objects = done.objects.iter();
    let notes = objects.flat_map(|seen| &seen.explanation.notes);
    let mut count = of_document(file, first_line, done);
    for note in notes.filter(|note| note.problem) {
        let line = first_line + note.line.unwrap_or(1) - 1;
        warning(&format!("{file}:{line}: {note}"));
        count += 1;
    }
    count
}

/// Reports keys that are written twice, and objects that look like a `SeldonDeployment` and are left unchanged. Returns how many there are.
pub(super) fn of_document(file: &str, first_line: usize, done: &Done) -> usize {
    for Fault { line, message, .. } in &done.duplicates {
        let line = first_line + line - 1;
        warning(&format!("{file}:{line}: {message}; the last one counts"));
    }
    for (line, why) in &done.ignored {
        let line = first_line + line - 1;
        warning(&format!("{file}:{line}: {why}"));
    }
    done.duplicates.len() + done.ignored.len()
}

/// Reports a problem.
pub(super) fn warning(text: &str) {
    say(WARNING, "warning", text);
}

/// Prints lines on standard error.
pub(super) fn summary(text: &str) {
    let text = Cli::text(text);
    let mut stderr = anstream::stderr().lock();
    for line in text.lines() {
        let _ = writeln!(stderr, "{}", printable(line));
    }
}

/// `1 file`, `2 files`.
pub(super) fn plural(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// In less, columns cannot be read.
const MIN_WIDTH: u16 = 60;

/// How wide a table may be.
pub(super) fn width() -> u16 {
    let wanted = std::env::var("COLUMNS").ok();
    wanted
        .and_then(|columns| columns.parse().ok())
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0))
        .map_or(80, |width: u16| width.max(MIN_WIDTH))
}

/// Prints text on standard output, in colour where that is on.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")
}

/// JSON with every control character escaped, so that it is safe on a terminal.
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

/// A unified diff of one file.
pub(super) fn diff(name: &str, before: &str, after: &str) -> String {
    let lines = InternedInput::new(before, after);
    // The time of the other algorithm grows with the square of the lines if the same lines repeat in thousands of models.
    let mut diff = Diff::compute(Algorithm::Myers, &lines);
    diff.postprocess_lines(&lines);
    let printer = Hunks(&lines.interner);
    let hunks = diff.unified_diff(&printer, UnifiedDiffConfig::default(), &lines);
    let hunks = hunks.to_string();
    if hunks.is_empty() {
        return hunks;
    }
    let name = printable(name.trim_start_matches('/'));
    format!("--- a/{name}\n+++ b/{name}\n{hunks}")
}

/// The hunks of a diff as GNU's diff and `patch` have them.
struct Hunks<'l, 't>(&'l Interner<&'t str>);

impl Hunks<'_, '_> {
    fn line(&self, mut to: impl fmt::Write, sign: char, token: Token) -> fmt::Result {
        let line = self.0[token];
        write!(to, "{sign}{line}")?;
        if line.ends_with('\n') {
            return Ok(());
        }
        to.write_str("\n\\ No newline at end of file\n")
    }
}

impl UnifiedDiffPrinter for Hunks<'_, '_> {
    fn display_header(
        &self,
        mut to: impl fmt::Write,
        before: u32,
        after: u32,
        len_before: u32,
        len_after: u32,
    ) -> fmt::Result {
        let range = |start: u32, len| match len {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            len => format!("{},{len}", start + 1),
        };
        let (before, after) = (range(before, len_before), range(after, len_after));
        writeln!(to, "@@ -{before} +{after} @@")
    }

    fn display_context_token(&self, to: impl fmt::Write, token: Token) -> fmt::Result {
        self.line(to, ' ', token)
    }

    fn display_hunk(
        &self,
        mut to: impl fmt::Write,
        before: &[Token],
        after: &[Token],
    ) -> fmt::Result {
        for (sign, lines) in [('-', before), ('+', after)] {
            for token in lines {
                self.line(&mut to, sign, *token)?;
            }
        }
        Ok(())
    }
}

/// A diff for people, in which the record is one short line.
pub(super) fn folded(diff: &str) -> String {
    let fold = |line: &str| {
        let (sign, text) = line.split_at_checked(1).unwrap_or_default();
        let text = text.trim_start_matches([' ', '\t', '"', '\'']);
        if text.starts_with(RECORD) {
            format!("({sign} the record of what was added)\n")
        } else {
            line.to_owned()
        }
    };
    diff.split_inclusive('\n').map(fold).collect()
}

/// Prints a diff, in colour on a terminal.
pub(super) fn print_diff(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    for line in text.split_inclusive('\n') {
        let style = match line.as_bytes().first() {
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'-') => AnsiColor::Red.on_default(),
            Some(b'@') => AnsiColor::Cyan.on_default(),
            _ => Style::new(),
        };
        let (content, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |content| (content, "\n"));
        write!(stdout, "{style}{content}{style:#}{end}")
            .context("cannot write to standard output")?;
    }
    Ok(())
}
