//! What lists and look-ups of deals give.

use jiff::civil::Date;
use uuid::Uuid;

use super::deal::{Deal, Stage};
use crate::access::Subject;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::ids::{CalculationId, ContactId, DealImportId, HandshakeId, MemberId, OrganisationId};
use crate::kernel::{Digest, Instant};
use crate::ledger::line::CommissionLine;

/// Which deals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealFilter {
    /// Only in this stage.
    pub stage: Option<Stage>,
    /// Only of this vertical.
    pub vertical: Option<VerticalCode>,
    /// Only of this member.
    pub member: Option<MemberId>,
    /// Only what a source calls so.
    pub external_ref: Option<String>,
}

/// A deal with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDeal {
    /// The deal.
    pub deal: Deal,
    /// What is sold.
    pub product: ProductCode,
    /// Its vertical.
    pub vertical: VerticalCode,
    /// When we learned of it.
    pub created_at: Instant,
    /// When something last changed.
    pub updated_at: Instant,
    /// How often something changed.
    pub version: i32,
}

/// Something that happened to a deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It moved.
    Moved {
        /// From where; none for the first.
        from: Option<Stage>,
        /// To where.
        to: Stage,
        /// Why.
        reason: String,
        /// Who told us, when that is somebody whom the viewer may see.
        actor: Option<Subject>,
    },
    /// Something was said of it.
    Said {
        /// The fact's id.
        id: Uuid,
        /// `referral`, `contract`, `settlement`, `discharge`, `milestone`, `balance`, `correction`.
        kind: String,
        /// Every fact of the deal itself as known then, or the milestone or balance that was said: canonical JSON.
        body: Vec<u8>,
        /// Who said it.
        source: OrganisationId,
        /// In which import.
        import: Option<DealImportId>,
    },
    /// A statement of its handshake was made.
    Stated {
        /// The handshake.
        handshake: HandshakeId,
        /// `offer`, `accept`, `seal`.
        kind: String,
        /// The key that signed.
        kid: String,
        /// `self`, `custodial`, `attested`.
        assurance: String,
    },
}

/// One row of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened; a statement has its signing only.
    pub occurred_on: Option<Date>,
    /// When we learned of it.
    pub known_at: Instant,
    /// What.
    pub happened: Happened,
}

/// Somebody's part in a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// An organisation.
    Organisation(OrganisationId),
    /// A member.
    Member(MemberId),
    /// A contact.
    Contact(ContactId),
}

/// Who takes part, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub party: Party,
    /// `provider`, `introducer`, `member`, `upline`, `participant`, `client`.
    pub role: &'static str,
    /// How far above the member, or the place among the others, from 1.
    pub level: Option<u8>,
    /// Their name, as far as the viewer may see it and it is not erased.
    pub name: Option<String>,
}

/// A calculation that a deal's commission stands or stood on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCalculation {
    /// Its id.
    pub id: CalculationId,
    /// Which version of which agreement.
    pub version: (crate::kernel::ids::AgreementId, u32),
    /// The first day of the month of a trail that it is of; none = the deal itself.
    pub period: Option<Date>,
    /// The engine.
    pub engine: u16,
    /// The digest of its input.
    pub input_sha256: Digest,
    /// The digest of its output.
    pub output_sha256: Digest,
    /// Up to when facts were known.
    pub known_at: Instant,
}

/// What a deal earns, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// The lines that the viewer may see.
    pub lines: Vec<CommissionLine>,
    /// Oldest first.
    pub calculations: Vec<FoundCalculation>,
}

/// How many deals stand where, what they are worth, and for how long they have stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipelineStage {
    /// The stage.
    pub stage: Stage,
    /// Deals.
    pub deals: u64,
    /// What settled, in minor units; 0 before settlement.
    pub settled_minor: i64,
    /// Deals that have stood there for at most 30 days.
    pub up_to_30_days: u64,
    /// For 31 to 90 days.
    pub up_to_90_days: u64,
    /// For longer.
    pub over_90_days: u64,
    /// The longest, in days.
    pub oldest_days: u32,
}
