//! Who signed: keys as the log registers, rotates and revokes them, signatures checked many at once.
//!
//! The codes of keys are those of receipts ([`KeyHistory`]): `key_event_not_valid`, `key_twice`, `unknown_key`,
//! `key_of_other_party`, `signed_after_revocation` and so on. `assurance_overstated` too: the platform signed for a party
//! that is said to have signed itself. `signature_invalid`: the signature is not valid.
//! Bounds: [`AT_ONCE`] signatures wait at a time; a batch that does not verify is looked at one by one.

use super::AuditReport;
use crate::chain::jws::Jws;
use crate::chain::key::{PublicKey, Signed, verify_all};
use crate::chain::statement::{Assurance, Statement};
use crate::chain::trust::Trust;
use crate::chain::verify::{KeyHistory, NotGood};

/// Signatures that are verified together.
const AT_ONCE: usize = 1_024;

/// A signature that waits to be verified.
struct Waiting {
    index: u64,
    key: PublicKey,
    jws: Jws,
}

/// Keys and signatures of one audit.
pub(super) struct Signatures<'t> {
    trust: &'t Trust,
    keys: KeyHistory,
    waiting: Vec<Waiting>,
}

impl<'t> Signatures<'t> {
    pub(super) fn new(trust: &'t Trust) -> Self {
        Self { trust, keys: KeyHistory::default(), waiting: Vec::with_capacity(AT_ONCE) }
    }

    /// Takes a statement whose form was judged. Events of keys count from here on; other signatures are verified soon.
    pub(super) fn take(&mut self, report: &mut AuditReport, index: u64, jws: Jws, statement: &Statement) {
        let taken = match statement {
            Statement::KeyRegistration(_) | Statement::KeyRotation(_) | Statement::KeyRevocation(_) => {
                self.keys.follow(self.trust, &jws, statement, index).map(|()| report.signatures += 1)
            }
            _ => self.signer(&jws, statement, index).map(|key| self.wait(report, index, key, jws)),
        };
        if let Err(NotGood { code, detail }) = taken {
            report.differ(Some(index), code, detail);
        }
    }

    /// Takes what only the platform signs and is no statement.
    pub(super) fn take_platforms(&mut self, report: &mut AuditReport, index: u64, jws: Jws) {
        match self.trust.platform_key(jws.kid()).copied() {
            Some(key) => self.wait(report, index, key, jws),
            None => report.differ(Some(index), "unknown_key", format!("key {} is not the platform's", jws.kid())),
        }
    }

    /// The key that may have signed a statement, as the log stands at its index.
    fn signer(&self, jws: &Jws, statement: &Statement, index: u64) -> Result<PublicKey, NotGood> {
        let party = match statement {
            Statement::Offer(s) => Some((&s.party, s.assurance)),
            Statement::Accept(s) => Some((&s.party, s.assurance)),
            _ => None,
        };
        let kid = jws.kid();
        if let Statement::ImportDeclaration(s) = statement {
            return self.keys.declarant(kid, &s.organisation, index).copied();
        }
        if let Some(platform) = self.trust.platform_key(kid) {
            return match party {
                Some((party, Assurance::Own)) => {
                    let detail = format!("the platform signed as {party} itself");
                    Err(NotGood { code: "assurance_overstated", detail })
                }
                _ => Ok(*platform),
            };
        }
        match party {
            Some((party, assurance @ (Assurance::Own | Assurance::Custodial))) => {
                self.keys.signer(kid, party, assurance, index).copied()
            }
            _ => {
                let detail = format!("key {kid} is not known to be allowed to sign this");
                Err(NotGood { code: "unknown_key", detail })
            }
        }
    }

    fn wait(&mut self, report: &mut AuditReport, index: u64, key: PublicKey, jws: Jws) {
        self.waiting.push(Waiting { index, key, jws });
        if self.waiting.len() >= AT_ONCE {
            self.verify(report);
        }
    }

    /// Verifies what waits.
    pub(super) fn verify(&mut self, report: &mut AuditReport) {
        let waiting = std::mem::take(&mut self.waiting);
        let signed = |w: &'_ Waiting| -> bool { w.key.verify(w.jws.signing_input(), w.jws.signature()).is_ok() };
        let all: Vec<Signed<'_>> = waiting
            .iter()
            .map(|w| Signed { key: &w.key, message: w.jws.signing_input(), signature: w.jws.signature() })
            .collect();
        report.signatures += waiting.len() as u64;
        // Two halves at once: verifying is most of the work of an audit with an export.
        let (left, right) = all.split_at(all.len() / 2);
        let valid = std::thread::scope(|scope| {
            let other = scope.spawn(|| verify_all(right));
            verify_all(left) && other.join().is_ok_and(|valid| valid)
        });
        if valid {
            return;
        }
        for bad in waiting.iter().filter(|w| !signed(w)) {
            report.signatures -= 1;
            let detail = format!("not signed by key {}", bad.jws.kid());
            report.differ(Some(bad.index), "signature_invalid", detail);
        }
    }
}
