//! Proof of attribution: who referred whom, when, in what order, and that nothing was altered.
//!
//! Shown to people who do not trust the operator, offline, with tools that nobody here wrote:
//! C2SP formats byte for byte for the log (`tlog-tiles`, `signed-note`, `tlog-checkpoint`), JOSE byte
//! for byte for the signatures (RFC 7515, 7638, 8037, 8785, 9864). Only the statement, the leaf and
//! the receipt are our own JSON.
//!
//! The way through: a [`statement`] is signed as a [`jws`] by a key behind [`signer::Signer`]; its
//! bytes are the *envelope*; [`leaf::LaneHead::append`] commits to it; the sequencer takes leaves into
//! the tree ([`merkle::Frontier`], [`tile::Edge`]), builds a [`checkpoint`] and, once
//! [`signer::guard`] agrees, signs it as a [`note`]; [`receipts`] packs a [`receipt`] with what a
//! stranger needs and [`verify`] judges it under a [`trust`]; [`memory`] holds what
//! is asked for often, [`mirror`] writes the log as files, [`export`] what its leaves commit to, and [`audit`] recomputes
//! every one of them.
//!
//! A [`witness`] sees every checkpoint and cosigns it; what has the quorum is published.
//!
//! What a verifier needs is the crate `verifier` (formats, and the judgement of receipts); what is here writes the log.
//! Nothing here does I/O: tiles come through [`merkle::HashReader`], keys through a port.

pub mod audit;
pub mod declaration;
pub mod export;
pub mod key_events;
pub mod log;
pub mod memory;
pub mod mirror;
pub mod presented;
pub mod proofs;
pub mod published;
pub mod receipts;
pub mod registration;
pub mod registry;
pub mod repository;
pub mod revocation;
pub mod rotation;
pub mod sequence;
pub mod signer;
pub mod witness;

pub use verifier::{
    checkpoint, cosignature, encoding, jws, key, leaf, merkle, note, paper, policy, proof, receipt, statement, tile,
    tlog_proof, trust, verify,
};
