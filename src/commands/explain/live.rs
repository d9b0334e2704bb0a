//! Objects of a cluster: `explain sdep/NAME`.

use anyhow::bail;
use serde_json::Value;

use crate::cli::{Explain, Scope};
use crate::cluster::names::GROUP;
use crate::commands::fleet::{Cluster, run};
use crate::commands::messages;
use crate::commands::sources::Source;
use crate::config::Config;
use crate::inject::Namespace;
use crate::manifest::emit::to_yaml;

/// Objects, and the inputs of a decision besides them.
pub(super) struct Live {
    pub(super) sources: Vec<Source>,
    pub(super) config: Config,
    pub(super) namespace: Namespace,
}

/// The objects that the arguments name as kubectl does; nothing if they name files.
pub(super) fn find(arguments: &Explain) -> anyhow::Result<Option<Live>> {
    let paths: Vec<_> = arguments.input.paths().collect();
    let named: Vec<&str> = paths
        .iter()
        .filter(|path| !path.exists())
        .filter_map(|path| name_of(path.to_str()?))
        .collect();
    if named.is_empty() {
        return Ok(None);
    }
    if named.len() < paths.len() {
        bail!(
            "objects of a cluster (sdep/NAME) and files cannot be explained together; run the command twice"
        );
    }
    run(read(arguments, &named)).map(Some)
}

async fn read(arguments: &Explain, names: &[&str]) -> anyhow::Result<Live> {
    let scope = Scope {
        namespace: arguments.surroundings.namespace.clone(),
        ..Scope::default()
    };
    let cluster = Cluster::connect(&arguments.connection, &scope).await?;
    let namespace = cluster.selection.namespace.clone().unwrap_or_default();
    let mut sources = Vec::new();
    for name in names {
        let json = cluster.models.get(&namespace, name).await?;
        let mut object: Value = serde_json::from_str(json.get())?;
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        sources.push(Source::Live {
            name: format!("sdep/{name}"),
            text: to_yaml(&object),
        });
    }
    let surroundings = cluster.surroundings().await?;
    let state = surroundings.namespace(&namespace);
    if state == Namespace::Excluded {
        let which = format!("the namespace {namespace}");
        messages::warning(&Namespace::why_excluded(&which));
    }
    Ok(Live {
        sources,
        config: surroundings.config,
        namespace: state,
    })
}

/// The name in `sdep/NAME`, in any form that kubectl takes.
fn name_of(text: &str) -> Option<&str> {
    let (kind, name) = text.split_once('/')?;
    let (kind, group) = kind.split_once('.').unwrap_or((kind, GROUP));
    let is_group = group == GROUP || group.split_once('.').is_some_and(|(_, rest)| rest == GROUP);
    let is_kind = ["sdep", "seldondeployment", "seldondeployments"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known));
    (is_kind && is_group && !name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_for_kubectl() {
        for kind in [
            "sdep",
            "SeldonDeployment",
            "seldondeployments",
            "seldondeployment.machinelearning.seldon.io",
            "seldondeployments.v1.machinelearning.seldon.io",
        ] {
            assert_eq!(name_of(&format!("{kind}/iris")), Some("iris"), "{kind}");
        }
        for other in [
            "sdep",
            "sdep/",
            "pod/iris",
            "sdep/a/b",
            "sdep.apps/iris",
            "./sdep/iris",
            "models/iris.yaml",
        ] {
            assert_eq!(name_of(other), None, "{other}");
        }
    }
}
