//! A cluster, through its API server.
//!
//! | file | what it is for |
//! |---|---|
//! | `ask` | sends a request, lists page by page, and reads objects into the type of the caller |
//! | `connect` | a client, from a kubeconfig or from the service account of the pod |
//! | `failure` | why a request failed |
//! | `models` | the `SeldonDeployments`, as JSON |
//! | `names` | the names of our objects in the cluster |
//! | `namespaces` | what a namespace says about tracing |
//! | `surroundings` | the inputs of a decision besides the object: the cluster's config, the labels of namespaces |

pub(crate) mod ask;
pub(crate) mod connect;
pub(crate) mod failure;
pub(crate) mod models;
pub(crate) mod names;
pub(crate) mod namespaces;
pub(crate) mod surroundings;
