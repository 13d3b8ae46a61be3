//! Statements of members, under row-level security.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use domain::kernel::ids::{DealId, LineId, MemberId, OrganisationId, PayeeId};
use domain::kernel::{Page, PageRequest};
use domain::ledger::line::Buckets;
use domain::payouts::repository::PayoutRecord;
use domain::payouts::statement::{MemberStanding, StatementLine, StatementQueries, StatementTotals};
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::payout_rows::{PayoutColumns, PayoutRow, payout_columns};
use crate::statement::query;
use crate::store::PgQueries;

/// Suspense, accrued, held, available, in transit, paid, recoverable, set off, withheld.
type BucketColumns = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
type BucketRow = (i64, i64, i64, i64, i64, i64, i64, i64, i64);

const fn buckets(row: BucketRow) -> Buckets {
    Buckets {
        suspense_minor: row.0,
        accrued_minor: row.1,
        held_minor: row.2,
        available_minor: row.3,
        in_transit_minor: row.4,
        paid_minor: row.5,
        recoverable_minor: row.6,
        set_off_minor: row.7,
        withheld_minor: row.8,
    }
}

#[derive(Queryable)]
struct LineRow {
    id: Uuid,
    deal_id: Uuid,
    external_ref: Option<String>,
    component: String,
    role: String,
    payee_id: Option<Uuid>,
    payable_on: jiff_diesel::Date,
    earned_minor: i64,
    clawed_back_minor: i64,
    buckets: BucketRow,
}

type LineColumns =
    (SqlUuid, SqlUuid, Nullable<Text>, Text, Text, Nullable<SqlUuid>, Date, BigInt, BigInt, BucketColumns);

#[derive(Queryable)]
struct PaidRow {
    payout: PayoutRow,
    paid_minor: i64,
}

type PaidColumns = (PayoutColumns, BigInt);

impl StatementQueries for PgQueries<'_> {
    fn find_statement_member(&mut self, id: MemberId) -> Result<Option<MemberStanding>, StoreError> {
        let row: Option<(Uuid, Uuid, String, Option<Uuid>)> = query::<(SqlUuid, SqlUuid, Text, Nullable<SqlUuid>)>(
            "select m.id, m.organisation_id, m.member_ref, p.payee_id from member m left join lateral (
               select payee_id from member_payee p where p.member_id = m.id order by effective_on desc, recorded_at desc limit 1) p on true
             where m.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        let standing = |(id, organisation, member_ref, payee): (Uuid, Uuid, String, Option<Uuid>)| MemberStanding {
            id: MemberId::new(id),
            organisation: OrganisationId::new(organisation),
            member_ref,
            payee: payee.map(PayeeId::new),
        };
        Ok(row.map(standing))
    }

    fn statement_totals(&mut self, member: MemberId) -> Result<StatementTotals, StoreError> {
        let (lines, earned_minor, clawed_back_minor, row): (i64, i64, i64, BucketRow) =
            query::<(BigInt, BigInt, BigInt, BucketColumns)>(
                "select count(*), coalesce(sum(earned_minor), 0)::bigint, coalesce(sum(clawed_back_minor), 0)::bigint,
                   coalesce(sum(suspense_minor), 0)::bigint, coalesce(sum(accrued_minor), 0)::bigint, coalesce(sum(held_minor), 0)::bigint,
                   coalesce(sum(available_minor), 0)::bigint, coalesce(sum(in_transit_minor), 0)::bigint, coalesce(sum(paid_minor), 0)::bigint,
                   coalesce(sum(recoverable_minor), 0)::bigint, coalesce(sum(set_off_minor), 0)::bigint, coalesce(sum(withheld_minor), 0)::bigint
                 from commission_line where member_id = $1",
            )
            .bind::<SqlUuid, _>(member.uuid())
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(StatementTotals { lines, earned_minor, clawed_back_minor, buckets: buckets(row) })
    }

    fn statement_lines(&mut self, member: MemberId, request: &PageRequest) -> Result<Page<StatementLine>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<LineRow> = query::<LineColumns>(listed!(
            paging.order,
            "select l.id, l.deal_id, d.external_ref, l.component, l.role, l.payee_id, l.payable_on, l.earned_minor, l.clawed_back_minor,
               l.suspense_minor, l.accrued_minor, l.held_minor, l.available_minor, l.in_transit_minor, l.paid_minor, l.recoverable_minor, l.set_off_minor, l.withheld_minor
             from commission_line l left join deal d on d.id = l.deal_id where l.member_id = $1 and ",
            "l.id", ""
        ))
        .bind::<SqlUuid, _>(member.uuid())
        .after_id(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let line = |row: LineRow| StatementLine {
            id: LineId::new(row.id),
            deal: DealId::new(row.deal_id),
            external_ref: row.external_ref,
            component: row.component,
            role: row.role,
            payee: row.payee_id.map(PayeeId::new),
            payable_on: row.payable_on.into(),
            earned_minor: row.earned_minor,
            clawed_back_minor: row.clawed_back_minor,
            buckets: buckets(row.buckets),
        };
        by_id(rows, request, |row| Ok(line(row)), |line| line.id.uuid())
    }

    fn statement_payouts(&mut self, member: MemberId, limit: u16) -> Result<Vec<(PayoutRecord, i64)>, StoreError> {
        let rows: Vec<PaidRow> = query::<PaidColumns>(
            concat!(
                "select ",
                payout_columns!(),
                ", paid.minor
             from (select pl.payout_id, sum(pl.amount_minor)::bigint as minor from payout_line pl join commission_line l on l.id = pl.line_id
                   where l.member_id = $1 group by pl.payout_id) paid
             join payout p on p.id = paid.payout_id order by p.id desc limit $2"
            ),
        )
        .bind::<SqlUuid, _>(member.uuid())
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(|row| Ok((row.payout.restore()?, row.paid_minor))).collect()
    }
}
