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

/// The spans of a trace in the order in which they are drawn.
pub(super) struct Chart<'t> {
    pub(super) rows: Vec<Row<'t>>,
    /// The time of the whole trace, in microseconds; never 0.
    pub(super) whole: u64,
}

/// A span, below the one that caused it.
pub(super) struct Row<'t> {
    pub(super) span: &'t Span,
    pub(super) depth: usize,
    /// When it began, in microseconds after the trace.
    pub(super) offset: u64,
    /// Which of the services it is of: each has a colour.
    pub(super) service: usize,
}

impl<'t> Chart<'t> {
    pub(super) fn new(trace: &'t [Span]) -> Self {
        let begin = trace.iter().map(|span| span.start).min().unwrap_or(0);
        let end = trace.iter().map(|span| span.start + span.duration).max();
        let mut services: Vec<&str> = Vec::new();
        let rows = ordered(trace, None, 0).into_iter().map(|(span, depth)| {
            if !services.contains(&span.service.as_str()) {
                services.push(&span.service);
            }
            let service = services.iter().position(|it| *it == span.service);
            Row {
                span,
                depth,
                offset: span.start - begin,
                service: service.unwrap_or(0),
            }
        });
        Self {
            rows: rows.collect(),
            whole: (end.unwrap_or(begin) - begin).max(1),
        }
    }
}

/// A line for each span, below the one that caused it: service, operation, start, duration, and a bar. A service has a colour.
pub(super) fn waterfall(trace: &[Span]) -> String {
    let Chart { rows, whole } = Chart::new(trace);
    let operations: Vec<String> = rows
        .iter()
        .map(|row| format!("{:1$}{2}", "", row.depth * 2, row.span.operation))
        .collect();
    let width = |words: &mut dyn Iterator<Item = usize>| words.max().unwrap_or(0).max(9);
    let first = width(&mut rows.iter().map(|row| row.span.service.len()));
    let second = width(&mut operations.iter().map(|it| it.chars().count()));
    let mut text = format!(
        "{:first$}  {:second$}  {:>11}  {:>11}\n",
        "service", "operation", "start", "duration"
    );
    for (row, operation) in rows.iter().zip(&operations) {
        let colour = COLOURS[row.service % COLOURS.len()];
        let style = Style::new().fg_color(Some(colour.into()));
        let before = (row.offset * WIDTH / whole).min(WIDTH - 1);
        let length = (row.span.duration * WIDTH)
            .div_ceil(whole)
            .clamp(1, WIDTH - before);
        writeln!(
            text,
            "{style}{:first$}{style:#}  {operation:second$}  {:>11}  {:>11}  {:before$}{style}{}{style:#}",
            row.span.service,
            milliseconds(row.offset),
            milliseconds(row.span.duration),
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
pub(super) fn milliseconds(microseconds: u64) -> String {
    format!("{:.2} ms", microseconds as f64 / 1000.0)
}
