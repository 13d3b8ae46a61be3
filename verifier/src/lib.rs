//! The formats of the attribution log, and what a receipt proves: all that somebody needs who trusts nobody.
//!
//! Pure: no file, no socket, no clock, no chance, no database; the same input gives the same verdict on a server, on
//! a laptop without a network and in a browser. Formats are C2SP's for the log (`tlog-tiles`, `signed-note`,
//! `tlog-checkpoint`, `tlog-proof`) and JOSE's for signatures (RFC 7515, 7638, 8037, 8785, 9864), byte for byte; statement, leaf,
//! entry, paper, report and receipt are our own JSON. [`verify`] judges a [`receipt`] under a [`trust`] that came another way.
//! Small on purpose: an auditor can read it in an afternoon.

pub mod checkpoint;
pub mod cosignature;
pub mod currency;
pub mod digest;
pub mod encoding;
pub mod entry;
pub mod fault;
pub mod id;
pub mod ids;
pub mod instant;
pub mod jcs;
pub mod jws;
pub mod key;
pub mod leaf;
pub mod merkle;
pub mod note;
pub mod paper;
pub mod parts;
pub mod policy;
pub mod proof;
pub mod receipt;
pub mod report;
pub mod signer;
pub mod statement;
pub mod tile;
pub mod tlog_proof;
pub mod trust;
pub mod verify;
