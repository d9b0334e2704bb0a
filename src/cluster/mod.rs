//! A cluster, through its API server.
//!
//! | file | what it is for |
//! |---|---|
//! | `connect` | a client, from a kubeconfig or from the service account of the pod |
//! | `names` | the names of our objects in the cluster |

pub(crate) mod connect;
pub(crate) mod names;
