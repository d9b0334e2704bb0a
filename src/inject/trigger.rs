//! Whether a predictor is traced: the trigger annotation, where it may stand, and what it may say.

use std::borrow::Cow;

use super::notes::Notes;
use super::patch::Place;
use super::reason::Reason;
use super::shape::{Shape, Text};
use super::view::{Annotations, Predictor, SeldonDeployment};
use crate::config::Config;

/// What the annotations ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger<'a> {
    /// Trace, with the settings of a profile if one is named.
    On(Option<&'a str>),
    /// Do not, because nobody asked or because it is turned off.
    Off(Reason),
    /// The request cannot be understood: leave everything as it is.
    Unclear(Reason),
}

/// The value of the trigger at the strongest place that has one.
fn strongest<'a>(
    object: &SeldonDeployment<'a>,
    predictor: &Predictor<'a>,
    index: usize,
    key: &'a str,
) -> Option<(Place<'a>, Shape<Text<'a>>)> {
    let at = |annotations: Option<&Annotations<'a>>| {
        annotations.map_or(Shape::Absent, |found| found.get(key))
    };
    let places = [
        (
            Place::PredictorAnnotation(index, key),
            at(predictor.annotations.get()),
        ),
        (
            Place::Annotation(key),
            at(object
                .metadata
                .get()
                .and_then(|metadata| metadata.annotations.get())),
        ),
        (
            Place::SpecAnnotation(key),
            at(object.spec.get().and_then(|spec| spec.annotations.get())),
        ),
    ];
    places.into_iter().find(|(_, value)| !value.is_absent())
}

/// What is asked for at one predictor.
pub(crate) fn trigger<'a>(
    object: &SeldonDeployment<'a>,
    predictor: &Predictor<'a>,
    index: usize,
    config: &'a Config,
    namespace_default: bool,
    notes: &mut Notes<'a>,
) -> Trigger<'a> {
    let Some((place, value)) = strongest(object, predictor, index, &config.trigger) else {
        return if namespace_default {
            Trigger::On(None)
        } else {
            Trigger::Off(Reason::NoTrigger)
        };
    };
    let Some(text) = value.text() else {
        let found = value.odd().unwrap_or("nothing");
        notes.add(
            Reason::TriggerNotText,
            place,
            format!("expected a string, found {found}; {}", allowed(config)),
        );
        return Trigger::Unclear(Reason::TriggerNotText);
    };
    if text.eq_ignore_ascii_case("true") {
        return Trigger::On(None);
    }
    if text.eq_ignore_ascii_case("false") {
        return Trigger::Off(Reason::OptedOut);
    }
    if let Some((name, _)) = config.profiles.get_key_value(text) {
        return Trigger::On(Some(name));
    }
    let shown: String = text.chars().take(40).collect();
    notes.add(
        Reason::UnknownTriggerValue,
        place,
        Cow::Owned(format!("{shown:?} is unknown; {}", allowed(config))),
    );
    Trigger::Unclear(Reason::UnknownTriggerValue)
}

/// What the trigger may say, for people.
fn allowed(config: &Config) -> String {
    let mut text = String::from("allowed: \"true\", \"false\"");
    for name in config.profiles.keys() {
        text.push_str(", \"");
        text.push_str(name);
        text.push('"');
    }
    text
}
