//! Real manifests over HTTPS, created and updated, become what the offline engine makes of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use seldon_tracing::admission::Route;
use seldon_tracing::apiserver::client::Client;
use seldon_tracing::apiserver::question::{Operation, Question, admitted, version};
use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, Plan};
use seldon_tracing::offline;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::checked::taken;
use crate::support::fixtures::{Corpus, example_objects, triggered};
use crate::support::webhook::Webhook;

tests![the_corpus_over_https_comes_to_what_is_made_of_it_offline];
tests![EXAMPLES: crate::Plain; examples_over_https_come_to_what_is_made_of_them_offline];

const NAMESPACE: &str = "models";

/// Calls at a time: more than the connections that the API server keeps.
const CALLS: usize = 40;

fn context() -> Context<'static> {
    Context {
        namespace: Some(NAMESPACE),
        ..Context::default()
    }
}

/// What the offline engine makes of an object, by way of its text.
fn offline(object: &Value) -> Value {
    let text = object.to_string();
    let done = offline::run(&text, &Config::default(), &context()).unwrap();
    serde_json::from_str(&done.text.unwrap_or(text)).unwrap()
}

/// What the engine makes of an update.
fn engine(object: &Value, old: &Value) -> Value {
    let look = |plan: &Plan<'_>| plan.is_empty();
    crate::support::common::run(object, Some(old), &Config::default(), &context(), look).0
}

/// Asks over HTTPS, and gives the object after the patch.
async fn ask(client: &Client, uid: &str, api: &str, object: &Value, old: Option<&Value>) -> Value {
    let question = Question {
        uid,
        operation: old.map_or(Operation::Create, |_| Operation::Update),
        namespace: NAMESPACE,
        name: object["metadata"]["name"].as_str(),
        version: api,
        dry_run: false,
        user: "somebody",
        object: Some(object),
        old_object: old,
    };
    let body = Bytes::from(question.to_bytes());
    let answered = client.call(body.clone(), Duration::from_mins(1)).await;
    let (_, result) = taken(uid, &answered.unwrap().reply, &body);
    result.unwrap()
}

/// One manifest: created, left as it is, and applied again. Says whether it was traced.
async fn live(client: &Client, name: &str, at: usize, manifest: &Value) -> bool {
    let api = version(manifest);
    let object = admitted(manifest, NAMESPACE);
    let uid = |step: &str| format!("{step}-{at}");
    let created = ask(client, &uid("create"), api, &object, None).await;
    assert_eq!(created, offline(&object), "{name}: CREATE");
    let unchanged = ask(client, &uid("same"), api, &created, Some(&created)).await;
    assert_eq!(unchanged, created, "{name}: an update that changes nothing");
    let applied = ask(client, &uid("apply"), api, &object, Some(&created)).await;
    assert_eq!(applied, engine(&object, &created), "{name}: applied again");
    let settled = ask(client, &uid("settled"), api, &applied, Some(&created)).await;
    assert_eq!(settled, applied, "{name}: it settles");
    created != object
}

fn examples_over_https_come_to_what_is_made_of_them_offline() {
    come_to_what_is_made_of_them_offline(example_objects());
}

fn the_corpus_over_https_comes_to_what_is_made_of_it_offline(corpus: &Corpus) {
    come_to_what_is_made_of_them_offline(corpus.objects());
}

fn come_to_what_is_made_of_them_offline(manifests: Vec<(String, Value)>) {
    let webhook = Webhook::start();
    let client = webhook.client(Route::Mutate);
    let manifests: Vec<_> = manifests
        .into_iter()
        .flat_map(|(name, value)| {
            [value.clone(), triggered(&value)]
                .into_iter()
                .map(move |value| (name.clone(), value))
        })
        .collect();
    let count = manifests.len();
    assert!(count >= 14, "{count}");
    let places = Arc::new(Semaphore::new(CALLS));
    let traced = webhook.block_on(async {
        let mut all = JoinSet::new();
        for (at, (name, manifest)) in manifests.into_iter().enumerate() {
            let (client, places) = (client.clone(), Arc::clone(&places));
            all.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                live(&client, &name, at, &manifest).await
            });
        }
        let mut traced = 0;
        while let Some(done) = all.join_next().await {
            traced += usize::from(done.unwrap());
        }
        traced
    });
    assert!(traced * 3 > count, "{traced} of {count} are traced");
    eprintln!("https: {count} objects, {traced} of them traced, four questions each");
}
