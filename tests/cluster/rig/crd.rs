//! The resource that Seldon Core installs.

use std::fs;
use std::path::PathBuf;

use super::control_plane::ControlPlane;
use super::{kubectl, until};
use crate::support::fixtures::{root, shared};

/// Which definition of the SeldonDeployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crd {
    /// Of Seldon's Helm chart: all three versions, plain lists.
    Helm,
    /// Of Seldon's kustomize base: v1 alone, containers and variables are unique by name.
    Kustomize,
    /// Ours, which takes everything, for where Seldon's cannot be had.
    Permissive,
}

impl Crd {
    /// Those that are here, and what to say about the others.
    pub(crate) fn found() -> (Vec<Self>, Option<String>) {
        let all = [Self::Helm, Self::Kustomize, Self::Permissive];
        let found: Vec<_> = all.into_iter().filter(|crd| crd.file().is_file()).collect();
        let said = (found.len() < all.len()).then(|| {
            format!(
                "there is no {}: a permissive definition of our own stands in for Seldon's (SELDON_TRACING_SHARED names another place)",
                Self::Helm.file().display()
            )
        });
        (found, said)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Helm => "helm",
            Self::Kustomize => "kustomize",
            Self::Permissive => "permissive",
        }
    }

    /// Whether it serves v1alpha2 and v1alpha3 too.
    pub(crate) const fn has_old_versions(self) -> bool {
        !matches!(self, Self::Kustomize)
    }

    fn file(self) -> PathBuf {
        match self {
            Self::Helm => shared().join("crd/seldondeployments-helm.yaml"),
            Self::Kustomize => shared().join("crd/seldondeployments-kustomize-small.yaml"),
            Self::Permissive => root().join("tests/cluster/crd/permissive.yaml"),
        }
    }

    pub(super) fn install(self, plane: &ControlPlane) {
        let definition = fs::read_to_string(self.file()).unwrap();
        // Seldon's kustomize base leaves children of graph nodes without a type, and patches one in. The API server demands it.
        let typed = "items: {type: object, x-kubernetes-preserve-unknown-fields: true}";
        let definition = definition.replace("items: {}", typed);
        // Not `apply`, which would have to keep a copy of it in an annotation that is too small.
        kubectl::run(plane, &definition, &["create", "-f", "-"]).ok();
        until("the resource is served", || {
            let list = ["get", "seldondeployments", "--all-namespaces"];
            kubectl::run(plane, "", &list).code == Some(0)
        });
    }
}
