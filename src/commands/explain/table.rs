//! The tables of `explain`.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use serde::Serialize;

use crate::cli::ExplainForm;
use crate::commands::messages::{plural, printable, width};
use crate::inject::explain::{
    ExplainedNote, ExplainedPredictor, ExplainedTarget, ExplainedVariable, Explanation,
};
use crate::inject::{Change, Origin, Outcome, Reason};

const GOOD: Style = AnsiColor::Green.on_default();
const ASIDE: Style = AnsiColor::Yellow.on_default();
const WRONG: Style = AnsiColor::Red.on_default();

/// An object with its place.
#[derive(Serialize)]
pub(super) struct Located {
    pub(super) file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    #[serde(flatten)]
    pub(super) explanation: Explanation,
}

/// Renders the explained objects as tables. The wide form lists every variable of every target. `trigger` is the key of the tracing
/// annotation.
pub(super) fn text(objects: &[Located], trigger: &str, form: ExplainForm) -> String {
    let mut page = Page {
        text: String::new(),
        trigger,
        width: width(),
        wide: form == ExplainForm::Wide,
    };
    for object in objects {
        page.object(object);
    }
    page.text
}

/// The text, and how it is laid out.
struct Page<'a> {
    text: String,
    trigger: &'a str,
    width: u16,
    wide: bool,
}

impl Page<'_> {
    fn object(&mut self, object: &Located) {
        let Located {
            file,
            line,
            explanation,
        } = object;
        let name = explanation.name.as_deref().unwrap_or("(no name)");
        let namespace = explanation.namespace.as_deref();
        let namespace = namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
        let (style, state) = match (explanation.outcome, explanation.would_change) {
            (Outcome::Injected, _) => (GOOD, "to be traced"),
            (Outcome::Removed, _) if explanation.predictors.iter().any(|it| it.traced) => {
                (GOOD, "to be changed")
            }
            (Outcome::Removed, _) => (ASIDE, "tracing to be removed"),
            (Outcome::Unchanged, _) => (GOOD, "traced"),
            (Outcome::TracedByHand, _) => (GOOD, "traced by hand"),
            (Outcome::UserDisabled, _) => (ASIDE, "tracing turned off by hand"),
            (Outcome::NothingToTrace, _) => (ASIDE, "nothing in it can be traced"),
            (Outcome::Skipped, true) => (ASIDE, "to be changed"),
            (Outcome::Skipped, false) => (ASIDE, "not traced"),
        };
        let (style, problems) = match explanation.notes.iter().filter(|it| it.problem).count() {
            0 => (style, String::new()),
            count => (WRONG, format!(", {}", plural(count, "problem"))),
        };
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        let title = format!("{namespace}{name}: {state}{problems} ({file}{line})");
        self.table(0, style.bold(), &[[title]]);
        for predictor in &explanation.predictors {
            self.predictor(predictor, &explanation.notes);
        }
        for note in &explanation.notes {
            let (style, mark) = if note.problem {
                (WRONG, "!")
            } else {
                (Style::new(), "-")
            };
            let line = note.line.map(|line| format!("line {line}, "));
            let text = format!("{}{note}", line.unwrap_or_default());
            self.table(2, style, &[[mark.to_owned(), text]]);
        }
    }

    fn predictor(&mut self, predictor: &ExplainedPredictor, notes: &[ExplainedNote]) {
        let name = predictor.name.as_deref().unwrap_or(&predictor.path);
        let (style, state) = match (predictor.traced, predictor.reason) {
            (true, _) => (GOOD, "traced"),
            (false, Reason::TracedByHand) => (GOOD, "traced by hand"),
            (false, _) => (ASIDE, "not traced"),
        };
        let mut text = format!("{name}: {state}");
        if let Some(profile) = &predictor.profile {
            text = format!("{text}, profile {profile}");
        }
        // A note says the same and more.
        let is_said = notes.iter().any(|note| note.reason == predictor.reason);
        if !predictor.traced && !is_said {
            text = format!("{text}: {}", because(predictor.reason));
        }
        if predictor.reason == Reason::NoTrigger {
            let trigger = self.trigger;
            text = format!("{text}; to trace it, add {trigger}: \"true\" to metadata.annotations");
        }
        self.table(2, style, &[["predictor".to_owned(), text]]);
        let mut last = String::new();
        let rows = rows(predictor, self.wide);
        let rows = rows.iter().map(|(targets, variables)| {
            let target = label(targets, self.wide);
            let is_repeated = std::mem::replace(&mut last, target.clone()) == target;
            let target = if is_repeated { String::new() } else { target };
            let (variables, text) = told(variables, predictor.reason);
            [target, variables, text]
        });
        self.table(4, Style::new(), &rows.collect::<Vec<_>>());
    }

    /// Adds rows in columns. Long text is wrapped inside its column.
    fn table<const COLUMNS: usize>(
        &mut self,
        indent: u16,
        style: Style,
        rows: &[[String; COLUMNS]],
    ) {
        if rows.is_empty() {
            return;
        }
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width)
            .add_rows(
                rows.iter()
                    .map(|row| row.each_ref().map(|it| printable(it))),
            );
        let gap = if COLUMNS > 2 { 2 } else { 1 };
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if at == 0 { indent } else { gap }, 0));
            if at == 0 && COLUMNS > 1 {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Percentage(40)));
            }
        }
        for line in table.lines() {
            let _ = writeln!(self.text, "{style}{}{style:#}", line.trim_end());
        }
    }
}

/// Variables for which the same is done, and the targets in which it is.
type Row<'a> = (Vec<&'a ExplainedTarget>, Vec<ExplainedVariable>);

fn rows(predictor: &ExplainedPredictor, wide: bool) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for target in &predictor.targets {
        let mut variables = target.variables.clone();
        // A target that is left alone for the reason of its predictor needs no row.
        if variables.is_empty() && target.left.is_some_and(|why| why != predictor.reason) {
            variables.push(ExplainedVariable {
                name: "all",
                action: Change::None,
                value: None,
                from: None,
                reason: target.left,
            });
        }
        variables.retain(|it| wide || it.reason != Some(Reason::NotReadHere));
        let why = |it: &ExplainedVariable| (it.action, it.from, it.reason);
        let all_left = variables.iter().all(|it| {
            it.value.is_none() && variables.first().is_some_and(|first| why(first) == why(it))
        });
        // Several such variables are one row, with their number.
        let is_counted = |it: &ExplainedVariable| {
            !wide && (all_left || it.from == Some(Origin::BuiltIn) || it.action == Change::Remove)
        };
        variables.sort_by_key(|it| !wide && !is_counted(it));
        for same in variables.chunk_by(|one, next| is_counted(one) && why(one) == why(next)) {
            match rows.iter_mut().find(|row| !wide && row.1 == same) {
                Some((targets, _)) => targets.push(target),
                None => rows.push((vec![target], same.to_vec())),
            }
        }
    }
    rows
}

/// The names of targets. Of many, only their number.
fn label(targets: &[&ExplainedTarget], wide: bool) -> String {
    let kinds = targets.chunk_by(|one, next| one.kind == next.kind);
    let labels = kinds.map(|same| {
        let kind = same
            .first()
            .map_or("", |it| it.kind.code())
            .replace('-', " ");
        let names: Vec<_> = same.iter().map(|it| it.name.as_str()).collect();
        match names.as_slice() {
            [""] => kind,
            [name] if wide => format!("{kind} {name}"),
            [_] | [_, _] => names.join(", "),
            _ => plural(names.len(), &kind),
        }
    });
    labels.collect::<Vec<_>>().join(", ")
}

/// The names or the number of variables, and what is done with them. The known reason is not repeated.
fn told(variables: &[ExplainedVariable], known: Reason) -> (String, String) {
    let Some(first) = variables.first() else {
        return Default::default();
    };
    let (name, value) = match (variables.len(), &first.value, first.from.map(Origin::code)) {
        (1, Some(value), Some(from)) => (first.name.to_owned(), Some(format!("{value} ({from})"))),
        (1, ..) => (first.name.to_owned(), None),
        (count, _, from) => {
            let value = from.map(|from| format!("{from} values"));
            (plural(count, "variable"), value)
        }
    };
    let action = Some(first.action).filter(|it| !matches!(it, Change::Add | Change::None));
    let reason = first.reason.filter(|reason| *reason != known).map(because);
    let text: Vec<_> = [action.map(|it| it.code().to_owned()), value, reason]
        .into_iter()
        .flatten()
        .collect();
    (name, text.join(": "))
}

fn because(reason: Reason) -> String {
    format!("{} [{}]", reason.text(), reason.code())
}
