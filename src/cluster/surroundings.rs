//! The inputs of a decision besides the object: the cluster's own config, and the labels of its namespaces.

use std::collections::{BTreeMap, HashMap};

use futures::future::join;
use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use super::ask::{Asked, Kind, each, get};
use super::failure::{Failure, Why};
use super::names::{CONFIG_KEY, CONFIG_MAP};
use super::namespaces::state;
use crate::config::Config;
use crate::inject::{Assessment, Namespace, Standing, assess};

/// The config of the webhook and the namespaces, as far as they can be read.
pub(crate) struct Surroundings {
    pub(crate) config: Config,
    /// Whether `config` is that of the cluster. Otherwise it is the built-in one.
    is_of_cluster: bool,
    namespaces: HashMap<String, Namespace>,
    /// What could not be read, with the consequence.
    pub(crate) notes: Vec<String>,
}

impl Surroundings {
    /// Reads them, for one namespace or for all. `ours` is where the webhook is installed. A missing permission becomes a note.
    ///
    /// # Errors
    /// The API server cannot be reached, or refuses the credentials.
    pub(crate) async fn read(client: &Client, ours: &str, namespace: Option<&str>) -> Asked<Self> {
        let namespaces = read_namespaces(client, ours, namespace);
        let (config, namespaces) = join(read_config(client, ours), namespaces).await;
        let (config, namespaces) = (config?, namespaces?);
        let mut notes = Vec::new();
        notes.extend(config.as_ref().err().cloned());
        notes.extend(namespaces.as_ref().err().cloned());
        Ok(Self {
            is_of_cluster: config.is_ok(),
            config: config.unwrap_or_default(),
            namespaces: namespaces.unwrap_or_default(),
            notes,
        })
    }

    /// Whether the config is that of the cluster.
    pub(crate) const fn knows_config(&self) -> bool {
        self.is_of_cluster
    }

    /// What is known of a namespace.
    pub(crate) fn namespace(&self, name: &str) -> Namespace {
        self.namespaces.get(name).copied().unwrap_or_default()
    }

    /// Assesses an object of that namespace. Without the cluster's own config, no object is called outdated.
    pub(crate) fn assess(
        &self,
        json: &str,
        namespace: &str,
    ) -> Result<Assessment, serde_json::Error> {
        let found = assess(json.as_bytes(), &self.config, self.namespace(namespace))?;
        Ok(match found.standing {
            Standing::Outdated if !self.is_of_cluster => Assessment {
                standing: Standing::Traced,
                why: String::new(),
                ..found
            },
            _ => found,
        })
    }
}

/// What was read, or a note on why it was not.
type Read<T> = Result<T, String>;

/// The consequence if the config of the cluster cannot be read.
const BUILT_IN: &str = "using the built-in config, so no model is reported as outdated";

async fn read_config(client: &Client, ours: &str) -> Asked<Read<Config>> {
    let place = format!("ConfigMap {ours}/{CONFIG_MAP}");
    let doing = format!("read the {place}");
    let maps = Kind::new("", "configmaps", Some(ours));
    let map: Value = match get(client, &doing, maps, CONFIG_MAP).await {
        Ok(map) => map,
        Err(failure) if failure.is_absence() => {
            let note = format!(
                "there is no {place}, so the webhook does not seem to be installed; {BUILT_IN}"
            );
            return Ok(Err(note));
        }
        Err(failure) => return noted(failure, BUILT_IN),
    };
    let Some(text) = map["data"][CONFIG_KEY].as_str() else {
        return Ok(Err(format!(
            "the {place} has no key {CONFIG_KEY}; {BUILT_IN}"
        )));
    };
    Ok(Config::read(text).map_err(|problems| {
        let first = problems.lines(CONFIG_KEY).next().unwrap_or_default();
        format!(
            "the config in the {place} is not valid ({first}), so the webhook keeps an earlier one; {BUILT_IN}"
        )
    }))
}

async fn read_namespaces(
    client: &Client,
    ours: &str,
    one: Option<&str>,
) -> Asked<Read<HashMap<String, Namespace>>> {
    const GUESS: &str = "which models a namespace label traces is guessed from the models";
    let mut found = HashMap::new();
    let mut add = |Object { metadata }: Object| {
        let state = state(&metadata.name, &metadata.labels, ours);
        found.insert(metadata.name, state);
    };
    let namespaces = Kind::new("", "namespaces", None);
    let read = if let Some(name) = one {
        let doing = format!("read the labels of the namespace {name}");
        get(client, &doing, namespaces, name).await.map(&mut add)
    } else {
        let doing = "read the labels of the namespaces";
        let seen = |namespace| {
            add(namespace);
            Ok(())
        };
        each(client, doing, namespaces, None, seen).await
    };
    match read {
        Err(failure) if !failure.is_absence() => noted(failure, GUESS),
        _ => Ok(Ok(found)),
    }
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// Turns a missing permission into a note, with its consequence.
fn noted<T>(failure: Failure, so: &str) -> Asked<Read<T>> {
    match failure.why {
        Why::Forbidden => {
            let doing = &failure.doing;
            Ok(Err(format!("not checked: no permission to {doing}; {so}")))
        }
        _ => Err(failure),
    }
}
