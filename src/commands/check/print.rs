//! The checks for people and for programs.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::{Value, json};

use super::item::Verdict;
use super::judge::Judged;
use crate::commands::messages::{plural, printable};

/// The version of the schema in `docs/check.md`.
const SCHEMA: u32 = 1;

/// The style of the sign, and that of the text.
const fn styles(verdict: Verdict) -> (Style, Style) {
    let plain = Style::new();
    match verdict {
        Verdict::Good => (AnsiColor::Green.on_default(), plain),
        Verdict::Wrong => (
            AnsiColor::Red.on_default().bold(),
            AnsiColor::Red.on_default(),
        ),
        Verdict::Warning => (
            AnsiColor::Yellow.on_default().bold(),
            AnsiColor::Yellow.on_default(),
        ),
        Verdict::NotChecked => (plain, plain.effects(Effects::DIMMED)),
    }
}

/// The checks as a list, with a heading for each section.
pub(super) fn text(checks: &[Judged], width: u16) -> String {
    let mut text = String::new();
    let sections = checks.chunk_by(|one, next| one.item.section() == next.item.section());
    for checks in sections {
        let Some(first) = checks.first() else {
            continue;
        };
        if !text.is_empty() {
            text.push('\n');
        }
        let bold = Style::new().bold();
        let title = first.item.section().1;
        let _ = writeln!(text, "{bold}{title}{bold:#}");
        for check in checks {
            add(&mut text, check, width);
        }
    }
    text
}

fn add(text: &mut String, check: &Judged, width: u16) {
    let finding = &check.finding;
    let said = match finding.verdict {
        Verdict::NotChecked => format!("{}: not checked, {}", check.item.name(), finding.text),
        _ => finding.text.clone(),
    };
    let (sign, style) = styles(finding.verdict);
    let mark = finding.verdict.row().1;
    for (at, line) in wrapped(&said, width - 2).into_iter().enumerate() {
        let mark = if at == 0 { mark } else { " " };
        let _ = writeln!(text, "{sign}{mark}{sign:#} {style}{line}{style:#}");
    }
    for line in wrapped(&finding.advice, width - 4) {
        let _ = writeln!(text, "    {line}");
    }
}

/// The text in lines of at most this width, without what controls a terminal.
fn wrapped(text: &str, width: u16) -> Vec<String> {
    let text = printable(text);
    if text.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .add_row([text]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// The checks for programs.
pub(super) fn value(checks: &[Judged]) -> Value {
    let wrong = count(checks, Verdict::Wrong);
    let shown = checks.iter().map(|Judged { item, finding }| {
        let mut shown = json!({
            "section": item.section().0,
            "check": item.code(),
            "result": finding.verdict.row().0,
            "text": finding.text,
        });
        if !finding.advice.is_empty() {
            shown["advice"] = json!(finding.advice);
        }
        shown
    });
    json!({
        "schema": SCHEMA,
        "good": wrong == 0,
        "checks": shown.collect::<Vec<_>>(),
    })
}

/// How many checks came to this.
pub(super) fn count(checks: &[Judged], verdict: Verdict) -> usize {
    let checks = checks.iter();
    checks.filter(|it| it.finding.verdict == verdict).count()
}

/// The result in one line.
pub(super) fn summary(checks: &[Judged]) -> String {
    let parts = Verdict::ALL.into_iter().filter_map(|verdict| {
        let count = count(checks, verdict);
        let word = verdict.row().2;
        (count > 0).then(|| match verdict {
            Verdict::Warning => plural(count, word),
            _ => format!("{count} {word}"),
        })
    });
    let parts: Vec<_> = parts.collect();
    format!("{}: {}", plural(checks.len(), "check"), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::item::{Finding, Item};

    fn checks() -> Vec<Judged> {
        let long = "0 of 2 pods of the Deployment seldon-tracing are ready (seldon-tracing-7c9f-x: ImagePullBackOff)";
        [
            (Item::ApiServer, Finding::good("it answers: v1\u{1b}[31m")),
            (Item::Pods, Finding::wrong(long, "See why.")),
            (Item::Service, Finding::not_checked("no permission")),
            (
                Item::FailurePolicy,
                Finding::warning("it is Fail", "Set it to Ignore."),
            ),
        ]
        .map(|(item, finding)| Judged { item, finding })
        .into()
    }

    #[test]
    fn people_see_a_list_that_fits_the_width() {
        let text = text(&checks(), 60);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let expected = "\
Cluster
✓ it answers: v1\u{fffd}[31m

Pods
✗ 0 of 2 pods of the Deployment seldon-tracing are ready
  (seldon-tracing-7c9f-x: ImagePullBackOff)
    See why.
- Service: not checked, no permission

Webhook configuration
‼ it is Fail
    Set it to Ignore.
";
        assert_eq!(plain, expected);
        assert_eq!(
            summary(&checks()),
            "4 checks: 1 good, 1 wrong, 1 warning, 1 not checked"
        );
    }

    #[test]
    fn programs_see_the_same() {
        let value = value(&checks());
        assert_eq!(value["good"], false);
        let pods = &value["checks"][1];
        assert_eq!(
            (&pods["section"], &pods["check"]),
            (&json!("pods"), &json!("pods"))
        );
        assert_eq!(
            (&pods["result"], &pods["advice"]),
            (&json!("wrong"), &json!("See why."))
        );
        assert!(value["checks"][0].get("advice").is_none());
        assert_eq!(value["checks"][2]["result"], "not-checked");
    }
}
