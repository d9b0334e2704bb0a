//! What is said on standard error: faults, warnings, what is left as it is.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use super::Status;
use crate::offline::{Done, Fault};

/// Something that is wrong.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Something to look at.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Text from a manifest without what would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() || turns_text(letter) {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

/// Whether the character changes the direction of the text around it, so that people read other than what is there.
const fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn say(style: Style, word: &str, text: &str) {
    let mut stderr = anstream::stderr().lock();
    // There is nobody left to tell if this fails.
    let _ = writeln!(stderr, "{style}{word}{style:#}: {}", printable(text));
}

/// Says that a document cannot be worked on.
pub(super) fn fault(source: &str, first_line: usize, fault: &Fault) {
    let line = first_line + fault.line - 1;
    let path = if fault.path.is_empty() {
        String::new()
    } else {
        format!("{}: ", fault.path)
    };
    say(
        ERROR,
        "error",
        &format!("{source}:{line}: {path}{}", fault.message),
    );
}

/// Says something that is wrong beyond one document.
pub(super) fn error(text: &str) {
    say(ERROR, "error", text);
}

/// Says that faults kept the command from its work.
pub(super) fn nothing_was(done: &str, faults: usize) -> Status {
    let faults = plural(faults, "problem");
    error(&format!("nothing was {done}: {faults} to mend first"));
    Status::BadInput
}

/// Says what somebody should look at beyond one document.
pub(super) fn warning(text: &str) {
    say(WARNING, "warning", text);
}

/// Says what somebody should look at in a document.
pub(super) fn warnings(source: &str, first_line: usize, done: &Done) {
    ignored(source, first_line, done);
    for note in done
        .objects
        .iter()
        .flat_map(|seen| &seen.explanation.notes)
        .filter(|note| note.problem)
    {
        let line = first_line + note.line.unwrap_or(1) - 1;
        let detail = if note.detail.is_empty() {
            String::new()
        } else {
            format!(" ({})", note.detail)
        };
        let code = note.reason.code();
        say(
            WARNING,
            "warning",
            &format!(
                "{source}:{line}: {}: {}{detail} [{code}]",
                note.path, note.text
            ),
        );
    }
}

/// Says what looks like a `SeldonDeployment` and is left as it is.
pub(super) fn ignored(source: &str, first_line: usize, done: &Done) {
    for (line, why) in &done.ignored {
        say(
            WARNING,
            "warning",
            &format!("{source}:{}: {why}", first_line + line - 1),
        );
    }
}

/// Says how it went.
pub(super) fn summary(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// A count with its thing, in the plural where it is one.
pub(super) fn plural(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
