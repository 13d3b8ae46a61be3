//! Simulations: what was asked, what they found. Their deals come through `simulated_deals`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::facts::Counter;
use domain::catalogue::VerticalCode;
use domain::jobs::{JobFault, JobState, Progress};
use domain::kernel::ids::{AgreementId, DealId, JobId, SimulationId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::simulation::ChangedDeal;
use domain::simulation::population::{Chunk, PopulationAsked, PopulationFilter};
use domain::simulation::repository::{
    FoundSimulation, NewSimulation, RankedChange, SimulationQueries, SimulationRepository,
};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{from_instant, instant, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, by_number, listed};
use crate::simulated_deals;
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type KeptColumns = (SqlUuid, SqlUuid, Bytea, SqlUuid, Timestamptz);
type KeptRow = (Uuid, Uuid, Vec<u8>, Uuid, jiff_diesel::Timestamp);
type FoundColumns =
    (KeptColumns, (Text, BigInt, Nullable<BigInt>, Nullable<Text>, Nullable<Text>, Nullable<Timestamptz>));
type FoundRow = (KeptRow, (String, i64, Option<i64>, Option<String>, Option<String>, Option<jiff_diesel::Timestamp>));

fn kept((id, job, asked, created_by, created_at): KeptRow) -> NewSimulation {
    NewSimulation {
        id: SimulationId::new(id),
        job: JobId::new(job),
        asked,
        created_by,
        created_at: from_instant(created_at),
    }
}

fn found((row, (state, done, total, code, detail, finished_at)): FoundRow) -> Result<FoundSimulation, StoreError> {
    Ok(FoundSimulation {
        simulation: kept(row),
        state: JobState::parse(&state).ok_or_else(|| unreadable("the state of a job"))?,
        progress: Progress { done: to_u64(done)?, total: total.map(to_u64).transpose()? },
        fault: code.map(|code| JobFault { code, detail: detail.unwrap_or_default() }),
        finished_at: finished_at.map(from_instant),
    })
}

type ChangeColumns = (Integer, SqlUuid, Integer, Array<BigInt>, Array<BigInt>, Nullable<Text>);
type ChangeRow = (i32, Uuid, i32, Vec<i64>, Vec<i64>, Option<String>);

fn change((rank, deal, occurrence, net_minor, changed, counters): ChangeRow) -> Result<RankedChange, StoreError> {
    let number = |number: i32| u32::try_from(number).map_err(|_| unreadable("the number of a changed deal"));
    let counters = counters.as_deref().map(serde_json::from_str::<Vec<Vec<Counter>>>).transpose();
    let changed_lines = changed.into_iter().map(to_u64).collect::<Result<_, _>>()?;
    Ok(RankedChange {
        rank: number(rank)?,
        change: ChangedDeal {
            deal: DealId::new(deal),
            occurrence: number(occurrence)?,
            net_minor,
            changed_lines,
            counters: counters.map_err(|_| unreadable("the counters of a changed deal"))?.unwrap_or_default(),
        },
    })
}

/// An array as PostgreSQL writes it: rows of a set cannot hold arrays of their own.
fn numbers(numbers: impl IntoIterator<Item = String>) -> String {
    format!("{{{}}}", numbers.into_iter().collect::<Vec<_>>().join(","))
}

/// Where running totals stood, when there are any.
fn counters(change: &ChangedDeal) -> Result<Option<String>, StoreError> {
    if change.counters.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    serde_json::to_string(&change.counters).map(Some).map_err(|error| StoreError::Failed(error.to_string()))
}

impl SimulationRepository for PgUnitOfWork<'_> {
    fn insert(&mut self, simulation: &NewSimulation) -> Result<(), StoreError> {
        command("insert into simulation (id, job_id, asked, created_by, created_at) values ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(simulation.id.uuid())
            .bind::<SqlUuid, _>(simulation.job.uuid())
            .bind::<Bytea, _>(simulation.asked.as_slice())
            .bind::<SqlUuid, _>(simulation.created_by)
            .bind::<Timestamptz, _>(instant(simulation.created_at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find(&mut self, id: SimulationId) -> Result<Option<NewSimulation>, StoreError> {
        let row: Option<KeptRow> =
            query::<KeptColumns>("select id, job_id, asked, created_by, created_at from simulation where id = $1")
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        Ok(row.map(kept))
    }

    fn find_content(&mut self, agreement: AgreementId, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        // A number that no version can have is not found rather than out of range.
        let Ok(number) = i32::try_from(number) else { return Ok(None) };
        query::<Bytea>("select content from agreement_version where agreement_id = $1 and number = $2")
            .bind::<SqlUuid, _>(agreement.uuid())
            .bind::<Integer, _>(number)
            .get_result(self.pg)
            .optional()
            .map_err(store_error)
    }

    fn append_report(
        &mut self,
        id: SimulationId,
        report: &[u8],
        changes: &[ChangedDeal],
        at: Instant,
    ) -> Result<(), StoreError> {
        command("insert into simulation_report (simulation_id, report, finished_at) values ($1, $2, $3)")
            .bind::<SqlUuid, _>(id.uuid())
            .bind::<Bytea, _>(report)
            .bind::<Timestamptz, _>(instant(at))
            .execute(self.pg)
            .map_err(store_error)?;
        let nets = changes.iter().map(|change| numbers(change.net_minor.iter().map(i64::to_string)));
        let lines = changes.iter().map(|change| numbers(change.changed_lines.iter().map(u64::to_string)));
        let occurrences = changes.iter().map(|change| i32::try_from(change.occurrence).unwrap_or(i32::MAX));
        command(
            "insert into simulation_change (simulation_id, rank, deal_id, occurrence, net_minor, changed_lines, counters)
             select $1, rank, deal_id, occurrence, net_minor::bigint[], changed_lines::bigint[], counters
             from unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[])
               with ordinality as c (deal_id, occurrence, net_minor, changed_lines, counters, rank)",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Array<SqlUuid>, _>(changes.iter().map(|change| change.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(occurrences.collect::<Vec<_>>())
        .bind::<Array<Text>, _>(nets.collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(changes.iter().map(counters).collect::<Result<Vec<_>, _>>()?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl SimulationQueries for PgQueries<'_> {
    fn list(&mut self, page: &PageRequest) -> Result<Page<FoundSimulation>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<FoundRow> = query::<FoundColumns>(listed!(
            paging.order,
            "select s.id, s.job_id, s.asked, s.created_by, s.created_at, j.state, j.progress_done, j.progress_total, j.fault_code, j.fault_detail, j.finished_at
             from simulation s join job j on j.id = s.job_id where ",
            "s.id", at "s.created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, found, |found| found.simulation.id.uuid())
    }

    fn find(&mut self, id: SimulationId) -> Result<Option<FoundSimulation>, StoreError> {
        let row: Option<FoundRow> = query::<FoundColumns>(
            "select s.id, s.job_id, s.asked, s.created_by, s.created_at, j.state, j.progress_done, j.progress_total, j.fault_code, j.fault_detail, j.finished_at
             from simulation s join job j on j.id = s.job_id where s.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(found).transpose()
    }

    fn find_report(&mut self, id: SimulationId) -> Result<Option<Vec<u8>>, StoreError> {
        query::<Bytea>("select report from simulation_report where simulation_id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)
    }

    fn list_changes(&mut self, id: SimulationId, page: &PageRequest) -> Result<Page<RankedChange>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<ChangeRow> = query::<ChangeColumns>(listed!(
            paging.order,
            "select rank, deal_id, occurrence, net_minor, changed_lines, counters from simulation_change where simulation_id = $1 and ",
            "rank",
            ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .after_number(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_number(rows, page, change, |ranked| i64::from(ranked.rank))
    }

    fn list_sold(&mut self) -> Result<Vec<VerticalCode>, StoreError> {
        simulated_deals::list_sold(self.pg)
    }

    fn count_deals(&mut self, filter: &PopulationFilter) -> Result<u64, StoreError> {
        simulated_deals::count(self.pg, filter)
    }

    fn stream_deals(&mut self, asked: &PopulationAsked, take: &mut dyn FnMut(Chunk) -> bool) -> Result<(), StoreError> {
        simulated_deals::stream(self.pg, asked, take)
    }

    fn find_deals(&mut self, deals: &[DealId]) -> Result<Chunk, StoreError> {
        simulated_deals::find(self.pg, deals)
    }
}
