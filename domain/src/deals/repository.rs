//! The ports of deals.

use jiff::civil::Date;
use uuid::Uuid;

use super::deal::{Deal, Transition};
use super::lookup::{Commission, DealFilter, Event, FoundDeal, Participant, PipelineStage};
use crate::agreements::facts::Period;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::chain::statement::Assurance;
use crate::kernel::ids::{DealId, DealImportId, HandshakeId, OrganisationId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// Something that was said of a deal: never changed, only followed by another.
#[derive(Clone, PartialEq, Eq)]
pub struct DealFact {
    /// Its id.
    pub id: Uuid,
    /// The deal.
    pub deal: DealId,
    /// `referral`, `contract`, `settlement`, `discharge`, `milestone`, `balance`, `correction`.
    pub kind: &'static str,
    /// Canonical JSON.
    pub body: Vec<u8>,
    /// When it happened.
    pub occurred_on: Date,
    /// When we learned of it.
    pub known_at: Instant,
    /// Who said it.
    pub source: OrganisationId,
    /// In which import.
    pub import: Option<DealImportId>,
}

/// The balance of a month that was said of a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaidBalance {
    /// The deal.
    pub deal: DealId,
    /// The month, and the balance at its end.
    pub period: Period,
    /// The fact that said so.
    pub fact: Uuid,
}

/// A statement of a handshake; its envelope is kept with the chain's secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeStatement {
    /// Its id: the source of its leaf.
    pub id: Uuid,
    /// The handshake.
    pub handshake: HandshakeId,
    /// `offer`, `accept`, `seal`.
    pub kind: &'static str,
    /// The key that signed.
    pub kid: String,
    /// How its party stands behind it.
    pub assurance: Assurance,
    /// Its payload's digest: the same payload is never accepted twice.
    pub payload_sha256: Digest,
    /// Its envelope's digest.
    pub envelope_sha256: Digest,
}

/// What makes a handshake a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Its number among the handshakes of the deal, from 1; the referral's own has 0.
    pub n: i32,
    /// The handshake that is handed over.
    pub previous: HandshakeId,
    /// Who hands over.
    pub from: OrganisationId,
    /// To whom.
    pub to: OrganisationId,
}

/// A handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// Its id.
    pub id: HandshakeId,
    /// The deal.
    pub deal: DealId,
    /// `self`, `custodial`, `attested`.
    pub assurance: &'static str,
    /// What is handed over; none for the referral's own.
    pub hop: Option<Hop>,
    /// Its statements.
    pub statements: Vec<HandshakeStatement>,
}

/// A deal that is locked, with what a calculation needs beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedDeal {
    /// The deal.
    pub deal: Deal,
    /// What is sold.
    pub product: ProductCode,
    /// Its vertical.
    pub vertical: VerticalCode,
    /// Whether its handshake is sealed.
    pub sealed: bool,
}

/// Deals, inside a transaction.
pub trait DealRepository {
    /// Locks the deals that a source calls so.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_by_external_refs(&mut self, source: OrganisationId, refs: &[String]) -> Result<Vec<Deal>, StoreError>;

    /// Locks deals, in the order of their ids; those that do not exist are left out.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock(&mut self, deals: &[DealId]) -> Result<Vec<LockedDeal>, StoreError>;

    /// Keeps new deals.
    ///
    /// # Errors
    /// `deal_external_ref_taken` when another import was first.
    fn insert(&mut self, deals: &[Deal], at: Instant) -> Result<(), StoreError>;

    /// Writes what may change of deals.
    ///
    /// # Errors
    /// The failure of the store.
    fn update(&mut self, deals: &[Deal], at: Instant) -> Result<(), StoreError>;

    /// Keeps facts.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_facts(&mut self, facts: &[DealFact]) -> Result<(), StoreError>;

    /// The balances that are known of deals, by month.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_balances(&mut self, deals: &[DealId]) -> Result<Vec<(DealId, Period)>, StoreError>;

    /// Writes what is known now of the balances of months.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_balances(&mut self, balances: &[SaidBalance], at: Instant) -> Result<(), StoreError>;

    /// Keeps transitions.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_transitions(&mut self, transitions: &[Transition]) -> Result<(), StoreError>;

    /// Keeps handshakes and their statements.
    ///
    /// # Errors
    /// `handshake_statement_seen` when a payload was used before.
    fn append_handshakes(&mut self, handshakes: &[Handshake], at: Instant) -> Result<(), StoreError>;
}

/// How many deals stand where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageCount {
    /// The stage.
    pub stage: String,
    /// Deals.
    pub deals: i64,
}

/// Deals, to look up.
pub trait DealQueries {
    /// Counts deals by stage.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_by_stage(&mut self) -> Result<Vec<StageCount>, StoreError>;

    /// Deals, newest first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list(&mut self, filter: &DealFilter, page: &PageRequest) -> Result<Page<FoundDeal>, StoreError>;

    /// One deal.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, deal: DealId) -> Result<Option<FoundDeal>, StoreError>;

    /// What happened to a deal, in the order in which we learned of it.
    ///
    /// # Errors
    /// The failure of the store.
    fn timeline(&mut self, deal: DealId) -> Result<Vec<Event>, StoreError>;

    /// Who takes part in a deal.
    ///
    /// # Errors
    /// The failure of the store.
    fn participants(&mut self, deal: DealId) -> Result<Vec<Participant>, StoreError>;

    /// What a deal earns, and why.
    ///
    /// # Errors
    /// The failure of the store.
    fn commission(&mut self, deal: DealId) -> Result<Commission, StoreError>;

    /// How many deals stand where; ages are reckoned up to a day.
    ///
    /// # Errors
    /// The failure of the store.
    fn pipeline(&mut self, vertical: Option<VerticalCode>, today: Date) -> Result<Vec<PipelineStage>, StoreError>;
}
