//! What `review` sends, and what it prints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::asking::{against, answering, injecting, on};
use super::fake::{again, answer, fake, review};
use crate::command::{MODEL, Run, folder, run_in};

#[test]
fn the_diff_is_one_of_the_text_that_the_user_wrote() {
    let fake = injecting();
    let run = against(&fake, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert_eq!(
        run.stdout,
        format!(
            "\
--- a/model.yaml
+++ b/model.yaml
@@ -13,3 +13,6 @@
         containers:
         - name: classifier
           image: 'example.com/model:1'
+          env:
+          - name: TRACING
+            value: \"1\"

CREATE of SeldonDeployment default/model, sent to {}/mutate over TLS
Warning: look at this
Audit annotation outcome: injected
Allowed; the patch of 1 operation applies.
",
            fake.url()
        )
    );
}

#[test]
fn the_object_in_a_list_among_other_documents_is_found() {
    let item = MODEL.trim_end().replace('\n', "\n  ");
    let text = format!(
        "{{{{ a template }}}}\n---\n# a comment\nkind: List\napiVersion: v1\nitems:\n- {item}\n"
    );
    let run = on(&text, &injecting(), &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains("+            - name: TRACING"),
        "{run:?}"
    );
}

#[test]
fn a_patch_that_no_text_can_take_is_shown_on_the_objects() {
    let fake = answering(|_| {
        let patch = json!([{"op": "replace", "path": "/spec/predictors/0/name", "value": "other"}]);
        json!({"patchType": "JSONPatch", "patch": STANDARD.encode(patch.to_string())})
    });
    let run = against(&fake, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains("-  - name: default\n+  - name: other"),
        "{run:?}"
    );
}

#[test]
fn data_is_all_that_the_other_forms_print() {
    let fake = injecting();
    let report = |run: &Run| {
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains("Warning: look at this\n"), "{run:?}");
        assert!(
            run.stderr
                .ends_with("Allowed; the patch of 1 operation applies.\n")
        );
    };
    let env = "/spec/predictors/0/componentSpecs/0/spec/containers/0/env";
    let run = against(&fake, &["-o", "json"]);
    report(&run);
    let object: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        object.pointer(env),
        Some(&json!([{"name": "TRACING", "value": "1"}]))
    );
    assert_eq!(object["metadata"]["namespace"], "default");

    let run = against(&fake, &["-o", "yaml"]);
    report(&run);
    assert!(
        run.stdout
            .starts_with("apiVersion: machinelearning.seldon.io/v1\n")
    );

    let run = against(&fake, &["-o", "patch"]);
    report(&run);
    let patch: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&patch[0]["op"], &patch[0]["path"]),
        (&json!("add"), &json!(env))
    );

    let run = against(&fake, &["-o", "response"]);
    report(&run);
    let response: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(response["response"]["patchType"], "JSONPatch");
}

#[test]
fn without_a_patch_there_is_nothing_to_show() {
    let fake = answering(|_| json!({}));
    let run = against(&fake, &["-n", "models"]);
    let expected = format!(
        "CREATE of SeldonDeployment models/model, sent to {}/mutate over TLS\n\
         Allowed, without a patch: the object stays as it is.\n",
        fake.url()
    );
    assert_eq!(run.data(), expected);
    let run = against(&fake, &["-o", "patch"]);
    assert_eq!(run.stdout, "[]\n");
}

#[test]
fn the_operation_decides_which_objects_are_sent() {
    let question = |arguments: &[&str]| {
        let fake = answering(|_| json!({}));
        let run = against(&fake, arguments);
        assert_eq!(run.code, 0, "{run:?}");
        let mut asked = fake.asked.lock().unwrap();
        asked.remove(0)
    };
    let create = question(&["--namespace-enabled"]);
    assert_eq!(create.parts.uri, "/mutate/default-on?timeout=10s");
    let request = &create.body["request"];
    assert_eq!(
        (&request["operation"], &request["dryRun"]),
        (&json!("CREATE"), &json!(false))
    );
    assert!(request["oldObject"].is_null());
    assert_eq!(request["object"]["metadata"]["namespace"], "default");

    let update = question(&["--operation", "update", "--dry-run", "--timeout", "2500ms"]);
    assert_eq!(update.parts.uri, "/mutate?timeout=3s");
    let request = &update.body["request"];
    assert_eq!(
        (&request["operation"], &request["dryRun"]),
        (&json!("UPDATE"), &json!(true))
    );
    assert_eq!(request["oldObject"], request["object"]);

    let delete = question(&["--operation", "DELETE"]);
    let request = &delete.body["request"];
    assert!(request["object"].is_null());
    assert_eq!(request["oldObject"]["metadata"]["name"], "model");
}

#[test]
fn what_is_stored_makes_it_an_update() {
    let fake = answering(|_| json!({}));
    let old = MODEL.replace("model:1", "model:0");
    let folder = folder(&[("new.yaml", MODEL), ("ca.crt", &fake.ca)]);
    let url = fake.url();
    let arguments = [
        "review", "-f", "new.yaml", "--old", "-", "--url", &url, "--cacert", "ca.crt",
    ];
    let run = run_in(folder.path(), &arguments, &old);
    assert!(
        run.data()
            .starts_with("UPDATE of SeldonDeployment default/model")
    );
    let asked = fake.asked.lock().unwrap();
    let image = |object: &str| {
        let container = "/spec/predictors/0/componentSpecs/0/spec/containers/0/image";
        asked[0].body["request"][object].pointer(container).cloned()
    };
    assert_eq!(image("object"), Some(json!("example.com/model:1")));
    assert_eq!(image("oldObject"), Some(json!("example.com/model:0")));
}

#[test]
fn a_whole_review_is_sent_as_it_is() {
    let text = "\
apiVersion: admission.k8s.io/v1
kind: AdmissionReview
request:
  uid: from-the-audit-log
  operation: UPDATE
  kind: {group: machinelearning.seldon.io, version: v1, kind: SeldonDeployment}
  namespace: models
  name: iris
  object: {kind: SeldonDeployment, spec: {}}
  surprise: 1
";
    let fake = answering(|_| {
        let patch = json!([{"op": "add", "path": "/spec/a", "value": 1}]);
        json!({"patchType": "JSONPatch", "patch": STANDARD.encode(patch.to_string())})
    });
    let run = on(text, &fake, &[]).data();
    assert!(
        run.contains("UPDATE of SeldonDeployment models/iris"),
        "{run}"
    );
    assert!(run.contains("-spec: {}\n+spec:\n+  a: 1\n"), "{run}");
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked[0].body["request"]["uid"], "from-the-audit-log");
    assert_eq!(asked[0].body["request"]["surprise"], 1);
    for flag in [
        ["--old", "model.yaml"],
        ["--operation", "UPDATE"],
        ["--namespace", "models"],
        ["--dry-run", "-odiff"],
    ] {
        let refusal = on(text, &fake, &flag).refusal();
        assert!(
            refusal.contains(flag[0]) && refusal.contains("AdmissionReview"),
            "{refusal}"
        );
    }
}

#[test]
fn what_gets_lost_on_the_way_is_said() {
    let fake = answering(|_| json!({"warnings": ["two\nlines"], "auditAnnotations": {"a/b": "c"}}));
    let text = against(&fake, &[]).data();
    assert!(
        text.contains("Lost: the API server would drop the warning"),
        "{text}"
    );
    assert!(
        text.contains("Lost: the API server would not record the audit annotation"),
        "{text}"
    );
}

#[test]
fn text_of_the_webhook_does_not_steer_the_terminal() {
    let fake = answering(
        |_| json!({"allowed": false, "status": {"message": "\u{1b}[2Jgone"}, "auditAnnotations": {"a": "\u{1b}[2J"}}),
    );
    for form in ["diff", "json", "response"] {
        let run = against(&fake, &["-o", form]);
        assert!(
            !run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'),
            "{run:?}"
        );
    }
}

#[test]
fn it_asks_again_where_the_webhook_says_so() {
    let fake = fake(|number, question| {
        if number == 0 {
            again(503, "0")
        } else {
            answer(&review(question, &json!({})))
        }
    });
    let text = against(&fake, &[]).data();
    assert!(
        text.contains("retried 1 time because of Retry-After"),
        "{text}"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn wrong_usage_and_wrong_input_are_told_apart_from_a_wrong_answer() {
    let two = format!("{MODEL}---\n{MODEL}");
    let unknown = MODEL.replace("seldon.io/v1", "seldon.io/v9");
    let nameless = MODEL.replace("  name: model\n", "  generateName: model-\n");
    let own = MODEL.replace("  name: model\n", "  name: model\n  namespace: own\n");
    let fake = answering(|_| json!({}));
    let cases: [(&str, &[&str], &[&str]); 10] = [
        (
            &two,
            &[],
            &[
                "single object",
                "SeldonDeployment model at line 1",
                "at line 17",
            ],
        ),
        ("kind: Pod\n", &[], &["no SeldonDeployment in it"]),
        ("kind: SeldonDeployment\na: [\n", &[], &["model.yaml:"]),
        (
            &unknown,
            &[],
            &["v9", "expected machinelearning.seldon.io/v1"],
        ),
        (&nameless, &["--operation", "UPDATE"], &["no metadata.name"]),
        (&own, &["-n", "other"], &["--namespace other", "own"]),
        (
            MODEL,
            &["--old", "model.yaml", "--operation", "CREATE"],
            &["no --old"],
        ),
        (
            MODEL,
            &["--old", "model.yaml", "--operation", "DELETE"],
            &["leave out --old"],
        ),
        (
            MODEL,
            &["--old", "nowhere.yaml"],
            &["cannot open nowhere.yaml"],
        ),
        (
            MODEL,
            &["--server-name", "not a name"],
            &["the name to expect", "not a name"],
        ),
    ];
    for (manifest, arguments, said) in cases {
        let refusal = on(manifest, &fake, arguments).refusal();
        for said in said {
            assert!(refusal.contains(said), "{said}: {refusal}");
        }
    }
    assert_eq!(fake.count(), 0);
    on(&nameless, &fake, &[]).data();

    let with = |arguments: &[&str]| {
        crate::command::run(&[&["review", "-f", "-"], arguments].concat(), MODEL)
    };
    for (arguments, said) in [
        (vec!["--url", "https://localhost"], "--cacert FILE"),
        (
            vec!["--url", "http://localhost", "--insecure"],
            "https only",
        ),
        (
            vec!["--url", "localhost", "--insecure"],
            "https://localhost:8443",
        ),
        (
            vec![
                "--url",
                "https://localhost/mutate",
                "--insecure",
                "--namespace-enabled",
            ],
            "a path already",
        ),
        (
            vec!["--url", "https://localhost", "--cacert", "Cargo.toml"],
            "no certificate in it",
        ),
        (vec!["--old", "-"], "read only once"),
        (vec!["--config", "-"], "read only once"),
        (vec!["--insecure"], "--url"),
    ] {
        let refusal = with(&arguments).refusal();
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
}

#[test]
fn a_name_that_another_object_has_is_no_update() {
    let fake = answering(|_| json!({}));
    let url = fake.url();
    let folder = folder(&[("new.yaml", MODEL)]);
    let arguments = [
        "review",
        "-f",
        "new.yaml",
        "--old",
        "-",
        "--insecure",
        "--url",
        &url,
    ];
    let other = MODEL.replace("name: model\n", "name: other\n");
    let refusal = run_in(folder.path(), &arguments, &other).refusal();
    assert!(refusal.contains("another object"), "{refusal}");
    let elsewhere = MODEL.replace("name: model\n", "name: model\n  namespace: other\n");
    let refusal = run_in(folder.path(), &arguments, &elsewhere).refusal();
    assert!(refusal.contains("in the namespace \"other\""), "{refusal}");
}
