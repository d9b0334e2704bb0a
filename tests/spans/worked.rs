//! `docs/worked-example.md`: its models come to the spans of its table.

use std::fs;

use crate::models::{annotate, example};
use crate::rig::Rig;
use crate::support::fixtures::root;

tests![the_models_of_the_worked_example_come_to_the_spans_of_its_table];

/// The class of the model in the image of its own container.
const CLASS: &str = "MeanClassifier";

/// The rows of the table: service, operation by REST, operation by gRPC.
fn table() -> Vec<[String; 3]> {
    let page = fs::read_to_string(root().join("docs/worked-example.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
        let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
        <[&str; 3]>::try_from(cells).unwrap().map(str::to_owned)
    })
    .collect()
}

fn the_models_of_the_worked_example_come_to_the_spans_of_its_table(rig: &Rig) {
    let table = table();
    assert_eq!((table.len(), table[2][0].as_str()), (3, CLASS));
    for (mut manifest, class) in [
        (example("worked/mock-classifier.yaml"), CLASS),
        // A prepackaged server bears the name of its own class.
        (example("worked/iris.yaml"), "SKLearnServer"),
    ] {
        annotate(&mut manifest, "tracing", "true");
        let stored = rig.webhook.create(&manifest).object;
        let mut model = rig.run(&stored, "classifier", class);
        // The orchestrator does not wait until it is up.
        model.predict(1);
        let by_rest = rig.orchestrate(&stored, "default", 1, &[&model]);
        let by_grpc = rig.orchestrate_by_grpc(&stored, "default", 1, &[&model]);
        for (column, ids) in [(1, by_rest), (2, by_grpc)] {
            let trace = rig.trace(&ids[0], 3);
            let found: Vec<_> = trace
                .iter()
                .map(|span| (span.service.as_str(), span.operation.as_str()))
                .collect();
            let expected: Vec<_> = table
                .iter()
                .map(|row| (row[0].as_str(), row[column].as_str()))
                .map(|(service, operation)| match service {
                    CLASS => (class, operation),
                    executor => (executor, operation),
                })
                .collect();
            assert_eq!(found, expected);
        }
    }
}
