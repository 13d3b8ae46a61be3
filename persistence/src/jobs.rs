//! Jobs: a queue in a table, so that a job is committed with what it is for.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::jobs::job::{Job, JobFault, JobKind, JobState, Progress};
use domain::jobs::repository::{Ending, JobFilter, JobQueries, JobRepository};
use domain::kernel::ids::{JobId, OrganisationId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

#[derive(Queryable)]
struct JobRow {
    id: Uuid,
    kind: String,
    subject_id: Uuid,
    organisation_id: Option<Uuid>,
    state: String,
    progress_done: i64,
    progress_total: Option<i64>,
    result_path: Option<String>,
    fault_code: Option<String>,
    fault_detail: Option<String>,
    attempts: i32,
    attempts_at_progress: i32,
    created_by: Uuid,
    visible_to: Vec<Uuid>,
    created_at: jiff_diesel::Timestamp,
    finished_at: Option<jiff_diesel::Timestamp>,
}

type JobColumns = (
    SqlUuid,
    Text,
    SqlUuid,
    Nullable<SqlUuid>,
    Text,
    BigInt,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Integer,
    Integer,
    SqlUuid,
    Array<SqlUuid>,
    Timestamptz,
    Nullable<Timestamptz>,
);

impl JobRow {
    fn restore(self) -> Result<Job, StoreError> {
        let fault = match (self.fault_code, self.fault_detail) {
            (Some(code), detail) => Some(JobFault { code, detail: detail.unwrap_or_default() }),
            (None, _) => None,
        };
        Ok(Job {
            id: JobId::new(self.id),
            kind: JobKind::parse(&self.kind).ok_or_else(|| unreadable("the kind of a job"))?,
            subject: self.subject_id,
            organisation: self.organisation_id.map(OrganisationId::new),
            state: JobState::parse(&self.state).ok_or_else(|| unreadable("the state of a job"))?,
            progress: Progress {
                done: to_u64(self.progress_done)?,
                total: self.progress_total.map(to_u64).transpose()?,
            },
            result_path: self.result_path,
            fault,
            attempts: self.attempts,
            attempts_at_progress: self.attempts_at_progress,
            created_by: self.created_by,
            visible_to: self.visible_to,
            created_at: Instant::new(self.created_at.into()),
            finished_at: self.finished_at.map(|at| Instant::new(at.into())),
        })
    }
}

fn restored(row: Option<JobRow>) -> Result<Option<Job>, StoreError> {
    row.map(JobRow::restore).transpose()
}

impl JobRepository for PgUnitOfWork<'_> {
    fn insert(&mut self, job: &Job) -> Result<(), StoreError> {
        command(
            "insert into job (id, kind, subject_id, organisation_id, state, created_by, visible_to, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(job.id.uuid())
        .bind::<Text, _>(job.kind.as_str())
        .bind::<SqlUuid, _>(job.subject)
        .bind::<Nullable<SqlUuid>, _>(job.organisation.map(OrganisationId::uuid))
        .bind::<Text, _>(job.state.as_str())
        .bind::<SqlUuid, _>(job.created_by)
        .bind::<Array<SqlUuid>, _>(job.visible_to.as_slice())
        .bind::<Timestamptz, _>(instant(job.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn claim(&mut self, kinds: &[JobKind], at: Instant, until: Instant) -> Result<Option<Job>, StoreError> {
        let row = query::<JobColumns>(
            "update job set state = 'running', leased_until_at = $1, attempts = attempts + 1
             where id = (
               select id from job where state in ('queued', 'running') and (state = 'queued' or leased_until_at < $2) and kind = any($3)
               order by created_at, id limit 1 for update skip locked)
             returning id, kind, subject_id, organisation_id, state, progress_done, progress_total, result_path, fault_code, fault_detail,
               attempts, attempts_at_progress, created_by, visible_to, created_at, finished_at",
        )
        .bind::<Timestamptz, _>(instant(until))
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<Text>, _>(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        restored(row)
    }

    fn renew(&mut self, job: JobId, attempt: i32, progress: Progress, until: Instant) -> Result<bool, StoreError> {
        let kept = command(
            "update job set progress_done = $1, progress_total = $2, leased_until_at = $3, attempts_at_progress = attempts
             where id = $4 and state = 'running' and attempts = $5",
        )
        .bind::<BigInt, _>(to_i64(progress.done)?)
        .bind::<Nullable<BigInt>, _>(progress.total.map(to_i64).transpose()?)
        .bind::<Timestamptz, _>(instant(until))
        .bind::<SqlUuid, _>(job.uuid())
        .bind::<Integer, _>(attempt)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(kept == 1)
    }

    fn release(&mut self, job: JobId, attempt: i32) -> Result<(), StoreError> {
        command(
            "update job set state = 'queued', leased_until_at = null where id = $1 and state = 'running' and attempts = $2",
        )
        .bind::<SqlUuid, _>(job.uuid())
        .bind::<Integer, _>(attempt)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn end(&mut self, job: JobId, attempt: Option<i32>, ending: &Ending, at: Instant) -> Result<bool, StoreError> {
        let (state, path, fault) = match ending {
            Ending::Succeeded { result_path } => (JobState::Succeeded, Some(result_path.as_str()), None),
            Ending::Failed(fault) => (JobState::Failed, None, Some(fault)),
            Ending::Cancelled => (JobState::Cancelled, None, None),
        };
        let ended = command(
            "update job set state = $1, result_path = $2, fault_code = $3, fault_detail = $4, finished_at = $5, leased_until_at = null
             where id = $6 and state in ('queued', 'running') and attempts = coalesce($7, attempts)",
        )
        .bind::<Text, _>(state.as_str())
        .bind::<Nullable<Text>, _>(path)
        .bind::<Nullable<Text>, _>(fault.map(|fault| fault.code.as_str()))
        .bind::<Nullable<Text>, _>(fault.map(|fault| fault.detail.as_str()))
        .bind::<Timestamptz, _>(instant(at))
        .bind::<SqlUuid, _>(job.uuid())
        .bind::<Nullable<Integer>, _>(attempt)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(ended == 1)
    }

    fn lock(&mut self, job: JobId) -> Result<Option<Job>, StoreError> {
        let row = query::<JobColumns>(
            "select id, kind, subject_id, organisation_id, state, progress_done, progress_total, result_path, fault_code, fault_detail,
               attempts, attempts_at_progress, created_by, visible_to, created_at, finished_at
             from job where id = $1 for update",
        )
        .bind::<SqlUuid, _>(job.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        restored(row)
    }
}

impl JobQueries for PgQueries<'_> {
    fn find(&mut self, job: JobId) -> Result<Option<Job>, StoreError> {
        let row = query::<JobColumns>(
            "select id, kind, subject_id, organisation_id, state, progress_done, progress_total, result_path, fault_code, fault_detail,
               attempts, attempts_at_progress, created_by, visible_to, created_at, finished_at
             from job where id = $1",
        )
        .bind::<SqlUuid, _>(job.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        restored(row)
    }

    fn list(&mut self, filter: &JobFilter, page: &PageRequest) -> Result<Page<Job>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<JobRow> = query::<JobColumns>(listed!(
            paging.order,
            "select id, kind, subject_id, organisation_id, state, progress_done, progress_total, result_path, fault_code, fault_detail,
               attempts, attempts_at_progress, created_by, visible_to, created_at, finished_at
             from job where ",
            "id", at "created_at", " and state = coalesce($4, state) and kind = coalesce($5, kind)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(filter.state.map(JobState::as_str))
        .bind::<Nullable<Text>, _>(filter.kind.map(JobKind::as_str))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, JobRow::restore, |job| job.id.uuid())
    }
}
