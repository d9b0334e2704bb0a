//! The check of an answer, by the rules of the API server.
