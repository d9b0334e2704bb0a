//! What the trigger asks for at a predictor. Written without the engine, so that it can check the engine.

use seldon_tracing::config::Config;
use serde_json::Value;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    On,
    Off,
    /// The value means nothing: what is there stays.
    Unclear,
}

/// What is asked for at one predictor of an object.
pub(crate) fn asked(object: &Value, predictor: &Value, config: &Config, default_on: bool) -> Asked {
    let places = [predictor, &object["metadata"], &object["spec"]];
    let trigger = places
        .iter()
        .find_map(|place| place["annotations"].get(&config.trigger));
    match trigger.map(Value::as_str) {
        None if default_on => Asked::On,
        None => Asked::Off,
        Some(Some(text))
            if text.eq_ignore_ascii_case("true") || config.profiles.contains_key(text) =>
        {
            Asked::On
        }
        Some(Some(text)) if text.eq_ignore_ascii_case("false") => Asked::Off,
        Some(_) => Asked::Unclear,
    }
}
