//! A cluster, through its API server.
//!
//! | file | what it is for |
//! |---|---|
//! | `ask` | objects as they are, read into the type of the caller |
//! | `connect` | a client, from a kubeconfig or from the service account of the pod |
//! | `namespaces` | what a namespace says about tracing |
//! | `names` | the names of our objects in the cluster |

pub(crate) mod ask;
pub(crate) mod connect;
pub(crate) mod names;
pub(crate) mod namespaces;
