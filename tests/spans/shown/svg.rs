//! Traces as a picture for a page, on a light or a dark one.

use std::fmt::Write as _;

use crate::rig::query::Span;

use super::waterfall::{Chart, milliseconds};

/// How wide a column of text is on GitHub.
const WIDTH: u64 = 840;
const MARGIN: u64 = 20;
/// Where the operations and the bars begin.
const OPERATION: u64 = 150;
const BARS: u64 = 410;
/// Behind them stands the duration.
const BARS_END: u64 = 750;
const ROW: u64 = 24;
/// What stands above the rows of a trace, and what parts it from the next.
const HEAD: u64 = 40;
const GAP: u64 = 14;
const INDENT: usize = 14;

/// The picture brings its own ground, because a page does not tell a picture which of the two it has.
const STYLE: &str = "
    .ground { fill: #ffffff; stroke: #d1d9e0; }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; }
    .dim { fill: #59636e; font-size: 12px; }
    .grid { stroke: #d1d9e0; }
    .s0 { fill: #0969da; } .s1 { fill: #1a7f37; } .s2 { fill: #8250df; } .s3 { fill: #bc4c00; } .s4 { fill: #0e7490; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .dim { fill: #9198a1; }
      .grid { stroke: #3d444d; }
      .s0 { fill: #4493f8; } .s1 { fill: #3fb950; } .s2 { fill: #ab7df8; } .s3 { fill: #f0883e; } .s4 { fill: #22b8cf; }
    }
  ";
const COLOURS: usize = 5;

/// Draws traces below each other, each with its title.
pub(super) fn svg(traces: &[(&str, Vec<Span>)]) -> String {
    let height = |trace: &[Span]| HEAD + ROW * u64::try_from(trace.len()).unwrap();
    let all: u64 = traces.iter().map(|(_, trace)| height(trace) + GAP).sum();
    let (width, whole) = (WIDTH - 1, all + MARGIN - GAP + 10);
    let named: Vec<_> = traces.iter().map(|(title, _)| *title).collect();
    let label = escaped(&format!("Traces: {}", named.join("; ")));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" width=\"{WIDTH}\" role=\"img\" aria-label=\"{label}\">
  <style>{STYLE}</style>
  <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{width}\" height=\"{whole}\" rx=\"8\"/>\n",
        whole + 1
    );
    let mut top = MARGIN;
    for (title, trace) in traces {
        draw(&mut svg, title, trace, top);
        top += height(trace) + GAP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, title: &str, trace: &[Span], top: u64) {
    let Chart { rows, whole } = Chart::new(trace);
    let title = escaped(&format!("{title}: {} spans", rows.len()));
    let mut text = |class: &str, x: u64, y: u64, anchor: &str, text: &str| {
        writeln!(
            svg,
            "  <text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        )
        .unwrap();
    };
    text("title", MARGIN, top + 12, "start", &title);
    let bottom = top + HEAD + ROW * u64::try_from(rows.len()).unwrap();
    for quarter in 0..=4 {
        let x = BARS + (BARS_END - BARS) * quarter / 4;
        let time = milliseconds(whole * quarter / 4);
        text("dim", x, top + 12, "middle", &time);
    }
    for quarter in 0..=4 {
        let x = BARS + (BARS_END - BARS) * quarter / 4;
        let from = top + 22;
        writeln!(
            svg,
            "  <line class=\"grid\" x1=\"{x}\" y1=\"{from}\" x2=\"{x}\" y2=\"{bottom}\"/>"
        )
        .unwrap();
    }
    for (row, y) in rows
        .iter()
        .zip((top + HEAD..).step_by(usize::try_from(ROW).unwrap()))
    {
        let along = |time: u64| (BARS_END - BARS) * time / whole;
        let x = BARS + along(row.offset);
        let length = along(row.span.duration).max(2);
        let class = format!("s{}", row.service % COLOURS);
        let operation = OPERATION + u64::try_from(row.depth * INDENT).unwrap();
        let (baseline, end) = (y + 4, WIDTH - MARGIN);
        writeln!(
            svg,
            "  <text class=\"{class}\" x=\"{MARGIN}\" y=\"{baseline}\">{}</text>
  <text x=\"{operation}\" y=\"{baseline}\">{}</text>
  <rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{length}\" height=\"12\" rx=\"2\"/>
  <text class=\"dim\" x=\"{end}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>",
            escaped(&row.span.service),
            escaped(&row.span.operation),
            y - 6,
            milliseconds(row.span.duration),
        )
        .unwrap();
    }
}

/// A text as it stands in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
