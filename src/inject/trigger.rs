//! Whether a predictor is traced: the trigger annotation, its places and its values.

use std::borrow::Cow;

use crate::config::Config;
use crate::inject::notes::Notes;
use crate::inject::reason::Reason;
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::{Annotations, Predictor, SeldonDeployment};
use crate::seldon::place::Place;

/// What the trigger annotations ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger<'a> {
    /// Trace, with the settings of a profile if one is named.
    On(Option<&'a str>),
    /// Do not trace: no annotation asks for it, or one turns it off.
    Off(Reason),
    /// The value is not understood: leave everything as it is.
    Unclear(Reason),
}

impl<'a> Trigger<'a> {
    /// What a text asks for, if it is understood.
    pub(crate) fn of(text: &str, config: &'a Config) -> Option<Self> {
        if text.eq_ignore_ascii_case("true") {
            return Some(Self::On(None));
        }
        if text.eq_ignore_ascii_case("false") {
            return Some(Self::Off(Reason::OptedOut));
        }
        let (name, _) = config.profiles.get_key_value(text)?;
        Some(Self::On(Some(name)))
    }
}

table! {
    /// What asks for the tracing of a predictor.
    pub enum Asker
    /// The stable name in `status`.
    pub fn code -> &'static str {
        /// `annotations` of the predictor.
        Predictor = "predictor-annotation",
        /// `metadata.annotations` of the object.
        Annotation = "annotation",
        /// `spec.annotations` of the object.
        SpecAnnotation = "spec-annotation",
        /// The label of the namespace.
        Namespace = "namespace",
    }
}

/// What is asked for at one predictor, and by what.
pub(crate) struct Asked<'a> {
    pub(crate) trigger: Trigger<'a>,
    /// Nothing, where tracing is not asked for.
    pub(crate) by: Option<Asker>,
}

impl<'a> Asked<'a> {
    pub(crate) fn by(asker: Asker, trigger: Trigger<'a>) -> Self {
        let asks = matches!(trigger, Trigger::On(_));
        Self {
            trigger,
            by: asks.then_some(asker),
        }
    }
}

/// The trigger annotations of one object.
pub(crate) struct Triggers<'c, 'a> {
    config: &'a Config,
    namespace_default: bool,
    /// The trigger for predictors without their own, and what it asks for once it has been read.
    of_object: Option<(Place<'a>, Lenient<Text<'c>>)>,
    read: Option<Trigger<'a>>,
}

impl<'c, 'a> Triggers<'c, 'a> {
    pub(crate) fn of(
        object: &SeldonDeployment<'c>,
        config: &'a Config,
        namespace_default: bool,
    ) -> Self {
        let key = &config.trigger;
        let metadata = object.metadata.get();
        let spec = object.spec.get();
        let of_object = value_at(metadata.and_then(|it| it.annotations.get()), key)
            .map(|value| (Place::Annotation(key), value))
            .or_else(|| {
                value_at(spec.and_then(|it| it.annotations.get()), key)
                    .map(|value| (Place::SpecAnnotation(key), value))
            });
        Self {
            config,
            namespace_default,
            of_object,
            read: None,
        }
    }

    /// Whether any place of the object has a trigger.
    pub(crate) fn has_any(&self, object: &SeldonDeployment<'_>) -> bool {
        let mut predictors = object.predictors().iter().filter_map(Lenient::get);
        let key = &self.config.trigger;
        self.of_object.is_some()
            || predictors.any(|it| value_at(it.annotations.get(), key).is_some())
    }

    /// What is asked for at one predictor.
    pub(crate) fn at(
        &mut self,
        predictor: &Predictor<'_>,
        index: usize,
        notes: &mut Notes<'a>,
    ) -> Asked<'a> {
        let key = &self.config.trigger;
        if let Some(value) = value_at(predictor.annotations.get(), key) {
            let place = Place::PredictorAnnotation(index, key);
            return Asked::by(Asker::Predictor, read(place, &value, self.config, notes));
        }
        let Self {
            config, of_object, ..
        } = self;
        let asked = self.read.get_or_insert_with(|| match of_object {
            Some((place, value)) => read(*place, value, config, notes),
            None if self.namespace_default => Trigger::On(None),
            None => Trigger::Off(Reason::NoTrigger),
        });
        let by = match of_object {
            Some((Place::SpecAnnotation(_), _)) => Asker::SpecAnnotation,
            Some(_) => Asker::Annotation,
            None => Asker::Namespace,
        };
        Asked::by(by, asked.clone())
    }
}

fn value_at<'a>(annotations: Option<&Annotations<'a>>, key: &str) -> Option<Lenient<Text<'a>>> {
    let value = annotations?.get(key);
    (!value.is_absent()).then_some(value)
}

/// What a trigger asks for.
fn read<'a>(
    place: Place<'a>,
    value: &Lenient<Text<'_>>,
    config: &'a Config,
    notes: &mut Notes<'a>,
) -> Trigger<'a> {
    let Some(text) = value.text() else {
        let found = value.odd().unwrap_or("nothing");
        notes.add(
            Reason::TriggerNotText,
            place,
            format!("expected a string, found {found}; {}", allowed(config)),
        );
        return Trigger::Unclear(Reason::TriggerNotText);
    };
    if let Some(trigger) = Trigger::of(text, config) {
        return trigger;
    }
    let shown: String = text.chars().take(40).collect();
    notes.add(
        Reason::UnknownTriggerValue,
        place,
        Cow::Owned(format!("{shown:?} is unknown; {}", allowed(config))),
    );
    Trigger::Unclear(Reason::UnknownTriggerValue)
}

/// How many profiles a message lists.
const SHOWN_PROFILES: usize = 20;

/// What the trigger may say, for people.
fn allowed(config: &Config) -> String {
    let mut text = String::from("allowed: \"true\", \"false\"");
    for name in config.profiles.keys().take(SHOWN_PROFILES) {
        text.push_str(", \"");
        text.push_str(name);
        text.push('"');
    }
    if config.profiles.len() > SHOWN_PROFILES {
        text.push_str(", ...");
    }
    text
}
