//! First answers to money-moving requests, kept so that a retry gets the same answer.

/// First answers, inside the transaction of the effect.
pub trait IdempotencyRepository {}
