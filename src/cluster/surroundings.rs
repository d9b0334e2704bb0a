//! What decides beside an object: the cluster's own config, and the labels of its namespaces.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace as Resource};
use kube::api::{Api, ListParams};
use kube::{Client, Error};

use super::failure::Failure;
use super::names::{CONFIG_KEY, CONFIG_MAP};
use super::namespaces::state;
use crate::config::Config;
use crate::inject::{Assessment, Namespace, Standing, assess};

/// How many namespaces the API server gives at a time.
const PAGE: u32 = 500;

/// The config of the webhook and the namespaces, as far as they can be read.
pub(crate) struct Surroundings {
    pub(crate) config: Config,
    /// Whether `config` is that of the cluster. Otherwise it is the built-in one.
    is_of_cluster: bool,
    namespaces: HashMap<String, Namespace>,
    /// What could not be read, and what follows from that.
    pub(crate) notes: Vec<String>,
}

impl Surroundings {
    /// Reads them, for one namespace or for all. `ours` is where the webhook is installed. A missing right is a note.
    ///
    /// # Errors
    /// The API server cannot be reached, or refuses the credentials.
    pub(crate) async fn read(
        client: &Client,
        ours: &str,
        namespace: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut notes = Vec::new();
        let (config, namespaces) = futures::future::join(
            read_config(client, ours),
            read_namespaces(client, ours, namespace),
        )
        .await;
        let config = config?.unwrap_or_else(|note| {
            notes.push(note);
            None
        });
        let namespaces = namespaces?.unwrap_or_else(|note| {
            notes.push(note);
            HashMap::new()
        });
        Ok(Self {
            is_of_cluster: config.is_some(),
            config: config.unwrap_or_default(),
            namespaces,
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

    /// Says where an object of that namespace is. Whether it is outdated, only the cluster's own config can tell.
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
type Read<T> = Result<Result<T, String>, Failure>;

/// What follows where the config of the cluster is not known.
const BUILT_IN: &str = "the built-in config is used, and no model is called outdated";

async fn read_config(client: &Client, ours: &str) -> Read<Option<Config>> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), ours);
    let place = format!("ConfigMap {ours}/{CONFIG_MAP}");
    let doing = format!("read the {place}");
    let map = match noted(doing, api.get_opt(CONFIG_MAP).await)? {
        Ok(Some(map)) => map,
        Ok(None) => {
            let note = format!(
                "there is no {place}, so the webhook does not seem to be installed; {BUILT_IN}"
            );
            return Ok(Err(note));
        }
        Err(note) => return Ok(Err(format!("{note}; {BUILT_IN}"))),
    };
    let data = map.data.unwrap_or_default();
    let Some(text) = data.get(CONFIG_KEY) else {
        return Ok(Err(format!(
            "the {place} has no key {CONFIG_KEY}; {BUILT_IN}"
        )));
    };
    Ok(match Config::read(text) {
        Ok(config) => Ok(Some(config)),
        Err(problems) => {
            let first = problems.lines(CONFIG_KEY).next().unwrap_or_default();
            Err(format!(
                "the config in the {place} is not valid ({first}), so the webhook keeps an earlier one; {BUILT_IN}"
            ))
        }
    })
}

async fn read_namespaces(
    client: &Client,
    ours: &str,
    one: Option<&str>,
) -> Read<HashMap<String, Namespace>> {
    const GUESS: &str = "what is traced by a namespace is told only by what the models have";
    let api: Api<Resource> = Api::all(client.clone());
    let mut found = HashMap::new();
    let mut add = |name: String, labels: Option<BTreeMap<String, String>>| {
        let state = state(&name, &labels.unwrap_or_default(), ours);
        found.insert(name, state);
    };
    if let Some(name) = one {
        let doing = format!("read the labels of the namespace {name}");
        match noted(doing, api.get_metadata_opt(name).await)? {
            Ok(Some(namespace)) => add(name.to_owned(), namespace.metadata.labels),
            Ok(None) => {}
            Err(note) => return Ok(Err(format!("{note}; {GUESS}"))),
        }
        return Ok(Ok(found));
    }
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let list = api.list_metadata(&params).await;
        let list = match noted("read the labels of the namespaces".to_owned(), list)? {
            Ok(list) => list,
            Err(note) => return Ok(Err(format!("{note}; {GUESS}"))),
        };
        for item in list.items {
            add(item.metadata.name.unwrap_or_default(), item.metadata.labels);
        }
        params.continue_token = list.metadata.continue_.filter(|it| !it.is_empty());
        if params.continue_token.is_none() {
            return Ok(Ok(found));
        }
    }
}

/// Makes a missing right a note.
fn noted<T>(doing: String, result: Result<T, Error>) -> Read<T> {
    match result.map_err(|why| Failure::of(doing, why)) {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Forbidden { doing, .. }) => {
            Ok(Err(format!("not checked: no permission to {doing}")))
        }
        Err(failure) => Err(failure),
    }
}
