//! Real manifests on a real API server: what it takes without us it takes with us, what is then stored is what `seldon-tracing inject`
//! prints, and opting out gives back what would be stored without us.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use seldon_tracing::config::Config;
use seldon_tracing::inject::Context;
use seldon_tracing::offline;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::models::{RECORD, essence};
use crate::rig::space::create;
use crate::rig::{Cluster, Space};
use crate::support::fixtures::{Corpus, example_objects, triggered};

tests![examples_are_taken_as_without_us_stored_as_inject_prints_them_and_given_back];
tests![OVER_THE_CORPUS: crate::Test; the_corpus_is_taken_as_without_us_stored_as_inject_prints_it_and_given_back];

/// Writes at a time.
const WRITES: usize = 8;

/// Objects of one namespace, by name.
type Stored = BTreeMap<String, Value>;

/// Which file an object is from, by name.
type Files = BTreeMap<String, String>;

/// What the API server answered to each, by name.
type Answers = BTreeMap<String, Result<Value, String>>;

fn examples_are_taken_as_without_us_stored_as_inject_prints_them_and_given_back(cluster: &Cluster) {
    taken_as_without_us(cluster, example_objects());
}

fn the_corpus_is_taken_as_without_us_stored_as_inject_prints_it_and_given_back(cluster: &Cluster) {
    taken_as_without_us(cluster, Corpus::find().unwrap().objects());
}

fn taken_as_without_us(cluster: &Cluster, manifests: Vec<(String, Value)>) {
    let (files, mut all): (Vec<_>, Vec<_>) = manifests.into_iter().unzip();
    if !cluster.crd().has_old_versions() {
        for manifest in &mut all {
            manifest["apiVersion"] = json!("machinelearning.seldon.io/v1");
        }
    }
    assert!(all.len() >= 14, "{}", all.len());
    let as_they_are: Vec<_> = all.iter().enumerate().map(named).collect();
    let asking: Vec<_> = as_they_are.iter().map(triggered).collect();
    let names = as_they_are.iter().map(|it| name_of(it).to_owned());
    let files: Files = names.zip(files).collect();

    let (refused, traced) = like_offline(cluster, "as-they-are", &as_they_are, &files);
    let (also_refused, all_traced) = like_offline(cluster, "asking", &asking, &files);
    assert_eq!(
        also_refused, refused,
        "the trigger changes nothing about that"
    );
    given_back(cluster, &asking, &files);

    let taken = all.len() - refused.len();
    eprintln!(
        "cluster: {} manifests: the API server takes {taken} and refuses {}; {traced} of those that it takes are traced as they are, \
         {all_traced} with the trigger",
        all.len(),
        refused.len(),
    );
    for (name, refusal) in &refused {
        eprintln!(
            "cluster: {}: refused by the API server, as without us: {refusal}",
            files[name]
        );
    }
    assert!(taken * 10 > all.len() * 9, "{refused:?}");
    assert!(all_traced * 10 > taken * 7, "{all_traced} of {taken}");
}

/// Some have the same name, and some none.
pub(crate) fn named((at, manifest): (usize, &Value)) -> Value {
    let mut named = manifest.clone();
    let metadata = &mut named["metadata"];
    let own = metadata["name"].as_str().unwrap_or("nameless");
    metadata["name"] = json!(format!("{own}-{at}"));
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("namespace");
    }
    named
}

/// Creates them with us, without us, and without us as `inject` prints them. Gives what is refused, and how many are traced.
fn like_offline(
    cluster: &Cluster,
    name: &str,
    manifests: &[Value],
    files: &Files,
) -> (BTreeMap<String, String>, usize) {
    let with = cluster.space(name);
    let without = cluster.apart(&format!("{name}-apart"));
    let printed = cluster.apart(&format!("{name}-printed"));
    let refused = refusals(&create_all(&without, manifests));
    let refused_with = refusals(&create_all(&with, manifests));
    assert_eq!(refused_with, refused, "as without us");
    let texts: Vec<_> = manifests.iter().map(|it| inject(it, &with.name)).collect();
    assert_eq!(
        refusals(&create_all(&printed, &texts)),
        refused,
        "as offline"
    );

    let (with, without, printed) = (stored(&with), stored(&without), stored(&printed));
    assert_eq!(with.len() + refused.len(), manifests.len());
    assert_eq!(printed.len(), with.len());
    let names = with.keys().filter(|name| with[*name] != printed[*name]);
    let others: Vec<_> = names.collect();
    let again = cluster.apart(&format!("{name}-printed-again"));
    for name in &others {
        let manifest = manifests.iter().find(|it| name_of(it) == *name).unwrap();
        let file = &files[*name];
        assert_ne!(
            without_nulls(manifest),
            *manifest,
            "as offline: {file}: {} but {}",
            with[*name],
            printed[*name]
        );
        eprintln!(
            "cluster: {file}: a null is absent to the API server; the record of `inject` knows it, to give it back"
        );
    }
    // The same as that of the manifest without the null.
    let dropped = others.iter().map(|name| {
        let mut dropped = without_nulls(&without[*name]);
        dropped["metadata"]["namespace"] = json!(again.name);
        inject(&dropped, &again.name)
    });
    let dropped: Vec<_> = dropped.collect();
    assert_eq!(refusals(&create_all(&again, &dropped)), BTreeMap::new());
    let again = stored(&again);
    for name in others {
        assert_eq!(with[name], again[name], "as offline: {}", files[name]);
    }
    let traced = with.values().filter(|object| is_recorded(object));
    (refused, traced.count())
}

/// Creates them with us, opts each out, and looks for what is then left of us.
fn given_back(cluster: &Cluster, manifests: &[Value], files: &Files) {
    let with = cluster.space("opted-out");
    let without = cluster.apart("opted-out-apart");
    let not_asking: Vec<_> = manifests.iter().map(without_trigger).collect();
    // The golden files are traced already, and for them that is to end too.
    let printed: Vec<_> = not_asking.iter().map(|it| inject(it, &with.name)).collect();
    for (manifest, printed) in not_asking.iter().zip(&printed) {
        let is_other = manifest != printed;
        assert_eq!(is_other, is_recorded(manifest), "{manifest}");
    }
    create_all(&without, &printed);
    create_all(&with, manifests);
    let traced = stored(&with);
    let opted_out = opt_out(&with, traced.keys());
    let without = stored(&without);
    assert_eq!(opted_out.len(), without.len());
    for (name, object) in &opted_out {
        let file = &files[name];
        assert_eq!(
            without_nulls(object),
            without_nulls(&without[name]),
            "opted out: {file}"
        );
    }
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

fn is_recorded(object: &Value) -> bool {
    object["metadata"]["annotations"][RECORD].is_string()
}

fn without_trigger(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    if let Some(annotations) = manifest["metadata"]["annotations"].as_object_mut() {
        annotations.shift_remove("tracing");
    }
    manifest
}

/// What `seldon-tracing inject` prints.
fn inject(manifest: &Value, namespace: &str) -> Value {
    let context = Context {
        namespace: Some(namespace),
        ..Context::default()
    };
    let done = offline::run(&manifest.to_string(), &Config::default(), &context).unwrap();
    done.text.map_or_else(
        || manifest.clone(),
        |text| serde_json::from_str(&text).unwrap(),
    )
}

/// The object without the keys whose value is null: to the API server such a key is absent.
fn without_nulls(object: &Value) -> Value {
    match object {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn create_all(space: &Space<'_>, manifests: &[Value]) -> Answers {
    let jobs = manifests.iter().map(|manifest| {
        let name = name_of(manifest).to_owned();
        let client = space.cluster.client();
        (name, create(client, space.name.clone(), manifest.clone()))
    });
    concurrently(space.cluster, jobs.collect())
}

/// As `kubectl annotate NAME tracing-` does.
fn opt_out<'n>(space: &Space<'_>, names: impl Iterator<Item = &'n String>) -> Stored {
    let jobs = names.map(|name| {
        let (models, of_job) = (space.models(), name.clone());
        let job = async move {
            let patch = Patch::Merge(json!({"metadata": {"annotations": {"tracing": null}}}));
            let parameters = PatchParams::default();
            let patched = models.patch(&of_job, &parameters, &patch).await;
            patched.map(drop).map_err(|error| error.to_string())
        };
        (name.clone(), job)
    });
    let answers = concurrently(space.cluster, jobs.collect());
    for (name, answer) in answers {
        assert_eq!(answer, Ok(()), "{name}");
    }
    stored(space)
}

fn concurrently<T: Send + 'static>(
    cluster: &Cluster,
    jobs: Vec<(String, impl Future<Output = T> + Send + 'static)>,
) -> BTreeMap<String, T> {
    let places = Arc::new(Semaphore::new(WRITES));
    cluster.block_on(async {
        let mut all = JoinSet::new();
        for (name, job) in jobs {
            let places = Arc::clone(&places);
            all.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                (name, job.await)
            });
        }
        all.join_all().await.into_iter().collect()
    })
}

/// Those that were refused, and by which words.
fn refusals(answers: &Answers) -> BTreeMap<String, String> {
    let refused = answers.iter().filter_map(|(name, answer)| {
        let refusal = answer.as_ref().err()?;
        Some((name.clone(), refusal.clone()))
    });
    refused.collect()
}

/// What is stored, without what differs from namespace to namespace.
fn stored(space: &Space<'_>) -> Stored {
    let models: Api<DynamicObject> = space.models();
    let list = space.cluster.block_on(models.list(&ListParams::default()));
    let objects = list.unwrap().items.into_iter().map(|object| {
        let mut essence = essence(&serde_json::to_value(object).unwrap());
        essence["metadata"]["namespace"] = json!("here");
        (name_of(&essence).to_owned(), essence)
    });
    objects.collect()
}
