//! An assignment that waits for a second person, where nothing is left that could be assigned.

use domain::directory::{DeedReference, Grounds};
use domain::kernel::Cents;
use domain::kernel::ids::{AssignmentId, LineId, MemberId, OrganisationId, PayeeId};
use domain::payouts::assignment::content::AssignmentContent;
use domain::payouts::assignment::{AssignedLine, Assignment, AssignmentState, FrozenAssignment, Sum};
use domain::payouts::run::Act;
use uuid::Uuid;

use crate::server::Service;

/// Keeps one of a cent of a line: put there by hand, since all that could be paid was.
pub(crate) fn by_hand(
    service: &Service,
    (from, to): (&str, Uuid),
    (organisation, member): (OrganisationId, MemberId),
    line: Uuid,
) {
    let id = AssignmentId::new(service.app.ids.next());
    let (from, to) = (PayeeId::parse(from).expect("an id"), PayeeId::new(to));
    let deed_reference = DeedReference::parse("Deed of assignment 2026-11-20, folio 12").expect("a reference");
    let reason = Grounds::parse("The sole trader became a company").expect("grounds");
    let said = (deed_reference.clone(), reason.clone());
    let lines = vec![AssignedLine { amount: Cents(1), line: LineId::new(line) }];
    let content = AssignmentContent::new(id, (from, to), Some(member), said, lines);
    let content = FrozenAssignment::freeze(content).expect("it is canonical");
    let assignment = Assignment {
        id,
        from,
        to,
        organisation,
        member: Some(member),
        deed_reference,
        reason,
        content_sha256: content.sha256(),
        moves: Sum { lines: 1, total_minor: 1 },
        left_out: Sum::default(),
        state: AssignmentState::Proposed,
        proposed: Act { by: Uuid::from_u128(7), at: service.platform.now },
        version: 1,
    };
    let kept = service.platform.store().transaction(|uow| uow.assignments().insert_assignment(&assignment, &content));
    kept.expect("the assignment is kept");
}
