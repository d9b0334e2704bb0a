//! The schema of the config file, made of its types: what `manifests/config.schema.json` must have.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::config::setting::{ANNOTATION_PREFIX, MAX_EXCLUDED, MAX_SETTING, RECORD, Setting};
use crate::config::{Config, Settings};

const DNS_LABEL: &str = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const HOST_LABEL: &str = "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?";
const PORT: &str = "[1-9][0-9]{0,4}";

/// The schema, from the types.
pub(super) fn generate() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<Config>().to_value()
}

/// YAML reads a key without a value as null, which counts as absent.
pub(in crate::config) fn or_null(schema: &mut Schema) {
    schema.insert("type".to_owned(), json!(["object", "null"]));
}

pub(in crate::config) fn trigger(_: &mut SchemaGenerator) -> Schema {
    let taken: Vec<String> = Setting::ALL
        .into_iter()
        .map(|setting| format!("{ANNOTATION_PREFIX}{}", setting.annotation()))
        .chain([RECORD.to_owned()])
        .collect();
    json_schema!({
        "type": "string",
        "pattern": format!(r"^({DNS_LABEL}(\.{DNS_LABEL})*/)?[A-Za-z0-9]([-_.A-Za-z0-9]{{0,61}}[A-Za-z0-9])?$"),
        "not": {"enum": taken},
    })
}

pub(in crate::config) fn profiles(generator: &mut SchemaGenerator) -> Schema {
    by_name(
        generator,
        &json!({"pattern": format!(r"^{DNS_LABEL}(\.{DNS_LABEL})*$"), "not": {"enum": ["true", "false"]}}),
    )
}

pub(in crate::config) fn namespaces(generator: &mut SchemaGenerator) -> Schema {
    by_name(generator, &json!({"pattern": format!("^{DNS_LABEL}$")}))
}

fn by_name(generator: &mut SchemaGenerator, names: &Value) -> Schema {
    json_schema!({
        "type": ["object", "null"],
        "propertyNames": names,
        "additionalProperties": generator.subschema_for::<Settings>(),
    })
}

impl JsonSchema for Settings {
    fn schema_name() -> Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let properties: serde_json::Map<String, Value> = Setting::ALL
            .into_iter()
            .map(|setting| {
                let mut rule = value(setting);
                rule["description"] = json!(format!("Must be {}.", setting.expected()));
                (setting.config_key().to_owned(), rule)
            })
            .collect();
        let kind = |kinds: &[&str], param: Value| {
            json!({
                "if": {"properties": {"samplerType": {"enum": kinds}}, "required": ["samplerType"]},
                "then": {"properties": {"samplerParam": param}},
            })
        };
        json_schema!({
            "description": "Settings of the cluster, of a profile or of a namespace.",
            "type": ["object", "null"],
            "additionalProperties": false,
            "properties": properties,
            "dependencies": {"samplerType": ["samplerParam"], "samplerParam": ["samplerType"]},
            "allOf": [
                kind(&["const"], json!({"enum": [0, 1, "0", "1"]})),
                kind(&["probabilistic", "remote"], json!({"if": {"type": "number"}, "then": {"maximum": 1}})),
            ],
        })
    }
}

/// The rule of one setting. A setting without a default may be empty, which resets the setting of a weaker layer.
fn value(setting: Setting) -> Value {
    let host = format!(r"({HOST_LABEL}(\.{HOST_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])");
    let names = format!("^ *({HOST_LABEL})?( *, *({HOST_LABEL})?)* *$");
    let placeholder = r"\{(namespace|name|predictor|container)\}";
    let text = |pattern: &str| json!({"type": "string", "maxLength": MAX_SETTING, "pattern": format!("^({pattern})$")});
    match setting {
        Setting::AgentHost => text(&host),
        Setting::AgentPort => json!({
            "type": ["integer", "string"], "minimum": 1, "maximum": 65535,
            "pattern": format!("^{PORT}$"), "not": {"enum": [6832, "6832"]},
        }),
        Setting::SamplerType => {
            json!({"enum": ["const", "probabilistic", "ratelimiting", "remote"]})
        }
        Setting::SamplerParam => json!({
            "type": ["number", "string"], "minimum": 0, "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$",
        }),
        Setting::ServiceName => text(&format!("([-A-Za-z0-9._/:]|{placeholder})*")),
        Setting::Tags => text(&format!("|{0}(,{0})*", "[^=,]+=[^=,]*")),
        Setting::ConfigMap => text(&format!(r"|{DNS_LABEL}(\.{DNS_LABEL})*(/[-._A-Za-z0-9]+)?")),
        Setting::OtlpEndpoint => text(&format!("|{host}:{PORT}")),
        Setting::ExcludeContainers => json!({
            "type": ["array", "string"],
            "items": {"type": "string", "pattern": names},
            "maxItems": MAX_EXCLUDED, "maxLength": MAX_SETTING, "pattern": names,
        }),
    }
}
