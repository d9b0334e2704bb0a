//! Kubernetes Events: what `kubectl describe` and `kubectl get events` show.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder};

use super::trouble::{Trouble, ask};

/// The component that reports the Events.
const REPORTER: &str = "seldon-tracing-controller";

table! {
    /// What an Event says of a model.
    pub(super) enum News
    pub(super) fn type_and_reason -> (EventType, &'static str) {
        Problem = (EventType::Warning, "TracingProblem"),
        Repaired = (EventType::Normal, "TracingRepaired"),
        NotRepaired = (EventType::Warning, "TracingNotRepaired"),
        GivenUp = (EventType::Warning, "TracingGivenUp"),
    }
}

/// Writes Events. Equal ones become one, with a count.
pub(super) struct Events(Recorder);

impl Events {
    pub(super) fn new(client: Client) -> Self {
        Self(Recorder::new(client, REPORTER.into()))
    }

    /// Writes an Event on an object.
    pub(super) async fn tell(
        &self,
        about: &ObjectReference,
        (type_, reason): (EventType, &str),
        action: &str,
        note: String,
    ) -> Result<(), Trouble> {
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note),
            action: action.to_owned(),
            secondary: None,
        };
        ask("write an Event", self.0.publish(&event, about)).await
    }
}
