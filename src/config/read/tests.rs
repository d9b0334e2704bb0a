use super::*;

fn problems(text: &str) -> Vec<String> {
    match Config::read(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.first.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_empty_file_is_the_built_in_configuration() {
    for text in ["", "# nothing\n", "---\n", "targets:\ndefaults: {}\n"] {
        assert_eq!(Config::read(text).unwrap(), Config::default(), "{text:?}");
    }
}

#[test]
fn every_key_is_read() {
    let text = "trigger: example.com/trace\ntargets: {containers: false, initContainers: true}\n\
        defaults: {agentHost: jaeger, agentPort: 6831, samplerType: probabilistic, samplerParam: 0.10}\n\
        profiles:\n  full: {samplerType: const, samplerParam: '1', tags: 'team=a', serviceName: '{name}'}\n\
        namespaces:\n  team-a: {configMap: tracing/j.yml, excludeContainers: [a, b], otlpEndpoint: otel:4317}\n";
    let config = Config::read(text).unwrap();
    assert_eq!(config.trigger, "example.com/trace");
    assert!(
        !config.targets.containers && config.targets.init_containers && config.targets.orchestrator
    );
    assert_eq!(config.defaults.get(Setting::AgentPort), Some("6831"));
    assert_eq!(config.defaults.get(Setting::SamplerParam), Some("0.10"));
    assert_eq!(config.profiles["full"].get(Setting::Tags), Some("team=a"));
    assert_eq!(
        config.namespaces["team-a"].get(Setting::ExcludeContainers),
        Some("a,b")
    );
    assert_eq!(
        config.namespaces["team-a"].get(Setting::OtlpEndpoint),
        Some("otel:4317")
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_its_place() {
    let text = "triger: x\ntargets:\n  container: true\n  explainer: maybe\ndefaults:\n  agentPort: 70000\n  agentPort: 1\n\
        profiles:\n  'True': {}\n  a: {samplerType: ratelimiting}\n  b: {samplerType: probabilistic, samplerParam: 5}\n\
        namespaces:\n  Bad: {agentHost: 'x:1'}\n  c: [1]\n  d: {otlpEndpoint: 'http://otel:4317'}\n";
    assert_eq!(
        problems(text),
        [
            "1:1: triger: unknown key; did you mean trigger?",
            "3:3: targets.container: unknown key; did you mean containers?",
            "4:14: targets.explainer: must be true or false",
            "6:14: defaults.agentPort: must be a port from 1 to 65535, but not 6832",
            "7:3: defaults.agentPort: is here twice; first on line 6",
            "9:3: profiles.True: a profile needs a name of lower-case letters, digits, '-' and '.', other than true and false",
            "10:7: profiles.a: samplerType needs a samplerParam beside it",
            "11:35: profiles.b: samplerType and samplerParam do not go together: const takes 0 or 1, probabilistic and remote 0 to 1",
            "13:3: namespaces.Bad: is not a name that a namespace can have: lower-case letters, digits and '-'",
            "13:20: namespaces.Bad.agentHost: must be status.hostIP, a host name, an IPv4 address or an IPv6 address in brackets, without a port",
            "14:6: namespaces.c: must be a mapping of keys to values",
            "15:21: namespaces.d.otlpEndpoint: must be HOST:PORT without a scheme: a host name, an IPv4 address or an IPv6 address in brackets, and a port from 1 to 65535",
        ]
    );
}

#[test]
fn odd_files_are_refused_with_their_place() {
    for text in [
        "- a\n",
        "a: [",
        "trigger: [x]\n",
        "trigger: tracing.seldon.io/injected\n",
        "trigger: tracing.seldon.io/tags\n",
        "trigger: 'a b'\n",
        "? [a]\n: b\n",
        "defaults: &a {tags: *a}\n",
    ] {
        assert!(!problems(text).is_empty(), "{text:?}");
    }
}
