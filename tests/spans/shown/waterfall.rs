//! The drawing of a trace.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::rig::query::Span;

/// How many characters the whole time of the trace has.
const WIDTH: u64 = 40;

const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Blue,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Yellow,
    AnsiColor::Cyan,
];

/// A line for each span, below the one that caused it: service, operation, start, duration, and a bar. A service has a colour.
pub(super) fn waterfall(trace: &[Span]) -> String {
    let begin = trace.iter().map(|span| span.start).min().unwrap_or(0);
    let end = trace.iter().map(|span| span.start + span.duration).max();
    let whole = (end.unwrap_or(begin) - begin).max(1);
    let lines = ordered(trace, None, 0);
    let operations: Vec<String> = lines
        .iter()
        .map(|(span, depth)| format!("{:1$}{2}", "", depth * 2, span.operation))
        .collect();
    let width = |words: &mut dyn Iterator<Item = usize>| words.max().unwrap_or(0).max(9);
    let first = width(&mut lines.iter().map(|(span, _)| span.service.len()));
    let second = width(&mut operations.iter().map(|it| it.chars().count()));
    let mut services: Vec<&str> = Vec::new();
    let mut text = format!(
        "{:first$}  {:second$}  {:>11}  {:>11}\n",
        "service", "operation", "start", "duration"
    );
    for ((span, _), operation) in lines.iter().zip(&operations) {
        if !services.contains(&span.service.as_str()) {
            services.push(&span.service);
        }
        let at = services.iter().position(|it| *it == span.service);
        let colour = COLOURS[at.unwrap_or(0) % COLOURS.len()];
        let style = Style::new().fg_color(Some(colour.into()));
        let offset = span.start - begin;
        let before = (offset * WIDTH / whole).min(WIDTH - 1);
        let length = (span.duration * WIDTH)
            .div_ceil(whole)
            .clamp(1, WIDTH - before);
        writeln!(
            text,
            "{style}{:first$}{style:#}  {operation:second$}  {:>11}  {:>11}  {:before$}{style}{}{style:#}",
            span.service,
            milliseconds(offset),
            milliseconds(span.duration),
            "",
            "█".repeat(usize::try_from(length).unwrap()),
            before = usize::try_from(before).unwrap(),
        )
        .unwrap();
    }
    text
}

/// Each span behind the one that caused it, with how deep it is. One whose cause is not in the trace has none.
fn ordered<'t>(trace: &'t [Span], parent: Option<&str>, depth: usize) -> Vec<(&'t Span, usize)> {
    let known = |id: &String| trace.iter().any(|span| span.id == *id);
    trace
        .iter()
        .filter(|span| {
            span.parent
                .as_ref()
                .filter(|id| known(id))
                .map(String::as_str)
                == parent
        })
        .flat_map(|span| {
            let mut lines = vec![(span, depth)];
            lines.extend(ordered(trace, Some(&span.id), depth + 1));
            lines
        })
        .collect()
}

/// Microseconds as people read them.
#[allow(
    clippy::cast_precision_loss,
    reason = "nobody sees the last digits of days"
)]
fn milliseconds(microseconds: u64) -> String {
    format!("{:.2} ms", microseconds as f64 / 1000.0)
}
