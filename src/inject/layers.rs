//! The settings of a predictor: the layers, resolved.

use std::borrow::Cow;

use crate::config::setting::{ANNOTATION_PREFIX, RECORD, RESYNC, Setting};
use crate::config::{Config, nearest};
use crate::inject::notes::Notes;
use crate::inject::reason::Reason;
use crate::jaeger::accepts::{is_sampler_pair, sampler_param_expected};
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::{Annotations, read_text};
use crate::seldon::place::Place;

table! {
    /// The layer that a value comes from, weakest first.
    pub enum Origin
    /// The stable name in `explain`.
    pub fn code -> &'static str {
        /// The built-in default.
        BuiltIn = "built-in",
        /// `defaults` of the config file.
        Config = "config",
        /// The entry of the namespace in the config file.
        Namespace = "namespace",
        /// The profile that the trigger names.
        Profile = "profile",
        /// `spec.annotations` of the `SeldonDeployment`.
        SpecAnnotation = "spec-annotation",
        /// `metadata.annotations` of the `SeldonDeployment`.
        Annotation = "annotation",
        /// `annotations` of the predictor.
        PredictorAnnotation = "predictor-annotation",
        /// The record of an earlier injection, which is kept.
        Record = "record",
    }
}

impl Origin {
    /// The place of an annotation of that key.
    const fn place(self, predictor: usize, key: &str) -> Place<'_> {
        match self {
            Self::SpecAnnotation => Place::SpecAnnotation(key),
            Self::PredictorAnnotation => Place::PredictorAnnotation(predictor, key),
            _ => Place::Annotation(key),
        }
    }
}

/// The settings that the annotations of one place make.
#[derive(Clone, Debug)]
pub(crate) struct Layer<'a> {
    origin: Origin,
    said: [Option<Cow<'a, str>>; Setting::COUNT],
}

impl<'a> Layer<'a> {
    /// Reads the annotations of one place: its origin, and for one in a predictor the index of that, else 0. A setting that cannot be used is
    /// noted and left out.
    pub(crate) fn read(
        annotations: Option<&Annotations<'a>>,
        (origin, predictor): (Origin, usize),
        trigger: &str,
        notes: &mut Notes<'a>,
    ) -> Self {
        let said = Default::default();
        let mut layer = Self { origin, said };
        let Some(annotations) = annotations else {
            return layer;
        };
        let place = |key: &'a str| origin.place(predictor, key);
        let mut guesses = 32_u32;
        for (key, raw) in &annotations.rest.0 {
            // None of our keys needs escapes.
            let Cow::Borrowed(key) = *key else { continue };
            let Some(name) = key.strip_prefix(ANNOTATION_PREFIX) else {
                continue;
            };
            if key == RECORD || key == RESYNC || key == trigger {
                continue;
            }
            let Some(setting) = Setting::ALL
                .into_iter()
                .find(|setting| setting.annotation() == name)
            else {
                // Comparing names costs far more than reading them, and few users mistype this many.
                let advice = if guesses > 0 {
                    advice(name)
                } else {
                    NO_IDEA.into()
                };
                guesses = guesses.saturating_sub(1);
                notes.add(Reason::UnknownSetting, place(key), advice);
                continue;
            };
            match read_text(raw) {
                Lenient::Is(Text(text)) if setting.accepts(&text) => {
                    layer.said[setting as usize] = Some(text);
                }
                Lenient::Is(_) => notes.add(
                    Reason::BadSetting,
                    place(key),
                    format!("must be {}", setting.expected()),
                ),
                other => {
                    let found = other.odd().unwrap_or("nothing");
                    notes.add(
                        Reason::BadSetting,
                        place(key),
                        format!("must be a string, found {found}"),
                    );
                }
            }
        }
        layer
    }
}

/// Advice for a name that resembles no setting.
const NO_IDEA: &str = "there are agent-host, agent-port, sampler-type, sampler-param, service-name, tags, config-map, otlp-endpoint and exclude-containers";

/// Advice for an unknown name of a setting.
fn advice(name: &str) -> Cow<'static, str> {
    // The measure takes the square of the length, and no mistyped name is this long.
    if name.len() > 64 {
        return NO_IDEA.into();
    }
    nearest(name, Setting::ALL.map(Setting::annotation)).map_or_else(
        || NO_IDEA.into(),
        |known| Cow::Owned(format!("did you mean {known}?")),
    )
}

/// The settings of one predictor, with the layer that each comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved<'a>([Option<(Cow<'a, str>, Origin)>; Setting::COUNT]);

impl<'a> Resolved<'a> {
    /// The text of a setting. An empty text means that the setting is not set.
    pub(crate) fn get(&self, setting: Setting) -> Option<(&Cow<'a, str>, Origin)> {
        self.0[setting as usize]
            .as_ref()
            .filter(|(text, _)| !text.is_empty())
            .map(|(text, origin)| (text, *origin))
    }

    fn text(&self, setting: Setting) -> &str {
        self.get(setting).map_or("", |(text, _)| text)
    }

    /// Lays the settings of the config file, of the namespace and of the profile over each other. The config file was checked as a whole.
    pub(crate) fn from_config(
        config: &'a Config,
        namespace: Option<&str>,
        profile: Option<&str>,
    ) -> Self {
        let mut resolved = Self::default();
        let layers = [
            (Some(&config.defaults), Origin::Config),
            (
                namespace.and_then(|name| config.namespaces.get(name)),
                Origin::Namespace,
            ),
            (
                profile.and_then(|name| config.profiles.get(name)),
                Origin::Profile,
            ),
        ];
        for (layer, origin) in layers {
            let Some(layer) = layer else { continue };
            for setting in Setting::ALL {
                let Some(text) = layer.get(setting) else {
                    continue;
                };
                let is_built_in = origin == Origin::Config && setting.built_in() == Some(text);
                let origin = if is_built_in { Origin::BuiltIn } else { origin };
                resolved.0[setting as usize] = Some((Cow::Borrowed(text), origin));
            }
        }
        resolved
    }

    /// Lays the annotations of the object and of the predictor over it, weakest first. A layer gives a whole sampler or none: where it has
    /// only one half, or halves that do not go together, the sampler of the weaker layers stays.
    pub(crate) fn lay_over(
        &mut self,
        layers: [&Layer<'a>; 3],
        predictor: usize,
        notes: &mut Notes<'a>,
    ) {
        let mut faults = Vec::new();
        for Layer { origin, said } in layers {
            let place = |key| origin.place(predictor, key);
            let mut set = |setting: Setting, text: &Cow<'a, str>| {
                self.0[setting as usize] = Some((text.clone(), *origin));
            };
            for setting in Setting::ALL {
                let of_sampler = matches!(setting, Setting::SamplerType | Setting::SamplerParam);
                if let (Some(text), false) = (&said[setting as usize], of_sampler) {
                    set(setting, text);
                }
            }
            let half = |setting: Setting| said[setting as usize].as_ref();
            match (half(Setting::SamplerType), half(Setting::SamplerParam)) {
                (None, None) => {}
                (Some(kind), Some(param)) if is_sampler_pair(kind, param) => {
                    set(Setting::SamplerType, kind);
                    set(Setting::SamplerParam, param);
                }
                (Some(kind), Some(_)) => {
                    let expected = sampler_param_expected(kind);
                    faults.push((
                        place(SAMPLER_PARAM),
                        format!("must be {expected} for {kind}"),
                    ));
                }
                (Some(_), None) => {
                    faults.push((place(SAMPLER_TYPE), "needs sampler-param".to_owned()));
                }
                (None, Some(_)) => {
                    faults.push((place(SAMPLER_PARAM), "needs sampler-type".to_owned()));
                }
            }
        }
        if faults.is_empty() {
            return;
        }
        let (kind, param) = (
            self.text(Setting::SamplerType),
            self.text(Setting::SamplerParam),
        );
        let all = if matches!((kind, param), ("const" | "probabilistic", "1")) {
            ": every request is traced"
        } else {
            ""
        };
        for (place, fault) in faults {
            let detail = format!("{fault}; {kind} {param} is used{all}");
            notes.add(Reason::BadSamplerPair, place, detail);
        }
    }
}

const SAMPLER_TYPE: &str = "tracing.seldon.io/sampler-type";
const SAMPLER_PARAM: &str = "tracing.seldon.io/sampler-param";
