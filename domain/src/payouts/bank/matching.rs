//! What a line of a bank statement is: the debit of a bank file, payments that came back, or nothing that is known yet.
//!
//! A debit is a file of the same account over exactly its amount, booked within [`WINDOW_DAYS`] banking days of the
//! file's date. Lines that name us as the file does come first, then the older ones; of several files over one amount
//! each gets one debit if there are enough debits, otherwise nobody can tell which was paid and none is. A credit is
//! the payouts whose references it names if they come to its amount, or else the returned payments of a file that do;
//! the money of a payout comes back by one line, alone or with its file.
//! Bounds: linear in lines and candidates, but for the sorting.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::super::calendar;
use crate::kernel::ids::{BankFileId, BankReturnId, BankStatementLineId, PayoutId};

/// Banking days from the date of a file within which its debit is looked for.
pub const WINDOW_DAYS: u16 = 5;
/// Letters of a payout's reference behind `FLIP-`.
const REFERENCE: usize = 12;

/// What a line is matched to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// It pays a bank file.
    File(BankFileId),
    /// A payout came back by it.
    Payout(PayoutId),
    /// The payments of a file of returned payments came back by it.
    Return(BankReturnId),
}

/// A line to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLine {
    /// Its id.
    pub id: BankStatementLineId,
    /// When it was booked.
    pub booked_on: Date,
    /// Positive: money came in.
    pub amount_minor: i64,
    /// What it says.
    pub text: String,
}

/// A bank file that no line has paid yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// Its id.
    pub id: BankFileId,
    /// The date in its header.
    pub dated_on: Date,
    /// Its total.
    pub total_minor: i64,
}

/// A payout that no line has brought back yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPayout {
    /// Its id.
    pub id: PayoutId,
    /// Its reference.
    pub reference: String,
    /// What it paid.
    pub amount_minor: i64,
}

/// A file of returned payments whose credit no line is yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReturn {
    /// Its id.
    pub id: BankReturnId,
    /// The last date of the bank in it.
    pub returned_on: Date,
    /// What its payouts come to.
    pub matched_minor: i64,
    /// Its payouts.
    pub payouts: BTreeSet<PayoutId>,
}

/// Everything that lines may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Files of the account.
    pub files: Vec<OpenFile>,
    /// Payouts from the account that the lines name.
    pub payouts: Vec<OpenPayout>,
    /// Files of returned payments.
    pub returns: Vec<OpenReturn>,
}

/// The references of payouts that a text names, as they are stored.
#[must_use]
pub fn references(text: &str) -> BTreeSet<String> {
    let letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let mut found = BTreeSet::new();
    for (at, window) in letters.windows(4).enumerate() {
        if window == ['F', 'L', 'I', 'P'] {
            let rest = letters.iter().skip(at + 4).skip_while(|c| **c == '-');
            let code: String = rest.take(REFERENCE).collect();
            if code.len() == REFERENCE && code.chars().all(|c| c.is_ascii_alphanumeric()) {
                found.insert(format!("FLIP-{code}"));
            }
        }
    }
    found
}

/// Finds what lines are. A line that is not in the answer is unmatched.
#[must_use]
pub fn find(
    lines: &[OpenLine],
    candidates: &Candidates,
    our_words: &[&str],
) -> BTreeMap<BankStatementLineId, Vec<Target>> {
    let mut found = debits(lines, &candidates.files, our_words);
    let by: BTreeMap<&str, &OpenPayout> = candidates.payouts.iter().map(|p| (p.reference.as_str(), p)).collect();
    let mut back: BTreeSet<PayoutId> = BTreeSet::new();
    let mut returned: BTreeSet<BankReturnId> = BTreeSet::new();
    for line in lines.iter().filter(|line| line.amount_minor > 0) {
        let named: Vec<&OpenPayout> = references(&line.text)
            .iter()
            .filter_map(|reference| by.get(reference.as_str()).copied())
            .filter(|payout| !back.contains(&payout.id))
            .collect();
        if !named.is_empty() && named.iter().map(|payout| payout.amount_minor).sum::<i64>() == line.amount_minor {
            back.extend(named.iter().map(|payout| payout.id));
            found.insert(line.id, named.iter().map(|payout| Target::Payout(payout.id)).collect());
            continue;
        }
        let fits = |r: &&OpenReturn| {
            r.matched_minor == line.amount_minor
                && !returned.contains(&r.id)
                && back.is_disjoint(&r.payouts)
                && near(r.returned_on, line.booked_on)
        };
        let mut fitting = candidates.returns.iter().filter(fits);
        if let (Some(only), None) = (fitting.next(), fitting.next()) {
            returned.insert(only.id);
            back.extend(&only.payouts);
            found.insert(line.id, vec![Target::Return(only.id)]);
        }
    }
    found
}

fn debits(lines: &[OpenLine], files: &[OpenFile], our_words: &[&str]) -> BTreeMap<BankStatementLineId, Vec<Target>> {
    let mut by_total: BTreeMap<i64, Vec<&OpenFile>> = BTreeMap::new();
    for file in files {
        by_total.entry(file.total_minor).or_default().push(file);
    }
    let mut found = BTreeMap::new();
    for (total_minor, mut files) in by_total {
        files.sort_by_key(|file| (file.dated_on, file.id));
        let ours = |line: &OpenLine| our_words.iter().any(|word| line.text.to_ascii_uppercase().contains(word));
        let mut debits: Vec<&OpenLine> = lines
            .iter()
            .filter(|line| line.amount_minor == -total_minor)
            .filter(|line| files.iter().any(|file| within(file.dated_on, line.booked_on)))
            .collect();
        debits.sort_by_key(|line| (!ours(line), line.booked_on, line.id));
        debits.truncate(files.len());
        if debits.len() < files.iter().filter(|file| debits.iter().any(|d| within(file.dated_on, d.booked_on))).count()
        {
            continue;
        }
        debits.sort_by_key(|line| (line.booked_on, line.id));
        for (line, file) in debits.into_iter().zip(files) {
            if within(file.dated_on, line.booked_on) {
                found.insert(line.id, vec![Target::File(file.id)]);
            }
        }
    }
    found
}

/// Whether a debit on this day may be that of a file with this date.
fn within(dated_on: Date, booked_on: Date) -> bool {
    dated_on <= booked_on && booked_on <= calendar::banking_days_after(dated_on, WINDOW_DAYS)
}

/// Whether money that is said to come back on one day may do so on the other.
fn near(one: Date, other: Date) -> bool {
    within(one, other) || within(other, one)
}
