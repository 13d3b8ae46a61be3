//! Imports as a test does them: upload, work, report.

use domain::access::{Actor, Viewer};
use domain::deals::import::file::{DealImport, ImportFormat, RowOutcome};
use domain::deals::import::receive::{self, BeginImport, ReceiveError, Upload};
use domain::deals::import::work::ImportHandler;
use domain::deals::trail_run::work::TrailRunHandler;
use domain::env::{Env, Surroundings};
use domain::jobs::{self, Job, JobState};
use domain::kernel::ids::DealImportId;
use domain::kernel::{Digest, PageRequest};
use domain::provider_statements::work::ProviderStatementHandler;
use domain::store::StoreError;
use serde_json::Value;

use crate::platform::Platform;

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line of the file on which it starts, from 1.
    pub line: u64,
    /// What the source calls the deal, as far as it could be read.
    pub external_ref: Option<String>,
    /// Column and code of each fault.
    pub faults: Vec<(String, String)>,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Why the file as a whole was not taken.
    pub fault: Option<String>,
    /// Rows, the header not counted.
    pub rows: u64,
    /// New deals.
    pub created: u64,
    /// Known deals of which something was different.
    pub corrected: u64,
    /// Known deals of which nothing was different.
    pub unchanged: u64,
    /// Valid rows that a later one of the same reference replaced.
    pub superseded: u64,
    /// Rows that were not taken.
    pub refused: Vec<RefusedRow>,
}

impl Surroundings for Platform {
    fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        Env { actor, ..Platform::env(self) }
    }
}

impl Platform {
    /// Imports an export of the introducer.
    #[must_use]
    pub fn import(&self, file: &[u8]) -> ImportReport {
        let (import, _) = self.upload(file);
        self.work();
        self.report(import.id)
    }

    /// Sends a file.
    #[must_use]
    pub fn upload(&self, file: &[u8]) -> (DealImport, Job) {
        self.upload_as(ImportFormat::Csv, file)
    }

    /// Sends a file of a format.
    #[must_use]
    pub fn upload_as(&self, format: ImportFormat, file: &[u8]) -> (DealImport, Job) {
        let mut upload = Upload::default();
        let command = BeginImport { organisation: self.introducer, provider: self.provider, format };
        let import = self.store().transaction(|uow| receive::begin(uow, &self.env(), &command)).expect("an import");
        let keep = |chunk: &receive::Chunk| {
            self.store().transaction(|uow| receive::append(uow, import.id, chunk)).expect("a piece is kept");
        };
        for bytes in file.chunks(10_000) {
            upload.feed(bytes).iter().for_each(keep);
        }
        let (last, received) = upload.finish();
        last.iter().for_each(keep);
        let declared = Digest::of(file);
        self.store()
            .transaction(|uow| {
                let done = receive::received(uow, &self.env(), import.id, received, declared)?;
                Ok::<_, ReceiveError>(done)
            })
            .expect("the file is received")
    }

    /// Works on jobs until none is left.
    pub fn work(&self) {
        while self.work_one().expect("the store answers").is_some() {}
    }

    /// Works on one job.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn work_one(&self) -> Result<Option<Job>, StoreError> {
        jobs::work_one(self.store(), self, &[&ImportHandler, &TrailRunHandler, &ProviderStatementHandler])
    }

    /// The state of a job.
    #[must_use]
    pub fn job(&self, job: &Job) -> (JobState, Option<String>) {
        let found = self.store().read(&Viewer::Everything, |q| q.jobs().find(job.id)).expect("the store answers");
        let found = found.expect("the job");
        (found.state, found.fault.map(|fault| fault.code))
    }

    /// What became of an import.
    #[must_use]
    pub fn report(&self, import: DealImportId) -> ImportReport {
        let found = self.store().read(&Viewer::Everything, |q| q.imports().find(import)).expect("the store answers");
        let found = found.expect("the import");
        let counts = found.counts.unwrap_or_default();
        ImportReport {
            fault: found.fault.map(|fault| fault.code),
            rows: counts.rows(),
            created: counts.created,
            corrected: counts.corrected,
            unchanged: counts.unchanged,
            superseded: counts.superseded,
            refused: self.refused(import),
        }
    }

    fn refused(&self, import: DealImportId) -> Vec<RefusedRow> {
        let (mut rows, mut page) = (Vec::new(), PageRequest::of(7));
        loop {
            let found = self
                .store()
                .read(&Viewer::Everything, |q| q.imports().list_rows(import, Some(RowOutcome::Refused), &page))
                .expect("the rows");
            rows.extend(found.data);
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        rows.into_iter()
            .map(|row| {
                let faults: Value = serde_json::from_slice(&row.faults.expect("faults")).expect("JSON");
                let faults = faults.as_array().expect("a list");
                let faults = faults.iter().map(|f| (text(&f["column"]), text(&f["code"]))).collect();
                RefusedRow { line: row.line, external_ref: row.external_ref, faults }
            })
            .collect()
    }
}
