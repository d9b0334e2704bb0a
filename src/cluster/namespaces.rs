//! What a namespace says about tracing, by the same rules as the selectors of `manifests/base/webhook.yaml`.

use std::collections::BTreeMap;

use super::names::{DISABLED_LABEL, EXCLUDED, NAMESPACE_LABEL};
use crate::inject::Namespace;

/// What the labels of a namespace say. `ours` is where the webhook is installed.
pub(crate) fn state(name: &str, labels: &BTreeMap<String, String>, ours: &str) -> Namespace {
    let has = |(key, value): (&str, &str)| labels.get(key).is_some_and(|it| it == value);
    if name == ours || EXCLUDED.contains(&name) || has(DISABLED_LABEL) {
        Namespace::Excluded
    } else if has(NAMESPACE_LABEL) {
        Namespace::On
    } else {
        Namespace::Off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespaces_of_the_cluster_and_our_own_are_left_out() {
        let labels = |labels: &[(&str, &str)]| {
            let labels = labels.iter();
            labels
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        };
        let on = labels(&[NAMESPACE_LABEL]);
        for (name, expected) in [
            ("models", Namespace::On),
            ("kube-system", Namespace::Excluded),
            ("ours", Namespace::Excluded),
            ("seldon-tracing", Namespace::On),
        ] {
            assert_eq!(state(name, &on, "ours"), expected, "{name}");
        }
        assert_eq!(state("models", &labels(&[]), "ours"), Namespace::Off);
        let both = labels(&[NAMESPACE_LABEL, DISABLED_LABEL]);
        assert_eq!(state("models", &both, "ours"), Namespace::Excluded);
    }
}
