//! Recording the rows that count, batch by batch: each batch marks its rows in the transaction that
//! records their deals, so no row is recorded twice and none is left out.

use super::file::{DealImport, ImportState, RowOutcome, StagedRow};
use super::receive;
use super::repository::PendingRow;
use super::row::DealRow;
use super::stage::{refuse, row_fault, said_deal};
use crate::deals::record::{self, Outcome, RecordError, SaidDeal, Source};
use crate::jobs::{Progress, Work, WorkError};
use crate::kernel::ids::DealImportId;
use crate::store::{StoreError, UnitOfWork};

/// Deals in one transaction.
pub const BATCH: u32 = 300;

/// Records everything that counts and ends the import.
///
/// # Errors
/// See [`WorkError`].
pub(super) fn apply(work: &Work<'_>, import: &DealImport) -> Result<(), WorkError> {
    let declaration =
        import.declaration.ok_or_else(|| WorkError::fault("not_declared", "nobody answers for the file"))?;
    let source =
        Source { organisation: import.organisation, provider: import.provider, import: import.id, declaration };
    let left = work.store.transaction(|uow| uow.imports().count_rows(import.id))?.pending;
    let total = import.counts.map_or(left, |counts| counts.pending.max(left));
    let mut progress = Progress { done: total - left, total: Some(total) };
    loop {
        work.go_on()?;
        let recorded = work.store.transaction(|uow| batch(uow, work, &source, progress))?;
        if recorded == 0 {
            return work.store.transaction(|uow| finish(uow, work, import.id, progress));
        }
        progress.done = (progress.done + recorded).min(total);
    }
}

/// Records the next rows. Returns how many.
fn batch(uow: &mut dyn UnitOfWork, work: &Work<'_>, source: &Source, before: Progress) -> Result<u64, WorkError> {
    let env = work.env();
    work.lease.renew(uow, env.now, before)?;
    let pending = uow.imports().list_pending(source.import, BATCH)?;
    let said = pending.iter().map(said).collect::<Result<Vec<SaidDeal>, StoreError>>()?;
    let outcomes = record::record(uow, &env, source, &said).map_err(stopped)?;
    let mut rows = Vec::with_capacity(pending.len());
    let mut refused = Vec::new();
    for ((row, said), outcome) in pending.iter().zip(&said).zip(outcomes) {
        let resolved = resolved(row, said, outcome)?;
        if resolved.outcome == RowOutcome::Refused {
            refused.push(said.external_ref.clone());
        }
        rows.push(resolved);
    }
    uow.imports().resolve(source.import, &rows)?;
    if !refused.is_empty() {
        uow.imports().reinstate(source.import, &refused)?;
    }
    Ok(rows.len() as u64)
}

fn said(row: &PendingRow) -> Result<SaidDeal, StoreError> {
    let unreadable = || StoreError::Failed("a staged row cannot be read".into());
    let row: DealRow = serde_json::from_slice(&row.payload).map_err(|_| unreadable())?;
    said_deal(&row).map_err(|_| unreadable())
}

fn resolved(pending: &PendingRow, said: &SaidDeal, outcome: Outcome) -> Result<StagedRow, StoreError> {
    let (outcome, deal) = match outcome {
        Outcome::Created(deal) => (RowOutcome::Created, Some(deal)),
        Outcome::Corrected(deal) => (RowOutcome::Corrected, Some(deal)),
        Outcome::Unchanged(deal) => (RowOutcome::Unchanged, Some(deal)),
        Outcome::Refused(refusal) => {
            let mut row = row(pending, said);
            refuse(&mut row, &[row_fault(refusal)])?;
            return Ok(row);
        }
    };
    Ok(StagedRow { outcome, deal, ..row(pending, said) })
}

fn row(pending: &PendingRow, said: &SaidDeal) -> StagedRow {
    StagedRow {
        line: pending.line,
        external_ref: Some(said.external_ref.clone()),
        outcome: RowOutcome::Pending,
        faults: None,
        payload: None,
        deal: None,
    }
}

/// What stops a batch, in the words of jobs. The key that is out of reach may be back for the next attempt.
fn stopped(error: RecordError) -> WorkError {
    match error {
        RecordError::Store(error) => WorkError::Store(error),
        other => match crate::store::UseCaseError::store_error(&other) {
            Some(error) => WorkError::Store(error.clone()),
            None => WorkError::Store(StoreError::Failed(other.to_string())),
        },
    }
}

/// Writes the report, drops the file, ends the job.
fn finish(
    uow: &mut dyn UnitOfWork,
    work: &Work<'_>,
    import: DealImportId,
    progress: Progress,
) -> Result<(), WorkError> {
    let env = work.env();
    work.lease.renew(uow, env.now, progress)?;
    let Some(mut import) = uow.imports().lock(import)? else { return Err(WorkError::LeaseLost) };
    import.state = ImportState::Done;
    import.counts = Some(uow.imports().count_rows(import.id)?);
    import.finished_at = Some(env.now);
    uow.imports().update(&import)?;
    uow.imports().forget(import.id)?;
    work.succeed(uow, &env, receive::path(import.id.uuid()))
}
