//! What a namespace says about tracing, as the selectors of `manifests/base/webhook.yaml` have it.

use std::collections::BTreeMap;

use super::names::{DISABLED_LABEL, EXCLUDED, NAMESPACE_LABEL};
use crate::inject::Namespace;

/// What the labels of a namespace say.
pub(crate) fn state(name: &str, labels: &BTreeMap<String, String>) -> Namespace {
    let has = |(key, value): (&str, &str)| labels.get(key).is_some_and(|it| it == value);
    if EXCLUDED.contains(&name) || has(DISABLED_LABEL) {
        Namespace::Excluded
    } else if has(NAMESPACE_LABEL) {
        Namespace::On
    } else {
        Namespace::Off
    }
}
