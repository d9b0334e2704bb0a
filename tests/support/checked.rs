//! Requests as the API server sends them. Every answer is checked against its rules, whatever the test is about.

use bytes::Bytes;
use seldon_tracing::admission::{AnswerError, Malformed, Operation, Route, answer};
use seldon_tracing::apiserver::question::{Operation as Asked, Question};
use seldon_tracing::apiserver::verify::{Refusal, Reply, Verified, verify};
use seldon_tracing::config::Config;
use seldon_tracing::inject::Outcome;
use serde_json::{Value, json};

pub(crate) const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// A model with the trigger.
pub(crate) fn model() -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "model", "namespace": "models", "annotations": {"tracing": "true"}},
        "spec": {"predictors": [{
            "name": "default",
            "graph": {"name": "classifier", "type": "MODEL"},
            "componentSpecs": [{"spec": {"containers": [{"name": "classifier", "image": "example.com/model:1"}]}}],
        }]},
    })
}

/// A review of an object, as JSON that a test may change.
pub(crate) fn question(operation: Asked, object: Option<&Value>, old: Option<&Value>) -> Value {
    let question = Question {
        uid: UID,
        operation,
        namespace: "models",
        name: Some("model"),
        version: "v1",
        dry_run: false,
        user: "somebody",
        object,
        old_object: old,
    };
    serde_json::from_slice(&question.to_bytes()).unwrap()
}

pub(crate) fn create(object: &Value) -> Value {
    question(Asked::Create, Some(object), None)
}

pub(crate) fn update(object: &Value, old: &Value) -> Value {
    question(Asked::Update, Some(object), Some(old))
}

/// An answer that the API server accepts, and the object that it makes.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) verified: Verified,
    /// The object after the patch, if the request has an object.
    pub(crate) result: Option<Value>,
    pub(crate) uid: String,
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) operation: Operation,
    pub(crate) dry_run: bool,
    pub(crate) outcome: Outcome,
    pub(crate) targets: Vec<usize>,
    pub(crate) operations: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    pub(crate) fn audit(&self, key: &str) -> &str {
        self.verified.audit_annotations.get(key).map_or("", |it| it)
    }

    /// Whether there is no patch.
    pub(crate) fn is_left(&self) -> bool {
        self.verified.patch.is_none()
    }
}

/// Checks an HTTP answer against the rules of the API server and applies its patch. Returns the object.
pub(crate) fn taken(uid: &str, reply: &Reply, body: &[u8]) -> (Verified, Option<Value>) {
    let verified = verify(uid, reply)
        .unwrap_or_else(|refusal| panic!("{refusal}: {}", String::from_utf8_lossy(&reply.body)));
    assert!(verified.losses.is_empty(), "{:?}", verified.losses);
    assert!(
        verified.allowed && verified.denial.is_none(),
        "the object is always allowed"
    );
    assert!(
        verified.warnings.len() <= 8,
        "short and ASCII: {:?}",
        verified.warnings
    );
    for warning in &verified.warnings {
        let plain = warning.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        assert!(
            plain && (1..=120).contains(&warning.len()),
            "short and ASCII: {warning:?}"
        );
    }
    for key in verified.audit_annotations.keys() {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        assert!(
            key.bytes().all(known) && (1..=63).contains(&key.len()),
            "audit annotations: {key:?}"
        );
    }
    // The webhook skips parts that it does not need. serde_json may refuse to read those, for example deep nesting.
    let review: Option<Value> = serde_json::from_slice(body).ok();
    let object = review.map(|mut review| review["request"]["object"].take());
    let object = object.filter(|object| !object.is_null());
    let result = match (verified.result(object.as_ref()), object) {
        (Ok(result), _) => result,
        // Without a kind it is no object, and no patch makes it one.
        (Err(Refusal::NoObject(_)), Some(object))
            if !object["kind"].is_string() || object["kind"] == "" =>
        {
            None
        }
        (Err(_), None) => None,
        (Err(refusal), Some(object)) => panic!(
            "the patch applies: {refusal}: {object}: {:?}",
            verified.patch
        ),
    };
    (verified, result)
}

/// The client's fault; any other is a bug.
pub(crate) fn malformed(error: AnswerError) -> Malformed {
    match error {
        AnswerError::Malformed(malformed) => malformed,
        AnswerError::Unwritten(why) => panic!("{why}"),
    }
}

/// Answers a body in this process.
pub(crate) fn look(body: &[u8], route: Route, config: &Config) -> Result<Seen, Malformed> {
    let answer = answer(body, route, config).map_err(malformed)?;
    let reply = Reply {
        status: 200,
        content_type: Some("application/json".to_owned()),
        body: Bytes::from(answer.body.clone()),
    };
    let decision = &answer.decision;
    let (verified, result) = taken(&decision.uid, &reply, body);
    let operations = verified.patch.as_ref().map_or(0, |patch| patch.0.len());
    assert_eq!(operations, decision.operations);
    assert_eq!(verified.warnings.len(), decision.warnings);
    let owned = |text: &std::borrow::Cow<'_, str>| text.clone().into_owned();
    Ok(Seen {
        verified,
        result,
        uid: owned(&decision.uid),
        name: decision.name.as_ref().map(owned),
        namespace: decision.namespace.as_ref().map(owned),
        operation: decision.operation,
        dry_run: decision.dry_run,
        outcome: decision.outcome,
        targets: decision.targets.to_vec(),
        operations,
        bytes: answer.body.clone(),
    })
}

/// Answers a review at `/mutate`.
#[track_caller]
pub(crate) fn see(question: &Value) -> Seen {
    look(
        question.to_string().as_bytes(),
        Route::Mutate,
        &Config::default(),
    )
    .unwrap()
}
