//! Objects as the API server sends them, of a chosen size, and the types that the parse of one is measured against.

// Each binary that includes this uses a part of it.
#![allow(dead_code)]

use std::borrow::Cow;
use std::fmt::Write;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, SeldonDeployment, plan};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The JSON of a `SeldonDeployment` with that many containers, with sorted keys and without spaces, as the API server writes it.
/// Three containers make about 12 KB.
pub(crate) fn object(containers: usize) -> String {
    let mut list = String::new();
    let mut children = String::new();
    for at in 0..containers {
        let comma = if at == 0 { "" } else { "," };
        let mut env = String::new();
        for variable in 0..10 {
            let comma = if variable == 0 { "" } else { "," };
            let _ = write!(
                env,
                r#"{comma}{{"name":"MODEL_SETTING_{variable}","value":"a value of model {at} and setting {variable}"}}"#
            );
        }
        let probe = r#"{"failureThreshold":3,"httpGet":{"path":"/health/status","port":"http","scheme":"HTTP"},"initialDelaySeconds":20,"periodSeconds":5,"successThreshold":1,"timeoutSeconds":1}"#;
        let _ = write!(
            list,
            r#"{comma}{{"args":["--log-level","info","--workers","4"],"env":[{env}],"image":"registry.example.com/team/model-{at}:1.4.0","imagePullPolicy":"IfNotPresent","livenessProbe":{probe},"name":"model-{at}","ports":[{{"containerPort":9000,"name":"http","protocol":"TCP"}},{{"containerPort":9500,"name":"grpc","protocol":"TCP"}}],"readinessProbe":{probe},"resources":{{"limits":{{"cpu":"2","memory":"4Gi"}},"requests":{{"cpu":"500m","memory":"1Gi"}}}},"securityContext":{{"allowPrivilegeEscalation":false,"capabilities":{{"drop":["ALL"]}}}},"volumeMounts":[{{"mountPath":"/mnt/models","name":"models","readOnly":true}}]}}"#
        );
        let _ = write!(
            children,
            r#"{comma}{{"children":[],"name":"model-{at}","type":"MODEL"}}"#
        );
    }
    // What kubectl keeps of the last apply, as a string with all its quotes escaped.
    let applied = list.replace('\\', "\\\\").replace('"', "\\\"");
    let applied: String = applied.chars().take(containers * 2050).collect();
    let applied = applied.trim_end_matches('\\');
    format!(
        r#"{{"apiVersion":"machinelearning.seldon.io/v1","kind":"SeldonDeployment","metadata":{{"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{applied}","tracing":"true"}},"creationTimestamp":"2026-11-01T10:00:00Z","generation":3,"labels":{{"app":"seldon","team":"shop"}},"managedFields":[{{"apiVersion":"machinelearning.seldon.io/v1","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:annotations":{{".":{{}},"f:tracing":{{}}}}}},"f:spec":{{".":{{}},"f:predictors":{{}}}}}},"manager":"kubectl","operation":"Update","time":"2026-11-01T10:00:00Z"}}],"name":"recommend","namespace":"models","uid":"6a8f0f5e-0000-4000-8000-000000000000"}},"spec":{{"annotations":{{"seldon.io/rest-timeout":"100000"}},"predictors":[{{"componentSpecs":[{{"spec":{{"containers":[{list}],"terminationGracePeriodSeconds":20,"volumes":[{{"emptyDir":{{}},"name":"models"}}]}}}}],"graph":{{"children":[{children}],"implementation":"AVERAGE_COMBINER","name":"combiner","type":"COMBINER"}},"name":"default","replicas":2,"svcOrchSpec":{{"env":[{{"name":"SELDON_LOG_LEVEL","value":"INFO"}}]}},"traffic":100}}]}}}}"#
    )
}

/// The object after an injection, keys sorted as the API server stores it.
pub(crate) fn injected(json: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let view = SeldonDeployment::from_json(json.as_bytes()).unwrap_or_default();
    let config = Config::default();
    let plan = plan(&view, None, &config, &Context::default());
    assert!(
        plan.patch()
            .is_ok_and(|patch| json_patch::patch(&mut value, &patch).is_ok()),
        "the patch applies"
    );
    value.sort_all_objects();
    value.to_string()
}

/// The same object re-applied: what a manifest without our variables makes of a stored one.
pub(crate) fn reapplied(json: &str, stored: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let stored: serde_json::Value = serde_json::from_str(stored).unwrap_or_default();
    value["metadata"] = stored["metadata"].clone();
    value.sort_all_objects();
    value.to_string()
}

/// From the bytes of an object, and of the one before, to the bytes of the patch.
pub(crate) fn decide(json: &[u8], old: Option<&[u8]>, config: &Config, out: &mut Vec<u8>) {
    let view = SeldonDeployment::from_json(json).unwrap_or_default();
    let old = old.map(|old| SeldonDeployment::from_json(old).unwrap_or_default());
    let plan = plan(&view, old.as_ref(), config, &Context::default());
    assert!(plan.write_patch(out).is_ok(), "the patch can be written");
}

/// The yardstick: the same fields read into types that borrow, as a derive writes it, without any care for odd shapes.
#[derive(Deserialize)]
pub(crate) struct Reference<'a> {
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
    #[serde(borrow)]
    pub(crate) spec: Spec<'a>,
}

#[derive(Deserialize)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) annotations: std::collections::BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(crate) struct Spec<'a> {
    #[serde(borrow)]
    pub(crate) predictors: Vec<Predictor<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Predictor<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) component_specs: Vec<ComponentSpec<'a>>,
    #[serde(borrow)]
    pub(crate) svc_orch_spec: SvcOrchSpec<'a>,
    #[serde(borrow)]
    pub(crate) graph: Node<'a>,
}

#[derive(Deserialize)]
pub(crate) struct Node<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) implementation: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) children: Vec<Self>,
}

#[derive(Deserialize)]
pub(crate) struct SvcOrchSpec<'a> {
    #[serde(borrow)]
    pub(crate) env: Vec<EnvVar<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct ComponentSpec<'a> {
    #[serde(borrow)]
    pub(crate) spec: PodSpec<'a>,
}

#[derive(Deserialize)]
pub(crate) struct PodSpec<'a> {
    #[serde(borrow)]
    pub(crate) containers: Vec<Container<'a>>,
    pub(crate) volumes: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) env: Vec<EnvVar<'a>>,
    pub(crate) volume_mounts: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
pub(crate) struct EnvVar<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) value: Cow<'a, str>,
}

/// The AdmissionReview of a CREATE, or of an UPDATE that re-applies what was stored with our variables in it.
pub(crate) fn review(containers: usize, update: bool) -> Vec<u8> {
    let new = object(containers);
    let (object, old, operation) = if update {
        let stored = injected(&new);
        (reapplied(&new, &stored), stored, "UPDATE")
    } else {
        (new, "null".to_owned(), "CREATE")
    };
    let kind = r#"{"group":"machinelearning.seldon.io","kind":"SeldonDeployment","version":"v1"}"#;
    let resource =
        r#"{"group":"machinelearning.seldon.io","resource":"seldondeployments","version":"v1"}"#;
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"dryRun":false,"kind":{kind},"name":"recommend","namespace":"models","object":{object},"oldObject":{old},"operation":"{operation}","options":{{"apiVersion":"meta.k8s.io/v1","fieldManager":"kubectl","kind":"CreateOptions"}},"requestKind":{kind},"requestResource":{resource},"resource":{resource},"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","userInfo":{{"groups":["system:authenticated"],"username":"someone@example.com"}}}}}}"#
    )
    .into_bytes()
}
