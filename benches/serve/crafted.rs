//! Reviews that are made to cost much, by size: each grows something that a decision looks at again and again.

use std::fmt::Write;

/// The largest body that is taken, with some room.
pub(crate) const LARGEST: usize = (7 << 20) - 1024;

/// A review of an object with the trigger: more annotations, more of the spec, and predictors.
fn review(name: &str, annotations: &str, spec: &str, predictors: &str) -> Vec<u8> {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"a","kind":{{"group":"machinelearning.seldon.io","version":"v1","kind":"SeldonDeployment"}},"operation":"CREATE","namespace":"models","name":"{name}","object":{{"metadata":{{"name":"{name}","annotations":{{"tracing":"true"{annotations}}}}},"spec":{{{spec}"predictors":[{predictors}]}}}}}}}}"#
    )
    .into_bytes()
}

/// So many of them, numbered, with commas between.
fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    for at in 0..count {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{}", item(at));
    }
    out
}

fn names(count: usize) -> String {
    many(count, |at| format!("c{at}"))
}

/// Containers without anything, as many as there is room for.
pub(crate) fn containers(bytes: usize) -> Vec<u8> {
    let list = many(bytes.saturating_sub(500) / 3, |_| "{}".to_owned());
    let predictor =
        format!(r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#);
    review("m", "", "", &predictor)
}

/// Containers with short names: the answer is many times as long.
pub(crate) fn long_answer(count: usize) -> Vec<u8> {
    let list = many(count, |at| format!(r#"{{"name":"c{at}"}}"#));
    let predictor =
        format!(r#"{{"name":"p","componentSpecs":[{{"spec":{{"containers":[{list}]}}}}]}}"#);
    review("m", "", "", &predictor)
}

/// Names to exclude, and predictors that each look at all of them.
pub(crate) fn excluded(count: usize, predictors: usize) -> Vec<u8> {
    let list = format!(
        r#","tracing.seldon.io/exclude-containers":"{}""#,
        names(count)
    );
    review("m", &list, "", &many(predictors, |_| "{}".to_owned()))
}

/// The same list on each predictor.
pub(crate) fn excluded_by_each(count: usize, predictors: usize) -> Vec<u8> {
    let list = names(count);
    let predictor =
        |_| format!(r#"{{"annotations":{{"tracing.seldon.io/exclude-containers":"{list}"}}}}"#);
    review("m", "", "", &many(predictors, predictor))
}

/// A template that repeats a long name.
pub(crate) fn template(name: usize, placeholders: usize, predictors: usize) -> Vec<u8> {
    let tags = format!(
        r#","tracing.seldon.io/tags":"a={}""#,
        "{name}".repeat(placeholders)
    );
    let predictor = |at| format!(r#"{{"name":"p{at}"}}"#);
    review(&"n".repeat(name), &tags, "", &many(predictors, predictor))
}

/// Variables for the orchestrator as annotations, and predictors that each have one.
pub(crate) fn engine(count: usize, predictors: usize) -> Vec<u8> {
    let annotations = many(count, |at| format!(r#""seldon.io/engine-v-{at}":"""#));
    let spec = format!(r#""annotations":{{{annotations}}},"#);
    review("m", "", &spec, &many(predictors, |_| "{}".to_owned()))
}

/// Settings that there are not, and predictors that each look at them.
pub(crate) fn settings(count: usize, predictors: usize) -> Vec<u8> {
    let list = many(count, |at| {
        format!(r#""tracing.seldon.io/agent-host{at}":"x""#)
    });
    let list = format!(",{list}");
    review("m", &list, "", &many(predictors, |_| "{}".to_owned()))
}

/// An UPDATE of what is equal but for the order of its keys.
pub(crate) fn reordered(keys: usize) -> Vec<u8> {
    let record = r#","tracing.seldon.io/injected":"{\"v\":1,\"sets\":[{\"TRACING\":\"1\"}],\"predictors\":{}}""#;
    let rest =
        |order: &dyn Fn(usize) -> usize| many(keys, |at| format!(r#""k{}":1"#, order(at))) + ",";
    let object = |rest: &str| {
        format!(
            r#"{{"metadata":{{"name":"m","annotations":{{"tracing":"true"{record}}}}},"spec":{{{rest}"predictors":[]}}}}"#
        )
    };
    let new = object(&rest(&|at| at));
    let old = object(&rest(&|at| keys - 1 - at));
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"a","kind":{{"group":"machinelearning.seldon.io","version":"v1","kind":"SeldonDeployment"}},"operation":"UPDATE","namespace":"models","name":"m","object":{new},"oldObject":{old}}}}}"#
    )
    .into_bytes()
}
