//! The controller has no more rights than it needs, and misses each of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Controller, patch_secret, until_settled};
use crate::models::{is_traced, model, untraced};
use crate::rig::controller::{self, ACCOUNT, delete};
use crate::rig::installation::{NAME, NAMESPACE, SECRET, bundles};
use crate::rig::{Cluster, Space, until};
use crate::writes::{apply, create, quietly};

tests![
    nobody_is_granted_more_than_is_listed_here,
    each_right_that_is_taken_away_is_missed_once_and_used_again_when_it_is_back,
];

/// What the controller may do in its namespace, beside what everybody may.
const IN_ITS_NAMESPACE: [&str; 3] = [
    "secrets [] [] [create]",
    "secrets [] [seldon-tracing-ca] [get watch update]",
    "secrets [] [seldon-tracing-tls] [get watch update]",
];

/// And what it may do everywhere.
const EVERYWHERE: [&str; 4] = [
    "events.events.k8s.io [] [] [create patch]",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io [] [seldon-tracing] [get watch patch]",
    "namespaces [] [] [list watch]",
    "seldondeployments.machinelearning.seldon.io [] [] [list watch patch]",
];

fn nobody_is_granted_more_than_is_listed_here(cluster: &Cluster) {
    let listed = |account: &str, namespace: &str| -> BTreeSet<String> {
        let user = format!("--as=system:serviceaccount:{NAMESPACE}:{account}");
        let list = ["auth", "can-i", "--list", &user, "--namespace", namespace];
        let listed = cluster.kubectl(&list).ok();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        listed.lines().skip(1).map(words).collect()
    };
    let everywhere: BTreeSet<_> = EVERYWHERE.map(str::to_owned).into();
    let own = IN_ITS_NAMESPACE.map(str::to_owned).into();
    let space = cluster.space("rights");
    for namespace in [NAMESPACE, &space.name] {
        let everybody = listed("of-nobody", namespace);
        assert!(everybody.len() > 3, "{everybody:?}");
        assert_eq!(listed(NAME, namespace), everybody, "the webhook");
        let more: BTreeSet<_> = &listed(ACCOUNT, namespace) - &everybody;
        let mut expected = everywhere.clone();
        if namespace == NAMESPACE {
            expected = &expected | &own;
        }
        assert_eq!(more, expected, "{namespace}");
    }
}

/// A role of the controller, as `kubectl get` takes it.
type Role = &'static str;
const SECRETS: Role = "role/seldon-tracing-certificates";
const CONFIGURATION: Role = "clusterrole/seldon-tracing-certificates";
const REPAIR: Role = "clusterrole/seldon-tracing-repair";

/// A right of a role, what is done to the cluster so that the controller needs it, and what the controller then says about which check.
struct Right {
    role: Role,
    resource: &'static str,
    verb: &'static str,
    need: Need,
    check: &'static str,
    says: &'static str,
}

/// What happens in the cluster.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing: it is needed from the start.
    None,
    /// The webhook's certificate is deleted.
    Certificate,
    /// Its key is garbled.
    Key,
    /// The same again, which counts the Event.
    KeyAgain,
    /// `caBundle` is garbled, where namespaces have tracing by default.
    Bundle,
    /// A model lacks what it asks for.
    Untraced,
    /// A model asks for nonsense.
    Problem,
    /// The same again, which counts the Event.
    ProblemAgain,
}

const fn right(
    (role, resource, verb): (Role, &'static str, &'static str),
    need: Need,
    check: &'static str,
    says: &'static str,
) -> Right {
    Right {
        role,
        resource,
        verb,
        need,
        check,
        says,
    }
}

const CONFIGURATIONS: &str = "mutatingwebhookconfigurations";
const READ_SECRET: &str = "read the Secret seldon-tracing-tls";
const READ_CONFIGURATION: &str = "read the MutatingWebhookConfiguration seldon-tracing";
const EVENT: &str = "write an Event";

#[rustfmt::skip]
const RIGHTS: [Right; 16] = [
    right((SECRETS, "secrets", "get"), Need::None, "certificates", READ_SECRET),
    right((SECRETS, "secrets", "watch"), Need::None, "watch-certificate", "watch seldon-tracing-"),
    right((SECRETS, "secrets", "update"), Need::Key, "certificates", "write the Secret seldon-tracing-tls"),
    right((SECRETS, "secrets", "create"), Need::Certificate, "certificates", "create the Secret seldon-tracing-tls"),
    right((SECRETS, "events", "create"), Need::Key, "events", EVENT),
    right((SECRETS, "events", "patch"), Need::KeyAgain, "events", EVENT),
    right((CONFIGURATION, CONFIGURATIONS, "get"), Need::None, "certificates", READ_CONFIGURATION),
    right((CONFIGURATION, CONFIGURATIONS, "watch"), Need::None, "watch-webhook", "watch seldon-tracing"),
    right((CONFIGURATION, CONFIGURATIONS, "patch"), Need::Bundle, "certificates", "write caBundle"),
    right((REPAIR, "namespaces", "list"), Need::None, "watch-namespaces", "watch the namespaces"),
    right((REPAIR, "namespaces", "watch"), Need::None, "watch-namespaces", "watch the namespaces"),
    right((REPAIR, "seldondeployments", "list"), Need::None, "watch-models", "watch the SeldonDeployments"),
    right((REPAIR, "seldondeployments", "watch"), Need::None, "watch-models", "watch the SeldonDeployments"),
    right((REPAIR, "seldondeployments", "patch"), Need::Untraced, "repair", "write the SeldonDeployment"),
    right((REPAIR, "events", "create"), Need::Problem, "events", EVENT),
    right((REPAIR, "events", "patch"), Need::ProblemAgain, "events", EVENT),
];

impl Right {
    /// The rights of a role without this one.
    fn taken_from(&self, role: Role, rules: &Value) -> Value {
        let mut rules = rules.clone();
        // Events of its own namespace are granted by both roles, for each of them is left out where its part is switched off.
        let is_of_both = (self.role, role, self.resource) == (SECRETS, REPAIR, "events");
        if role == self.role || is_of_both {
            let rules = rules.as_array_mut().unwrap();
            let of_it = json!([self.resource]);
            for rule in rules.iter_mut().filter(|it| it["resources"] == of_it) {
                let verbs = rule["verbs"].as_array_mut().unwrap();
                verbs.retain(|verb| *verb != self.verb);
            }
            rules.retain(|rule| rule["verbs"] != json!([]));
        }
        rules
    }
}

/// The controller under a service account of its own, with the rights of ours but for one.
struct Lacking<'c> {
    cluster: &'c Cluster,
    right: &'static Right,
    account: String,
    roles: Vec<(Role, Value)>,
}

impl<'c> Lacking<'c> {
    fn new(cluster: &'c Cluster, right: &'static Right, roles: &[(Role, Value)]) -> Self {
        let account = format!("{ACCOUNT}-without-{}-{}", right.verb, right.resource);
        let it = Self {
            cluster,
            right,
            account,
            roles: roles.to_vec(),
        };
        it.grant(|role, rules| right.taken_from(role, rules));
        it
    }

    fn grant(&self, change: impl Fn(Role, &Value) -> Value) {
        let api = "rbac.authorization.k8s.io";
        let metadata = json!({"name": self.account, "namespace": NAMESPACE});
        let mut items =
            vec![json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})];
        for (role, rules) in &self.roles {
            let prefix = if *role == SECRETS { "" } else { "Cluster" };
            let name = format!(
                "{}-{}",
                self.account,
                if *role == REPAIR { "r" } else { "c" }
            );
            let metadata = json!({"name": name, "namespace": NAMESPACE});
            let kind = format!("{prefix}Role");
            items.extend([
                json!({"apiVersion": format!("{api}/v1"), "kind": kind, "metadata": metadata, "rules": change(role, rules)}),
                json!({"apiVersion": format!("{api}/v1"), "kind": format!("{kind}Binding"), "metadata": metadata,
                    "roleRef": {"apiGroup": api, "kind": kind, "name": name},
                    "subjects": [{"kind": "ServiceAccount", "name": self.account, "namespace": NAMESPACE}]}),
            ]);
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let server_side = ["apply", "--server-side", "-f", "-"];
        self.cluster.kubectl_with(&list, &server_side).ok();
    }

    fn start(&self) -> Controller<'c> {
        let plane = self.cluster.plane();
        // The API server takes a moment to hear of the binding, and with all of them it grants what the last has.
        let config = controller::kubeconfig(plane, &self.account);
        let flags = ["--trust-delay=1s", "--load-delay=3s", "--repair-grace=1s"];
        let process = self
            .cluster
            .block_on(controller::start_with(plane, config, &flags));
        Controller {
            cluster: self.cluster,
            process,
        }
    }

    /// It says so once, and nothing else is wrong.
    fn is_missed(&self, controller: &Controller<'_>) {
        let Right { check, says, .. } = self.right;
        let what = format!("[!]{check}: cannot {says}");
        until(&what, || controller.has_problem(&what));
        // Two watches need the same.
        let is_it = |line: &str| line.contains(says) && line.contains("no permission");
        until("nothing else is missed", || {
            let (status, checks) = controller.page("/readyz?verbose");
            let mut wrong = checks.lines().filter(|line| line.starts_with("[!]"));
            status == 200 && wrong.all(is_it)
        });
        let of_check = format!("check=\"{check}\"");
        let problems = "seldon_tracing_controller_problems";
        assert!(controller.metric(problems, &of_check) > 0.5);
        let of_check = format!(r#""check":"{check}""#);
        let said = || {
            let log = controller.process.log();
            let lines = log.lines().filter(|line| line.contains(&of_check));
            lines.filter(|line| line.contains("will try again")).count()
        };
        until("it is in the log", || said() > 0);
        assert_eq!(said(), 1, "once: {}", controller.process.log());
    }

    /// It uses the right again.
    fn recovers(&self, controller: &Controller<'_>) {
        let good = format!("[+]{} ok", self.right.check);
        until(&good, || controller.has_problem(&good));
        until("nothing is missed", || !controller.has_problem("[!]"));
    }
}

fn each_right_that_is_taken_away_is_missed_once_and_used_again_when_it_is_back(cluster: &Cluster) {
    let roles = [SECRETS, CONFIGURATION, REPAIR].map(|role| {
        let get = ["get", role, "--namespace", NAMESPACE, "-o", "json"];
        (role, cluster.kubectl(&get).json()["rules"].clone())
    });
    let listed = RIGHTS.iter().map(|it| (it.role, it.resource, it.verb));
    assert_eq!(listed.map(own).collect::<BTreeSet<_>>(), granted(&roles));

    // What is needed from the start is missed by all at once.
    let space = cluster.space("seen");
    quietly(apply(&space, &[model("seen")]));
    let (at_once, in_need): (Vec<_>, Vec<_>) =
        RIGHTS.iter().partition(|right| right.need == Need::None);
    let at_once = at_once
        .into_iter()
        .map(|it| Lacking::new(cluster, it, &roles));
    let at_once: Vec<_> = at_once.collect();
    let at_once: Vec<_> = at_once.into_iter().map(|it| (it.start(), it)).collect();
    for (controller, it) in &at_once {
        it.is_missed(controller);
        until("the other part goes on", || {
            if it.right.role == REPAIR {
                controller.has_problem("[+]certificates ok")
            } else {
                controller.metric("seldon_tracing_models", "") > 0.5
            }
        });
    }
    for (_, it) in &at_once {
        it.grant(|_, rules| rules.clone());
    }
    for (controller, it) in &at_once {
        it.recovers(controller);
    }
    drop(at_once);

    for right in in_need {
        is_missed_in_need(&Lacking::new(cluster, right, &roles));
    }
}

fn is_missed_in_need(it: &Lacking<'_>) {
    let cluster = it.cluster;
    let controller = it.start();
    let ca = until_settled(cluster, "");
    let space = cluster.apart("need");
    occur(it.right.need, &space, &controller);
    it.is_missed(&controller);
    // The other part goes on.
    if it.right.role == REPAIR {
        occur(Need::Bundle, &space, &controller);
        let good = Some(ca);
        until("caBundle is put back", || {
            bundles(cluster.plane()).iter().all(|it| *it == good)
        });
    } else {
        let other = cluster.apart("goes-on");
        occur(Need::Untraced, &other, &controller);
        until("it is repaired", || is_traced(&other.get("untraced")));
    }
    it.grant(|_, rules| rules.clone());
    if it.right.check == "events" {
        // It has the next one to write.
        occur(it.right.need, &space, &controller);
    }
    it.recovers(&controller);
    if it.right.need == Need::Untraced {
        until("it is repaired", || is_traced(&space.get("untraced")));
    }
    until_settled(cluster, "");
    // Others would hear of its problem too.
    space.kubectl(&["delete", "sdep", "--all"]).ok();
}

/// Has something happen, and waits until the controller is done with all but the last of it.
fn occur(need: Need, space: &Space<'_>, controller: &Controller<'_>) {
    let cluster = space.cluster;
    let problems = || controller.metric("seldon_tracing_models", "standing=\"problem\"");
    match need {
        Need::None => {}
        Need::Certificate => delete(cluster, &[SECRET]),
        Need::Key => patch_secret(
            cluster,
            SECRET,
            &json!({"data": {"tls.key": "Z2FyYmFnZQ=="}}),
        ),
        Need::KeyAgain => {
            let steps = controller.steps("CertificateReplaced");
            occur(Need::Key, space, controller);
            until("it is replaced", || {
                controller.steps("CertificateReplaced") > steps + 0.5
            });
            occur(Need::Key, space, controller);
        }
        Need::Bundle => {
            let patch = r#"--patch=[{"op": "replace", "path": "/webhooks/1/clientConfig/caBundle", "value": "Z2FyYmFnZQ=="}]"#;
            let at = [
                "patch",
                "mutatingwebhookconfiguration",
                NAME,
                "--type=json",
                patch,
            ];
            cluster.kubectl(&at).ok();
        }
        Need::Untraced => {
            quietly(apply(space, &[model("untraced")]));
            cluster.rejoin(space);
        }
        Need::Problem => {
            let name = format!("problem-{}", problems());
            let mut model = untraced(&name);
            model["metadata"]["annotations"] = json!({"tracing": "nonsense"});
            create(space, &model).ok();
        }
        Need::ProblemAgain => {
            occur(Need::Problem, space, controller);
            until("it is seen", || problems() > 0.5);
            let annotate = [
                "annotate",
                "sdep",
                "--all",
                "tracing=more-nonsense",
                "--overwrite",
            ];
            space.kubectl(&annotate).ok();
        }
    }
}

fn own((role, resource, verb): (&str, &str, &str)) -> [String; 3] {
    [role, resource, verb].map(str::to_owned)
}

/// All rights of all roles.
fn granted(roles: &[(Role, Value)]) -> BTreeSet<[String; 3]> {
    let texts = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let mut granted = BTreeSet::new();
    for (role, rules) in roles {
        for rule in rules.as_array().unwrap() {
            for resource in texts(&rule["resources"]) {
                let verbs = texts(&rule["verbs"]);
                granted.extend(verbs.iter().map(|verb| own((role, &resource, verb))));
            }
        }
    }
    granted
}
