//! What a seal says beside the digests of offer and accept: terms, participants, consent and disclosure.
//!
//! The first seal of a deal takes them from the terms, the governing version and the parties of the moment, and freezes
//! them. The seal of a hand-over says them again out of the seal before it, byte for byte: nothing is decided twice.

use crate::agreements::version::GoverningVersion;
use crate::chain::statement::{self, AgreementRef, Assurance, Declared, Participant, PartyId, Salt, Seal, Statement};
use crate::deals::frozen::{self, Frozen};
use crate::deals::handshake_repository::LockedHandshake;
use crate::deals::terms::Terms;
use crate::env::Env;
use crate::kernel::Digest;
use crate::kernel::ids::MemberId;

/// What is sealed.
pub(super) struct Sealing {
    /// The terms.
    pub(super) agreement: AgreementRef,
    /// Who stood where; of the first seal only, which freezes it.
    pub(super) frozen: Option<Frozen>,
    participants: Vec<Participant>,
    consent: Declared,
    disclosure: Declared,
}

impl Sealing {
    /// What the first seal of a deal says.
    pub(super) fn first(terms: Terms, version: &GoverningVersion, member: MemberId, frozen: Frozen) -> Self {
        Self {
            agreement: AgreementRef {
                content_sha256: version.content_hash(),
                id: version.agreement(),
                version: version.number(),
            },
            participants: frozen::sealed(member, &frozen),
            frozen: Some(frozen),
            consent: terms.consent,
            disclosure: terms.disclosure,
        }
    }

    /// What the seal in this envelope said; none when it is no seal.
    pub(super) fn again(envelope: &[u8]) -> Option<Self> {
        let (_, statement) = Statement::parse(std::str::from_utf8(envelope).ok()?).ok()?;
        let Statement::Seal(seal) = statement else { return None };
        let Seal { agreement, participants, consent, disclosure, .. } = *seal;
        Some(Self { agreement, frozen: None, participants, consent, disclosure })
    }

    /// The seal.
    pub(super) fn seal(
        self,
        env: &Env<'_>,
        open: &LockedHandshake,
        accept_sha256: Digest,
        assurance: Assurance,
    ) -> Seal {
        Seal {
            accept_sha256,
            agreement: self.agreement,
            assurance,
            consent: self.consent,
            deal: open.deal,
            declaration: None,
            disclosure: self.disclosure,
            handshake: open.id,
            kid: env.platform.kid(),
            log: env.origin.to_owned(),
            offer_sha256: open.offer.envelope,
            participants: self.participants,
            party: PartyId::platform(),
            salt: Salt(env.draw()),
            seen: env.seen,
            v: statement::VERSION,
        }
    }
}
