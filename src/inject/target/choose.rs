//! What one target gets: each variable set by us, or left to the user, and why.

use std::borrow::Cow;

use crate::inject::engine::EngineVariables;
use crate::inject::notes::Notes;
use crate::inject::ownership::present::{Fate, Present, UsersVars};
use crate::inject::patch::{CONFIG_DIR, ConfigVolume};
use crate::jaeger::accepts::{is_service_name, is_tags};
use crate::jaeger::crashes::{Client, crash, go_bool, is_python_zero, sampler_crash};
use crate::seldon::place::{Holder, Place};

use crate::config::setting::Setting;
use crate::config::template::{MAX_EXPANDED, Names, Unresolved, expand};
use crate::inject::layers::{Origin, Resolved};
use crate::inject::ownership::record::Omitted;
use crate::inject::plan::{Choice, Choices};
use crate::inject::reason::Reason;
use crate::jaeger::{EnvValue, HOST_IP, Variable};

/// The environment of a target as the user sees it: without what is ours.
pub(crate) struct Subject<'s, 'a> {
    pub(crate) holder: Holder,
    pub(crate) client: Client,
    pub(crate) vars: &'s UsersVars<'s, 'a>,
    pub(crate) present: &'s Present,
    pub(crate) omitted: Omitted,
    /// What `spec.annotations` sets, if the target is the orchestrator.
    pub(crate) engine: Option<&'s EngineVariables<'a>>,
}

/// How the user sets a variable.
enum Said<'s> {
    Literal(&'s str),
    Elsewhere,
}

impl Subject<'_, '_> {
    fn said(&self, name: &str) -> Option<Said<'_>> {
        if let Some(var) = self.vars.last_of(name) {
            return Some(var.literal().map_or(Said::Elsewhere, Said::Literal));
        }
        let text = self.engine?.get(name)?;
        Some(text.text().map_or(Said::Elsewhere, Said::Literal))
    }

    fn literal(&self, name: &str) -> Option<&str> {
        match self.said(name)? {
            Said::Literal(text) => Some(text),
            Said::Elsewhere => None,
        }
    }

    /// Why a variable is the user's to set, if it is.
    fn users(&self, variable: Variable) -> Option<Reason> {
        if self.present.fate(variable) == Fate::Changed {
            return Some(Reason::UserChanged);
        }
        if self.vars.last_of(variable.name()).is_some() {
            return Some(Reason::UserSet);
        }
        if self.omitted.has(variable) {
            return Some(Reason::UserRemoved);
        }
        self.engine?
            .get(variable.name())
            .map(|_| Reason::EngineAnnotation)
    }

    /// Warns of the user's values that crash the process that reads them.
    pub(crate) fn warn(&self, notes: &mut Notes<'_>) {
        let place = Place::Env(self.holder);
        let client = self.client;
        if client == Client::MlServer {
            return;
        }
        for (name, var) in self.vars.iter() {
            if let Some(expected) = var.literal().and_then(|text| crash(client, name, text)) {
                notes.add(Reason::CrashingValue, place, format!("{name}: {expected}"));
            }
        }
        for (name, key, expected) in self.engine.iter().flat_map(|engine| engine.crashing()) {
            if self.vars.last_of(name).is_none() {
                notes.add(
                    Reason::CrashingValue,
                    Place::SpecAnnotations,
                    format!("{key}: {expected}"),
                );
            }
        }
        if client == Client::Executor {
            let pair = (
                self.literal("JAEGER_SAMPLER_TYPE"),
                self.literal("JAEGER_SAMPLER_PARAM"),
            );
            if matches!(pair, (Some(kind), Some(param)) if sampler_crash(kind, param)) {
                notes.add(
                    Reason::CrashingValue,
                    place,
                    "JAEGER_SAMPLER_PARAM: with this JAEGER_SAMPLER_TYPE the orchestrator needs a number from 0 to 1",
                );
            }
        }
        // A variable that the user changed counts too: its other half is removed now, so the user should know.
        let by_hand = |variable| {
            matches!(
                self.users(variable),
                Some(Reason::UserSet | Reason::UserChanged)
            )
        };
        if by_hand(Variable::AgentPort)
            && self.said("JAEGER_AGENT_HOST").is_none()
            && self.said("JAEGER_ENDPOINT").is_none()
        {
            notes.add(Reason::PortWithoutHost, place, "");
        }
        if by_hand(Variable::AgentHost)
            && self.said("JAEGER_AGENT_PORT").is_none()
            && self.said("JAEGER_ENDPOINT").is_none()
        {
            notes.add(Reason::HostWithoutPort, place, "");
        }
    }

    fn is_disabled(&self) -> bool {
        self.literal("TRACING").is_some_and(is_python_zero)
            || self
                .literal("JAEGER_DISABLED")
                .is_some_and(|text| go_bool(text) == Some(true))
    }

    /// Decides every variable. `config_volume` is the `ConfigMap` that can be mounted here.
    pub(crate) fn decide<'n>(
        &self,
        settings: &Resolved<'n>,
        names: &Names<'_>,
        config_volume: Option<&ConfigVolume<'n>>,
        notes: &mut Notes<'n>,
    ) -> Choices<'n> {
        if self.is_disabled() {
            return Choices::all_left(Reason::UserDisabled);
        }
        if self.client == Client::MlServer {
            return self.for_mlserver(settings);
        }
        let mut choices = Choices::default();
        let is_orchestrator = self.client == Client::Executor;
        let config_path = self.users(Variable::ConfigPath);
        let users_config =
            !is_orchestrator && config_path.is_some_and(|reason| reason != Reason::UserRemoved);
        let our_config = if is_orchestrator || config_path.is_some() {
            None
        } else {
            config_volume
        };
        for variable in Variable::ALL {
            let reason = self.users(variable).or_else(|| match variable {
                Variable::Tracing => None,
                Variable::OtlpEndpoint => Some(Reason::NotReadHere),
                Variable::ServiceName if !is_orchestrator => Some(Reason::NotReadHere),
                // The ConfigMap is mounted into component containers only.
                Variable::ConfigPath if !matches!(self.holder, Holder::Container { .. }) => {
                    Some(Reason::NotReadHere)
                }
                _ if users_config => Some(Reason::UserConfigPath),
                Variable::AgentHost | Variable::AgentPort
                    if self.said("JAEGER_ENDPOINT").is_some() =>
                {
                    Some(Reason::UserEndpoint)
                }
                Variable::SamplerType | Variable::SamplerParam if our_config.is_some() => {
                    Some(Reason::ConfigMapDecides)
                }
                _ => variable
                    .pair()
                    .and_then(|other| self.users(other))
                    .map(|_| Reason::PairUserSet),
            });
            *choices.get_mut(variable) = match reason {
                // A variable that is never set here gets a note only if the user asked for it.
                Some(Reason::NotReadHere | Reason::UserConfigPath)
                    if !asked_for(settings, variable) =>
                {
                    Choice::None
                }
                Some(reason) => Choice::Leave(reason),
                None => self.value(variable, settings, names, our_config, notes),
            };
        }
        choices
    }

    /// `MLServer` traces by OTLP, or not at all.
    fn for_mlserver<'n>(&self, settings: &Resolved<'n>) -> Choices<'n> {
        let mut choices = Choices::default();
        for variable in Variable::ALL {
            let setting = setting_of(variable).and_then(|setting| settings.get(setting));
            let asked_for = setting.is_some_and(|(_, origin)| origin != Origin::BuiltIn);
            *choices.get_mut(variable) = match (variable, setting) {
                (Variable::OtlpEndpoint, setting) => match (self.users(variable), setting) {
                    (Some(reason), _) => Choice::Leave(reason),
                    (None, None) => Choice::Leave(Reason::NeedsOtlpEndpoint),
                    (None, Some((text, origin))) => {
                        Choice::Set(EnvValue::Literal(text.clone()), origin)
                    }
                },
                // Other variables of ours are removed. A variable that is never set here gets a note only if the user asked for it.
                _ if asked_for || self.present.here(variable).is_some() => {
                    Choice::Leave(Reason::NotReadHere)
                }
                _ => Choice::None,
            };
        }
        choices
    }

    fn value<'n>(
        &self,
        variable: Variable,
        settings: &Resolved<'n>,
        names: &Names<'_>,
        config_volume: Option<&ConfigVolume<'n>>,
        notes: &mut Notes<'n>,
    ) -> Choice<'n> {
        if variable == Variable::Tracing {
            return Choice::Set(EnvValue::Literal("1".into()), Origin::BuiltIn);
        }
        let Some((text, origin)) = setting_of(variable).and_then(|setting| settings.get(setting))
        else {
            return Choice::None;
        };
        let value = match variable {
            Variable::AgentHost if text == HOST_IP => EnvValue::HostIp,
            Variable::ConfigPath => {
                let Some(volume) = config_volume else {
                    notes.add(Reason::ConfigMapBlocked, Place::Holder(self.holder), "");
                    return Choice::Leave(Reason::ConfigMapBlocked);
                };
                EnvValue::Literal(format!("{CONFIG_DIR}/{}", volume.key).into())
            }
            Variable::ServiceName | Variable::Tags => {
                let place = Place::Holder(self.holder);
                match expand(text, names, MAX_EXPANDED) {
                    Ok(filled) => {
                        let good = if variable == Variable::Tags {
                            is_tags(&filled)
                        } else {
                            is_service_name(&filled)
                        };
                        if !good {
                            notes.add(
                                Reason::TemplateUnresolved,
                                place,
                                format!("{}: the filled template is not valid", variable.name()),
                            );
                            return Choice::Leave(Reason::TemplateUnresolved);
                        }
                        EnvValue::Literal(match (text, filled) {
                            (Cow::Borrowed(text), Cow::Borrowed(filled))
                                if text.len() == filled.len() =>
                            {
                                Cow::Borrowed(*text)
                            }
                            (_, filled) => Cow::Owned(filled.into_owned()),
                        })
                    }
                    Err(unresolved) => {
                        let why = match unresolved {
                            Unresolved::Unknown(name) => format!("{{{name}}} is not known here"),
                            Unresolved::TooLong => "the names in it are too long".to_owned(),
                        };
                        let detail = format!("{}: {why}", variable.name());
                        notes.add(Reason::TemplateUnresolved, place, detail);
                        return Choice::Leave(Reason::TemplateUnresolved);
                    }
                }
            }
            _ => EnvValue::Literal(text.clone()),
        };
        Choice::Set(value, origin)
    }
}

/// The setting that gives a variable its value.
const fn setting_of(variable: Variable) -> Option<Setting> {
    Some(match variable {
        Variable::Tracing => return None,
        Variable::AgentHost => Setting::AgentHost,
        Variable::AgentPort => Setting::AgentPort,
        Variable::SamplerType => Setting::SamplerType,
        Variable::SamplerParam => Setting::SamplerParam,
        Variable::ServiceName => Setting::ServiceName,
        Variable::Tags => Setting::Tags,
        Variable::ConfigPath => Setting::ConfigMap,
        Variable::OtlpEndpoint => Setting::OtlpEndpoint,
    })
}

fn asked_for(settings: &Resolved<'_>, variable: Variable) -> bool {
    let setting = setting_of(variable).and_then(|setting| settings.get(setting));
    setting.is_some_and(|(_, origin)| {
        // An endpoint in the config is meant for MLServers, so it does not count as asked for in other targets.
        variable != Variable::OtlpEndpoint || origin >= Origin::SpecAnnotation
    })
}
