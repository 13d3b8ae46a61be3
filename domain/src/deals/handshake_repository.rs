//! The ports of handshakes: offers that are known, handshakes that wait for a signature.
//!
//! Bounds: one statement per call, whatever the number of handshakes.

use uuid::Uuid;

use super::deal::Stage;
use super::frozen::Frozen;
use super::repository::HandshakeStatement;
use crate::access::ownership;
use crate::agreements::facts::DealFacts;
use crate::catalogue::VerticalCode;
use crate::chain::statement::Assurance;
use crate::directory::contact::PersonalData;
use crate::kernel::ids::{AgreementId, ContactId, DealId, HandshakeId, MemberId, OrganisationId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// A referral that was made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownReferral {
    /// Its deal.
    pub deal: DealId,
    /// Its handshake; none when an import brought the deal in and is being written now.
    pub handshake: HandshakeId,
    /// The client.
    pub client: ContactId,
    /// What identifies the client; none once it is erased.
    pub personal: Option<PersonalData>,
    /// Who told us of it.
    pub source: OrganisationId,
    /// What they call it.
    pub external_ref: Option<String>,
    /// The digest of the terms.
    pub terms_sha256: Option<Digest>,
    /// `self`, `custodial`, `attested`.
    pub assurance: String,
    /// The digest of the offer's payload.
    pub offer_payload_sha256: Digest,
    /// The digest of the offer's envelope.
    pub offer_sha256: Digest,
}

/// A statement's two digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementDigests {
    /// Of its payload.
    pub payload: Digest,
    /// Of its envelope.
    pub envelope: Digest,
}

/// The handshake that a hand-over hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSeal {
    /// The handshake.
    pub handshake: HandshakeId,
    /// The envelope of its seal; none once it is erased.
    pub envelope: Option<Vec<u8>>,
}

/// A handshake and what countersigning needs to know of its deal, which is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedHandshake {
    /// Its id.
    pub id: HandshakeId,
    /// The highest number of a handshake of the deal.
    pub last_hop: i32,
    /// Of a hand-over: what is handed over.
    pub previous: Option<PreviousSeal>,
    /// Of a hand-over: who hands over.
    pub from: Option<OrganisationId>,
    /// Who has to accept: the provider of the deal, or to whom it is handed over.
    pub to: OrganisationId,
    /// Of a hand-over: whether somebody else accepted another one of the same.
    pub passed_by: bool,
    /// Whether it was handed over, and that was accepted.
    pub handed_over: bool,
    /// Its deal.
    pub deal: DealId,
    /// Who sells.
    pub provider: OrganisationId,
    /// Whose member referred.
    pub introducer: OrganisationId,
    /// Who referred.
    pub member: MemberId,
    /// The vertical of the product.
    pub vertical: VerticalCode,
    /// The dates that are known of the deal.
    pub facts: DealFacts,
    /// Where the deal stands.
    pub stage: Stage,
    /// How many moves it has made.
    pub transitions: i32,
    /// `self`, `custodial`, `attested`: the offer's.
    pub assurance: String,
    /// The canonical bytes of the terms; none when an import brought the deal in.
    pub terms: Option<Vec<u8>>,
    /// The offer.
    pub offer: StatementDigests,
    /// The accept.
    pub accept: Option<StatementDigests>,
    /// The seal.
    pub seal: Option<StatementDigests>,
    /// The version that the deal was sealed under.
    pub agreement: Option<(AgreementId, u32)>,
    /// Whether what was signed so far was erased with whom it was about.
    pub erased: bool,
}

impl LockedHandshake {
    /// Who sees it: whoever sees the deal, and between whom it is handed over.
    #[must_use]
    pub fn seen_by(&self) -> Vec<Uuid> {
        let mut seen = ownership::of_deal(self.provider, self.introducer, self.member);
        for party in self.from.into_iter().chain([self.to]).map(OrganisationId::uuid) {
            if !seen.contains(&party) {
                seen.push(party);
            }
        }
        seen
    }
}

/// A deal that its seal moves on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedDeal {
    /// The deal.
    pub deal: DealId,
    /// Where it stands now.
    pub stage: Stage,
    /// Who stood where at sealing.
    pub frozen: Frozen,
    /// The version that governs it; frozen.
    pub agreement: (AgreementId, u32),
}

/// Handshakes, inside a transaction.
pub trait HandshakeRepository {
    /// The referrals whose offer has one of these payloads.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_by_offers(&mut self, payloads: &[Digest]) -> Result<Vec<KnownReferral>, StoreError>;

    /// The referrals that these sources call so; the two slices go pairwise.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_by_references(
        &mut self,
        sources: &[OrganisationId],
        refs: &[String],
    ) -> Result<Vec<KnownReferral>, StoreError>;

    /// Which of these ids belong to a handshake already.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_taken(&mut self, ids: &[HandshakeId]) -> Result<Vec<HandshakeId>, StoreError>;

    /// The handshakes with these ids; their deals are locked, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock(&mut self, ids: &[HandshakeId]) -> Result<Vec<LockedHandshake>, StoreError>;

    /// Keeps statements of handshakes that exist.
    ///
    /// # Errors
    /// `handshake_statement_seen` when a payload was used before, `handshake_statement_made` when the
    /// handshake has its statement of that kind.
    fn append_statements(&mut self, statements: &[HandshakeStatement], at: Instant) -> Result<(), StoreError>;

    /// Moves deals on to what their seals say.
    ///
    /// # Errors
    /// The failure of the store.
    fn seal_deals(&mut self, deals: &[SealedDeal], at: Instant) -> Result<(), StoreError>;
}

/// A statement, to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenStatement {
    /// Its id: the source of its leaf.
    pub id: Uuid,
    /// `offer`, `accept`, `seal`.
    pub kind: String,
    /// The key that signed.
    pub kid: String,
    /// How its party stands behind it: `self`, `custodial`, `attested`.
    pub assurance: Assurance,
    /// Its payload's digest.
    pub payload_sha256: Digest,
    /// Its envelope's digest.
    pub envelope_sha256: Digest,
    /// The envelope, until it is erased.
    pub envelope: Option<String>,
    /// Its index in the log, once it has one.
    pub index: Option<u64>,
    /// When it was taken.
    pub created_at: Instant,
}

/// A handshake, to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenHandshake {
    /// Its id.
    pub id: HandshakeId,
    /// Its deal.
    pub deal: DealId,
    /// Where the deal stands; `closed` for whom it was offered to, once that offer is neither open nor accepted.
    pub stage: String,
    /// `self`, `custodial`, `attested`: the offer's.
    pub assurance: String,
    /// Of a hand-over: the handshake that is handed over.
    pub previous: Option<HandshakeId>,
    /// When the offer was taken.
    pub created_at: Instant,
    /// Its statements: offer, accept, seal.
    pub statements: Vec<SeenStatement>,
}

impl SeenHandshake {
    /// The weakest assurance of what was signed so far.
    #[must_use]
    pub fn weakest(&self) -> &str {
        let weakest = self.statements.iter().map(|statement| statement.assurance).min();
        weakest.map_or(self.assurance.as_str(), |weakest| weakest.as_str())
    }
}

/// Handshakes, to look up.
pub trait HandshakeQueries {
    /// One handshake, if the viewer may see its deal.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_handshake(&mut self, id: HandshakeId) -> Result<Option<SeenHandshake>, StoreError>;

    /// Handshakes whose deals the viewer may see, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_handshake_ids(&mut self, page: &PageRequest) -> Result<Page<HandshakeId>, StoreError>;
}
