//! Witnesses over real HTTP: quorums, forks, faulty and slow witnesses, a witness in Go; and backpressure of the log.

mod backpressure;
mod forks;
mod oracle;
mod protocol;
mod quorum;
mod support;
