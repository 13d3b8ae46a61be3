//! Which keys were good when: the key events of a receipt, read in the order of the log.
//!
//! A key is good for leaves after the one that registered it or rotated to it, and before the one that rotates it away
//! or revokes it; no clock has a say. Every event counts only once it is included under the checkpoint and signed as it
//! must be. What a receipt does not hold cannot be seen: a revocation that was left out, or that is younger than the
//! checkpoint, is not told here ([`KeyHistory::tell`] says so).

use std::collections::BTreeMap;

use super::{Findings, included};
use crate::jws::Jws;
use crate::key::PublicKey;
use crate::leaf::LeafKind;
use crate::receipt::{Logged, Receipt};
use crate::statement::{Assurance, KeyRegistration, KeyRevocation, KeyRotation, PartyId, Statement};
use crate::trust::Trust;

const EVENTS: [LeafKind; 3] = [LeafKind::KeyRegistration, LeafKind::KeyRotation, LeafKind::KeyRevocation];

/// How a key ended.
struct End {
    index: u64,
    how: How,
}

enum How {
    /// Rotated to the key of this thumbprint.
    Rotated(String),
    /// Revoked, by whom and why in words.
    Revoked(String),
}

/// A key, since which leaf it is good, and until which.
struct Held {
    key: PublicKey,
    party: PartyId,
    assurance: Assurance,
    since: u64,
    next: Option<crate::digest::Digest>,
    end: Option<End>,
}

/// Why a key is not good for a leaf, or an event of a key does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGood {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

fn not_good(code: &'static str, detail: String) -> NotGood {
    NotGood { code, detail }
}

/// The keys of a receipt, or of a whole log.
#[derive(Default)]
pub struct KeyHistory(BTreeMap<String, Held>);

impl KeyHistory {
    /// Reads the key events of a receipt. What is wrong with one is a fault, and the event does not count.
    pub(super) fn read(trust: &Trust, receipt: &Receipt, findings: &mut Findings) -> Self {
        let mut history = Self::default();
        let mut events: Vec<(usize, &Logged)> = receipt.keys.iter().enumerate().collect();
        events.sort_by_key(|(_, logged)| logged.index);
        for (n, logged) in events {
            let pointer = format!("/keys/{n}");
            let Some(leaf) = included(findings, &pointer, logged, &EVENTS) else { continue };
            if let Err(NotGood { code, detail }) = history.logged(trust, logged, leaf.kind) {
                findings.fault(format!("{pointer}/envelope"), code, detail);
            }
        }
        history
    }

    /// One event of a receipt, whose leaf is of this kind.
    fn logged(&mut self, trust: &Trust, logged: &Logged, kind: LeafKind) -> Result<(), NotGood> {
        let bad = |detail: String| not_good("key_event_not_valid", detail);
        let (jws, statement) = Statement::parse(&logged.envelope).map_err(|e| bad(e.to_string()))?;
        if statement.kind() != kind {
            return Err(bad(format!("its leaf is of kind {kind}")));
        }
        if statement.log() != trust.origin() {
            return Err(bad(format!("for log {}", statement.log())));
        }
        self.follow(trust, &jws, &statement, logged.index)
    }

    /// Takes the next event of the log, whose leaf commits to this statement for this log. Events come in the order of
    /// their indexes.
    ///
    /// # Errors
    /// When it is none, is not signed as it must be, or is not possible here: then it does not count.
    pub fn follow(&mut self, trust: &Trust, jws: &Jws, statement: &Statement, index: u64) -> Result<(), NotGood> {
        let bad = |detail: String| not_good("key_event_not_valid", detail);
        if statement.seen().is_some_and(|seen| seen.size > index) {
            return Err(bad("its signer claims to have seen a checkpoint that holds it".to_owned()));
        }
        let signed = |key: &PublicKey| jws.verify(key, statement.typ()).map_err(|e| bad(e.to_string()));
        match statement {
            Statement::KeyRegistration(registration) => {
                let key = PublicKey::from_jwk(&registration.jwk).map_err(|e| bad(e.to_string()))?;
                signed(&key)?;
                self.registered(key, registration, index)
            }
            Statement::KeyRotation(rotation) => {
                signed(self.signer(&rotation.kid, &rotation.party, rotation.assurance, index)?)?;
                self.rotated(rotation, index)
            }
            Statement::KeyRevocation(revocation) => {
                let attested = revocation.assurance == Assurance::Attested;
                if attested != revocation.asked_by.is_some() {
                    return Err(bad("an attested revocation, and only that, says who asked for it".to_owned()));
                }
                if attested {
                    let key = trust.platform_key(&revocation.kid);
                    signed(key.ok_or_else(|| bad("not a key of the platform".to_owned()))?)?;
                } else {
                    signed(self.signer(&revocation.kid, &revocation.party, revocation.assurance, index)?)?;
                }
                self.revoked(revocation, index)
            }
            _ => Err(bad(format!("a statement of type {}", statement.kind()))),
        }
    }

    fn registered(&mut self, key: PublicKey, said: &KeyRegistration, index: u64) -> Result<(), NotGood> {
        let (party, assurance) = (said.party.clone(), said.assurance);
        self.add(Held { key, party, assurance, since: index, next: said.next, end: None })
    }

    fn rotated(&mut self, said: &KeyRotation, index: u64) -> Result<(), NotGood> {
        let key = said.successor().map_err(|e| not_good("possession_not_proved", e.to_string()))?;
        let old = self.0.get(&said.kid).ok_or_else(|| unknown(&said.kid))?;
        if old.next.is_some_and(|promised| promised != key.digest()) {
            let detail = format!("key {} promised another next key", said.kid);
            return Err(not_good("key_not_promised", detail));
        }
        let (party, assurance) = (said.party.clone(), said.assurance);
        self.add(Held { key, party, assurance, since: index, next: said.next, end: None })?;
        self.end(&said.kid, End { index, how: How::Rotated(key.kid()) });
        Ok(())
    }

    fn revoked(&mut self, said: &KeyRevocation, index: u64) -> Result<(), NotGood> {
        let _ = self.good(&said.key, &said.party, index)?;
        let by = match said.assurance {
            Assurance::Attested => "the platform attests, on somebody's word".to_owned(),
            Assurance::Own | Assurance::Custodial if said.kid == said.key => "signed by itself".to_owned(),
            Assurance::Own | Assurance::Custodial => format!("signed by {}", said.kid),
        };
        let how = How::Revoked(format!("{}; {by}, {}", said.reason.as_str(), said.assurance.as_str()));
        self.end(&said.key, End { index, how });
        Ok(())
    }

    fn add(&mut self, held: Held) -> Result<(), NotGood> {
        match self.0.entry(held.key.kid()) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                let _ = vacant.insert(held);
                Ok(())
            }
            std::collections::btree_map::Entry::Occupied(_) => {
                Err(not_good("key_twice", "a key begins twice in this receipt".to_owned()))
            }
        }
    }

    fn end(&mut self, kid: &str, end: End) {
        if let Some(held) = self.0.get_mut(kid) {
            held.end = Some(end);
        }
    }

    /// The key of a thumbprint, when it was its party's and good for a leaf at this index.
    fn good(&self, kid: &str, party: &PartyId, index: u64) -> Result<&Held, NotGood> {
        let held = self.0.get(kid).ok_or_else(|| unknown(kid))?;
        if held.party != *party {
            return Err(not_good("key_of_other_party", format!("the key is registered for {}", held.party)));
        }
        if held.since >= index {
            return Err(not_good("key_registered_later", "the key was registered after it signed".to_owned()));
        }
        match &held.end {
            Some(End { index: at, how: How::Revoked(_) }) if *at <= index => Err(not_good(
                "signed_after_revocation",
                format!("the key was revoked at leaf {at}; this is leaf {index}"),
            )),
            Some(End { index: at, how: How::Rotated(to) }) if *at <= index => Err(not_good(
                "signed_after_rotation",
                format!("the key gave way to {to} at leaf {at}; this is leaf {index}"),
            )),
            Some(_) | None => Ok(held),
        }
    }

    /// The key with which a party may have signed the leaf at this index, with this assurance.
    ///
    /// # Errors
    /// Why there is none.
    pub fn signer(&self, kid: &str, party: &PartyId, assurance: Assurance, index: u64) -> Result<&PublicKey, NotGood> {
        let held = self.good(kid, party, index)?;
        if held.assurance != assurance {
            return Err(not_good("assurance_overstated", "the key was registered with another assurance".to_owned()));
        }
        Ok(&held.key)
    }

    /// The key with which an organisation may have signed its declaration: whatever hand it is in.
    ///
    /// # Errors
    /// Why there is none.
    pub fn declarant(&self, kid: &str, party: &PartyId, index: u64) -> Result<&PublicKey, NotGood> {
        self.good(kid, party, index).map(|held| &held.key)
    }

    /// Says in words how the keys that signed came about and ended, and what nobody can see here.
    pub(super) fn tell(&self, findings: &mut Findings) {
        for (kid, held) in self.0.iter().filter(|(kid, _)| findings.keys.contains(kid)).collect::<Vec<_>>() {
            match &held.end {
                Some(End { index, how: How::Revoked(why) }) => {
                    findings.proved.push(format!("Key {kid} was revoked at leaf {index}, after this ({why})."));
                }
                Some(End { index, how: How::Rotated(to) }) => {
                    findings.proved.push(format!("Key {kid} gave way to {to} at leaf {index}, after this."));
                }
                None => {}
            }
            let before = self.0.iter().find_map(|(old, before)| match &before.end {
                Some(End { how: How::Rotated(to), index }) if to == kid => Some((old, index)),
                Some(_) | None => None,
            });
            if let Some((old, index)) = before {
                findings.proved.push(format!("Key {kid} follows {old}, which gave way to it at leaf {index}."));
            }
        }
        if !self.0.is_empty() {
            findings.not_proved.push(
                "That who holds a key is the party that it is registered for: the key alone signs its registration, and the platform took it; compare its thumbprint with what the party gives out."
                    .to_owned(),
            );
        }
        findings.not_proved.push(
            "That no key which signed had been revoked or rotated away: this receipt holds the key events that whoever packed it put in; one that was left out, or came after this checkpoint, cannot be seen."
                .to_owned(),
        );
    }
}

/// No key of that thumbprint may sign here.
pub(super) fn unknown(kid: &str) -> NotGood {
    not_good("unknown_key", format!("key {kid} is not known to be allowed to sign this"))
}
