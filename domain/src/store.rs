//! The transaction boundary.
