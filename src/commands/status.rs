//! `status`: which models of a cluster are traced, and which should be.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::exit::Status;
use super::fleet::{Cluster, Model, run};
use super::messages::{self, json, plural, print, printable};
use crate::cli::{self, StatusForm};
use crate::inject::Standing;
use crate::manifest::emit::to_yaml;

/// The version of the schema in `docs/fleet.md`.
const SCHEMA: u32 = 1;

/// The answer as JSON or YAML.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    models: &'a [Model],
    /// What could not be read.
    notes: &'a [String],
}

/// `status`
pub(super) fn status(arguments: &cli::Status) -> anyhow::Result<Status> {
    let (cluster, models, notes) = run(async {
        let cluster = Cluster::connect(&arguments.connection, &arguments.scope).await?;
        let surroundings = cluster.surroundings().await?;
        let models = cluster.all(&surroundings).await?;
        Ok((cluster, models, surroundings.notes))
    })?;
    let answer = || {
        serde_json::to_value(Answer {
            schema: SCHEMA,
            models: &models,
            notes: &notes,
        })
    };
    let with_namespace = arguments.scope.all_namespaces;
    print(&match arguments.output {
        form @ (StatusForm::Table | StatusForm::Wide) => table(&models, with_namespace, form),
        StatusForm::Json => json(&answer()?),
        StatusForm::Yaml => to_yaml(&answer()?),
        StatusForm::Name => names(&models),
    })?;
    if models.is_empty() {
        messages::summary(&format!("no SeldonDeployment found {}", cluster.place()));
    } else if matches!(arguments.output, StatusForm::Table | StatusForm::Wide) {
        messages::summary(&total(&models));
    }
    let fails = |model: &Model| {
        arguments
            .fail_on
            .iter()
            .any(|it| it == model.standing.code())
    };
    Ok(if models.iter().any(fails) {
        Status::Differs
    } else {
        Status::Done
    })
}

/// The names, as kubectl takes them.
fn names(models: &[Model]) -> String {
    let line = |model: &Model| {
        format!(
            "seldondeployment.machinelearning.seldon.io/{}\n",
            model.name
        )
    };
    models.iter().map(line).collect()
}

/// A row for each model. Lines are not wrapped, as with kubectl.
fn table(models: &[Model], with_namespace: bool, form: StatusForm) -> String {
    let row = |cells: [&str; 6]| {
        let [namespace, rest @ .., why] = cells;
        let mut row: Vec<_> = with_namespace.then_some(namespace).into_iter().collect();
        row.extend(rest);
        row.extend((form == StatusForm::Wide).then_some(why));
        row.into_iter().map(printable).collect::<Vec<_>>()
    };
    if models.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .add_row(row([
            "NAMESPACE",
            "NAME",
            "ASKED BY",
            "STANDING",
            "TARGETS",
            "WHY",
        ]));
    for model in models {
        let asked_by = match model.asked_by.as_slice() {
            [] => "-".to_owned(),
            askers => askers.join(","),
        };
        let targets = match model.targets {
            0 => "-".to_owned(),
            all => format!("{}/{all}", model.traced),
        };
        let (namespace, name) = (&*model.namespace, &*model.name);
        table.add_row(row([
            namespace,
            name,
            &asked_by,
            model.standing.code(),
            &targets,
            &model.why,
        ]));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let styles = models.iter().map(|model| style(model.standing));
    let mut text = String::new();
    for (line, style) in table.lines().zip([Style::new()].into_iter().chain(styles)) {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{style}{}{style:#}", line.trim_end());
    }
    text
}

fn style(standing: Standing) -> Style {
    match standing {
        Standing::Problem | Standing::Missing => AnsiColor::Red.on_default(),
        Standing::Leftover | Standing::Outdated => AnsiColor::Yellow.on_default(),
        Standing::Traced | Standing::TracedByHand => AnsiColor::Green.on_default(),
        Standing::Off => Style::new(),
    }
}

/// How many there are of each standing.
fn total(models: &[Model]) -> String {
    let counts = Standing::ALL.into_iter().filter_map(|standing| {
        let of_it = models.iter().filter(|it| it.standing == standing);
        let count = of_it.count();
        (count > 0).then(|| format!("{count} {}", standing.code()))
    });
    let counts: Vec<_> = counts.collect();
    let models = plural(models.len(), "SeldonDeployment");
    format!("{models}: {}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::STANDINGS;

    #[test]
    fn the_command_line_knows_every_standing() {
        assert_eq!(Standing::ALL.map(Standing::code), STANDINGS);
    }
}
