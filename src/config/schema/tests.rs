use std::{env, fs};

use jsonschema::Validator;
use serde_json::Value;

use super::rules;
use crate::config::Config;

fn schema() -> Value {
    serde_json::from_str(Config::SCHEMA).unwrap()
}

/// What checks a file by the schema.
pub(in crate::config) fn validator() -> Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

/// Files, whether the schema accepts them, and whether [`Config::read`] does.
const FILES: &[(&str, bool, bool)] = &[
    ("null", true, true),
    ("{}", true, true),
    ("{targets: null, defaults: {}, profiles: null}", true, true),
    (
        "{trigger: example.com/trace, targets: {explainer: false}}",
        true,
        true,
    ),
    (
        "{defaults: {agentPort: 6831, samplerType: probabilistic, samplerParam: 0.10}}",
        true,
        true,
    ),
    (
        "{namespaces: {team-a: {excludeContainers: [a, 'b, c', '']}}}",
        true,
        true,
    ),
    (
        "{profiles: {1a.b: {samplerType: const, samplerParam: 0}}}",
        true,
        true,
    ),
    ("[]", false, false),
    ("{triger: x}", false, false),
    ("{trigger: a b}", false, false),
    ("{trigger: tracing.seldon.io/tags}", false, false),
    ("{targets: {explainer: maybe}}", false, false),
    ("{targets: {containerss: true}}", false, false),
    ("{defaults: {agentPort: 70000}}", false, false),
    ("{defaults: {agentPort: true}}", false, false),
    ("{defaults: {tags: 5}}", false, false),
    ("{defaults: {samplerType: const}}", false, false),
    (
        "{defaults: {samplerType: const, samplerParam: 0.5}}",
        false,
        false,
    ),
    (
        "{defaults: {samplerType: remote, samplerParam: 2}}",
        false,
        false,
    ),
    ("{profiles: {true: {}}}", false, false),
    ("{profiles: {Full: {}}}", false, false),
    ("{namespaces: {a.b: {}}}", false, false),
    ("{namespaces: {a: [1]}}", false, false),
    // A number is compared by its value, so it cannot be refused for how it is written.
    (
        "{defaults: {samplerType: const, samplerParam: 1.0}}",
        true,
        false,
    ),
    // The number in a text is not looked at.
    (
        "{defaults: {samplerType: remote, samplerParam: '2'}}",
        true,
        false,
    ),
];

#[test]
fn the_schema_agrees_with_the_reader() {
    let schema = validator();
    for (text, by_schema, by_reader) in FILES {
        let tree = crate::manifest::tree::Tree::yaml(text).unwrap();
        let value = tree.root().unwrap().value().unwrap();
        assert_eq!(schema.is_valid(&value), *by_schema, "schema: {text}");
        assert_eq!(Config::read(text).is_ok(), *by_reader, "reader: {text}");
    }
}

#[test]
fn the_schema_accepts_what_is_built_in() {
    let built_in = serde_json::to_value(Config::default()).unwrap();
    let schema = validator();
    assert!(schema.is_valid(&built_in));
}

#[test]
fn the_schema_is_what_the_types_say() {
    let mut made = serde_json::to_string_pretty(&rules::generate()).unwrap();
    made.push('\n');
    if env::var_os("UPDATE_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/config.schema.json");
        return fs::write(path, &made).unwrap();
    }
    assert_eq!(
        made,
        Config::SCHEMA,
        "UPDATE_GOLDEN=1 cargo test schema writes it"
    );
}
