//! Any bytes as a config file. A good one is read back from what it is shown as; a bad one is answered in a text of sensible length.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seldon_tracing::config::Config;

/// As much as may be said about a file, however bad it is.
const MAX_ERROR: usize = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Config::read(text) {
        Ok(config) => {
            let shown = serde_json::json!(config).to_string();
            assert_eq!(Config::read(&shown).as_ref(), Ok(&config), "{shown}");
        }
        Err(problems) => {
            let said: String = problems.lines("config.yaml").collect();
            assert!(
                (1..=MAX_ERROR).contains(&said.len()),
                "{} bytes are said",
                said.len()
            );
            // A carriage return of its own ends a line of YAML too.
            let lines = text.matches(['\n', '\r']).count() + 2;
            for problem in &problems.first {
                assert!((1..=lines).contains(&problem.position.line), "{problem}");
            }
        }
    }
});
