//! Who signed: keys as the log registers them, signatures checked many at once.
//!
//! `key_twice`: a key is registered twice. `registration_not_valid`: a registration that its own key did not sign.
//! `unknown_key`: neither the platform's nor registered at a lower index. `key_of_other_party`: registered for somebody
//! else. `assurance_overstated`: the platform signed for a party that is said to have signed itself.
//! `signature_invalid`: the signature is not valid.
//! Bounds: [`AT_ONCE`] signatures wait at a time; a batch that does not verify is looked at one by one.

use std::collections::HashMap;

use super::AuditReport;
use crate::chain::jws::Jws;
use crate::chain::key::{PublicKey, Signed, verify_all};
use crate::chain::statement::{Assurance, KeyRegistration, PartyId, Statement};
use crate::chain::trust::Trust;

/// Signatures that are verified together.
const AT_ONCE: usize = 1_024;

/// A key that the log has registered.
struct Registered {
    key: PublicKey,
    party: PartyId,
}

/// A signature that waits to be verified.
struct Waiting {
    index: u64,
    key: PublicKey,
    jws: Jws,
}

/// Keys and signatures of one audit.
pub(super) struct Signatures<'t> {
    trust: &'t Trust,
    registered: HashMap<String, Registered>,
    waiting: Vec<Waiting>,
}

type Fault = (&'static str, String);

impl<'t> Signatures<'t> {
    pub(super) fn new(trust: &'t Trust) -> Self {
        Self { trust, registered: HashMap::new(), waiting: Vec::with_capacity(AT_ONCE) }
    }

    /// Takes a statement whose form was judged: its signature is verified soon.
    pub(super) fn take(&mut self, report: &mut AuditReport, index: u64, jws: Jws, statement: &Statement) {
        let key = match statement {
            Statement::KeyRegistration(registration) => self.register(registration),
            _ => self.signer(&jws, statement),
        };
        match key {
            Ok(key) => self.wait(report, index, key, jws),
            Err((code, detail)) => report.differ(Some(index), code, detail),
        }
    }

    /// Takes what only the platform signs and is no statement.
    pub(super) fn take_platforms(&mut self, report: &mut AuditReport, index: u64, jws: Jws) {
        match self.trust.platform_key(jws.kid()).copied() {
            Some(key) => self.wait(report, index, key, jws),
            None => report.differ(Some(index), "unknown_key", format!("key {} is not the platform's", jws.kid())),
        }
    }

    fn register(&mut self, registration: &KeyRegistration) -> Result<PublicKey, Fault> {
        let key = PublicKey::from_jwk(&registration.jwk).map_err(|e| ("registration_not_valid", e.to_string()))?;
        if key.kid() != registration.kid {
            return Err(("registration_not_valid", "it is signed by another key than it registers".to_owned()));
        }
        let registered = Registered { key, party: registration.party.clone() };
        match self.registered.insert(key.kid(), registered) {
            None => Ok(key),
            Some(_) => Err(("key_twice", format!("key {} is registered already", key.kid()))),
        }
    }

    /// The key that may have signed a statement, as the log stands at its index.
    fn signer(&self, jws: &Jws, statement: &Statement) -> Result<PublicKey, Fault> {
        let party = match statement {
            Statement::Offer(s) => Some((&s.party, s.assurance)),
            Statement::Accept(s) => Some((&s.party, s.assurance)),
            Statement::ImportDeclaration(s) => Some((&s.organisation, Assurance::Own)),
            Statement::Seal(_)
            | Statement::KeyRegistration(_)
            | Statement::AgreementApproval(_)
            | Statement::PayoutApproval(_)
            | Statement::Erasure(_) => None,
        };
        let kid = jws.kid();
        if let Some(platform) = self.trust.platform_key(kid) {
            return match party {
                Some((party, Assurance::Own)) => {
                    Err(("assurance_overstated", format!("the platform signed as {party} itself")))
                }
                _ => Ok(*platform),
            };
        }
        let unknown = || ("unknown_key", format!("key {kid} is not known to be allowed to sign this"));
        let (party, assurance) = party.ok_or_else(unknown)?;
        let found = self.registered.get(kid).filter(|_| assurance != Assurance::Attested).ok_or_else(unknown)?;
        if found.party == *party {
            Ok(found.key)
        } else {
            Err(("key_of_other_party", format!("the key is registered for {}, not for {party}", found.party)))
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
