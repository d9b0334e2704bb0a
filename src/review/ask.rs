//! The question: an AdmissionReview as the API server writes it.
