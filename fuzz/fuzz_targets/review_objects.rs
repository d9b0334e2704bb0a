//! AdmissionReviews about objects that are nearly `SeldonDeployments`, with records, older objects and odd types.

#![no_main]

#[path = "../../tests/support/checked.rs"]
#[allow(dead_code)]
mod checked;
mod objects;
#[path = "../../tests/support/variables.rs"]
#[allow(dead_code)]
mod variables;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use objects::{Accident, Deployment};
use seldon_tracing::admission::Route;
use seldon_tracing::apiserver::question::Operation;
use seldon_tracing::config::Config;
use serde_json::Value;

#[derive(Debug, Arbitrary)]
struct Case {
    object: Deployment,
    default_on: bool,
    /// What happens to what was injected before it is written again.
    accidents: Vec<Accident>,
    old: Old,
}

#[derive(Debug, Arbitrary)]
enum Old {
    None,
    Injected,
    Other(Deployment),
}

fn asked(object: &Value, old: Option<&Value>, route: Route) -> checked::Seen {
    let operation = if old.is_some() {
        Operation::Update
    } else {
        Operation::Create
    };
    let question = checked::question(operation, Some(object), old).to_string();
    checked::look(question.as_bytes(), route, &Config::default()).expect("the question is good")
}

fuzz_target!(|case: Case| {
    let route = if case.default_on {
        Route::DefaultOn
    } else {
        Route::Mutate
    };
    let object = case.object.to_value();
    let injected = asked(&object, None, route)
        .result
        .expect("there is an object");
    assert!(
        asked(&injected, None, route).is_left(),
        "injecting twice is injecting once: {injected}"
    );
    let mut hurt = injected.clone();
    for accident in &case.accidents {
        accident.hit(&mut hurt);
    }
    let old = match case.old {
        Old::None => None,
        Old::Injected => Some(injected),
        Old::Other(other) => asked(&other.to_value(), None, route).result,
    };
    let Some(result) = asked(&hurt, old.as_ref(), route).result else {
        return;
    };
    assert!(
        asked(&result, old.as_ref(), route).is_left(),
        "a second time: {hurt} over {old:?}"
    );
    assert!(
        asked(&result, Some(&result), route).is_left(),
        "without a change: {hurt} over {old:?}"
    );
});
