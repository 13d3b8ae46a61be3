//! The job of an import: stage, then apply, from wherever the last attempt came to.

use super::file::ImportState;
use super::{apply, receive, stage};
use crate::env::Env;
use crate::jobs::{Handler, Job, JobFault, JobKind, Work, WorkError};
use crate::kernel::ids::DealImportId;
use crate::store::{StoreError, UnitOfWork};

/// Does imports.
pub struct ImportHandler;

impl Handler for ImportHandler {
    fn kind(&self) -> JobKind {
        JobKind::DealImport
    }

    fn run(&self, work: &Work<'_>) -> Result<(), WorkError> {
        let id = DealImportId::new(work.job.subject);
        let find = || {
            let found = work.store.transaction(|uow| uow.imports().lock(id))?;
            found.ok_or_else(|| WorkError::fault("import_missing", "the job's import does not exist"))
        };
        let mut import = find()?;
        if import.state == ImportState::Received {
            stage::stage(work, id, import.format)?;
            import = find()?;
        }
        match import.state {
            ImportState::Staged => apply::apply(work, &import),
            // Whoever ended it ended the job in the same transaction.
            ImportState::Uploading | ImportState::Received | ImportState::Done | ImportState::Failed => {
                Err(WorkError::LeaseLost)
            }
        }
    }

    fn failed(&self, uow: &mut dyn UnitOfWork, env: &Env<'_>, job: &Job, fault: &JobFault) -> Result<(), StoreError> {
        receive::stopped(uow, env, DealImportId::new(job.subject), (&fault.code, &fault.detail))
    }
}
