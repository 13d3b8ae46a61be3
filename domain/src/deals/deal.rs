//! The deal: where its facts have led.
//!
//! Invariants: a stage always agrees with the facts; every move is a [`Transition`] that says when it
//! happened, when we learned of it, and why. A move that undoes an earlier one is a `correction`.

use jiff::civil::Date;
use uuid::Uuid;

use super::frozen::Frozen;
use crate::agreements::facts::{DealFacts, Milestones, Settlement};
use crate::kernel::ids::{AgreementId, ContactId, DealId, MemberId, OrganisationId, ProductId, VerticalId};
use crate::kernel::{Digest, Instant};

/// Where a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The client was introduced.
    Referred,
    /// The partner accepted.
    Accepted,
    /// Under way.
    InProgress,
    /// The contract is made.
    Contracted,
    /// Settled: commission is earned.
    Settled,
    /// The partner declined.
    Declined,
    /// The client withdrew.
    Withdrawn,
    /// Lost.
    Lost,
    /// Settled, and unwound within the clawback period.
    Reversed,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 9] = [
        Self::Referred,
        Self::Accepted,
        Self::InProgress,
        Self::Contracted,
        Self::Settled,
        Self::Declined,
        Self::Withdrawn,
        Self::Lost,
        Self::Reversed,
    ];

    /// Whether it may still be settled.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Referred | Self::Accepted | Self::InProgress | Self::Contracted => true,
            Self::Settled | Self::Declined | Self::Withdrawn | Self::Lost | Self::Reversed => false,
        }
    }

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Referred => "referred",
            Self::Accepted => "accepted",
            Self::InProgress => "in_progress",
            Self::Contracted => "contracted",
            Self::Settled => "settled",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Lost => "lost",
            Self::Reversed => "reversed",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    /// How far along, for telling a step back from a step on; endings before settlement count as none.
    const fn rank(self) -> u8 {
        match self {
            Self::Referred | Self::Declined | Self::Withdrawn | Self::Lost => 0,
            Self::Accepted => 1,
            Self::InProgress => 2,
            Self::Contracted => 3,
            Self::Settled => 4,
            Self::Reversed => 5,
        }
    }

    /// Whether the deal ended before it settled.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Declined | Self::Withdrawn | Self::Lost)
    }

    /// Whether somebody may move a deal from here to there; what has a date (contract, settlement,
    /// reversal) follows from facts.
    #[must_use]
    pub const fn may_become(self, to: Self) -> bool {
        match to {
            Self::Accepted | Self::Declined => matches!(self, Self::Referred),
            Self::InProgress => matches!(self, Self::Accepted),
            Self::Withdrawn | Self::Lost => {
                matches!(self, Self::Referred | Self::Accepted | Self::InProgress | Self::Contracted)
            }
            Self::Referred | Self::Contracted | Self::Settled | Self::Reversed => false,
        }
    }

    /// The stage that dates alone tell; `reversed` says whether anything was taken back.
    #[must_use]
    pub const fn of(facts: &DealFacts, reversed: bool) -> Self {
        match (facts.contracted_on, facts.settlement, reversed) {
            (_, Some(_), true) => Self::Reversed,
            (_, Some(_), false) => Self::Settled,
            (Some(_), None, _) => Self::Contracted,
            (None, None, _) => Self::Referred,
        }
    }
}

/// One deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// Its id.
    pub id: DealId,
    /// Who sells and pays commission in.
    pub provider: OrganisationId,
    /// Whose member referred.
    pub introducer: OrganisationId,
    /// Who referred.
    pub member: MemberId,
    /// Who stood above the member when the deal was sealed; frozen.
    pub upline: Option<MemberId>,
    /// Everybody else who stood there then; none before the seal, and for deals that were sealed when the direct
    /// upline alone was kept.
    pub frozen: Option<Frozen>,
    /// Who was referred.
    pub client: ContactId,
    /// What is sold.
    pub product: ProductId,
    /// Its vertical.
    pub vertical: VerticalId,
    /// Where it stands.
    pub stage: Stage,
    /// Who told us of it.
    pub source: OrganisationId,
    /// What they call it; unique per source.
    pub external_ref: Option<String>,
    /// What is known.
    pub facts: DealFacts,
    /// The milestones that were reached.
    pub milestones: Milestones,
    /// The digest of the last row that the source sent.
    pub source_sha256: Option<Digest>,
    /// The version that governs it, frozen in the seal.
    pub agreement: Option<(AgreementId, u32)>,
    /// Who may see it.
    pub visible_to: Vec<Uuid>,
    /// How many transitions it has made.
    pub transitions: i32,
}

/// A move from one stage to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The deal.
    pub deal: DealId,
    /// Its place among the deal's moves, from 0.
    pub n: i32,
    /// From where; none for the first.
    pub from: Option<Stage>,
    /// To where.
    pub to: Stage,
    /// Why: `import`, `correction` …
    pub reason: &'static str,
    /// When it happened.
    pub occurred_on: Date,
    /// When we learned of it.
    pub known_at: Instant,
    /// Who told us.
    pub actor: Uuid,
}

/// Who tells us of a move, when, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Who.
    pub actor: Uuid,
    /// When.
    pub known_at: Instant,
    /// Why: `import`, `fact` …
    pub reason: &'static str,
}

impl Deal {
    /// The first move: the referral.
    pub fn open(&mut self, told: &Told) -> Transition {
        self.moved(None, Stage::Referred, told.reason, self.facts.referred_on, told)
    }

    /// The moves that bring the deal to where its facts have led; `reversed` says whether anything was
    /// taken back. A step back is one correction; a step on passes through the stages whose dates are
    /// known. What people decided stands until a date says more: accepted until contracted, lost until
    /// settled.
    pub fn follow_facts(&mut self, reversed: bool, told: &Told) -> Vec<Transition> {
        let to = match Stage::of(&self.facts, reversed) {
            Stage::Referred if self.stage.rank() < Stage::Contracted.rank() => self.stage,
            Stage::Contracted if self.stage.is_closed() => self.stage,
            dated => dated,
        };
        let mut moves = Vec::new();
        if to.rank() < self.stage.rank() {
            moves.push(self.moved(Some(self.stage), to, "correction", told.known_at.sydney_date(), told));
        }
        for (step, on) in self.dated_steps() {
            if step.rank() > self.stage.rank() && step.rank() <= to.rank() {
                moves.push(self.moved(Some(self.stage), step, told.reason, on, told));
            }
        }
        moves
    }

    /// The move that somebody decided on; `None` when the stage does not allow it.
    pub fn decide(&mut self, to: Stage, on: Date, told: &Told) -> Option<Transition> {
        self.stage.may_become(to).then(|| self.moved(Some(self.stage), to, told.reason, on, told))
    }

    fn moved(
        &mut self,
        from: Option<Stage>,
        to: Stage,
        reason: &'static str,
        occurred_on: Date,
        told: &Told,
    ) -> Transition {
        let n = self.transitions;
        self.transitions += 1;
        self.stage = to;
        Transition { deal: self.id, n, from, to, reason, occurred_on, known_at: told.known_at, actor: told.actor }
    }

    fn dated_steps(&self) -> impl Iterator<Item = (Stage, Date)> + use<> {
        let settled_on = self.facts.settlement.map(|s: Settlement| s.on);
        let steps = [
            (Stage::Contracted, self.facts.contracted_on),
            (Stage::Settled, settled_on),
            (Stage::Reversed, self.facts.discharged_on),
        ];
        steps.into_iter().filter_map(|(stage, on)| on.map(|on| (stage, on)))
    }
}
