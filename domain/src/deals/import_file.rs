//! Imports a partner's export: the last valid row of each reference counts, in batches, each its own
//! transaction.
//!
//! Every batch is committed whole, and saying the same again changes nothing: after a crash the same
//! file is simply imported again and ends in the same totals. Bounds: [`BATCH`] deals a transaction;
//! memory grows with the rows of the file (some 500 bytes each).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::import::{DealRow, FileFault, ImportReader, RowFault};
use super::record::{self, Outcome, RecordError, Refusal, SaidDeal, Source};
use crate::agreements::evaluate::{DealFacts, Settlement};
use crate::catalogue::ProductCode;
use crate::directory::text::PersonName;
use crate::env::Env;
use crate::kernel::Money;
use crate::kernel::fault::Reason;
use crate::store::{Store, StoreError, UnitOfWork};

/// Deals in one transaction.
pub const BATCH: usize = 250;

/// A row that was not taken, and every reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// The line of the file on which the row starts, from 1.
    pub line: u64,
    /// What the source calls the deal, as far as it could be read.
    pub external_ref: Option<String>,
    /// What is wrong.
    pub faults: Vec<RowFault>,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
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

/// Why an import stopped; batches committed before stay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole is not an export.
    #[error("the file cannot be read: {}", .0.detail)]
    File(FileFault),
    /// A batch failed.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Imports a file. `progress` hears of deals done and deals in all.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    store: &dyn Store,
    env: &Env<'_>,
    source: &Source,
    file: impl Read,
    mut progress: impl FnMut(usize, usize),
) -> Result<ImportReport, ImportError> {
    let mut report = ImportReport::default();
    let valid = valid_rows(file, &mut report).map_err(ImportError::File)?;
    let known = store.transaction(|uow| Known::of(uow, source, &valid).map_err(RecordError::from))?;
    let said: Vec<(u64, SaidDeal)> = chosen(valid, &known, &mut report).into_values().collect();
    let total = said.len();
    for (n, batch) in said.chunks(BATCH).enumerate() {
        let deals: Vec<SaidDeal> = batch.iter().map(|(_, deal)| deal.clone()).collect();
        let outcomes = store.transaction(|uow| record::record(uow, env, source, &deals))?;
        for ((line, deal), outcome) in batch.iter().zip(outcomes) {
            report.count(*line, deal, &outcome);
        }
        progress((n * BATCH + batch.len()).min(total), total);
    }
    report.refused.sort_by_key(|row| row.line);
    Ok(report)
}

impl ImportReport {
    fn count(&mut self, line: u64, deal: &SaidDeal, outcome: &Outcome) {
        match outcome {
            Outcome::Created(_) => self.created += 1,
            Outcome::Corrected(_) => self.corrected += 1,
            Outcome::Unchanged(_) => self.unchanged += 1,
            Outcome::Refused(refusal) => self.refuse(line, deal, "", *refusal),
        }
    }

    fn refuse(&mut self, line: u64, deal: &SaidDeal, column: &'static str, refusal: Refusal) {
        let fault = RowFault { column, code: refusal.code(), detail: refusal.to_string() };
        let external_ref = Some(deal.external_ref.clone());
        self.refused.push(RefusedRow { line, external_ref, faults: vec![fault] });
    }
}

/// Every row that is valid by itself; the others go to the report.
fn valid_rows(file: impl Read, report: &mut ImportReport) -> Result<Vec<(u64, SaidDeal)>, FileFault> {
    let mut valid = Vec::new();
    for row in ImportReader::new(file)? {
        let row = row?;
        report.rows += 1;
        match row.result.and_then(|said| said_deal(&said)) {
            Ok(said) => valid.push((row.line, said)),
            Err(faults) => {
                report.refused.push(RefusedRow { line: row.line, external_ref: row.external_ref, faults });
            }
        }
    }
    Ok(valid)
}

/// The members and products that the rows name and that exist.
struct Known {
    members: BTreeSet<String>,
    products: BTreeSet<ProductCode>,
}

impl Known {
    fn of(uow: &mut dyn UnitOfWork, source: &Source, rows: &[(u64, SaidDeal)]) -> Result<Self, StoreError> {
        let members: BTreeSet<String> = rows.iter().map(|(_, said)| said.member_ref.clone()).collect();
        let products: BTreeSet<ProductCode> = rows.iter().map(|(_, said)| said.product.clone()).collect();
        let members: Vec<String> = members.into_iter().collect();
        let products: Vec<ProductCode> = products.into_iter().collect();
        let members = uow.directory().find_members(source.organisation, &members)?;
        let products = uow.catalogue().find_products(&products)?;
        Ok(Self {
            members: members.into_iter().map(|m| m.member_ref).collect(),
            products: products.into_iter().map(|p| p.code).collect(),
        })
    }

    fn refusal(&self, said: &SaidDeal) -> Option<(&'static str, Refusal)> {
        if !self.members.contains(&said.member_ref) {
            return Some(("member_ref", Refusal::UnknownMember));
        }
        (!self.products.contains(&said.product)).then_some(("product_code", Refusal::UnknownProduct))
    }
}

/// The last row of each reference that can be taken: a faulty last row leaves the earlier one standing.
fn chosen(rows: Vec<(u64, SaidDeal)>, known: &Known, report: &mut ImportReport) -> BTreeMap<String, (u64, SaidDeal)> {
    let mut chosen: BTreeMap<String, (u64, SaidDeal)> = BTreeMap::new();
    for (line, said) in rows {
        if let Some((column, refusal)) = known.refusal(&said) {
            report.refuse(line, &said, column, refusal);
        } else if chosen.insert(said.external_ref.clone(), (line, said)).is_some() {
            report.superseded += 1;
        }
    }
    chosen
}

/// A row in the words of the domain.
fn said_deal(row: &DealRow) -> Result<SaidDeal, Vec<RowFault>> {
    let fault = |column, code, detail: String| vec![RowFault { column, code, detail }];
    let product = ProductCode::parse(&row.product_code)
        .map_err(|_| fault("product_code", "unknown_product", "there is no product of that code".into()))?;
    let client_name = PersonName::parse(&row.client_name).map_err(|e| fault("client_name", e.code(), e.to_string()))?;
    let settlement = match (row.settled_on, row.settled_amount) {
        (Some(on), Some(amount)) => Some(Settlement { on, amount, offset: row.offset_balance.unwrap_or(Money::ZERO) }),
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
