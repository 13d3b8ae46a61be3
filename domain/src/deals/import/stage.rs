//! Reading the file: every row is kept with its faults or with what it says; the last valid row of each
//! reference counts.
//!
//! Begun again after a crash it reads the same rows and keeps those that are not kept yet. Bounds: a
//! file with more than [`MAX_FAULTY`] unreadable rows is no export and is not taken at all.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Read};

use super::file::{DealImport, FileFault, ImportFormat, ImportState, RowOutcome, StagedRow};
use super::reader::{ImportReader, ImportRow};
use super::row::{DealRow, RowFault};
use crate::agreements::facts::{DealFacts, Settlement};
use crate::catalogue::ProductCode;
use crate::deals::record::{Refusal, SaidDeal};
use crate::directory::text::PersonName;
use crate::jobs::{JobFault, Progress, Work, WorkError};
use crate::kernel::Money;
use crate::kernel::fault::Reason;
use crate::kernel::ids::DealImportId;
use crate::store::{Store, StoreError, UnitOfWork};

/// Rows in one transaction.
const BATCH: usize = 1_000;
/// Lines that are looked through for replaced rows in one transaction.
const LINES: u64 = 20_000;
/// Rows that cannot be read before the whole file is refused.
pub const MAX_FAULTY: u64 = 100_000;

/// Reads the file to its end and notes which rows count.
///
/// # Errors
/// See [`WorkError`]; a fault when the file as a whole is not an export.
pub(super) fn stage(work: &Work<'_>, import: DealImportId, format: ImportFormat) -> Result<(), WorkError> {
    let failure = RefCell::new(None);
    let chunks = Chunks { store: work.store, import, next_n: 0, buffer: Vec::new(), used: 0, failure: &failure };
    // A failure of the store surfaces as an unreadable file; it is the store's, and passes.
    let stopped = |fault: FileFault| match failure.take() {
        Some(error) => WorkError::Store(error),
        None => WorkError::Fault(JobFault { code: fault.code, detail: fault.detail }),
    };
    let kept = work.store.transaction(|uow| uow.imports().last_line(import))?;
    let (mut batch, mut faulty) = (Vec::with_capacity(BATCH), 0);
    for row in ImportReader::of(format, chunks).map_err(stopped)? {
        let row = row.map_err(stopped)?;
        faulty += u64::from(row.result.is_err());
        if faulty > MAX_FAULTY {
            return Err(WorkError::fault("too_many_faults", format!("more than {MAX_FAULTY} rows cannot be read")));
        }
        if row.line > kept {
            batch.push(ReadRow::of(row)?);
        }
        if batch.len() == BATCH {
            keep(work, import, &mut batch)?;
        }
    }
    keep(work, import, &mut batch)?;
    note_replaced(work, import)
}

/// A row as it was read.
struct ReadRow {
    row: StagedRow,
    /// What it says, when it is valid by itself.
    said: Option<SaidDeal>,
}

impl ReadRow {
    fn of(read: ImportRow) -> Result<Self, WorkError> {
        let mut row = StagedRow {
            line: read.line,
            external_ref: read.external_ref,
            outcome: RowOutcome::Pending,
            faults: None,
            payload: None,
            deal: None,
        };
        match read.result.and_then(|said| said_deal(&said).map(|deal| (said, deal))) {
            Ok((said, deal)) => {
                row.payload = Some(json(&said)?);
                Ok(Self { row, said: Some(deal) })
            }
            Err(faults) => {
                refuse(&mut row, &faults)?;
                Ok(Self { row, said: None })
            }
        }
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|e| StoreError::Failed(e.to_string()))
}

/// Marks a row as not taken.
pub(super) fn refuse(row: &mut StagedRow, faults: &[RowFault]) -> Result<(), StoreError> {
    row.outcome = RowOutcome::Refused;
    row.faults = Some(json(&faults)?);
    row.payload = None;
    Ok(())
}

/// A refusal in the words of a row.
pub(super) fn row_fault(refusal: Refusal) -> RowFault {
    let column = match refusal {
        Refusal::UnknownMember => "member_ref",
        Refusal::UnknownProduct => "product_code",
        Refusal::OutOfRange => "settled_amount",
        Refusal::NotSealed => "external_ref",
        Refusal::NoAgreement | Refusal::AttributionChanged | Refusal::InTheFuture | Refusal::ReplayTooLong => "",
    };
    RowFault { column, code: refusal.code(), detail: refusal.to_string() }
}

/// Keeps a batch; rows that name no member or product of ours are refused.
fn keep(work: &Work<'_>, import: DealImportId, batch: &mut Vec<ReadRow>) -> Result<(), WorkError> {
    if batch.is_empty() {
        return Ok(());
    }
    work.go_on()?;
    work.store.transaction(|uow| {
        work.lease.renew(uow, work.env().now, Progress::default())?;
        let Some(found) = uow.imports().lock(import)? else { return Err(WorkError::LeaseLost) };
        let known = Known::of(uow, &found, batch)?;
        let mut rows = Vec::with_capacity(batch.len());
        for read in batch.iter() {
            let mut row = read.row.clone();
            if let Some(refusal) = read.said.as_ref().and_then(|said| known.refusal(said)) {
                refuse(&mut row, &[row_fault(refusal)])?;
            }
            rows.push(row);
        }
        Ok(uow.imports().append_rows(import, &rows)?)
    })?;
    batch.clear();
    Ok(())
}

/// Marks the rows that a later valid row of the same reference replaces, then the import as read.
fn note_replaced(work: &Work<'_>, import: DealImportId) -> Result<(), WorkError> {
    let last = work.store.transaction(|uow| uow.imports().last_line(import))?;
    let mut after = 0;
    while after < last {
        work.go_on()?;
        work.store.transaction(|uow| {
            work.lease.renew(uow, work.env().now, Progress::default())?;
            Ok::<(), WorkError>(uow.imports().supersede(import, after, after + LINES)?)
        })?;
        after += LINES;
    }
    work.store.transaction(|uow| {
        work.lease.renew(uow, work.env().now, Progress::default())?;
        let Some(mut found) = uow.imports().lock(import)? else { return Err(WorkError::LeaseLost) };
        found.state = ImportState::Staged;
        found.counts = Some(uow.imports().count_rows(import)?);
        Ok(uow.imports().update(&found)?)
    })
}

/// The members and products that the rows name and that exist.
struct Known {
    members: BTreeSet<String>,
    products: BTreeSet<ProductCode>,
}

impl Known {
    fn of(uow: &mut dyn UnitOfWork, import: &DealImport, rows: &[ReadRow]) -> Result<Self, StoreError> {
        let said = || rows.iter().filter_map(|read| read.said.as_ref());
        let members: BTreeSet<String> = said().map(|said| said.member_ref.clone()).collect();
        let products: BTreeSet<ProductCode> = said().map(|said| said.product.clone()).collect();
        let members: Vec<String> = members.into_iter().collect();
        let products: Vec<ProductCode> = products.into_iter().collect();
        let members = uow.directory().find_members(import.organisation, &members)?;
        let products = uow.catalogue().find_products(&products)?;
        Ok(Self {
            members: members.into_iter().map(|m| m.member_ref).collect(),
            products: products.into_iter().map(|p| p.code).collect(),
        })
    }

    fn refusal(&self, said: &SaidDeal) -> Option<Refusal> {
        if !self.members.contains(&said.member_ref) {
            return Some(Refusal::UnknownMember);
        }
        (!self.products.contains(&said.product)).then_some(Refusal::UnknownProduct)
    }
}

/// A row in the words of the domain.
pub(super) fn said_deal(row: &DealRow) -> Result<SaidDeal, Vec<RowFault>> {
    let fault = |column, code, detail: String| vec![RowFault { column, code, detail }];
    let product = ProductCode::parse(&row.product_code)
        .map_err(|_| fault("product_code", "unknown_product", "there is no product of that code".into()))?;
    let client_name = PersonName::parse(&row.client_name).map_err(|e| fault("client_name", e.code(), e.to_string()))?;
    let settlement = match (row.settled_on, row.settled_amount) {
        (Some(on), Some(amount)) => Some(Settlement {
            measures: row.measures,
            ..Settlement::of(on, amount, row.offset_balance.unwrap_or(Money::ZERO))
        }),
        _ => None,
    };
    Ok(SaidDeal {
        external_ref: row.external_ref.clone(),
        member_ref: row.member_ref.clone(),
        client_name,
        product,
        facts: DealFacts {
            referred_on: row.referred_on,
            contracted_on: row.contracted_on,
            settlement,
            discharged_on: row.discharged_on,
        },
        sha256: row.digest().map_err(|e| fault("settled_amount", "amount_out_of_range", e.to_string()))?,
    })
}

/// The file, read from its pieces one at a time.
struct Chunks<'c> {
    store: &'c dyn Store,
    import: DealImportId,
    next_n: u32,
    buffer: Vec<u8>,
    used: usize,
    failure: &'c RefCell<Option<StoreError>>,
}

impl Read for Chunks<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.used == self.buffer.len() {
            let found = self.store.transaction(|uow| uow.imports().find_chunk(self.import, self.next_n));
            self.buffer = found
                .map_err(|error| {
                    self.failure.replace(Some(error));
                    io::Error::other("the store failed")
                })?
                .unwrap_or_default();
            self.used = 0;
            self.next_n += 1;
        }
        let taken = into.len().min(self.buffer.len() - self.used);
        into[..taken].copy_from_slice(&self.buffer[self.used..self.used + taken]);
        self.used += taken;
        Ok(taken)
    }
}
