//! What is asked for, read from requests: every fault of every entry at once.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::{KINDS, MAX_ENTRIES, MAX_POSTINGS, Mode, ProposalKind, Refusal};
use crate::catalogue::VerticalCode;
use crate::catalogue::reference::vertical_id;
use crate::directory::required;
use crate::directory::text::Grounds;
use crate::kernel::Faults;
use crate::kernel::ids::{AccountId, BankAccountId, OrganisationId, VerticalId};
use crate::ledger::account::{AccountKey, AccountKind, Apart};
use crate::ledger::entry::EntryKind;

/// One side, unchecked: the account by its id, or by kind, party and vertical.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostingInput {
    /// `/account_id`
    pub account_id: Option<String>,
    /// `/account/kind`
    pub kind: Option<String>,
    /// `/account/party_id`
    pub party_id: Option<String>,
    /// `/account/vertical`
    pub vertical: Option<String>,
    /// `/amount/amount`, minor units; debit positive.
    pub amount_minor: Option<i64>,
    /// `/amount/currency`
    pub currency: Option<String>,
}

/// One entry, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryInput {
    /// `/kind`
    pub kind: Option<String>,
    /// `/effective_on`
    pub effective_on: Option<String>,
    /// `/postings`
    pub postings: Vec<PostingInput>,
}

/// A proposal, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposeInput {
    /// `/mode`; without one the proposal is a single entry.
    pub mode: Option<String>,
    /// `/reason`
    pub reason: Option<String>,
    /// `/entries`, or the one entry.
    pub entries: Vec<EntryInput>,
}

/// An account as it was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedAccount {
    /// By its id.
    Id(AccountId),
    /// By what it is; it may not exist yet.
    Key(AccountKey),
}

/// One side, its account not looked up yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedPosting {
    /// The account.
    pub account: NamedAccount,
    /// Cents; debit positive, never zero.
    pub amount_minor: i64,
}

/// One entry whose own fields are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEntry {
    /// Its place, from 0.
    pub n: u32,
    /// Its kind, one of [`KINDS`].
    pub kind: EntryKind,
    /// The business date.
    pub effective_on: Date,
    /// Its sides, which sum to zero.
    pub postings: Vec<NamedPosting>,
}

/// A valid request to propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Propose {
    /// One or many.
    pub kind: ProposalKind,
    /// What happens to the others when one cannot be taken.
    pub mode: Mode,
    /// Why.
    pub reason: Grounds,
    /// The entries whose fields are right.
    pub entries: Vec<NamedEntry>,
    /// The others, if they may be left out.
    pub refused: Vec<Refusal>,
}

impl Propose {
    /// Checks every field of every entry.
    ///
    /// # Errors
    /// All faults at once; in [`Mode::PerItem`] those of entries refuse these entries alone.
    pub fn parse(raw: &ProposeInput, kind: ProposalKind) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mode = match kind {
            ProposalKind::Batch => mode(&mut faults, raw.mode.as_deref()),
            ProposalKind::Entry | ProposalKind::Reversal => Some(Mode::Atomic),
        };
        let reason = required(&mut faults, "/reason", raw.reason.as_deref(), Grounds::parse);
        if raw.entries.is_empty() {
            faults.push("/entries", "required", "there is nothing to post");
        } else if raw.entries.len() > MAX_ENTRIES {
            faults.push("/entries", "too_many", format!("at most {MAX_ENTRIES} entries in one proposal"));
        }
        let (mut entries, mut refused) = (Vec::new(), Vec::new());
        for (n, entry) in (0_u32..).zip(raw.entries.iter().take(MAX_ENTRIES)) {
            let mut own = Faults::default();
            match read(entry, n, &pointer(kind, n), &mut own) {
                Some(entry) => entries.push(entry),
                None if mode == Some(Mode::PerItem) => {
                    refused.extend(own.0.into_iter().next().map(|fault| Refusal { n, fault }));
                }
                None => faults.0.append(&mut own.0),
            }
        }
        match (mode, reason) {
            (Some(mode), Some(reason)) if faults.0.is_empty() => Ok(Self { kind, mode, reason, entries, refused }),
            _ => Err(faults),
        }
    }
}

/// Where an entry stands in a request.
#[must_use]
pub fn pointer(kind: ProposalKind, n: u32) -> String {
    match kind {
        ProposalKind::Batch => format!("/entries/{n}"),
        ProposalKind::Entry | ProposalKind::Reversal => String::new(),
    }
}

fn mode(faults: &mut Faults, text: Option<&str>) -> Option<Mode> {
    let mode = text.map_or(Some(Mode::Atomic), Mode::parse);
    if mode.is_none() {
        faults.push("/mode", "unknown_value", "one of: atomic, per_item");
    }
    mode
}

fn read(raw: &EntryInput, n: u32, at: &str, faults: &mut Faults) -> Option<NamedEntry> {
    let kind = one_of(faults, &format!("{at}/kind"), raw.kind.as_deref(), |text| {
        EntryKind::parse(text).filter(|kind| KINDS.contains(kind))
    });
    let effective_on = one_of(faults, &format!("{at}/effective_on"), raw.effective_on.as_deref(), |text| {
        text.parse::<Date>().ok().filter(|date| date.to_string() == text)
    });
    if !(2..=MAX_POSTINGS).contains(&raw.postings.len()) {
        let detail = format!("an entry has from 2 to {MAX_POSTINGS} postings");
        faults.push(format!("{at}/postings"), "invalid_count", detail);
    }
    let sides: Vec<Option<NamedPosting>> = (0..)
        .zip(raw.postings.iter().take(MAX_POSTINGS))
        .map(|(p, posting)| side(posting, &format!("{at}/postings/{p}"), faults))
        .collect();
    let postings = sides.into_iter().collect::<Option<Vec<_>>>()?;
    let sum = postings.iter().try_fold(0_i64, |sum, posting| sum.checked_add(posting.amount_minor));
    if !postings.is_empty() && sum != Some(0) {
        faults.push(format!("{at}/postings"), "not_balanced", "the postings of an entry sum to zero");
    }
    if !faults.0.is_empty() {
        return None;
    }
    Some(NamedEntry { n, kind: kind?, effective_on: effective_on?, postings })
}

fn one_of<T>(faults: &mut Faults, at: &str, text: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        faults.push(at, "required", "this field is required");
        return None;
    };
    let value = parse(text);
    if value.is_none() {
        faults.push(at, "unknown_value", "this is not such a value here");
    }
    value
}

fn side(raw: &PostingInput, at: &str, faults: &mut Faults) -> Option<NamedPosting> {
    let account = match (&raw.account_id, &raw.kind) {
        (Some(id), None) => {
            required(faults, &format!("{at}/account_id"), Some(id), AccountId::parse).map(NamedAccount::Id)
        }
        (None, Some(kind)) => key(raw, kind, at, faults).map(NamedAccount::Key),
        (Some(_), Some(_)) | (None, None) => {
            faults.push(format!("{at}/account_id"), "required", "name the account by its id, or by what it is");
            None
        }
    };
    let amount = raw.amount_minor.filter(|amount| *amount != 0 && amount.unsigned_abs() <= MOST_MINOR);
    if amount.is_none() {
        let code = if raw.amount_minor.is_none() { "required" } else { "amount_out_of_range" };
        faults.push(format!("{at}/amount"), code, "cents; debit positive, credit negative, never zero");
    }
    if raw.amount_minor.is_some() && raw.currency.as_deref() != Some("AUD") {
        faults.push(format!("{at}/amount/currency"), "unsupported_currency", "amounts are in AUD");
    }
    Some(NamedPosting { account: account?, amount_minor: amount? })
}

/// The largest amount of one posting: ten thousand entries of a hundred of them stay within 64 bits.
const MOST_MINOR: u64 = 1_000_000_000_000;

fn key(raw: &PostingInput, kind: &str, at: &str, faults: &mut Faults) -> Option<AccountKey> {
    let at = format!("{at}/account");
    let kind = one_of(faults, &format!("{at}/kind"), Some(kind), AccountKind::parse)?;
    let party_at = format!("{at}/party_id");
    let vertical_at = format!("{at}/vertical");
    let mut plain = |given: &Option<String>, pointer: &str| {
        if given.is_some() {
            faults.push(pointer, "not_wanted", "accounts of this kind have none");
        }
        given.is_none().then_some(())
    };
    let party: Option<Uuid> = match kind.apart() {
        Apart::Lines => {
            faults.push(format!("{at}/kind"), "account_of_lines", OF_LINES);
            return None;
        }
        Apart::Nothing | Apart::Vertical => plain(&raw.party_id, &party_at).map(|()| None)?,
        Apart::Provider { always: false } if raw.party_id.is_none() => None,
        Apart::Provider { .. } => {
            Some(required(faults, &party_at, raw.party_id.as_deref(), OrganisationId::parse)?.uuid())
        }
        Apart::BankAccount => Some(required(faults, &party_at, raw.party_id.as_deref(), BankAccountId::parse)?.uuid()),
    };
    let vertical: Option<VerticalId> = match kind.apart() {
        Apart::Vertical => {
            Some(vertical_id(required(faults, &vertical_at, raw.vertical.as_deref(), VerticalCode::parse)?))
        }
        Apart::Nothing | Apart::Provider { .. } | Apart::BankAccount | Apart::Lines if raw.vertical.is_some() => {
            faults.push(vertical_at, "not_wanted", "accounts of this kind have none");
            return None;
        }
        Apart::Nothing | Apart::Provider { .. } | Apart::BankAccount | Apart::Lines => None,
    };
    Some(AccountKey { kind, party, vertical })
}

/// Why accounts of payees and members are not written by hand.
pub const OF_LINES: &str = "what payees and members are owed follows from commission lines: correct the deal's facts, or record what became of the payout";

/// Where each account that entries name by id is named: entry, pointer.
#[must_use]
pub fn by_id(entries: &[NamedEntry], kind: ProposalKind) -> BTreeMap<AccountId, Vec<(u32, String)>> {
    let mut named: BTreeMap<AccountId, Vec<(u32, String)>> = BTreeMap::new();
    for entry in entries {
        for (p, posting) in entry.postings.iter().enumerate() {
            if let NamedAccount::Id(id) = posting.account {
                let at = format!("{}/postings/{p}/account_id", pointer(kind, entry.n));
                named.entry(id).or_default().push((entry.n, at));
            }
        }
    }
    named
}
