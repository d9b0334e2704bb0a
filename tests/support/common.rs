//! Runs the engine on JSON values. Every plan is checked for what must always hold, whatever the test is about.

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, Plan, SeldonDeployment, plan};
use serde_json::Value;

/// Plans for `object` and applies the patch. Returns the result, and what `look` makes of the plan.
///
/// Every plan is checked: the patch applies, its written form is its typed form, and a second run writes the same bytes.
pub(crate) fn run<T>(
    object: &Value,
    old: Option<&Value>,
    config: &Config,
    context: &Context<'_>,
    look: impl FnOnce(&Plan<'_>) -> T,
) -> (Value, T) {
    let (json, old_json) = (object.to_string(), old.map(Value::to_string));
    let view = SeldonDeployment::from_json(json.as_bytes()).unwrap();
    let old_view = old_json
        .as_ref()
        .map(|json| SeldonDeployment::from_json(json.as_bytes()).unwrap());
    let decided = plan(&view, old_view.as_ref(), config, context);
    let patch = decided.patch().unwrap();

    let (mut bytes, mut again) = (Vec::new(), Vec::new());
    decided.write_patch(&mut bytes).unwrap();
    plan(&view, old_view.as_ref(), config, context)
        .write_patch(&mut again)
        .unwrap();
    assert_eq!(bytes, again, "deterministic");
    assert_eq!(
        serde_json::from_slice::<Value>(&bytes).unwrap(),
        serde_json::to_value(&patch).unwrap(),
        "the written patch is the typed patch"
    );
    assert_eq!(decided.is_empty(), patch.is_empty());

    let mut result = object.clone();
    json_patch::patch(&mut result, &patch)
        .unwrap_or_else(|error| panic!("{error}\npatch: {patch:?}\nobject: {object}"));
    (result, look(&decided))
}
