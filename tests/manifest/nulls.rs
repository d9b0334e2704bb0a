//! Keys with null: an injection takes them for absent, and the way back gives their very bytes.

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, Outcome, Task};
use seldon_tracing::manifest::tree::Tree;
use seldon_tracing::offline::{self, Done};

tests![TESTS: crate::Plain;
    nulls_of_every_spelling_come_back,
    nulls_in_json_and_in_flow_come_back,
    white_space_and_comments_around_nulls_come_back,
    a_null_that_is_no_field_is_still_odd,
];

fn run(text: &str, task: Task<'_>) -> Done {
    let context = Context {
        task,
        ..Context::default()
    };
    offline::run(text, &Config::default(), &context).unwrap_or_else(|fault| {
        panic!("{}: {}\n{text}", fault.line, fault.message);
    })
}

/// There, again and back. Gives the injected text.
fn there_and_back(text: &str, task: Task<'_>) -> String {
    let done = run(text, task);
    let explanation = &done.objects[0].explanation;
    assert_eq!(explanation.outcome, Outcome::Injected, "{text}");
    let odd = explanation.notes.iter().any(|note| note.problem);
    assert!(!odd, "{:?}\n{text}", explanation.notes);
    let injected = done.text.unwrap();
    assert_eq!(run(&injected, task).text, None, "{injected}");
    let back = run(&injected, Task::Uninject).text.unwrap();
    assert_eq!(back, text, "{injected}");
    injected
}

/// A model with a null at that line. The first line asks for tracing and for a mounted ConfigMap, or has the null itself.
const PLACES: [(&str, &str, &str); 9] = [
    ("annotations", "", ""),
    ("componentSpecs", "", ""),
    ("spec", "componentSpecs:\n    - metadata: {}\n      ", ""),
    ("containers", "componentSpecs:\n    - spec:\n        ", ""),
    (
        "volumes",
        "componentSpecs:\n    - spec:\n        ",
        "        containers:\n        - name: m\n",
    ),
    (
        "env",
        "componentSpecs:\n    - spec:\n        containers:\n        - name: m\n          ",
        "          image: i\n",
    ),
    (
        "volumeMounts",
        "componentSpecs:\n    - spec:\n        containers:\n        - name: m\n          ",
        "",
    ),
    ("svcOrchSpec", "", ""),
    ("env", "svcOrchSpec:\n      ", "      replicas: 1\n"),
];

/// A model with `key:null` at one of the places.
fn model((key, before, after): (&str, &str, &str), null: &str) -> String {
    let line = format!("{key}:{null}\n");
    let asks = "    tracing: \"true\"\n    tracing.seldon.io/config-map: jaeger\n";
    let head = "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n";
    if key == "annotations" {
        return format!(
            "{head}  {line}  name: iris\nspec:\n  annotations:\n{asks}  predictors:\n  - name: p\n    componentSpecs:\n    - spec:\n        containers:\n        - name: m\n"
        );
    }
    let server = "    graph: {name: m, implementation: SKLEARN_SERVER}\n";
    format!(
        "{head}  annotations:\n{asks}  name: iris\nspec:\n  predictors:\n  - name: p\n{server}    {before}{line}{after}    replicas: 1\n"
    )
}

fn nulls_of_every_spelling_come_back() {
    for place in PLACES {
        for null in ["", " ~", " null", " Null", " NULL"] {
            there_and_back(&model(place, null), Task::Follow);
            there_and_back(&model(place, null).replace('\n', "\r\n"), Task::Follow);
        }
    }
}

fn nulls_in_json_and_in_flow_come_back() {
    for place in PLACES {
        let text = model(place, " null");
        let value = Tree::yaml(&text).unwrap().to_value().unwrap();
        there_and_back(&value.to_string(), Task::Follow);
        there_and_back(&format!("{value:#}\n"), Task::Follow);
    }
    for env in ["env: ", "env: ~", "env: null, image: i", "\"env\": null"] {
        let text = format!(
            "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {{name: iris, annotations: }}\nspec:\n  predictors:\n  - componentSpecs: [{{spec: {{containers: [{{name: m, {env}}}]}}}}]\n"
        );
        there_and_back(&text, Task::Trigger("true"));
    }
}

fn white_space_and_comments_around_nulls_come_back() {
    for null in [
        " # none",
        "   # none",
        " ~ # none",
        " ~   # none",
        " null # none\n          # more",
        "\n          # nothing here",
        "  ",
        " ~  ",
    ] {
        for at in [5, 6] {
            there_and_back(&model(PLACES[at], null), Task::Follow);
        }
    }
}

fn a_null_that_is_no_field_is_still_odd() {
    let text = model(PLACES[1], "\n    -");
    let done = run(&text, Task::Follow);
    let notes = &done.objects[0].explanation.notes;
    let odd = notes.iter().filter(|note| note.problem);
    let said: Vec<_> = odd.map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("found null"), "{said:?}");
}
