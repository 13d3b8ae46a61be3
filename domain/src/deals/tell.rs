//! What deals tell whoever listens: moves, facts, calculations, lines, signatures.
//!
//! Every function makes the events of one kind of change; whoever may see the deal may see them, a line's
//! own viewers see the line's.

use uuid::Uuid;

use super::deal::{Stage, Transition};
use super::repository::DealFact;
use crate::agreements::repository::StoredCalculation;
use crate::env::Env;
use crate::events::data::{CommissionCalculated, DealMoved, FactRecorded, HandshakeSigned, LineChanged};
use crate::events::{EventKind, NewEvent};
use crate::kernel::ids::{DealId, HandshakeId};
use crate::ledger::line::CommissionLine;
use crate::store::StoreError;

const fn kind_of(stage: Stage) -> EventKind {
    match stage {
        Stage::Referred => EventKind::DealReferred,
        Stage::Accepted => EventKind::DealAccepted,
        Stage::InProgress => EventKind::DealInProgress,
        Stage::Contracted => EventKind::DealContracted,
        Stage::Settled => EventKind::DealSettled,
        Stage::Declined => EventKind::DealDeclined,
        Stage::Withdrawn => EventKind::DealWithdrawn,
        Stage::Lost => EventKind::DealLost,
        Stage::Reversed => EventKind::DealReversed,
    }
}

/// The deal came to another stage.
pub(super) fn moved(env: &Env<'_>, moved: &Transition, visible_to: &[Uuid]) -> Result<NewEvent, StoreError> {
    let data = DealMoved {
        deal_id: moved.deal,
        from: moved.from.map(Stage::as_str),
        to: moved.to.as_str(),
        reason: moved.reason,
        occurred_on: moved.occurred_on,
        transition: moved.n,
    };
    NewEvent::new(env, kind_of(moved.to), moved.deal.uuid(), &data, visible_to)
}

/// A fact was recorded.
pub(super) fn learned(env: &Env<'_>, fact: &DealFact, visible_to: &[Uuid]) -> Result<NewEvent, StoreError> {
    let data = FactRecorded { deal_id: fact.deal, kind: fact.kind, occurred_on: fact.occurred_on };
    NewEvent::new(env, EventKind::DealFactRecorded, fact.deal.uuid(), &data, visible_to)
}

/// The commission was worked out.
pub(super) fn calculated(
    env: &Env<'_>,
    calculation: &StoredCalculation,
    visible_to: &[Uuid],
) -> Result<NewEvent, StoreError> {
    let data = CommissionCalculated {
        deal_id: calculation.deal,
        calculation_id: calculation.id,
        agreement_id: calculation.version.0,
        version: calculation.version.1,
    };
    NewEvent::new(env, EventKind::CommissionCalculated, calculation.deal.uuid(), &data, visible_to)
}

/// Lines came about or changed.
pub(crate) fn earned(env: &Env<'_>, lines: &[CommissionLine]) -> Result<Vec<NewEvent>, StoreError> {
    let event = |line: &CommissionLine| {
        let data = LineChanged {
            line_id: line.id,
            deal_id: line.deal,
            member_id: line.member,
            payee_id: line.payee,
            component: line.component.as_str().to_owned(),
            earned_minor: line.earned_minor,
            clawed_back_minor: line.clawed_back_minor,
        };
        NewEvent::new(env, EventKind::LineChanged, line.id.uuid(), &data, &line.visible_to)
    };
    lines.iter().map(event).collect()
}

/// A handshake got a signature.
pub(super) fn signed(
    env: &Env<'_>,
    kind: EventKind,
    (handshake, deal): (HandshakeId, DealId),
    assurance: &str,
    visible_to: &[Uuid],
) -> Result<NewEvent, StoreError> {
    let data = HandshakeSigned { handshake_id: handshake, deal_id: deal, assurance: assurance.to_owned() };
    NewEvent::new(env, kind, handshake.uuid(), &data, visible_to)
}
