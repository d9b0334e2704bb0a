//! The values of the variables: layers, pairs, templates, the mounted `ConfigMap`.

use seldon_tracing::config::{Config, Settings};
use seldon_tracing::inject::{Setting, Variable};
use serde_json::{Value, json};

use super::{Seen, container, decide, decide_with, inject, names, predictor, sdep, uninject};

fn of(setting: Setting, text: &str) -> Settings {
    let mut settings = Settings::default();
    settings.set(setting, text);
    settings
}

/// A traced object with those annotations.
fn with(annotations: &[(&str, &str)]) -> Value {
    let mut all = json!({"tracing": "true"});
    for (key, text) in annotations {
        all[format!("tracing.seldon.io/{key}")] = json!(text);
    }
    sdep(
        &all,
        &json!({"componentSpecs": [{"spec": {"containers": [{"name": "model", "image": "m"}]}}]}),
    )
}

fn orchestrator(seen: &Seen, variable: Variable) -> &str {
    seen.choice("orchestrator", variable)
}

#[test]
fn the_strongest_layer_that_says_something_wins() {
    let mut config = Config::default();
    let mut object = with(&[]);
    let port = |object: &Value, config: &Config| {
        let (_, seen) = decide_with(object, config);
        orchestrator(&seen, Variable::AgentPort).to_owned()
    };
    assert_eq!(port(&object, &config), "5775 (built-in)");
    config.defaults.set(Setting::AgentPort, "1001");
    assert_eq!(port(&object, &config), "1001 (config)");
    config
        .namespaces
        .insert("seldon".to_owned(), of(Setting::AgentPort, "1002"));
    config
        .namespaces
        .insert("other".to_owned(), of(Setting::AgentPort, "9"));
    assert_eq!(port(&object, &config), "1002 (namespace)");
    config
        .profiles
        .insert("p".to_owned(), of(Setting::AgentPort, "1003"));
    object["metadata"]["annotations"]["tracing"] = json!("p");
    assert_eq!(port(&object, &config), "1003 (profile)");
    let key = "tracing.seldon.io/agent-port";
    object["spec"]["annotations"] = json!({key: "1004"});
    assert_eq!(port(&object, &config), "1004 (spec-annotation)");
    object["metadata"]["annotations"][key] = json!("1005");
    assert_eq!(port(&object, &config), "1005 (annotation)");
    object["spec"]["predictors"][0]["annotations"] = json!({key: "1006"});
    assert_eq!(port(&object, &config), "1006 (predictor-annotation)");
    object["spec"]["predictors"][0]["annotations"] = json!({key: "99999"});
    assert_eq!(
        port(&object, &config),
        "1005 (annotation)",
        "a bad setting is as none"
    );
}

#[test]
fn bad_settings_are_ignored_one_by_one_and_said() {
    for (key, text, reason) in [
        ("agent-port", "0", "bad-setting"),
        ("agent-port", "6832", "bad-setting"),
        ("agent-port", "", "bad-setting"),
        ("agent-host", "j:6831", "bad-setting"),
        ("agent-host", "::1", "bad-setting"),
        ("sampler-type", "Const", "bad-setting"),
        ("sampler-param", "10%", "bad-setting"),
        ("service-name", "{nope}", "bad-setting"),
        ("tags", "a=b,", "bad-setting"),
        ("tags", "a=${X}", "bad-setting"),
        ("config-map", "Upper", "bad-setting"),
        ("config-map", "cm/../x", "bad-setting"),
        ("exclude-containers", "a b", "bad-setting"),
        ("sampler-param", "5", "bad-sampler-pair"),
        ("agent-hots", "j", "unknown-setting"),
    ] {
        let object = with(&[
            (key, text),
            (
                "agent-port",
                if key == "agent-port" { text } else { "6831" },
            ),
        ]);
        let (result, seen) = decide(&object);
        assert_eq!(seen.notes_of(reason), 1, "{key}={text} {seen:?}");
        assert_eq!(seen.notes.len(), 1, "{key}={text} {seen:?}");
        assert_eq!(names(&container(&result)["env"]), super::FIVE);
        let port = if key == "agent-port" { "5775" } else { "6831" };
        assert_eq!(predictor(&result)["svcOrchSpec"]["env"][2]["value"], port);
    }
    let long = "a".repeat(2049);
    assert_eq!(
        decide(&with(&[("service-name", &long)]))
            .1
            .notes_of("bad-setting"),
        1,
        "the size is limited"
    );
    let mut object = with(&[]);
    object["metadata"]["annotations"]["tracing.seldon.io/tags"] = json!(7);
    assert_eq!(decide(&object).1.notes_of("bad-setting"), 1);
    object["metadata"]["annotations"] =
        json!({"tracing": "true", "tracing.seldon.io/agent-hots": "j"});
    assert!(decide(&object).1.notes[0].ends_with("did you mean agent-host?"));
    object["metadata"]["annotations"] = json!({"tracing": "true", "tracing.seldon.io/zzz": "j"});
    let listed = &decide(&object).1.notes[0];
    for setting in Setting::ALL {
        assert!(listed.contains(setting.annotation()), "{listed}");
    }
}

#[test]
fn a_sampler_is_whole_or_it_is_the_one_below() {
    for (kind, param, expected) in [
        (None, None, "const 1"),
        (Some("probabilistic"), None, "const 1"),
        (Some("probabilistic"), Some("0.5"), "probabilistic 0.5"),
        (Some("probabilistic"), Some("5"), "const 1"),
        (Some("remote"), Some("1.5"), "const 1"),
        (Some("ratelimiting"), Some("5"), "ratelimiting 5"),
        (None, Some("0"), "const 1"),
        (None, Some("0.5"), "const 1"),
        (Some("const"), Some("2"), "const 1"),
    ] {
        let annotations: Vec<_> = kind
            .map(|kind| ("sampler-type", kind))
            .into_iter()
            .chain(param.map(|param| ("sampler-param", param)))
            .collect();
        let result = inject(&with(&annotations));
        let env = &predictor(&result)["svcOrchSpec"]["env"];
        let found = format!(
            "{} {}",
            env[3]["value"].as_str().unwrap(),
            env[4]["value"].as_str().unwrap()
        );
        assert_eq!(found, expected, "{annotations:?}");
    }
}

#[test]
fn templates_are_filled_for_each_target() {
    let object = with(&[
        ("service-name", "{namespace}.{name}-{predictor}"),
        ("tags", "c={container},v=${VERSION:none}"),
    ]);
    let (_, seen) = decide(&object);
    assert_eq!(
        orchestrator(&seen, Variable::ServiceName),
        "seldon.iris-default (annotation)"
    );
    assert_eq!(
        orchestrator(&seen, Variable::Tags),
        "c=seldon-container-engine,v=${VERSION:none} (annotation)"
    );
    assert_eq!(
        seen.choice("container model", Variable::ServiceName),
        "not-read-here"
    );
    assert_eq!(
        seen.choice("container model", Variable::Tags),
        "c=model,v=${VERSION:none} (annotation)"
    );

    let mut object = with(&[("service-name", "{predictor}"), ("tags", "p={predictor}")]);
    object["spec"]["predictors"][0]["name"] = json!("a=b");
    let (result, seen) = decide(&object);
    assert_eq!(
        orchestrator(&seen, Variable::Tags),
        "template-unresolved",
        "two '=' would crash the Python wrapper"
    );
    assert_eq!(names(&container(&result)["env"]), super::FIVE);
    object["spec"]["predictors"][0]
        .as_object_mut()
        .unwrap()
        .remove("name");
    assert_eq!(decide(&object).1.notes_of("template-unresolved"), 3);
}

#[test]
fn an_empty_setting_takes_back_what_a_weaker_layer_says() {
    let mut config = Config::default();
    config.defaults.set(Setting::Tags, "a=b");
    config.defaults.set(Setting::ConfigMap, "cm");
    let (_, seen) = decide_with(&with(&[("tags", ""), ("config-map", "")]), &config);
    assert_eq!(seen.choice("container model", Variable::Tags), "");
    assert_eq!(seen.choice("container model", Variable::ConfigPath), "");
}

#[test]
fn excluded_containers_are_left_alone() {
    let mut object = with(&[("exclude-containers", "model, server, explainer, nobody")]);
    object["spec"]["predictors"][0]["graph"] =
        json!({"name": "server", "implementation": "SKLEARN_SERVER"});
    object["spec"]["predictors"][0]["explainer"] =
        json!({"type": "AnchorTabular", "containerSpec": {"name": "explainer"}});
    let (result, seen) = decide(&object);
    assert_eq!(seen.target("container model").left, Some("excluded"));
    assert_eq!(seen.target("explainer explainer").left, Some("excluded"));
    assert_eq!(seen.notes_of("excluded"), 1, "the server: {seen:?}");
    assert!(
        seen.notes
            .contains(&"excluded-unknown spec.predictors: nobody".to_owned()),
        "{seen:?}"
    );
    assert_eq!(
        predictor(&result)["componentSpecs"],
        predictor(&object)["componentSpecs"]
    );
    assert_eq!(
        predictor(&result)["explainer"],
        predictor(&object)["explainer"]
    );
    assert_eq!(
        names(&predictor(&result)["svcOrchSpec"]["env"]),
        super::FIVE
    );
}

#[test]
fn a_config_map_is_mounted_with_its_variable() {
    for (text, name, key) in [
        ("jaeger", "jaeger", "tracing.yml"),
        ("jaeger/my.yml", "jaeger", "my.yml"),
    ] {
        let object = with(&[("config-map", text), ("tags", "a=b")]);
        let result = inject(&object);
        let path = format!("/etc/seldon-tracing/{key}");
        assert_eq!(
            names(&container(&result)["env"]),
            [
                "TRACING",
                "JAEGER_AGENT_HOST",
                "JAEGER_AGENT_PORT",
                "JAEGER_TAGS",
                "JAEGER_CONFIG_PATH"
            ],
            "the file decides the sampler"
        );
        assert_eq!(container(&result)["env"][4]["value"], path);
        assert_eq!(
            container(&result)["volumeMounts"],
            json!([{"name": "seldon-tracing-config", "mountPath": "/etc/seldon-tracing", "readOnly": true}])
        );
        assert_eq!(
            predictor(&result)["componentSpecs"][0]["spec"]["volumes"],
            json!([{"name": "seldon-tracing-config", "configMap": {"name": name, "items": [{"key": key, "path": key}]}}])
        );
        assert!(!names(&predictor(&result)["svcOrchSpec"]["env"]).contains(&"JAEGER_CONFIG_PATH"));
        assert_eq!(uninject(&result), object);
    }
}

#[test]
fn a_config_map_that_has_no_room_is_not_mounted() {
    let ours = json!({"name": "seldon-tracing-config", "configMap": {"name": "cm", "items": [{"key": "tracing.yml", "path": "tracing.yml"}]}});
    let mount = |name: &str, path: &str| json!([{"name": name, "mountPath": path}]);
    for (volumes, mounts, fits) in [
        (json!([]), json!([]), true),
        (json!([{"name": "data"}]), mount("data", "/data"), true),
        (json!([]), mount("data", "/etc"), false),
        (json!([]), mount("data", "/etc/seldon-tracing-more"), true),
        (json!([]), mount("data", "/etc/seldon-tracing"), false),
        (json!([]), mount("data", "/etc/seldon-tracing/sub"), false),
        (json!([]), mount("seldon-tracing-config", "/x"), false),
        (json!([{"name": "seldon-tracing-config"}]), json!([]), false),
        (json!([ours]), json!([]), false),
        (json!(null), json!([]), true),
        (json!([]), json!(null), true),
    ] {
        let mut object = with(&[("config-map", "cm")]);
        object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["volumes"] = volumes.clone();
        object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["volumeMounts"] =
            mounts.clone();
        let (result, seen) = decide(&object);
        let env = names(&container(&result)["env"]);
        assert_eq!(
            env.contains(&"JAEGER_CONFIG_PATH"),
            fits,
            "{volumes} {mounts}"
        );
        if !fits {
            assert_eq!(
                seen.choice("container model", Variable::ConfigPath),
                "config-map-blocked"
            );
            assert_eq!(
                predictor(&result)["componentSpecs"][0]["spec"]["volumes"],
                volumes
            );
            assert_eq!(
                env,
                super::FIVE,
                "the sampler is ours to set where no file decides it"
            );
        }
        assert_eq!(uninject(&result), object, "{volumes} {mounts}");
    }
}

#[test]
fn a_volume_of_the_users_that_is_like_ours_stays_in_its_pod() {
    let like_ours = json!({"name": "seldon-tracing-config", "configMap": {"name": "cm", "items": [{"key": "tracing.yml", "path": "tracing.yml"}]}});
    let mut object = with(&[("config-map", "cm")]);
    object["spec"]["predictors"][0]["componentSpecs"]
        .as_array_mut()
        .unwrap()
        .push(json!({"spec": {"containers": [{"name": "b"}], "volumes": [like_ours]}}));
    let result = inject(&object);
    assert_eq!(inject(&result), result);
    assert_eq!(uninject(&result), object);
}
