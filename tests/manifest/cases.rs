//! The small inputs of `../shared/cases`, made from public bug reports and real manifests: what is said of each, and the way back.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, Task};
use seldon_tracing::offline::{self, Done};

use crate::support::fixtures::shared;

tests![TESTS: crate::OverCases;
    the_small_inputs_come_to_what_is_right,
    every_small_input_is_tried,
];

/// The folder of the inputs.
#[derive(Clone, Debug)]
pub(crate) struct Cases(PathBuf);

impl Cases {
    /// The reason for which tests are ignored.
    pub(crate) const ABSENT: &'static str =
        "there is no cases/ in ../shared, or in the folder that SELDON_TRACING_SHARED names";

    pub(crate) fn find() -> Option<Self> {
        let folder = shared().join("cases");
        folder.is_dir().then_some(Self(folder))
    }
}

/// File, outcome, and a reason that is given; `-` for one without problems that an injection must give back.
const RIGHT: [(&str, &str, &str); 19] = [
    ("10-null-keys.yaml", "injected", "-"),
    (
        "10c-triton-noengine.yaml",
        "nothing-to-trace",
        "server-cannot-trace",
    ),
    ("10d-disabled.yaml", "user-disabled", "user-disabled"),
    ("26-dup-env-int.yaml", "injected", "odd-type"),
    ("27-dependent-env.yaml", "injected", "not-expanded"),
    ("29-fully-by-hand.yaml", "traced-by-hand", "traced-by-hand"),
    ("36-name-not-string.yaml", "injected", "odd-type"),
    ("36b-predictor-int.yaml", "injected", "odd-type"),
    ("54-odd-env-items.yaml", "injected", "odd-type"),
    (
        "55-kustomize-overlay-patch.yaml",
        "skipped",
        "partial-object",
    ),
    (
        "56-trigger-on-pod-template.yaml",
        "skipped",
        "misplaced-trigger",
    ),
    ("57b-trigger-as-label.yaml", "skipped", "misplaced-trigger"),
    ("58-not-asked.yaml", "skipped", "no-trigger"),
    ("59-own-mlserver.yaml", "injected", "own-mlserver"),
    ("70-sampler-type-alone.yaml", "injected", "bad-sampler-pair"),
    (
        "71-sampler-param-percent.yaml",
        "injected",
        "bad-sampler-pair",
    ),
    ("72-null-component-specs.yaml", "injected", "-"),
    ("73-live-object-port-6831.yaml", "unchanged", "outdated"),
    (
        "74-live-object-by-namespace-label.yaml",
        "unchanged",
        "by-namespace",
    ),
];

/// What these are about is how commands read files, and is tried in `tests/cli`.
const OF_COMMANDS: [&str; 3] = [
    "03-json-lines.json",
    "12-duplicate-key.yaml",
    "18d-utf16.yaml",
];

fn run(text: &str, task: Task<'_>) -> Done {
    let context = Context {
        task,
        ..Context::default()
    };
    offline::run(text, &Config::default(), &context).unwrap()
}

fn the_small_inputs_come_to_what_is_right(cases: &Cases) {
    for (file, outcome, reason) in RIGHT {
        let text = fs::read_to_string(cases.0.join(file)).unwrap();
        let done = run(&text, Task::Stored);
        let explanation = &done.objects[0].explanation;
        assert_eq!(
            explanation.outcome.code(),
            outcome,
            "{file} {explanation:?}"
        );
        let of_notes = explanation.notes.iter().map(|note| note.reason);
        let of_predictors = explanation.predictors.iter().map(|it| it.reason);
        let mut reasons = of_notes.chain(of_predictors);
        assert!(
            match reason {
                "-" => reasons.all(|given| !given.is_problem()),
                reason => reasons.any(|given| given.code() == reason),
            },
            "{file} {explanation:?}"
        );
        if let Some(injected) = done.text {
            let back = run(&injected, Task::Uninject).text;
            assert_eq!(back.as_deref(), Some(&*text), "{file}");
        }
    }
}

fn every_small_input_is_tried(cases: &Cases) {
    let files = fs::read_dir(&cases.0).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<_> = files.filter(|name| name != "README.md").collect();
    let tried = RIGHT.iter().map(|(file, ..)| *file).chain(OF_COMMANDS);
    assert_eq!(there, tried.map(str::to_owned).collect());
}
