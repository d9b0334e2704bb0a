//! `jaeger-config`: the `ConfigMap`s that hold the sampler for the Python wrapper.

use std::io::{self, Write};

use anyhow::{Context as _, bail};

use super::documents::each;
use super::sources::{Source, find};
use super::transform::context;
use super::{Status, config, talk};
use crate::cli;
use crate::config::Config;
use crate::inject::{Context, JaegerConfig, Setting, Task};
use crate::jaeger_config::{ConfigMaps, Wish};
use crate::manifest::emit::to_yaml;
use crate::offline::{self, Written};

/// `jaeger-config`
pub(super) fn jaeger_config(arguments: &cli::JaegerConfig) -> anyhow::Result<Status> {
    let file = arguments.surroundings.config.as_deref();
    let sources = match &arguments.name {
        Some(_) => Vec::new(),
        None => find(&arguments.input, file)?,
    };
    let Some(config) = config::load(file)? else {
        return Ok(Status::BadInput);
    };
    let context = context(
        &arguments.surroundings,
        arguments.tracing.as_deref(),
        &config,
    )?;
    if let Some(name) = &arguments.name {
        return print(&of_config(name, &config, &context)?);
    }
    let mut found = Found::default();
    for source in &sources {
        found.read(source, &config, &context)?;
    }
    let maps = found.maps();
    if found.faults > 0 {
        return Ok(talk::nothing_was("rendered", found.faults));
    }
    found.say_who_mounts_none(&maps);
    print(&maps)
}

/// What the config alone says.
fn of_config(name: &str, config: &Config, context: &Context<'_>) -> anyhow::Result<ConfigMaps> {
    if name.is_empty() || !Setting::ConfigMap.accepts(name) {
        bail!("--name {name}: must be {}", Setting::ConfigMap.expected());
    }
    let profile = match context.task {
        Task::Trigger(value) if value.eq_ignore_ascii_case("false") => {
            bail!("--tracing false asks for no tracing, so there is no sampler to render");
        }
        Task::Trigger(value) => config.profiles.contains_key(value).then_some(value),
        _ => None,
    };
    let settings = JaegerConfig::of_config(name, config, context.namespace, profile);
    let mut maps = ConfigMaps::default();
    if let Some(wish) = Wish::of(&settings, context.namespace, "--name".to_owned()) {
        maps.add(wish)?;
    }
    Ok(maps)
}

fn print(maps: &ConfigMaps) -> anyhow::Result<Status> {
    let documents: Vec<String> = maps.objects().map(|object| to_yaml(&object)).collect();
    io::stdout()
        .write_all(documents.join("---\n").as_bytes())
        .context("cannot write to standard output")?;
    Ok(Status::Done)
}

/// What was found in the sources.
#[derive(Default)]
struct Found {
    /// The files that are asked for.
    wishes: Vec<Wish>,
    /// `ConfigMap`s that stand in the sources, with their place.
    written: Vec<(String, Written)>,
    objects: usize,
    /// The `SeldonDeployment`s that mount no `ConfigMap`.
    without: Vec<String>,
    faults: usize,
}

impl Found {
    fn read(
        &mut self,
        source: &Source,
        config: &Config,
        context: &Context<'_>,
    ) -> anyhow::Result<()> {
        let name = source.name();
        let faults = each(source, config, context, |document, done| {
            let place = |line: usize| format!("{name}:{}", document.first_line + line - 1);
            let written = offline::config_maps(&document.text, context.namespace);
            let written = written
                .into_iter()
                .map(|written| (place(written.line), written));
            self.written.extend(written);
            talk::warnings(&name, document.first_line, &done);
            for seen in done.objects {
                self.objects += 1;
                let place = place(seen.line);
                if seen.wishes.is_empty() {
                    let object = seen.explanation.name.as_deref().unwrap_or("(no name)");
                    self.without.push(format!("{object} ({place})"));
                }
                self.wishes.extend(seen.wishes.into_iter().map(|wish| Wish {
                    by: format!("{} ({place})", wish.by),
                    ..wish
                }));
            }
            Ok(())
        })?;
        self.faults += faults;
        Ok(())
    }

    /// What is to be rendered. A person's `ConfigMap` of the same name may hold more than a sampler: it is not to be written over.
    fn maps(&mut self) -> ConfigMaps {
        for (place, written) in self.written.iter().filter(|(_, written)| !written.is_ours) {
            let count = self.wishes.len();
            self.wishes.retain(|wish| {
                // One without a namespace goes wherever somebody applies it.
                let may_be_it = written.namespace.is_none() || written.namespace == wish.namespace;
                wish.name != written.name || !may_be_it
            });
            if self.wishes.len() < count {
                talk::warning(&format!(
                    "{place}: ConfigMap {} stands there already, written by hand: it is not rendered",
                    written.name
                ));
            }
        }
        let mut maps = ConfigMaps::default();
        for wish in std::mem::take(&mut self.wishes) {
            if let Err(clash) = maps.add(wish) {
                talk::error(&clash.to_string());
                self.faults += 1;
            }
        }
        maps
    }

    fn say_who_mounts_none(&self, maps: &ConfigMaps) {
        /// How many are named.
        const NAMED: usize = 5;
        if self.objects == 0 {
            return talk::summary("no SeldonDeployment found");
        }
        if self.without.is_empty() {
            return;
        }
        let mut names = self.without.iter().take(NAMED).cloned().collect::<Vec<_>>();
        if self.without.len() > NAMED {
            names.push(format!("{} more", self.without.len() - NAMED));
        }
        talk::summary(&format!(
            "{} no ConfigMap: {}",
            match self.without.len() {
                1 => "1 SeldonDeployment mounts".to_owned(),
                count => format!("{count} SeldonDeployments mount"),
            },
            names.join(", ")
        ));
        if maps.is_empty() {
            talk::summary(
                "one that is traced asks by the annotation tracing.seldon.io/config-map: NAME, or by configMap in the config; MLServer reads none",
            );
        }
    }
}
