//! The API server as a client: how it calls a webhook over HTTPS.
