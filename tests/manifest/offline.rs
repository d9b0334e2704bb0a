//! The corpus through the offline engine, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use seldon_tracing::config::Config;
use seldon_tracing::inject::{Change, Context, Task};
use seldon_tracing::manifest::tree::Tree;
use seldon_tracing::offline::{self, Done, Fault};
use serde_json::{Value, json};

use crate::support::fixtures::Corpus;
use crate::support::forms::without_nulls;

tests![
    the_corpus_goes_there_and_back,
    the_corpus_as_json_goes_there_and_back,
];

fn value(text: &str) -> Value {
    let tree = if text.starts_with('{') {
        Tree::json(text)
    } else {
        Tree::yaml(text)
    };
    tree.unwrap().to_value().unwrap()
}

/// With the annotation written into the metadata's text as a person would write it.
fn annotated(text: &str) -> Option<String> {
    let metadata = text.find("metadata:\n")? + "metadata:\n".len();
    let end = text[metadata..]
        .match_indices('\n')
        .map(|(at, _)| metadata + at + 1)
        .find(|at| !text[*at..].starts_with(' '))
        .unwrap_or(text.len());
    let key = "  annotations:\n";
    let (at, line) = match text[metadata..end].find(key) {
        Some(at) => (metadata + at + key.len(), "    tracing: \"true\"\n"),
        None => (metadata, "  annotations:\n    tracing: \"true\"\n"),
    };
    let annotated = [&text[..at], line, &text[at..]].concat();
    let found = Tree::yaml(&annotated).ok()?.to_value().ok()?;
    (found["metadata"]["annotations"]["tracing"] == "true").then_some(annotated)
}

/// With a trigger on the first predictor, in the way that the list is indented.
fn predictor_annotated(text: &str) -> Option<String> {
    let start = text.find("\n  predictors:\n")? + "\n  predictors:\n".len();
    let dash = start + text[start..].find('-')?;
    let indent = " ".repeat(dash - start + 2);
    let first = format!("annotations:\n{indent}  tracing: \"true\"\n{indent}");
    let inner = format!("annotations:\n{indent}  ");
    // A predictor that has annotations gets one more.
    let with_more = text[dash..].find(&inner).map(|at| {
        let at = dash + at + inner.len();
        let line = format!("tracing: \"true\"\n{indent}  ");
        [&text[..at], &line, &text[at..]].concat()
    });
    let with_first = [&text[..dash + 2], &first, &text[dash + 2..]].concat();
    [Some(with_first), with_more]
        .into_iter()
        .flatten()
        .find(|text| {
            let found = Tree::yaml(text).and_then(|tree| tree.to_value());
            found.is_ok_and(|it| it["spec"]["predictors"][0]["annotations"]["tracing"] == "true")
        })
}

/// Indented by tabs instead of by pairs of blanks.
pub(crate) fn tabbed(pretty: &str) -> String {
    let tabbed = pretty.lines().map(|line| {
        let content = line.trim_start_matches(' ');
        let depth = (line.len() - content.len()) / 2;
        format!("{}{content}\n", "\t".repeat(depth))
    });
    tabbed.collect()
}

fn run(text: &str, task: Task<'_>) -> Result<Done, Fault> {
    let context = Context {
        namespace: Some("models"),
        task,
        ..Context::default()
    };
    offline::run(text, &Config::default(), &context)
}

/// The schemas of both CRDs by version.
struct Schemas(Vec<BTreeMap<String, Validator>>);

impl Schemas {
    fn read(corpus: &Corpus) -> Self {
        let files = [
            "seldondeployments-helm.yaml",
            "seldondeployments-kustomize-small.yaml",
        ];
        Self(files.map(|file| Self::of(&corpus.crds.join(file))).into())
    }

    fn of(file: &Path) -> BTreeMap<String, Validator> {
        let text = fs::read_to_string(file).unwrap();
        let crd = value(&text);
        let versions = crd["spec"]["versions"].as_array().unwrap();
        versions
            .iter()
            .map(|version| {
                let schema = &version["schema"]["openAPIV3Schema"];
                let name = version["name"].as_str().unwrap().to_owned();
                (name, jsonschema::draft4::new(schema).unwrap())
            })
            .collect()
    }

    /// What each CRD has to say against the object; the small one knows v1 only.
    fn errors(&self, object: &Value) -> BTreeSet<String> {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let version = version.rsplit('/').next().unwrap_or_default();
        let mut errors = BTreeSet::new();
        for (at, crd) in self.0.iter().enumerate() {
            let schema = crd.get(version).unwrap_or_else(|| &crd["v1"]);
            errors.extend(schema.iter_errors(object).map(|error| {
                let place = error.instance_path().to_string();
                let keyword = format!("{:?}", error.kind());
                let keyword = keyword
                    .split([' ', '{', '('])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                format!("{at} {place} {keyword}")
            }));
        }
        errors
    }
}

#[derive(Default)]
struct Summary {
    runs: BTreeMap<&'static str, usize>,
    targets: BTreeMap<&'static str, usize>,
    reasons: BTreeMap<&'static str, usize>,
    refused: Vec<String>,
    ignored: BTreeMap<String, usize>,
    invalid_before: BTreeSet<String>,
}

impl Summary {
    fn count(&mut self, done: &Done) {
        for object in &done.objects {
            let explanation = &object.explanation;
            for note in &explanation.notes {
                *self.reasons.entry(note.reason.code()).or_default() += 1;
            }
            for predictor in &explanation.predictors {
                *self.reasons.entry(predictor.reason.code()).or_default() += 1;
                for target in &predictor.targets {
                    let traced = target.variables.iter().any(|it| it.action == Change::Add);
                    if traced {
                        *self.targets.entry(target.kind.code()).or_default() += 1;
                    }
                    let left = target.left.into_iter();
                    let reasons = target.variables.iter().filter_map(|it| it.reason);
                    for reason in left.chain(reasons) {
                        *self.reasons.entry(reason.code()).or_default() += 1;
                    }
                }
            }
        }
        for (_, why) in &done.ignored {
            *self.ignored.entry(why.clone()).or_default() += 1;
        }
    }

    fn say(&self, title: &str, manifests: usize) {
        let list = |counts: &BTreeMap<&str, usize>| {
            let counts = counts.iter().map(|(what, count)| format!("{what} {count}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        let ignored = self
            .ignored
            .iter()
            .map(|(why, count)| format!("{count} x {why}"));
        eprintln!(
            "corpus, {title}: {manifests} manifests\n  ways: {}\n  targets injected: {}\n  reasons: {}\n  refused by the editor: {}{}\n  ignored: {}\n  invalid by a schema before us: {}",
            list(&self.runs),
            list(&self.targets),
            list(&self.reasons),
            self.refused.len(),
            self.refused
                .iter()
                .map(|it| format!("\n    {it}"))
                .collect::<Vec<_>>()
                .concat(),
            ignored.collect::<Vec<_>>().join("; "),
            self.invalid_before.len(),
        );
    }
}

/// There, again and back.
fn check(
    (way, name, text): (&'static str, &str, &str),
    task: Task<'_>,
    schemas: &Schemas,
    summary: &mut Summary,
) {
    *summary.runs.entry(way).or_default() += 1;
    let done = match run(text, task) {
        Ok(done) => done,
        Err(fault) => {
            summary.refused.push(format!(
                "{way}: {name}:{}: {}: {}",
                fault.line, fault.path, fault.message
            ));
            return;
        }
    };
    summary.count(&done);
    if done.text.is_none() {
        assert!(
            way == "plain"
                || !done.ignored.is_empty()
                || done.objects.iter().all(|it| !it.explanation.would_change),
            "{way}: {name}: nothing was done"
        );
    }
    let injected = done.text.unwrap_or_else(|| text.to_owned());
    let again = run(&injected, task).unwrap();
    assert_eq!(
        again.text, None,
        "{way}: {name}: a second injection changes it"
    );
    let back = run(&injected, Task::Uninject).unwrap();
    let back = back.text.unwrap_or_else(|| injected.clone());
    assert_eq!(back, text, "{way}: {name}: the way back");
    // The API server drops nulls before it looks at the schema.
    let before = schemas.errors(&without_nulls(&value(text)));
    if !before.is_empty() {
        summary.invalid_before.insert(name.to_owned());
    }
    let after = schemas.errors(&without_nulls(&value(&injected)));
    assert_eq!(before, after, "{way}: {name}: what the schemas say");
}

fn the_corpus_goes_there_and_back(corpus: &Corpus) {
    let schemas = Schemas::read(corpus);
    let manifests = corpus.texts();
    let mut summary = Summary::default();
    let always = Task::Trigger("true");
    for (name, text) in &manifests {
        check(("plain", name, text), Task::Follow, &schemas, &mut summary);
        check(("trigger", name, text), always, &schemas, &mut summary);
        if let Some(text) = annotated(text) {
            check(
                ("annotated", name, &text),
                Task::Follow,
                &schemas,
                &mut summary,
            );
        }
        if let Some(text) = predictor_annotated(text) {
            check(
                ("predictor", name, &text),
                Task::Follow,
                &schemas,
                &mut summary,
            );
        }
    }
    summary.say("as YAML", manifests.len());
    assert_eq!(summary.refused, Vec::<String>::new());
}

fn the_corpus_as_json_goes_there_and_back(corpus: &Corpus) {
    let schemas = Schemas::read(corpus);
    let manifests = corpus.texts();
    let mut summary = Summary::default();
    let always = Task::Trigger("true");
    for (name, text) in &manifests {
        let mut object = value(text);
        check(
            ("compact", name, &object.to_string()),
            always,
            &schemas,
            &mut summary,
        );
        let pretty = format!("{object:#}\n");
        check(("pretty", name, &pretty), always, &schemas, &mut summary);
        check(
            ("tabs", name, &tabbed(&pretty)),
            always,
            &schemas,
            &mut summary,
        );
        if let Some(predictor) = object["spec"]["predictors"][0].as_object_mut() {
            predictor.insert("annotations".to_owned(), json!({"tracing": "true"}));
            let text = object.to_string();
            check(
                ("predictor", name, &text),
                Task::Follow,
                &schemas,
                &mut summary,
            );
        }
    }
    summary.say("as JSON", manifests.len());
    assert_eq!(summary.refused, Vec::<String>::new());
}
