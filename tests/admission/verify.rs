//! The rules of the API server, each with an answer that keeps it and one that breaks it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seldon_tracing::apiserver::question::{Operation, Question, admitted, version};
use seldon_tracing::apiserver::verify::{Refusal, Reply, Verified, apply, verify};
use serde_json::{Value, json};

const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

fn reply(body: &Value) -> Reply {
    Reply {
        status: 200,
        content_type: Some("application/json".to_owned()),
        body: body.to_string().into(),
    }
}

/// A review with these fields in its response, beside the uid.
fn review(fields: &Value) -> Value {
    let mut response = json!({"uid": UID, "allowed": true});
    for (key, value) in fields.as_object().unwrap() {
        response[key] = value.clone();
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
}

fn check(fields: &Value) -> Result<Verified, Refusal> {
    verify(UID, &reply(&review(fields)))
}

fn patched(patch: &str) -> Result<Verified, Refusal> {
    check(&json!({"patchType": "JSONPatch", "patch": STANDARD.encode(patch)}))
}

fn object() -> Value {
    json!({"apiVersion": "machinelearning.seldon.io/v1", "kind": "SeldonDeployment", "metadata": {"name": "m"}})
}

#[test]
fn an_answer_without_a_patch_changes_nothing() {
    let verified = check(&json!({})).unwrap();
    assert!(verified.allowed && verified.patch.is_none() && verified.losses.is_empty());
    assert_eq!(verified.result(Some(&object())), Ok(Some(object())));
    assert_eq!(verified.result(None), Ok(None));
}

#[test]
fn every_status_from_200_to_206_will_do_and_no_other() {
    for status in [200, 201, 204, 206] {
        let answer = Reply {
            status,
            ..reply(&review(&json!({})))
        };
        assert!(verify(UID, &answer).is_ok(), "{status}");
    }
    for status in [199, 207, 302, 400, 404, 413, 429, 500, 503] {
        let answer = Reply {
            status,
            ..reply(&review(&json!({})))
        };
        let refusal = verify(UID, &answer).unwrap_err();
        assert!(matches!(refusal, Refusal::HttpStatus(it, _) if it == status));
        assert!(refusal.saved_by_ignore());
    }
}

#[test]
fn what_a_failure_says_is_told_where_it_is_text() {
    for (content_type, body, told) in [
        ("text/plain; charset=utf-8", "no room\n", "500: no room"),
        ("application/octet-stream", "no room", "500"),
        (
            "application/json",
            r#"{"kind":"Status","message":"no room"}"#,
            "500: no room",
        ),
    ] {
        let answer = Reply {
            status: 500,
            content_type: Some(content_type.to_owned()),
            body: body.into(),
        };
        let refusal = verify(UID, &answer).unwrap_err().to_string();
        assert!(refusal.ends_with(told), "{refusal}");
    }
}

#[test]
fn any_media_type_will_do_that_can_be_parsed() {
    for good in [
        "",
        "application/json",
        "text/plain",
        "Application/JSON; charset=utf-8",
        "application/json; charset=\"utf-8; x\"; q=1",
        "application/json;",
    ] {
        let answer = Reply {
            content_type: Some(good.to_owned()),
            ..reply(&review(&json!({})))
        };
        assert!(verify(UID, &answer).is_ok(), "{good}");
    }
    for bad in [
        "application json",
        "application/json/x",
        "/json",
        "application/json; charset",
        "application/json; charset=\"utf-8",
        "; charset=utf-8",
    ] {
        let answer = Reply {
            content_type: Some(bad.to_owned()),
            ..reply(&review(&json!({})))
        };
        let refusal = verify(UID, &answer).unwrap_err();
        assert_eq!(refusal, Refusal::ContentType(bad.to_owned()));
        assert!(refusal.saved_by_ignore());
    }
    let without = Reply {
        content_type: None,
        ..reply(&review(&json!({})))
    };
    assert!(verify(UID, &without).is_ok());
}

#[test]
fn a_body_has_to_be_an_admission_review() {
    let empty = Reply {
        status: 200,
        ..Reply::default()
    };
    assert_eq!(verify(UID, &empty), Err(Refusal::Empty));
    for body in ["{", "<html>", "[]", "null", "{} {}", "\u{feff}{}"] {
        let answer = Reply {
            body: body.to_owned().into(),
            ..empty.clone()
        };
        let refusal = verify(UID, &answer).unwrap_err();
        assert!(matches!(refusal, Refusal::Undecodable(_)), "{body}");
        assert!(refusal.saved_by_ignore());
    }
    let status =
        json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "no"});
    assert_eq!(
        verify(UID, &reply(&status)),
        Err(Refusal::Status("no".to_owned()))
    );
}

#[test]
fn a_field_of_the_wrong_type_cannot_be_decoded() {
    for fields in [
        json!({"uid": 1}),
        json!({"allowed": "yes"}),
        json!({"status": "no"}),
        json!({"status": {"code": "400"}}),
        json!({"status": {"message": 1}}),
        json!({"patch": {}}),
        json!({"patch": [256]}),
        json!({"patchType": 1}),
        json!({"auditAnnotations": []}),
        json!({"auditAnnotations": {"a": 1}}),
        json!({"warnings": "w"}),
        json!({"warnings": [1]}),
        json!({"patchType": "JSONPatch", "patch": "%%%"}),
    ] {
        let refusal = check(&fields).unwrap_err();
        assert!(
            matches!(refusal, Refusal::Undecodable(_)),
            "{fields}: {refusal}"
        );
    }
    // Null is as good as absent.
    let nulls = json!({
        "status": null, "patch": null, "patchType": null, "auditAnnotations": null, "warnings": null
    });
    assert!(check(&nulls).is_ok());
}

#[test]
fn a_response_has_to_be_there() {
    for mut body in [review(&json!({})), review(&json!({}))] {
        body["response"] = Value::Null;
        assert_eq!(verify(UID, &reply(&body)), Err(Refusal::NoResponse));
        body.as_object_mut().unwrap().remove("response");
        assert_eq!(verify(UID, &reply(&body)), Err(Refusal::NoResponse));
    }
}

#[test]
fn the_uid_has_to_be_that_of_the_question() {
    for uid in [json!("another"), json!(""), Value::Null] {
        let refusal = check(&json!({"uid": uid})).unwrap_err();
        assert!(matches!(refusal, Refusal::Uid { .. }));
        assert!(refusal.saved_by_ignore());
    }
}

#[test]
fn version_and_kind_have_to_be_exact() {
    for (key, value) in [
        ("apiVersion", json!("admission.k8s.io/v1beta1")),
        ("apiVersion", json!("v1")),
        ("apiVersion", Value::Null),
        ("kind", json!("admissionReview")),
        ("kind", json!("")),
        ("kind", Value::Null),
    ] {
        let mut body = review(&json!({}));
        body[key] = value;
        let refusal = verify(UID, &reply(&body)).unwrap_err();
        assert!(matches!(refusal, Refusal::Kind { .. }), "{body}");
    }
}

#[test]
fn a_patch_comes_with_its_type_or_not_at_all() {
    let patch = STANDARD.encode(r#"[{"op":"add","path":"/spec","value":{}}]"#);
    for (fields, expected) in [
        (json!({"patch": patch}), Refusal::PatchWithoutType),
        (json!({"patchType": "JSONPatch"}), Refusal::TypeWithoutPatch),
        (
            json!({"patch": "", "patchType": "JSONPatch"}),
            Refusal::TypeWithoutPatch,
        ),
        (
            json!({"patch": patch, "patchType": ""}),
            Refusal::PatchType(String::new()),
        ),
        (
            json!({"patch": patch, "patchType": "MergePatch"}),
            Refusal::PatchType("MergePatch".to_owned()),
        ),
    ] {
        let refusal = check(&fields).unwrap_err();
        assert_eq!(refusal, expected);
        assert!(refusal.saved_by_ignore());
    }
    let verified = check(&json!({"patch": patch, "patchType": "JSONPatch"})).unwrap();
    let after = verified.result(Some(&object())).unwrap().unwrap();
    assert_eq!(after["spec"], json!({}));
    // The bytes as numbers: Go reads that too.
    let numbers = json!({"patch": b"[]".to_vec(), "patchType": "JSONPatch"});
    assert_eq!(check(&numbers).unwrap().patch, None);
}

#[test]
fn an_empty_patch_is_none() {
    for empty in ["[]", " [ ] ", "null"] {
        assert_eq!(patched(empty).unwrap().patch, None, "{empty}");
    }
}

#[test]
fn a_patch_that_cannot_be_decoded_is_a_failed_call() {
    for patch in ["{", "{}", "1", "\"x\"", "[1]", "[[]]"] {
        let refusal = patched(patch).unwrap_err();
        assert!(matches!(refusal, Refusal::UndecodablePatch(_)), "{patch}");
        assert!(refusal.saved_by_ignore());
    }
}

#[test]
fn a_patch_that_does_not_apply_is_saved_by_nothing() {
    let result = |patch: &str| patched(patch).and_then(|it| it.result(Some(&object())));
    for patch in [
        r#"[{"op":"add","path":"/spec/a","value":1}]"#,
        r#"[{"op":"remove","path":"/spec"}]"#,
        r#"[{"op":"replace","path":"/spec","value":1}]"#,
        r#"[{"op":"test","path":"/kind","value":"Pod"}]"#,
        r#"[{"op":"add","path":"/metadata/name/-","value":1}]"#,
    ] {
        let refusal = result(patch).unwrap_err();
        assert!(matches!(refusal, Refusal::DoesNotApply(_)), "{patch}");
        assert!(!refusal.saved_by_ignore());
    }
    for patch in [
        r#"[{"op":"become","path":"/spec","value":1}]"#,
        r#"[{"op":"add","value":1}]"#,
        r#"[{"op":"add","path":"spec","value":1}]"#,
        "[null]",
        "[{}]",
    ] {
        let refusal = result(patch).unwrap_err();
        assert!(matches!(refusal, Refusal::NoOperation(_)), "{patch}");
        assert!(!refusal.saved_by_ignore());
    }
    for patch in [
        r#"[{"op":"remove","path":"/kind"}]"#,
        r#"[{"op":"replace","path":"","value":[]}]"#,
    ] {
        let refusal = result(patch).unwrap_err();
        assert!(matches!(refusal, Refusal::NoObject(_)), "{patch}");
        assert!(!refusal.saved_by_ignore());
    }
}

#[test]
fn a_patch_needs_an_object() {
    let verified = patched(r#"[{"op":"add","path":"/spec","value":{}}]"#).unwrap();
    let refusal = verified.result(None).unwrap_err();
    assert_eq!(refusal, Refusal::NothingToPatch);
    assert!(!refusal.saved_by_ignore());
}

#[test]
fn applying_leaves_the_object_it_was_given() {
    let before = object();
    let patch = serde_json::from_value(json!([{"op": "add", "path": "/spec", "value": {}}]));
    let after = apply(&patch.unwrap(), &before).unwrap();
    assert_eq!((before, after["spec"].is_object()), (object(), true));
}

#[test]
fn a_denial_has_a_code_of_at_least_400_and_no_patch() {
    for (status, code, message) in [
        (json!({}), 400, "without explanation"),
        (json!({"code": 200, "message": "no"}), 400, "no"),
        (
            json!({"code": 403, "reason": "Forbidden"}),
            403,
            "Forbidden",
        ),
        (
            json!({"code": 422, "message": "no", "reason": "Invalid"}),
            422,
            "no",
        ),
    ] {
        let fields = json!({
            "allowed": false, "status": status, "warnings": ["w"], "auditAnnotations": {"a": "b"},
            "patchType": "JSONPatch", "patch": STANDARD.encode("not looked at"),
        });
        let verified = check(&fields).unwrap();
        let denial = verified.denial.expect("it is denied");
        assert_eq!((denial.code, denial.message.as_str()), (code, message));
        assert!(!verified.allowed && verified.patch.is_none());
        assert_eq!(verified.warnings, ["w"]);
        assert_eq!(verified.audit_annotations["a"], "b");
    }
    assert_eq!(
        check(&json!({"status": {"code": 500}})).unwrap().denial,
        None
    );
}

#[test]
fn warnings_come_through_as_kubectl_gets_them() {
    let sent = json!({"warnings": ["one", "", "one", "two\nlines", "bell\u{7}", "ümlaut"]});
    let verified = check(&sent).unwrap();
    assert_eq!(verified.warnings, ["one", "ümlaut"]);
    assert_eq!(verified.losses.len(), 2);
    let lost = r#"the API server would drop the warning "two\nlines", because it has a control character such as a line break"#;
    assert_eq!(verified.losses[0], lost);
}

#[test]
fn audit_annotations_are_recorded_under_plain_names_only() {
    let good = ["a", "a-b_c.d", "9", &"x".repeat(63)];
    let bad = ["", "-a", "a.", "a/b", "ä", "a b", &"x".repeat(64)];
    let mut sent = json!({});
    for key in good.iter().chain(&bad) {
        sent[*key] = json!("v");
    }
    let verified = check(&json!({"auditAnnotations": sent})).unwrap();
    let mut recorded: Vec<_> = good.to_vec();
    recorded.sort_unstable();
    let keys: Vec<_> = verified.audit_annotations.keys().collect();
    assert_eq!(keys, recorded);
    assert_eq!(verified.losses.len(), bad.len());
}

fn question(object: &Value, operation: Operation) -> Question<'_> {
    Question {
        uid: UID,
        operation,
        namespace: "models",
        name: Some("m"),
        version: version(object),
        dry_run: false,
        user: "somebody",
        object: Some(object),
        old_object: None,
    }
}

#[test]
fn a_question_is_what_the_api_server_writes() {
    let object = admitted(&object(), "models");
    let body: Value =
        serde_json::from_slice(&question(&object, Operation::Create).to_bytes()).unwrap();
    let gvk =
        json!({"group": "machinelearning.seldon.io", "version": "v1", "kind": "SeldonDeployment"});
    let gvr = json!({"group": "machinelearning.seldon.io", "version": "v1", "resource": "seldondeployments"});
    assert_eq!(
        body,
        json!({
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": UID,
                "kind": gvk,
                "resource": gvr,
                "requestKind": gvk,
                "requestResource": gvr,
                "name": "m",
                "namespace": "models",
                "operation": "CREATE",
                "userInfo": {"username": "somebody", "groups": ["system:authenticated"]},
                "object": object,
                "oldObject": null,
                "dryRun": false,
                "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            },
        })
    );
}

#[test]
fn an_update_and_a_delete_are_asked_with_what_is_stored() {
    let old = object();
    for (operation, object) in [(Operation::Update, Some(&old)), (Operation::Delete, None)] {
        let bytes = Question {
            object,
            old_object: Some(&old),
            dry_run: true,
            ..question(&old, operation)
        }
        .to_bytes();
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        let request = &body["request"];
        assert_eq!(request["operation"], operation.word());
        assert_eq!(request["object"].is_null(), object.is_none());
        assert_eq!(request["oldObject"], old);
        assert_eq!(request["dryRun"], true);
        assert_eq!(request["options"]["dryRun"], json!(["All"]));
    }
    let unnamed = Question {
        name: None,
        ..question(&old, Operation::Create)
    };
    let body: Value = serde_json::from_slice(&unnamed.to_bytes()).unwrap();
    assert_eq!(body["request"].get("name"), None);
}

#[test]
fn numbers_and_the_order_of_keys_stay() {
    let text =
        r#"{"kind":"SeldonDeployment","z":1.0,"a":9007199254740993,"metadata":{"namespace":"n"}}"#;
    let object: Value = serde_json::from_str(text).unwrap();
    let object = admitted(&object, "n");
    let body = String::from_utf8(question(&object, Operation::Create).to_bytes()).unwrap();
    assert!(body.contains(text), "{body}");
}

#[test]
fn a_manifest_is_admitted_with_its_namespace_and_in_v1() {
    let manifest =
        json!({"apiVersion": "machinelearning.seldon.io/v1alpha2", "kind": "SeldonDeployment"});
    let object = admitted(&manifest, "models");
    assert_eq!(object["apiVersion"], "machinelearning.seldon.io/v1");
    assert_eq!(object["metadata"]["namespace"], "models");
    assert_eq!(version(&manifest), "v1alpha2");
    let other = json!({"metadata": {"namespace": "own"}});
    assert_eq!(admitted(&other, "models"), other);
}
