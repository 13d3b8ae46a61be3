//! What is wholly unpaid of a payee and becomes another's.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::{DeedReference, Grounds};
use domain::kernel::ids::{AssignmentId, LineId, MemberId, OrganisationId, PayeeId};
use domain::kernel::{Cents, Page, PageRequest};
use domain::ledger::line::CommissionLine;
use domain::payouts::assignment::{
    Assignable, AssignedLine, Assignment, AssignmentQueries, AssignmentRepository, AssignmentState, FrozenAssignment,
    MAX_LINES, Sum,
};
use domain::payouts::run::Act;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

#[derive(Queryable)]
struct AssignmentRow {
    id: Uuid,
    from_payee_id: Uuid,
    to_payee_id: Uuid,
    organisation_id: Uuid,
    member_id: Option<Uuid>,
    deed_reference: String,
    reason: String,
    content_sha256: Vec<u8>,
    line_count: i32,
    total_minor: i64,
    left_out_count: i32,
    left_out_minor: i64,
    state: String,
    proposed_by: Uuid,
    proposed_at: jiff_diesel::Timestamp,
    decided_by: Option<Uuid>,
    decided_at: Option<jiff_diesel::Timestamp>,
    decision: Option<String>,
    version: i32,
}

type AssignmentColumns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Nullable<SqlUuid>,
    Text,
    Text,
    Bytea,
    Integer,
    BigInt,
    Integer,
    BigInt,
    Text,
    SqlUuid,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Integer,
);

/// The columns of [`AssignmentRow`], in its order.
macro_rules! assignment_columns {
    () => {
        "id, from_payee_id, to_payee_id, organisation_id, member_id, deed_reference, reason, content_sha256, line_count, total_minor,
         left_out_count, left_out_minor, state, proposed_by, proposed_at, decided_by, decided_at, decision, version"
    };
}

#[derive(Queryable)]
struct ContentRow {
    assignment: AssignmentRow,
    content: Vec<u8>,
}

fn count(n: i32) -> Result<u32, StoreError> {
    u32::try_from(n).map_err(|_| unreadable("a count"))
}

fn number(n: u32) -> Result<i32, StoreError> {
    i32::try_from(n).map_err(|_| unreadable("a count"))
}

fn words(text: &str) -> Result<Grounds, StoreError> {
    Grounds::parse(text).map_err(|_| unreadable("the reason of an assignment"))
}

fn frozen(bytes: Vec<u8>) -> Result<FrozenAssignment, StoreError> {
    FrozenAssignment::restore(bytes).map_err(|_| unreadable("the content of an assignment"))
}

impl AssignmentRow {
    fn restore(self) -> Result<Assignment, StoreError> {
        let decided = self.decided_by.zip(self.decided_at).map(|(by, at)| Act { by, at: from_instant(at) });
        let state = match (self.state.as_str(), decided, self.decision.as_deref()) {
            ("proposed", None, None) => AssignmentState::Proposed,
            ("approved", Some(act), None) => AssignmentState::Approved(act),
            ("rejected", Some(act), Some(because)) => AssignmentState::Rejected(act, words(because)?),
            _ => return Err(unreadable("the state of an assignment")),
        };
        let deed_reference = DeedReference::parse(&self.deed_reference).map_err(|_| unreadable("a deed"))?;
        Ok(Assignment {
            id: AssignmentId::new(self.id),
            from: PayeeId::new(self.from_payee_id),
            to: PayeeId::new(self.to_payee_id),
            organisation: OrganisationId::new(self.organisation_id),
            member: self.member_id.map(MemberId::new),
            deed_reference,
            reason: words(&self.reason)?,
            content_sha256: digest(&self.content_sha256)?,
            moves: Sum { lines: count(self.line_count)?, total_minor: self.total_minor },
            left_out: Sum { lines: count(self.left_out_count)?, total_minor: self.left_out_minor },
            state,
            proposed: Act { by: self.proposed_by, at: from_instant(self.proposed_at) },
            version: count(self.version)?,
        })
    }
}

/// The lines `l` of a payee, or of one member's of it, of which something is unpaid, and whether that is all there is of
/// each. They are found by what was ever posted to the payee's accounts: no index of lines is by payee alone.
macro_rules! unpaid_lines {
    () => {
        "with asked as (select $1::uuid as payee_id, $2::uuid as member_id),
         posted as (select distinct p.line_id from asked join ledger_account a on a.kind in ('payee_accrued', 'payee_available')
             and coalesce(a.party_id, '00000000-0000-0000-0000-000000000000') = asked.payee_id join ledger_posting p on p.account_id = a.id),
         unpaid as (select l.id, l.accrued_minor + l.available_minor as amount_minor,
             (l.suspense_minor, l.held_minor, l.in_transit_minor, l.paid_minor, l.withheld_minor, l.recoverable_minor, l.set_off_minor, l.gst_minor)
               = (0, 0, 0, 0, 0, 0, 0, 0)
             and not exists (select from line_hold h where h.line_id = l.id and h.state = 'active')
             and not exists (select from tax_document_line t where t.line_id = l.id) as wholly
           from asked join posted on true join commission_line l on l.id = posted.line_id and l.payee_id = asked.payee_id
           where l.accrued_minor + l.available_minor > 0 and (asked.member_id is null or l.member_id = asked.member_id)) "
    };
}

impl AssignmentRepository for PgUnitOfWork<'_> {
    fn find_assignable(&mut self, payee: PayeeId, member: Option<MemberId>) -> Result<Assignable, StoreError> {
        let rows: Vec<(Uuid, i64)> = query::<(SqlUuid, BigInt)>(concat!(
            unpaid_lines!(),
            "select id, amount_minor from unpaid where wholly order by id limit $3"
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .bind::<Nullable<SqlUuid>, _>(member.map(MemberId::uuid))
        .bind::<BigInt, _>(i64::try_from(MAX_LINES + 1).unwrap_or(i64::MAX))
        .load(self.pg)
        .map_err(store_error)?;
        let (left, total_minor): (i64, i64) = query::<(BigInt, BigInt)>(concat!(
            unpaid_lines!(),
            "select count(*), coalesce(sum(amount_minor), 0)::bigint from unpaid where not wholly"
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .bind::<Nullable<SqlUuid>, _>(member.map(MemberId::uuid))
        .get_result(self.pg)
        .map_err(store_error)?;
        let line = |(id, amount_minor)| AssignedLine { amount: Cents(amount_minor), line: LineId::new(id) };
        let lines = u32::try_from(left).map_err(|_| unreadable("a count"))?;
        Ok(Assignable { lines: rows.into_iter().map(line).collect(), left_out: Sum { lines, total_minor } })
    }

    fn list_bound(&mut self, lines: &[LineId]) -> Result<Vec<LineId>, StoreError> {
        let found: Vec<Uuid> = query::<SqlUuid>(
            "select l.id from unnest($1::uuid[]) as l (id) where exists (select from line_hold h where h.line_id = l.id and h.state = 'active')
               or exists (select from tax_document_line t where t.line_id = l.id)",
        )
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(found.into_iter().map(LineId::new).collect())
    }

    fn insert_assignment(&mut self, assignment: &Assignment, content: &FrozenAssignment) -> Result<(), StoreError> {
        command(
            "insert into assignment (id, from_payee_id, to_payee_id, organisation_id, member_id, deed_reference, reason, content, content_sha256,
               line_count, total_minor, left_out_count, left_out_minor, state, proposed_by, proposed_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        )
        .bind::<SqlUuid, _>(assignment.id.uuid())
        .bind::<SqlUuid, _>(assignment.from.uuid())
        .bind::<SqlUuid, _>(assignment.to.uuid())
        .bind::<SqlUuid, _>(assignment.organisation.uuid())
        .bind::<Nullable<SqlUuid>, _>(assignment.member.map(MemberId::uuid))
        .bind::<Text, _>(assignment.deed_reference.as_str())
        .bind::<Text, _>(assignment.reason.as_str())
        .bind::<Bytea, _>(content.bytes())
        .bind::<Bytea, _>(content.sha256().bytes().to_vec())
        .bind::<Integer, _>(number(assignment.moves.lines)?)
        .bind::<BigInt, _>(assignment.moves.total_minor)
        .bind::<Integer, _>(number(assignment.left_out.lines)?)
        .bind::<BigInt, _>(assignment.left_out.total_minor)
        .bind::<Text, _>(assignment.state.as_str())
        .bind::<SqlUuid, _>(assignment.proposed.by)
        .bind::<Timestamptz, _>(instant(assignment.proposed.at))
        .bind::<Integer, _>(number(assignment.version)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_assignment(&mut self, id: AssignmentId) -> Result<Option<(Assignment, FrozenAssignment)>, StoreError> {
        let row: Option<ContentRow> = query::<(AssignmentColumns, Bytea)>(concat!(
            "select ",
            assignment_columns!(),
            ", content from assignment where id = $1 for update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(|row| Ok((row.assignment.restore()?, frozen(row.content)?))).transpose()
    }

    fn update_assignment(&mut self, assignment: &Assignment) -> Result<(), StoreError> {
        let decided = assignment.state.decided();
        command(
            "update assignment set state = $1, decided_by = $2, decided_at = $3, decision = $4, version = $5 where id = $6",
        )
        .bind::<Text, _>(assignment.state.as_str())
        .bind::<Nullable<SqlUuid>, _>(decided.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(decided.map(|act| instant(act.at)))
        .bind::<Nullable<Text>, _>(assignment.state.because().map(Grounds::as_str))
        .bind::<Integer, _>(number(assignment.version)?)
        .bind::<SqlUuid, _>(assignment.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn update_payee_of(&mut self, lines: &[CommissionLine], assignment: &Assignment) -> Result<(), StoreError> {
        command("update commission_line set payee_id = $1, version = version + 1 where id = any($2)")
            .bind::<SqlUuid, _>(assignment.to.uuid())
            .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id.uuid()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        let members: BTreeSet<Uuid> = lines.iter().filter_map(|line| line.member).map(MemberId::uuid).collect();
        command("update assignment set member_ids = $1 where id = $2")
            .bind::<Array<SqlUuid>, _>(members.into_iter().collect::<Vec<_>>())
            .bind::<SqlUuid, _>(assignment.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

impl AssignmentQueries for PgQueries<'_> {
    fn list_assignments(&mut self, payee: PayeeId, request: &PageRequest) -> Result<Page<Assignment>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<AssignmentRow> = query::<AssignmentColumns>(listed!(
            paging.order,
            concat!(
                "with asked as (select $1::uuid as payee_id) select ",
                assignment_columns!(),
                " from assignment, asked where asked.payee_id in (from_payee_id, to_payee_id) and "
            ),
            "id", at "proposed_at", ""
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, AssignmentRow::restore, |assignment| assignment.id.uuid())
    }

    fn find_assignment(&mut self, id: AssignmentId) -> Result<Option<Assignment>, StoreError> {
        let row: Option<AssignmentRow> =
            query::<AssignmentColumns>(concat!("select ", assignment_columns!(), " from assignment where id = $1"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(AssignmentRow::restore).transpose()
    }

    fn find_assignment_content(&mut self, id: AssignmentId) -> Result<Option<FrozenAssignment>, StoreError> {
        let content: Option<Vec<u8>> = query::<Bytea>("select content from assignment where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        content.map(frozen).transpose()
    }
}
