//! What stands in two files is the same in both, and the chart has nothing in it that renders differently each time.

use std::fs;

use walkdir::WalkDir;

use crate::helm::chart;
use crate::support::fixtures::{documents, root};
use crate::support::registry;

tests![TESTS: registry::Test<fn()>;
    the_copies_are_those_of_manifests,
    the_versions_are_that_of_the_crate,
    nothing_in_it_is_of_the_moment,
];

/// The files of the chart that are copies, and of what. Helm reads only what is below the chart.
const COPIES: [(&str, &str); 1] = [("collector.yaml", "collector/collector.yaml")];

fn the_copies_are_those_of_manifests() {
    let folder = chart().join("files");
    for (copy, of) in COPIES {
        let of = root().join("manifests").join(of);
        let is_same = fs::read(folder.join(copy)).unwrap() == fs::read(&of).unwrap();
        let (of, to) = (of.display(), folder.display());
        assert!(is_same, "{copy} is stale: cp {of} {to}/{copy}");
    }
    let there = fs::read_dir(&folder).unwrap();
    assert_eq!(there.count(), COPIES.len(), "a file without an original");
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
