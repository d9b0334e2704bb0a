//! Tracing is turned on and off in every way that people have, and it leaves nothing behind.

use serde_json::json;

use crate::models::{self, VARIABLES, container, essence, is_traced, names, written};
use crate::rig::Cluster;

tests![an_annotation_traces_a_model_and_its_removal_gives_the_model_back,];

fn an_annotation_traces_a_model_and_its_removal_gives_the_model_back(cluster: &Cluster) {
    let space = cluster.space("annotate");
    let model = models::untraced("model");
    space
        .kubectl_with(&model.to_string(), &["create", "-f", "-"])
        .ok();
    let before = space.get("model");
    assert!(!is_traced(&before));

    space
        .kubectl(&["annotate", "sdep/model", "tracing=true"])
        .ok();
    let traced = space.get("model");
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(names(container(&traced)), VARIABLES);
    assert_eq!(written(&traced).generation, 2);

    // M3: the second time is no change.
    space
        .kubectl(&["annotate", "--overwrite", "sdep/model", "tracing=true"])
        .ok();
    assert_eq!(written(&space.get("model")), written(&traced));

    space.kubectl(&["annotate", "sdep/model", "tracing-"]).ok();
    let after = space.get("model");
    assert_eq!(essence(&after), essence(&before), "M7");
    assert_eq!(after["metadata"]["annotations"], json!(null));
}
