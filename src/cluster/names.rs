//! The names of our objects, as `manifests/` has them.

/// The Deployment, the Service and the `MutatingWebhookConfiguration`.
pub(crate) const NAME: &str = "seldon-tracing";

/// The Deployment of the controller.
pub(crate) const CONTROLLER: &str = "seldon-tracing-controller";

/// The Secret with the certificate that the webhook serves.
pub(crate) const LEAF_SECRET: &str = "seldon-tracing-tls";

/// The Secret with the CA and its key.
pub(crate) const CA_SECRET: &str = "seldon-tracing-ca";

/// The `ConfigMap` with the config file.
pub(crate) const CONFIG_MAP: &str = "seldon-tracing-config";

/// The key of the config file in it.
pub(crate) const CONFIG_KEY: &str = "config.yaml";

/// The label of a namespace that turns tracing on by default, and its value.
pub(crate) const NAMESPACE_LABEL: (&str, &str) = ("tracing", "enabled");

/// The entries of the `MutatingWebhookConfiguration`. The second is for namespaces with that label.
pub(crate) const WEBHOOKS: [&str; 2] = ["inject.tracing.seldon.io", "default-on.tracing.seldon.io"];

/// The group of the `SeldonDeployment`.
pub(crate) const GROUP: &str = "machinelearning.seldon.io";

/// Its plural, which is the name of the resource.
pub(crate) const MODELS: &str = "seldondeployments";

/// The definition of the `SeldonDeployment`, which Seldon Core installs.
pub(crate) const CRD: &str = "seldondeployments.machinelearning.seldon.io";

/// The label of a namespace for which the webhook is not called, and its value.
pub(crate) const DISABLED_LABEL: (&str, &str) = ("tracing.seldon.io/disabled", "true");

/// The namespaces for which the webhook is never called, besides the namespace in which it is installed.
pub(crate) const EXCLUDED: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
