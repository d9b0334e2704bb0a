//! What stands in two files is the same in both, and the chart has nothing in it that renders differently each time.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use walkdir::WalkDir;

use crate::helm::chart;
use crate::support::fixtures::{documents, root};
use crate::support::registry;

tests![TESTS: registry::Test<fn()>;
    the_copies_are_those_of_manifests,
    the_schema_of_the_config_is_the_one_that_the_binary_prints,
    the_versions_are_that_of_the_crate,
    nothing_in_it_is_of_the_moment,
];

/// The files of the chart that are copies, and of what. Helm reads only what is below the chart.
const COPIES: [(&str, &str); 3] = [
    ("collector.yaml", "collector/collector.yaml"),
    ("dashboard.json", "monitoring/dashboard.json"),
    ("rules.yaml", "monitoring/rules.yaml"),
];

fn the_copies_are_those_of_manifests() {
    let folder = chart().join("files");
    for (copy, of) in COPIES {
        let of = root().join("manifests").join(of);
        let is_same = fs::read(folder.join(copy)).ok() == fs::read(&of).ok();
        let (of, to) = (of.display(), folder.display());
        assert!(is_same, "{copy} is stale: cp {of} {to}/{copy}");
    }
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name();
        let is_known = COPIES.iter().any(|(copy, _)| *copy == name);
        assert!(is_known, "{} has no original", name.display());
    }
}

/// The chart demands all parts, which its templates read, and has them in its values.
fn the_schema_of_the_config_is_the_one_that_the_binary_prints() {
    let read = |path: PathBuf| -> Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let mut whole = read(root().join("manifests/config.schema.json"));
    let chart = read(chart().join("values.schema.json"));
    let printed = whole.as_object_mut().unwrap();
    assert_eq!(printed.remove("$schema").unwrap(), chart["$schema"]);
    for (name, definition) in printed.remove("definitions").unwrap().as_object().unwrap() {
        assert_eq!(&chart["definitions"][name], definition, "{name}");
    }
    let mut part = chart["properties"]["config"].clone();
    let demanded = part.as_object_mut().unwrap().remove("required").unwrap();
    let mut keys: Vec<_> = whole["properties"].as_object().unwrap().keys().collect();
    let mut demanded: Vec<_> = demanded
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    keys.sort_unstable();
    demanded.sort_unstable();
    assert_eq!(demanded, keys);
    assert_eq!(part, whole);
}

fn the_versions_are_that_of_the_crate() {
    let text = fs::read_to_string(chart().join("Chart.yaml")).unwrap();
    let chart = documents(&text).remove(0);
    for key in ["version", "appVersion"] {
        assert_eq!(chart[key], env!("CARGO_PKG_VERSION"), "{key}");
    }
}

fn nothing_in_it_is_of_the_moment() {
    let mut count = 0;
    for entry in WalkDir::new(chart().join("templates")) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(entry.path()).unwrap();
        let actions = text
            .split("{{")
            .skip(1)
            .filter_map(|it| it.split("}}").next());
        for word in actions.flat_map(|it| it.split([' ', '(', ')', '-'])) {
            let of_the_moment = ["lookup", "now", "env", "getHostByName", "uuidv4"].contains(&word)
                || [
                    "rand",
                    "gen",
                    ".Capabilities",
                    ".Release.Is",
                    ".Release.Revision",
                ]
                .iter()
                .any(|start| word.starts_with(start));
            assert!(!of_the_moment, "{word}: {entry:?}");
        }
        assert!(!text.contains("caBundle: "), "{entry:?}");
    }
    assert!(count > 10, "{count}");
}
