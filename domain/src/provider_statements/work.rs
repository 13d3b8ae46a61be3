//! The job of a statement: its lines batch by batch, then what was unapplied before, then its exceptions.
//!
//! Each batch is one transaction that keeps what became of its lines, so a job that is killed goes on where its last
//! batch ended, and one that is done again finds nothing to do. Bounds: [`BATCH`] lines a transaction.

use super::exception::{self, Finding};
use super::post::{self, Round};
use super::statement::{LineResult, ProviderStatement, StatementState};
use super::{ReconciliationError, funding, import, overdue, resolve};
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::jobs::{Handler, Job, JobFault, JobKind, Progress, Work, WorkError};
use crate::kernel::ids::{ExceptionId, ProviderStatementId, ProviderStatementLineId};
use crate::ledger::posting::PostError;
use crate::ledger::release;
use crate::store::{StoreError, UnitOfWork};

/// Lines in one transaction.
pub const BATCH: u32 = 500;

/// Does statements.
pub struct ProviderStatementHandler;

impl Handler for ProviderStatementHandler {
    fn kind(&self) -> JobKind {
        JobKind::ProviderStatement
    }

    fn run(&self, work: &Work<'_>) -> Result<(), WorkError> {
        let id = ProviderStatementId::new(work.job.subject);
        let mut done = work.job.progress.done;
        loop {
            work.go_on()?;
            match work.store.transaction(|uow| first_round(uow, work, id, done))? {
                0 => break,
                posted => done += posted as u64,
            }
        }
        let mut after = None;
        loop {
            work.go_on()?;
            after = work.store.transaction(|uow| second_round(uow, work, id, done, after))?;
            if after.is_none() {
                break;
            }
        }
        loop {
            work.go_on()?;
            let released = work.store.transaction(|uow| {
                held(uow, work, id, done)?;
                funding::release_due(uow, &work.env()).map_err(posting_failed)
            })?;
            if released < release::BATCH as usize {
                break;
            }
        }
        work.store.transaction(|uow| finish(uow, work, id, done))
    }

    fn failed(&self, uow: &mut dyn UnitOfWork, _: &Env<'_>, job: &Job, fault: &JobFault) -> Result<(), StoreError> {
        import::stopped(uow, ProviderStatementId::new(job.subject), (&fault.code, &fault.detail))
    }
}

/// The statement, locked, under a renewed lease.
fn held(
    uow: &mut dyn UnitOfWork,
    work: &Work<'_>,
    id: ProviderStatementId,
    done: u64,
) -> Result<ProviderStatement, WorkError> {
    work.lease.renew(uow, work.env().now, Progress { done, total: None })?;
    let found = uow.provider_statements().lock(id)?;
    if let Some(found) = &found {
        uow.provider_statements().take_turn(found.provider)?;
    }
    match found {
        Some(found) if found.state == StatementState::Received => Ok(found),
        // Whoever ended it ended the job in the same transaction.
        Some(_) => Err(WorkError::LeaseLost),
        None => Err(WorkError::fault("statement_missing", "the job's statement does not exist")),
    }
}

/// Posts the next lines; 0 when all are.
fn first_round(
    uow: &mut dyn UnitOfWork,
    work: &Work<'_>,
    id: ProviderStatementId,
    done: u64,
) -> Result<usize, WorkError> {
    let statement = held(uow, work, id, done)?;
    let lines = uow.provider_statements().list_unposted(id, BATCH)?;
    if lines.is_empty() {
        return Ok(0);
    }
    post::lines(uow, &work.env(), (statement.provider, id), lines, Round::First).map_err(refused)
}

/// Moves on what is unapplied of the provider's lines after this one; none when that was the end.
fn second_round(
    uow: &mut dyn UnitOfWork,
    work: &Work<'_>,
    id: ProviderStatementId,
    done: u64,
    after: Option<ProviderStatementLineId>,
) -> Result<Option<ProviderStatementLineId>, WorkError> {
    let statement = held(uow, work, id, done)?;
    let lines = uow.provider_statements().list_unapplied(statement.provider, after, BATCH)?;
    let last = lines.last().map(|open| open.line.id);
    if !lines.is_empty() {
        post::lines(uow, &work.env(), (statement.provider, id), lines, Round::Again).map_err(refused)?;
    }
    Ok(last)
}

/// Judges the lines now that all are posted, opens and ends exceptions, and ends the job.
fn finish(uow: &mut dyn UnitOfWork, work: &Work<'_>, id: ProviderStatementId, done: u64) -> Result<(), WorkError> {
    let env = work.env();
    let mut statement = held(uow, work, id, done)?;
    let mut findings = judged(uow, id)?;
    findings.extend(late(uow, &statement)?);
    let found: Vec<(ExceptionId, Finding)> =
        findings.into_iter().map(|finding| (ExceptionId::new(env.ids.next()), finding)).collect();
    uow.provider_statements().open_exceptions(&statement, &found, env.now)?;
    let standings = uow.provider_statements().lock_open_exceptions(statement.provider)?;
    uow.provider_statements().update_exceptions(&resolve::over(standings, &env))?;
    statement.state = StatementState::Posted;
    statement.posted_at = statement.posted_at.or(Some(env.now));
    uow.provider_statements().update(&statement)?;
    record_changed(uow, &env, EventKind::ProviderStatementPosted, (&id, id.uuid()), None, &[])?;
    work.succeed(uow, &env, import::path(id))
}

/// What is wrong with the lines of a statement; their results as they are in the end.
fn judged(uow: &mut dyn UnitOfWork, id: ProviderStatementId) -> Result<Vec<Finding>, WorkError> {
    let (mut results, mut findings) = (Vec::<(ProviderStatementLineId, LineResult)>::new(), Vec::new());
    for posted in uow.provider_statements().list_unsettled(id)? {
        let (result, finding) = exception::judged(&posted);
        if result != posted.result {
            results.push((posted.line, result));
        }
        findings.extend(finding);
    }
    uow.provider_statements().update_results(&results)?;
    // Two short lines of one item say the same.
    findings.sort_by_key(|finding| finding.about);
    findings.dedup_by_key(|finding| finding.about);
    Ok(findings)
}

/// What a statement should have told, by the mapping that it was read by.
fn late(uow: &mut dyn UnitOfWork, statement: &ProviderStatement) -> Result<Vec<Finding>, WorkError> {
    let mapping = uow.provider_statements().find_mapping_version(statement.provider, statement.mapping_version)?;
    let mapping =
        mapping.ok_or_else(|| WorkError::fault("mapping_missing", "the statement's mapping does not exist"))?;
    let due = overdue::due(statement, &mapping.mapping);
    let unpaid = uow.provider_statements().list_unpaid(statement.provider, &due)?;
    let stopped =
        if due.trail { uow.provider_statements().list_stopped(statement.provider, &due)? } else { Vec::new() };
    Ok(overdue::late(&due, &unpaid, &stopped))
}

fn posting_failed(error: PostError) -> WorkError {
    refused(error.into())
}

fn refused(error: ReconciliationError) -> WorkError {
    match error {
        ReconciliationError::Store(error) => WorkError::Store(error),
        ReconciliationError::MissingScope(_)
        | ReconciliationError::NotFound
        | ReconciliationError::Faults(_)
        | ReconciliationError::Stale(_)
        | ReconciliationError::NoMapping
        | ReconciliationError::Known(_)
        | ReconciliationError::WrongState(_)
        | ReconciliationError::SamePerson
        | ReconciliationError::MoreThanOpen { .. }
        | ReconciliationError::DifferenceRemains(_)
        | ReconciliationError::Ledger(_) => WorkError::fault("not_posted", error.to_string()),
    }
}
