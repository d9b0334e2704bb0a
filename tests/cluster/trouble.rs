//! Trouble.
tests![];
