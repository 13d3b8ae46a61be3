//! The book for other programs: a journal in hledger's format, CSV, or JSON by lines.
//!
//! Pure functions of entries, one entry at a time, so that an export of any length takes constant memory.
//! Invariants: every entry is in it with all its postings, so that each transaction balances on its own;
//! only ids, never a name. hledger: positive amounts are debits; the entry's number is the transaction
//! code; ids and the hash stand in tags. Source: hledger 1.25 manual, journal format.

use std::fmt::Write as _;

use serde::Serialize;

use super::account::AccountKey;
use super::book::{AccountRecord, EntryRecord, PostingRecord, party_text};

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalFormat {
    /// Plain text accounting.
    Hledger,
    /// One JSON object a line, one entry each.
    Ndjson,
    /// One line per posting (RFC 4180).
    Csv,
}

impl JournalFormat {
    /// Reads the word of the API.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hledger" => Some(Self::Hledger),
            "ndjson" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Hledger => "text/plain; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// What stands before the first entry.
    #[must_use]
    pub const fn head(self) -> &'static str {
        match self {
            Self::Hledger => "; Every entry of the ledger. Debit is positive.\ncommodity 1000.00 AUD\n\n",
            Self::Ndjson => "",
            Self::Csv => {
                "seq,entry,kind,effective_on,recorded_at,deal,payee,source,account,account_kind,party,vertical,amount,currency,line,sha256\r\n"
            }
        }
    }

    /// Whether the accounts are declared after the entries: hledger checks names against declarations, wherever these
    /// stand.
    #[must_use]
    pub const fn declares_accounts(self) -> bool {
        match self {
            Self::Hledger => true,
            Self::Ndjson | Self::Csv => false,
        }
    }

    /// One entry.
    #[must_use]
    pub fn write(self, entry: &EntryRecord) -> String {
        match self {
            Self::Hledger => hledger(entry),
            Self::Ndjson => ndjson(entry),
            Self::Csv => csv(entry),
        }
    }
}

/// `liabilities:payee_available:payee_01k…`.
#[must_use]
pub fn account_name(posting: &PostingRecord) -> String {
    name_of(&posting.key, posting.vertical_code.as_deref())
}

/// The line by which a journal declares an account.
#[must_use]
pub fn declaration(account: &AccountRecord) -> String {
    format!("account {}\n", name_of(&account.key, account.vertical_code.as_deref()))
}

fn name_of(key: &AccountKey, vertical_code: Option<&str>) -> String {
    let mut name = format!("{}:{}", key.kind.class().as_str(), key.kind.as_str());
    for part in [party_text(key), vertical_code.map(str::to_owned)].into_iter().flatten() {
        name.push(':');
        name.push_str(&part);
    }
    name
}

/// Cents as dollars, `-1234.50`.
fn dollars(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let cents = minor.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

fn hledger(entry: &EntryRecord) -> String {
    let mut text = format!(
        "{} ({}) {}  ; entry:{}, recorded:{}, sha256:{}\n",
        entry.effective_on, entry.seq, entry.kind, entry.id, entry.recorded_at, entry.sha256
    );
    for posting in &entry.postings {
        let name = account_name(posting);
        // Writing into a String cannot fail.
        let _ = write!(text, "    {name:<72}  {:>18} AUD", dollars(posting.amount_minor));
        if let Some(line) = posting.line {
            let _ = write!(text, "  ; line:{line}");
        }
        text.push('\n');
    }
    text.push('\n');
    text
}

fn csv(entry: &EntryRecord) -> String {
    let blank = |id: Option<String>| id.unwrap_or_default();
    let mut text = String::new();
    for posting in &entry.postings {
        let fields = [
            entry.seq.to_string(),
            entry.id.to_string(),
            entry.kind.clone(),
            entry.effective_on.to_string(),
            entry.recorded_at.to_string(),
            blank(entry.deal.map(|id| id.to_string())),
            blank(entry.payee.map(|id| id.to_string())),
            entry.source_text(),
            posting.account.to_string(),
            posting.key.kind.as_str().to_owned(),
            blank(party_text(&posting.key)),
            blank(posting.vertical_code.clone()),
            posting.amount_minor.to_string(),
            "AUD".to_owned(),
            blank(posting.line.map(|id| id.to_string())),
            entry.sha256.to_string(),
        ];
        // No field can hold a comma, a quote or a line end: all are ids, numbers, dates and fixed words.
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    seq: i64,
    id: String,
    kind: &'a str,
    effective_on: String,
    recorded_at: String,
    deal: Option<String>,
    payee: Option<String>,
    source: String,
    sha256: String,
    previous_sha256: String,
    postings: Vec<JsonPosting>,
}

#[derive(Serialize)]
struct JsonPosting {
    account: String,
    kind: &'static str,
    party: Option<String>,
    vertical: Option<String>,
    amount: i64,
    currency: &'static str,
    line: Option<String>,
}

fn ndjson(entry: &EntryRecord) -> String {
    let posting = |posting: &PostingRecord| JsonPosting {
        account: posting.account.to_string(),
        kind: posting.key.kind.as_str(),
        party: party_text(&posting.key),
        vertical: posting.vertical_code.clone(),
        amount: posting.amount_minor,
        currency: "AUD",
        line: posting.line.map(|id| id.to_string()),
    };
    let entry = JsonEntry {
        seq: entry.seq,
        id: entry.id.to_string(),
        kind: &entry.kind,
        effective_on: entry.effective_on.to_string(),
        recorded_at: entry.recorded_at.to_string(),
        deal: entry.deal.map(|id| id.to_string()),
        payee: entry.payee.map(|id| id.to_string()),
        source: entry.source_text(),
        sha256: entry.sha256.to_string(),
        previous_sha256: entry.previous_sha256.to_string(),
        postings: entry.postings.iter().map(posting).collect(),
    };
    let mut text = serde_json::to_string(&entry).unwrap_or_default();
    text.push('\n');
    text
}
