//! The guard of `manifests/guard`: it warns of what is stored untraced while no webhook answers, and of nothing else.

use std::collections::BTreeSet;
use std::fs;

use seldon_tracing::config::Config;
use seldon_tracing::inject::Context;
use seldon_tracing::offline;
use serde_json::{Value, json};

use crate::corpus::named;
use crate::models::{model, untraced};
use crate::rig::installation::overlay;
use crate::rig::{Cluster, Space, metrics, until};
use crate::support::fixtures::{Corpus, documents, example_objects, root, triggered};
use crate::writes::audited;

tests![
    the_guard_is_installed_with_one_command,
    the_guard_warns_of_what_is_stored_untraced_and_of_nothing_else,
    the_guard_reads_the_trigger_as_the_webhook_does,
];
tests![OVER_THE_CORPUS: crate::Test; the_guard_warns_of_what_is_stored_untraced_of_the_corpus];

fn the_guard_is_installed_with_one_command(cluster: &Cluster) {
    let folder = overlay("guard");
    let installed = cluster.kubectl(&["apply", "--dry-run=server", "-k", &folder]);
    assert_eq!(installed.warnings(), [""; 0]);
    assert_eq!(installed.ok().lines().count(), 2);
}

/// The guard for two namespaces of one test: one that the webhook serves, and one that it does not hear of.
struct Guard<'c> {
    name: String,
    up: Space<'c>,
    down: Space<'c>,
}

impl<'c> Guard<'c> {
    fn install(cluster: &'c Cluster, up: Space<'c>, down: Space<'c>) -> Self {
        let text = fs::read_to_string(root().join("manifests/guard/policy.yaml")).unwrap();
        let [mut policy, mut binding]: [Value; 2] = documents(&text).try_into().unwrap();
        let name = format!("guard-{}", up.name);
        policy["metadata"]["name"] = json!(name);
        // The namespace that the webhook does not hear of has a label for that.
        policy["spec"]["matchConstraints"]["namespaceSelector"] = json!({});
        policy["spec"]["variables"][0]["expression"] = json!("['sampled']");
        binding["metadata"]["name"] = json!(name);
        binding["spec"]["policyName"] = json!(name);
        let key = "kubernetes.io/metadata.name";
        let both = json!({"key": key, "operator": "In", "values": [up.name, down.name]});
        binding["spec"]["matchResources"] =
            json!({"namespaceSelector": {"matchExpressions": [both]}});
        for object in [policy, binding] {
            let created = cluster.kubectl_with(&object.to_string(), &["create", "-f", "-"]);
            created.ok();
        }
        let guard = Self { name, up, down };
        until("the guard is in force", || {
            let probe = model("probe").to_string();
            let dry = ["create", "--dry-run=server", "-f", "-"];
            !guard.down.kubectl_with(&probe, &dry).warnings().is_empty()
        });
        guard
    }

    /// Creates objects, and gives the names of those that it warned of.
    fn warned(&self, space: &Space<'_>, objects: &[Value]) -> BTreeSet<String> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        // Some real manifests have fields that the schema does not know; the API server drops them.
        let create = ["create", "--validate=ignore", "-f", "-"];
        let created = space.kubectl_with(&list.to_string(), &create);
        assert!(!created.stdout.is_empty(), "{created:?}");
        let beginning = format!(
            "Validation failed for ValidatingAdmissionPolicy '{}'",
            self.name
        );
        let warnings = created.warnings().into_iter();
        let ours = warnings.filter(|warning| warning.starts_with(&beginning));
        let names = ours.map(|warning| {
            let (_, message) = warning.split_once(": ").unwrap();
            let (name, rest) = message.split_once(' ').unwrap();
            assert!(rest.starts_with("asks for tracing and is stored without it"));
            name.to_owned()
        });
        names.collect()
    }
}

impl Guard<'_> {
    /// The API server has evaluated it often, and each time without an error: `failurePolicy: Ignore` would hide one.
    fn had_no_error(&self) {
        let policy = format!("policy=\"{}\"", self.name);
        let checks = |result: &str| {
            let name = "apiserver_validating_admission_policy_check_total";
            metrics::sum(self.up.cluster, name, &[&policy, result])
        };
        assert!(checks("enforcement_action=\"audit\"") > 0.5);
        // What is admitted is counted only where an expression ends in an error.
        let errors = checks("enforcement_action=\"allow\"");
        assert!(errors < 0.5, "{errors}");
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        for kind in ["binding", ""] {
            let kind = format!("validatingadmissionpolicy{kind}");
            self.up.kubectl(&["delete", &kind, &self.name]);
        }
    }
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

/// Whether the webhook adds something.
fn is_for_the_webhook(manifest: &Value, namespace: &str) -> bool {
    let context = Context {
        namespace: Some(namespace),
        ..Context::default()
    };
    let done = offline::run(&manifest.to_string(), &Config::default(), &context).unwrap();
    done.text.is_some()
}

/// Objects that the guard may be silent of, as `manifests/README.md` says: the webhook adds to `recommend`, where containers are excluded, and to
/// `openvino-model` of the corpus, whose orchestrator has TRACING by hand.
const SILENT: [&str; 2] = ["recommend", "openvino-model"];

fn the_guard_warns_of_what_is_stored_untraced_and_of_nothing_else(cluster: &Cluster) {
    warns_of_what_is_stored_untraced(cluster, "guarded", &example_objects());
}

fn the_guard_warns_of_what_is_stored_untraced_of_the_corpus(cluster: &Cluster) {
    let objects = Corpus::find().unwrap().objects();
    warns_of_what_is_stored_untraced(cluster, "guarded-corpus", &objects);
}

fn warns_of_what_is_stored_untraced(cluster: &Cluster, name: &str, manifests: &[(String, Value)]) {
    let alone = cluster.apart(&format!("{name}-alone"));
    let guard = Guard::install(cluster, cluster.space(name), alone);
    let manifests = manifests.iter().map(|it| &it.1).enumerate();
    let mut manifests: Vec<_> = manifests.map(named).collect();
    for manifest in &mut manifests {
        let metadata = manifest["metadata"].as_object_mut().unwrap();
        // The golden files are traced already.
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove("tracing.seldon.io/injected");
        }
    }
    let asking: Vec<_> = manifests.iter().map(triggered).collect();
    assert_eq!(guard.warned(&guard.up, &asking), BTreeSet::new());

    let warned = guard.warned(&guard.down, &asking);
    let stored = guard.down.kubectl(&["get", "sdep", "-o", "name"]).ok();
    let stored: BTreeSet<_> = stored
        .lines()
        .filter_map(|line| line.split('/').nth(1))
        .collect();
    let written = asking.iter().filter(|it| stored.contains(&*name_of(it)));
    let wanting = written.filter(|it| is_for_the_webhook(it, &guard.down.name));
    let wanting: BTreeSet<_> = wanting.map(name_of).collect();
    let unseen: Vec<_> = wanting.difference(&warned).collect();
    eprintln!(
        "cluster: of {} manifests that the webhook changes, the guard warned of {}; it was silent of {unseen:?}",
        wanting.len(),
        warned.len(),
    );
    assert!(
        warned.is_subset(&wanting),
        "{:?}",
        warned.difference(&wanting)
    );
    let unseen = unseen.iter().map(|name| name.rsplit_once('-').unwrap().0);
    let unforeseen: Vec<_> = unseen.filter(|it| !SILENT.contains(it)).collect();
    assert_eq!(unforeseen, [""; 0]);
    guard.had_no_error();
}

/// A change of a model that does not ask, and whether it then asks for tracing and lacks it.
type Case = (&'static str, fn(&mut Value), bool);

const CASES: &[Case] = &[
    ("plain", |_| {}, false),
    (
        "of-metadata",
        |it| it["metadata"]["annotations"] = json!({"tracing": "True"}),
        true,
    ),
    (
        "of-spec",
        |it| it["spec"]["annotations"] = json!({"tracing": "true"}),
        true,
    ),
    (
        "of-a-predictor",
        |it| it["spec"]["predictors"][0]["annotations"] = json!({"tracing": "true"}),
        true,
    ),
    (
        "a-profile",
        |it| it["metadata"]["annotations"] = json!({"tracing": "sampled"}),
        true,
    ),
    (
        "unknown",
        |it| it["metadata"]["annotations"] = json!({"tracing": "Sampled"}),
        false,
    ),
    (
        "metadata-is-stronger",
        |it| {
            it["metadata"]["annotations"] = json!({"tracing": "false"});
            it["spec"]["annotations"] = json!({"tracing": "true"});
        },
        false,
    ),
    (
        "a-predictor-is-strongest",
        |it| {
            it["metadata"]["annotations"] = json!({"tracing": "true"});
            it["spec"]["predictors"][0]["annotations"] = json!({"tracing": "false"});
        },
        false,
    ),
    (
        "by-hand",
        |it| {
            it["metadata"]["annotations"] = json!({"tracing": "true"});
            let env = json!({"env": [{"name": "TRACING", "value": "1"}]});
            it["spec"]["predictors"][0]["svcOrchSpec"] = env;
        },
        false,
    ),
    (
        "by-an-annotation",
        |it| {
            it["metadata"]["annotations"] = json!({"tracing": "true"});
            it["spec"]["annotations"] = json!({"seldon.io/engine-jaeger-disabled": "true"});
        },
        false,
    ),
    (
        "without-orchestrator",
        |it| {
            let own = json!({"seldon.io/no-engine": "true", "tracing": "true"});
            it["spec"]["predictors"][0]["annotations"] = own;
        },
        true,
    ),
    (
        "mlserver-without-orchestrator",
        |it| {
            let own = json!({"seldon.io/no-engine": "true", "tracing": "true"});
            it["spec"]["predictors"][0]["annotations"] = own;
            it["spec"]["protocol"] = json!("v2");
        },
        false,
    ),
    (
        "excluded",
        |it| {
            let own = json!({"tracing.seldon.io/exclude-containers": "x", "tracing": "true"});
            it["metadata"]["annotations"] = own;
        },
        false,
    ),
];

fn the_guard_reads_the_trigger_as_the_webhook_does(cluster: &Cluster) {
    let guard = Guard::install(
        cluster,
        cluster.space("trigger"),
        cluster.apart("trigger-alone"),
    );
    let cases: Vec<_> = CASES
        .iter()
        .map(|(name, change, _)| {
            let mut object = untraced(name);
            change(&mut object);
            object
        })
        .collect();
    let expected = CASES.iter().filter(|(_, _, warns)| *warns);
    let expected: BTreeSet<_> = expected.map(|(name, _, _)| (*name).to_owned()).collect();
    assert_eq!(guard.warned(&guard.down, &cases), expected);
    // `manifests/README.md` names the annotation.
    let noted = &audited(&guard.down, "of-metadata")["validation.policy.admission.k8s.io/validation_failure"];
    let noted = noted.as_str().unwrap();
    assert!(noted.contains(&guard.name), "{noted}");
    assert!(
        noted.contains("of-metadata asks for tracing and is stored without it"),
        "{noted}"
    );
    let without_profile = cases
        .iter()
        .filter(|it| name_of(it) != "a-profile")
        .cloned();
    let without_profile: Vec<_> = without_profile.collect();
    assert_eq!(guard.warned(&guard.up, &without_profile), BTreeSet::new());

    // In a namespace where tracing is the default.
    guard
        .down
        .kubectl(&["label", "namespace", &guard.down.name, "tracing=enabled"])
        .ok();
    until("the policy sees the label", || {
        let probe = untraced("by-default").to_string();
        let dry = ["create", "--dry-run=server", "-f", "-"];
        !guard.down.kubectl_with(&probe, &dry).warnings().is_empty()
    });
    let mut opted_out = untraced("opted-out");
    opted_out["metadata"]["annotations"] = json!({"tracing": "false"});
    let both = [untraced("by-default"), opted_out];
    let warned = guard.warned(&guard.down, &both);
    assert_eq!(warned, BTreeSet::from(["by-default".to_owned()]));

    // What is traced already, and written again, is no matter for the guard; what lost it is.
    let traced = json!({"metadata": {"annotations": {"tracing.seldon.io/injected": "{}", "tracing": "true"}}});
    let patch = [
        "patch",
        "sdep/plain",
        "--type=merge",
        "-p",
        &traced.to_string(),
    ]
    .map(str::to_owned);
    let patch: Vec<&str> = patch.iter().map(String::as_str).collect();
    assert_eq!(guard.down.kubectl(&patch).warnings(), [""; 0]);
    let lost = guard
        .down
        .kubectl(&["annotate", "sdep/plain", "tracing.seldon.io/injected-"]);
    assert_eq!(lost.warnings().len(), 1, "{lost:?}");
    guard.had_no_error();
}
