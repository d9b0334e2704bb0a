//! The models of a cluster with their standings, as `status` shows them and `resync` takes them.

use std::future::Future;

use anyhow::Context;
use kube::Client;
use serde::Serialize;

use super::messages;
use crate::cli::{Connection, Scope};
use crate::cluster::connect::{Connected, connect};
use crate::cluster::models::{Head, Models, Selection};
use crate::cluster::surroundings::Surroundings;
use crate::inject::{Asker, Assessment, Standing};

/// A model and where it stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Model {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) standing: Standing,
    /// What asks for its tracing.
    pub(super) asked_by: Vec<&'static str>,
    /// How many targets have the variables …
    pub(super) traced: usize,
    /// … of those that have them or should.
    pub(super) targets: usize,
    pub(super) problems: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) why: String,
}

/// A connection to a cluster.
pub(super) struct Cluster {
    pub(super) client: Client,
    /// The namespace of the webhook.
    ours: String,
    pub(super) models: Models,
    /// What the flags select.
    pub(super) selection: Selection,
}

impl Model {
    pub(super) fn new(head: Head, found: Assessment) -> Self {
        Self {
            namespace: head.metadata.namespace,
            name: head.metadata.name,
            standing: found.standing,
            asked_by: found.asked_by.into_iter().map(Asker::code).collect(),
            traced: found.traced,
            targets: found.targets,
            problems: found.problems,
            why: found.why,
        }
    }
}

impl Cluster {
    /// Connects as kubectl does.
    pub(super) async fn connect(connection: &Connection, scope: &Scope) -> anyhow::Result<Self> {
        let Connected { client, namespace } = connect(connection).await?;
        let namespace = scope.namespace.clone().unwrap_or(namespace);
        Ok(Self {
            models: Models::new(client.clone()),
            client,
            ours: connection.tracing_namespace.clone(),
            selection: Selection {
                namespace: (!scope.all_namespaces).then_some(namespace),
                labels: scope.selector.clone(),
            },
        })
    }

    /// Reads the config and the namespaces, and says what could not be read.
    pub(super) async fn surroundings(&self) -> anyhow::Result<Surroundings> {
        let namespace = self.selection.namespace.as_deref();
        let surroundings = Surroundings::read(&self.client, &self.ours, namespace).await?;
        for note in &surroundings.notes {
            messages::summary(note);
        }
        Ok(surroundings)
    }

    /// Reads the selected models.
    pub(super) async fn all(&self, surroundings: &Surroundings) -> anyhow::Result<Vec<Model>> {
        let mut models = Vec::new();
        let seen = |json: &str| {
            let head = Head::read(json)?;
            let found = surroundings.assess(json, &head.metadata.namespace)?;
            models.push(Model::new(head, found));
            Ok(())
        };
        self.models.each(&self.selection, seen).await?;
        Ok(models)
    }

    /// Where the models are, in words.
    pub(super) fn place(&self) -> String {
        let namespace = self.selection.namespace.as_ref();
        let place = namespace.map_or_else(
            || "in all namespaces".to_owned(),
            |name| format!("in the namespace {name}"),
        );
        match &self.selection.labels {
            Some(labels) => format!("{place} with the labels {labels}"),
            None => place,
        }
    }
}

/// Runs a command that talks to a cluster.
pub(super) fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let result = runtime.block_on(work);
    // Open connections are of no more use.
    runtime.shutdown_background();
    result
}
