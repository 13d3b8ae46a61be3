//! The handshake of an imported deal: offer, accept and seal, attested.
//!
//! Imported deals carry no signatures of their own. The importing organisation answers for the file in a
//! signed declaration; the platform makes the three statements, each says `attested` and names that
//! declaration. Log time is import time, never the referral's date.

use uuid::Uuid;

use super::deal::Deal;
use super::frozen::{self, Frozen};
use super::repository::{Handshake, HandshakeStatement};
use crate::agreements::version::GoverningVersion;
use crate::chain::leaf::LeafKind;
use crate::chain::log::LogItem;
use crate::chain::statement::{
    Accept, AgreementRef, Assurance, Declared, Offer, PartyId, Salt, Seal, Statement, StatementError,
};
use crate::env::Env;
use crate::kernel::Digest;
use crate::kernel::ids::HandshakeId;

/// What all deals of an import have in common.
pub struct Attestation<'a> {
    /// The digest of the declaration's envelope.
    pub declaration: Digest,
    /// The version that governs the deal.
    pub version: &'a GoverningVersion,
    /// The platform's key.
    pub kid: &'a str,
}

/// Makes the statements of one deal: the handshake to keep and the leaves to log.
///
/// # Errors
/// When the platform's key is out of reach.
pub fn attest(
    env: &Env<'_>,
    deal: &Deal,
    attestation: &Attestation<'_>,
) -> Result<(Handshake, Vec<LogItem>), StatementError> {
    let id = HandshakeId::new(env.ids.next());
    let mut made = Made { env, deal, handshake: id, statements: Vec::new(), items: Vec::new() };
    let offer = made.add("offer", Statement::Offer(offer(env, deal, id, attestation)))?;
    let accept = made.add("accept", Statement::Accept(accept(env, deal, id, offer, attestation)))?;
    made.add("seal", Statement::Seal(Box::new(seal(env, deal, id, (offer, accept), attestation))))?;
    let handshake = Handshake {
        id,
        deal: deal.id,
        assurance: Assurance::Attested.as_str(),
        hop: None,
        statements: made.statements,
    };
    Ok((handshake, made.items))
}

struct Made<'m> {
    env: &'m Env<'m>,
    deal: &'m Deal,
    handshake: HandshakeId,
    statements: Vec<HandshakeStatement>,
    items: Vec<LogItem>,
}

impl Made<'_> {
    /// Signs a statement and notes it; gives the digest of its envelope.
    fn add(&mut self, kind: &'static str, statement: Statement) -> Result<Digest, StatementError> {
        let envelope = statement.sign(self.env.platform)?;
        let envelope_sha256 = Digest::of(envelope.as_bytes());
        let payload = crate::kernel::jcs::to_bytes(&statement).map_err(|e| StatementError::Malformed(e.to_string()))?;
        let id: Uuid = self.env.ids.next();
        self.statements.push(HandshakeStatement {
            id,
            handshake: self.handshake,
            kind,
            kid: statement.kid().to_owned(),
            assurance: statement.assurance(),
            payload_sha256: Digest::of(&payload),
            envelope_sha256,
        });
        let leaf_kind: LeafKind = statement.kind();
        self.items.push(LogItem {
            subject: self.deal.id.uuid(),
            source: id,
            kind: leaf_kind,
            envelope: envelope.into_bytes(),
            keep_envelope: true,
        });
        Ok(envelope_sha256)
    }
}

fn offer(env: &Env<'_>, deal: &Deal, handshake: HandshakeId, attestation: &Attestation<'_>) -> Offer {
    Offer {
        assurance: Assurance::Attested,
        declaration: Some(attestation.declaration),
        handshake,
        kid: attestation.kid.to_owned(),
        log: env.origin.to_owned(),
        party: PartyId::member(deal.member),
        previous: None,
        referred: Some(PartyId::contact(deal.client)),
        row_sha256: deal.source_sha256,
        salt: Salt(env.draw()),
        seen: env.seen,
        to: PartyId::organisation(deal.provider),
        v: crate::chain::statement::VERSION,
        value: None,
    }
}

fn accept(
    env: &Env<'_>,
    deal: &Deal,
    handshake: HandshakeId,
    offer_sha256: Digest,
    attestation: &Attestation<'_>,
) -> Accept {
    Accept {
        assurance: Assurance::Attested,
        declaration: Some(attestation.declaration),
        handshake,
        kid: attestation.kid.to_owned(),
        log: env.origin.to_owned(),
        offer_sha256,
        party: PartyId::organisation(deal.provider),
        salt: Salt(env.draw()),
        seen: env.seen,
        v: crate::chain::statement::VERSION,
    }
}

fn seal(
    env: &Env<'_>,
    deal: &Deal,
    handshake: HandshakeId,
    (offer_sha256, accept_sha256): (Digest, Digest),
    attestation: &Attestation<'_>,
) -> Seal {
    let participants = frozen::sealed(deal.member, deal.frozen.as_ref().unwrap_or(&Frozen::default()));
    let version = attestation.version;
    Seal {
        accept_sha256,
        agreement: AgreementRef {
            content_sha256: version.content_hash(),
            id: version.agreement(),
            version: version.number(),
        },
        assurance: Assurance::Attested,
        consent: Declared { declared: true, text_sha256: None },
        deal: deal.id,
        declaration: Some(attestation.declaration),
        disclosure: Declared { declared: true, text_sha256: None },
        handshake,
        kid: attestation.kid.to_owned(),
        log: env.origin.to_owned(),
        offer_sha256,
        participants,
        party: PartyId::platform(),
        salt: Salt(env.draw()),
        seen: env.seen,
        v: crate::chain::statement::VERSION,
    }
}
