//! The bank files of a run: none, one or several.
//!
//! Payouts are taken in the order of the content, and a new file begins where the next one would be too many
//! for the bank or too much for the totals of the trailer. So the same content, the same profile, the same
//! details and the same date give the same files, byte for byte. Invariants: each payout that goes by bank file is
//! in exactly one; a payout that goes another way is in none; a file's identity is its SHA-256. Bounds: those of
//! [`super::aba`]. Source: the payouts document, section on ABA files.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::aba::{self, AbaError, Credit, MAX_TOTAL_MINOR, TransactionCode};
use super::bank_account::BankAccount;
use super::content::{PlannedPayout, RunContent};
use crate::directory::bank::BankDetails;
use crate::directory::payee::Rail;
use crate::kernel::Digest;
use crate::kernel::id::IdSource;
use crate::kernel::ids::{BankFileId, PayoutId};

/// What a run knows of one of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunFile {
    /// Its id.
    pub id: BankFileId,
    /// Its place among the files of the run, from 1.
    pub n: u32,
    /// The date in its header.
    pub dated_on: Date,
    /// Its identity.
    pub sha256: Digest,
    /// What it pays in all, in cents.
    pub total_minor: i64,
    /// How many payouts it holds.
    pub payouts: u32,
}

/// A file as it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct BankFile {
    /// What the run knows of it.
    pub about: RunFile,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The payouts in it, in the order of its records.
    pub payouts: Vec<PayoutId>,
}

/// Why files cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BankFileError {
    /// The bank would not take it.
    #[error(transparent)]
    Aba(#[from] AbaError),
    /// A payout names bank details that are not given: a defect, since it was checked.
    #[error("the bank details of {0} are missing")]
    NoDetails(PayoutId),
}

/// Makes the files of a content, paid from an own account; `dated` stands in their headers, `details` are the
/// bank details that the content names, by their ids.
///
/// # Errors
/// See [`BankFileError`].
pub fn make(
    account: &BankAccount,
    dated: Date,
    content: &RunContent,
    details: &BTreeMap<Uuid, BankDetails>,
    ids: &dyn IdSource,
) -> Result<Vec<BankFile>, BankFileError> {
    let parts = split(account, &content.payouts);
    let mut files = Vec::with_capacity(parts.len());
    for (part, n) in parts.into_iter().zip(1_u32..) {
        let credits = part.iter().map(|payout| credit(payout, details)).collect::<Result<Vec<_>, _>>()?;
        let file = aba::write(account, dated, &credits)?;
        let about = RunFile {
            id: BankFileId::new(ids.next()),
            n,
            dated_on: dated,
            sha256: file.sha256,
            total_minor: file.total_minor,
            payouts: u32::try_from(part.len()).unwrap_or(u32::MAX),
        };
        files.push(BankFile { about, bytes: file.bytes, payouts: part.iter().map(|payout| payout.id).collect() });
    }
    Ok(files)
}

/// The payouts of each file.
fn split<'a>(account: &BankAccount, payouts: &'a [PlannedPayout]) -> Vec<Vec<&'a PlannedPayout>> {
    let most = account.payments_per_file();
    let mut parts: Vec<Vec<&PlannedPayout>> = Vec::new();
    let mut total_minor = 0_i64;
    for payout in payouts.iter().filter(|payout| payout.rail() == Rail::Aba) {
        let total_with_minor = total_minor.saturating_add(payout.net.0);
        match parts.last_mut() {
            Some(part) if part.len() < most && total_with_minor <= MAX_TOTAL_MINOR => {
                part.push(payout);
                total_minor = total_with_minor;
            }
            _ => {
                parts.push(vec![payout]);
                total_minor = payout.net.0;
            }
        }
    }
    parts
}

fn credit(payout: &PlannedPayout, details: &BTreeMap<Uuid, BankDetails>) -> Result<Credit, BankFileError> {
    let to = payout.bank_details.as_ref().and_then(|bank| details.get(&bank.id));
    Ok(Credit {
        to: to.ok_or(BankFileError::NoDetails(payout.id))?.clone(),
        amount_minor: payout.net.0,
        reference: payout.reference.clone(),
        code: TransactionCode::Credit,
    })
}
