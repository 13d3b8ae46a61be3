//! Payout: what was paid is what the ledger says, and the bank files say the same; tax papers tell of it to the cent; what
//! providers paid is what their statements say, line by line, and their receivables are what is left.
//!
//! The bank file is read here by its published layout (Direct Entry: record type in column 1, transaction
//! code in 19–20, cents in 21–30), not by the code that wrote it.

use uuid::Uuid;

use super::PAGE;
use super::repository::{BankFileEvidence, Check};
use super::tally::Tally;
use crate::kernel::Instant;
use crate::kernel::id::encode;
use crate::kernel::ids::PayoutRunId;
use crate::store::{Queries, StoreError};

/// What a bank file credits to others.
#[derive(Debug, PartialEq, Eq)]
struct Credits {
    count: u64,
    cents: i64,
}

pub(super) fn check(queries: &mut dyn Queries, at: Instant) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let queries = queries.guarantees();
    let totals = queries.totals()?;
    tally.cover("payouts", totals.payouts);
    tally.cover("bank_files", 0);
    tally.cover("runs_executed", totals.runs_executed);
    tally.cover("receipts", totals.receipts);
    tally.figure("paid_minor", totals.paid_minor);
    tally.figure("received_minor", totals.received_minor);
    tally.figure("unapplied_minor", totals.unapplied_minor);
    let checks = [
        Check::PayoutPosted,
        Check::PayoutLines,
        Check::RunTotal,
        Check::RunUnapproved,
        Check::EntryWithoutPayout,
        Check::FileMissing,
        Check::ReceiptPosted,
        Check::ReceivableAddsUp,
        Check::StripeBalance,
        Check::PayoutPapers,
        Check::PaperDiffers,
        Check::PaperGap,
        Check::PaperGst,
    ];
    for check in checks {
        tally.check(queries, check, at)?;
    }
    let mut after = Uuid::nil();
    loop {
        let page = queries.bank_files(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(tally) };
        after = last.id;
        tally.cover("bank_files", page.len() as u64);
        for file in &page {
            compare(&mut tally, file);
        }
    }
}

fn compare(tally: &mut Tally, file: &BankFileEvidence) {
    let id = format!("{}_{}", PayoutRunId::PREFIX, encode(file.run));
    match credits(&file.file) {
        None => tally.broken(id, "bank_file_malformed", "the bank file is not made of records of 120 characters"),
        Some(credits) if credits != (Credits { count: file.payouts, cents: file.total_minor }) => {
            let detail = format!(
                "the file pays {} cents in {} lines, the run by it {} cents in {} payouts",
                credits.cents, credits.count, file.total_minor, file.payouts
            );
            tally.broken(id, "bank_file_differs", detail);
        }
        Some(_) => {}
    }
}

fn credits(file: &[u8]) -> Option<Credits> {
    let mut credits = Credits { count: 0, cents: 0 };
    for record in std::str::from_utf8(file).ok()?.split_terminator("\r\n") {
        if record.len() != 120 || !record.is_ascii() {
            return None;
        }
        // A debit (13) is the self-balancing line of banks that want one.
        if record.starts_with('1') && &record[18..20] != "13" {
            credits.count += 1;
            credits.cents = credits.cents.checked_add(record[20..30].parse().ok()?)?;
        }
    }
    Some(credits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outside_file_is_read() {
        // Made by npm aba-generator; it leaves out the last line end.
        let file = include_bytes!("../../../tests/oracles/fixtures/aba_generator.aba");
        let trailer = std::str::from_utf8(file).expect("ASCII").lines().last().expect("a trailer").to_owned();
        let credits = credits(file).expect("a file");
        assert_eq!(Ok(credits.cents), trailer[30..40].parse());
        assert_eq!(Ok(credits.count), trailer[74..80].trim().parse());
        assert_eq!(super::credits(b"0 too short\r\n"), None);
    }
}
