//! Runs over the trails of a month: how far they are, and whose balance they have missed.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::catalogue::{VerticalCode, reference};
use domain::deals::trail_run::repository::{MissingBalance, TrailRunQueries, TrailRunRepository};
use domain::deals::trail_run::{Tally, TrailRun, TrailRunState};
use domain::jobs::JobFault;
use domain::kernel::ids::{AgreementId, DealId, OrganisationId, TrailRunId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, from_instant, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type RunColumns = (
    (SqlUuid, Date, Text, Nullable<SqlUuid>, Text),
    (BigInt, BigInt, BigInt, BigInt, BigInt),
    (Nullable<SqlUuid>, Nullable<Text>, Nullable<Text>, SqlUuid, Timestamptz, Nullable<Timestamptz>),
);
type RunRow = (
    (Uuid, jiff_diesel::Date, String, Option<Uuid>, String),
    (i64, i64, i64, i64, i64),
    (Option<Uuid>, Option<String>, Option<String>, Uuid, jiff_diesel::Timestamp, Option<jiff_diesel::Timestamp>),
);

/// What [`run`] reads, up to where the condition goes.
macro_rules! select_runs {
    ($condition:literal) => {
        concat!(
            "select r.id, r.month, v.code, r.agreement_id, r.state, r.due, r.calculated, r.changed, r.missing, r.stopped,
               r.last_deal_id, r.fault_code, r.fault_detail, r.created_by, r.created_at, r.finished_at
             from trail_run r join vertical v on v.id = r.vertical_id where ",
            $condition
        )
    };
}

fn run(row: RunRow) -> Result<TrailRun, StoreError> {
    let ((id, month, vertical, agreement, state), counts, ended) = row;
    let (due, calculated, changed, missing, stopped) = counts;
    let (last_deal, fault_code, fault_detail, created_by, created_at, finished_at) = ended;
    Ok(TrailRun {
        id: TrailRunId::new(id),
        month: month.into(),
        vertical: VerticalCode::parse(&vertical).map_err(|_| unreadable("a vertical's code"))?,
        agreement: agreement.map(AgreementId::new),
        state: TrailRunState::parse(&state).ok_or_else(|| unreadable("the state of a trail run"))?,
        tally: Tally {
            due: to_u64(due)?,
            calculated: to_u64(calculated)?,
            changed: to_u64(changed)?,
            missing: to_u64(missing)?,
            stopped: to_u64(stopped)?,
        },
        last_deal: last_deal.map(DealId::new),
        fault: fault_code.map(|code| JobFault { code, detail: fault_detail.unwrap_or_default() }),
        created_by,
        created_at: from_instant(created_at),
        finished_at: finished_at.map(from_instant),
    })
}

impl TrailRunRepository for PgUnitOfWork<'_> {
    fn insert(&mut self, run: &TrailRun) -> Result<(), StoreError> {
        command(
            "insert into trail_run (id, month, vertical_id, agreement_id, state, created_by, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(run.id.uuid())
        .bind::<Date, _>(date(run.month))
        .bind::<SqlUuid, _>(reference::vertical_id(run.vertical).uuid())
        .bind::<Nullable<SqlUuid>, _>(run.agreement.map(AgreementId::uuid))
        .bind::<Text, _>(run.state.as_str())
        .bind::<SqlUuid, _>(run.created_by)
        .bind::<Timestamptz, _>(instant(run.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock(&mut self, id: TrailRunId) -> Result<Option<TrailRun>, StoreError> {
        let row: Option<RunRow> = query::<RunColumns>(select_runs!("r.id = $1 for update of r"))
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        row.map(run).transpose()
    }

    fn update(&mut self, run: &TrailRun) -> Result<(), StoreError> {
        command(
            "update trail_run set state = $1, due = $2, calculated = $3, changed = $4, missing = $5, stopped = $6, last_deal_id = $7,
               fault_code = $8, fault_detail = $9, finished_at = $10 where id = $11",
        )
        .bind::<Text, _>(run.state.as_str())
        .bind::<BigInt, _>(to_i64(run.tally.due)?)
        .bind::<BigInt, _>(to_i64(run.tally.calculated)?)
        .bind::<BigInt, _>(to_i64(run.tally.changed)?)
        .bind::<BigInt, _>(to_i64(run.tally.missing)?)
        .bind::<BigInt, _>(to_i64(run.tally.stopped)?)
        .bind::<Nullable<SqlUuid>, _>(run.last_deal.map(DealId::uuid))
        .bind::<Nullable<Text>, _>(run.fault.as_ref().map(|fault| fault.code.as_str()))
        .bind::<Nullable<Text>, _>(run.fault.as_ref().map(|fault| fault.detail.as_str()))
        .bind::<Nullable<Timestamptz>, _>(run.finished_at.map(instant))
        .bind::<SqlUuid, _>(run.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_settled(
        &mut self,
        versions: &[(AgreementId, u32)],
        by: jiff::civil::Date,
        after: Option<DealId>,
        limit: u32,
    ) -> Result<Vec<DealId>, StoreError> {
        let numbers: Vec<i32> = versions
            .iter()
            .map(|(_, number)| i32::try_from(*number).map_err(|_| unreadable("a version number")))
            .collect::<Result<_, _>>()?;
        let rows: Vec<Uuid> = query::<SqlUuid>(
            "select d.id from deal d join unnest($1::uuid[], $2::int[]) as v (agreement_id, number)
               on d.agreement_id = v.agreement_id and d.version_number = v.number
             where d.settled_on <= $3 and d.id > $4 order by d.id limit $5",
        )
        .bind::<Array<SqlUuid>, _>(versions.iter().map(|(agreement, _)| agreement.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Date, _>(date(by))
        .bind::<SqlUuid, _>(after.map_or(Uuid::nil(), DealId::uuid))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(DealId::new).collect())
    }

    fn append_missing(&mut self, run: TrailRunId, deals: &[DealId]) -> Result<(), StoreError> {
        if deals.is_empty() {
            return Ok(());
        }
        command("insert into trail_run_missing (run_id, deal_id) select $1, * from unnest($2::uuid[])")
            .bind::<SqlUuid, _>(run.uuid())
            .bind::<Array<SqlUuid>, _>(deals.iter().map(|deal| deal.uuid()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

type MissingColumns = (SqlUuid, Nullable<Text>, SqlUuid, SqlUuid, Nullable<Date>, Bool);
type MissingRow = (Uuid, Option<String>, Uuid, Uuid, Option<jiff_diesel::Date>, bool);

fn missing(
    (deal, external_ref, provider, introducer, last, known_now): MissingRow,
) -> Result<MissingBalance, StoreError> {
    Ok(MissingBalance {
        deal: DealId::new(deal),
        external_ref,
        provider: OrganisationId::new(provider),
        introducer: OrganisationId::new(introducer),
        last_known: last.map(Into::into),
        known_now,
    })
}

impl TrailRunQueries for PgQueries<'_> {
    fn list(&mut self, state: Option<TrailRunState>, page: &PageRequest) -> Result<Page<TrailRun>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<RunRow> = query::<RunColumns>(listed!(
            paging.order,
            select_runs!(""),
            "r.id", at "r.created_at", " and r.state = coalesce($5, r.state)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(state.map(TrailRunState::as_str))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, run, |run| run.id.uuid())
    }

    fn find(&mut self, id: TrailRunId) -> Result<Option<TrailRun>, StoreError> {
        let row: Option<RunRow> = query::<RunColumns>(select_runs!("r.id = $1"))
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        row.map(run).transpose()
    }

    fn list_missing(&mut self, id: TrailRunId, page: &PageRequest) -> Result<Page<MissingBalance>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<MissingRow> = query::<MissingColumns>(listed!(
            paging.order,
            "select d.id, d.external_ref, d.provider_id, d.introducer_id,
               (select max(b.month) from deal_balance b where b.deal_id = d.id and b.month < r.month),
               exists (select from deal_balance b where b.deal_id = d.id and b.month = r.month)
             from trail_run r join trail_run_missing m on m.run_id = r.id join deal d on d.id = m.deal_id where r.id = $1 and ",
            "m.deal_id", at "d.created_at", ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, missing, |missing| missing.deal.uuid())
    }
}
