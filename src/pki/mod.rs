//! Certificates: a CA and a leaf, and what is in a file of certificates. Pure but for the randomness of keys.
