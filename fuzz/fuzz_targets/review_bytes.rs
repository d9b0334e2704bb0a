//! Any bytes as the body of a request. What is answered is held against the rules of the API server.

#![no_main]

#[path = "../../tests/support/checked.rs"]
#[allow(dead_code)]
mod checked;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seldon_tracing::admission::{Route, uid_of};
use seldon_tracing::config::Config;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let text = "profiles: {sampled: {samplerType: probabilistic, samplerParam: 0.5}}\n\
        defaults: {configMap: jaeger, tags: 'c={container}', serviceName: '{namespace}.{name}', otlpEndpoint: 'otel:4317'}\n\
        targets: {initContainers: true}";
    Config::read(text).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let by_default = checked::look(data, Route::Mutate, &Config::default());
    let by_config = checked::look(data, Route::DefaultOn, &CONFIG);
    assert_eq!(
        by_default.is_ok(),
        by_config.is_ok(),
        "a body is good or bad, whatever the config"
    );
    assert!(by_default.is_err() || uid_of(data).is_some());
});
