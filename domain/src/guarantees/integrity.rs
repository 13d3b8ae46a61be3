//! Integrity: entries balance, nothing is missing, hashes and the log recompute, counters begin where they ended.
//!
//! The log is audited as a mirror is ([`crate::chain::audit`]); then every checkpoint's root is worked out
//! from the leaf hashes, in one walk, so that each is shown to extend the one before. Every entry is
//! read back from its bytes and compared with its columns, its postings and its leaf.

use std::collections::BTreeMap;

use super::PAGE;
use super::repository::{Check, EntryEvidence, PostingEvidence};
use super::tally::Tally;
use crate::chain::audit;
use crate::chain::checkpoint::{Checkpoint, TreeHead};
use crate::chain::leaf::{self, Leaf, LeafKind};
use crate::chain::merkle::Frontier;
use crate::chain::mirror::LiveLog;
use crate::chain::trust::Trust;
use crate::kernel::ids::AccountId;
use crate::kernel::{Digest, Instant};
use crate::ledger::logged::LoggedEntry;
use crate::ledger::posting::GENESIS;
use crate::store::{Queries, StoreError};

pub(super) fn check(queries: &mut dyn Queries, trust: &Trust, at: Instant) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let totals = queries.guarantees().totals()?;
    tally.cover("leaves_pending", totals.pending_leaves);
    let checks = [
        Check::LeafStalled,
        Check::LeafDiffers,
        Check::LeafWithoutRow,
        Check::DealStage,
        Check::CounterChain,
        Check::EntryUnapproved,
        Check::EntryInClosedPeriod,
        Check::PaperUnlogged,
        Check::PaperStatement,
    ];
    for check in checks {
        tally.check(queries.guarantees(), check, at)?;
    }
    log(queries, trust, &mut tally)?;
    checkpoints(queries, trust, &mut tally)?;
    ledger(queries, trust, &mut tally)?;
    Ok(tally)
}

fn log(queries: &mut dyn Queries, trust: &Trust, tally: &mut Tally) -> Result<(), StoreError> {
    if queries.chain().find_newest_note()?.is_none() {
        return Ok(());
    }
    let audited = audit::audit(trust.log(), &LiveLog::new(queries.chain()), &mut |_, _| ())
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    tally.cover("leaves", audited.leaves);
    tally.cover("lanes", audited.lanes);
    tally.cover("tiles", audited.tiles);
    for difference in audited.differences {
        let id = difference.index.map_or_else(|| "log".to_owned(), |index| format!("leaf {index}"));
        tally.broken(id, difference.code, difference.detail);
    }
    Ok(())
}

/// Walks the leaves once and compares each checkpoint with the root at its size.
fn checkpoints(queries: &mut dyn Queries, trust: &Trust, tally: &mut Tally) -> Result<(), StoreError> {
    let mut frontier = Frontier::new();
    let mut after = None;
    tally.cover("checkpoints", 0);
    loop {
        let page = queries.guarantees().checkpoints(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.size);
        tally.cover("checkpoints", page.len() as u64);
        for checkpoint in &page {
            let id = format!("checkpoint {}", checkpoint.size);
            grow(queries, &mut frontier, checkpoint.size)?;
            if frontier.size() != checkpoint.size {
                let detail = format!("there are only {} leaves", frontier.size());
                tally.broken(id, "checkpoint_without_leaves", detail);
                continue;
            }
            if frontier.root() != checkpoint.root {
                let detail = format!("its root is {}, the leaves give {}", checkpoint.root, frontier.root());
                tally.broken(&id, "checkpoint_differs", detail);
            }
            let head = TreeHead { size: checkpoint.size, root: checkpoint.root };
            let said = Checkpoint { origin: trust.origin().to_owned(), head };
            if said.body().as_bytes() != checkpoint.body {
                tally.broken(&id, "checkpoint_text_differs", "its text is not that of its size and root");
            }
            let note = checkpoint.note.as_deref().map(String::from_utf8_lossy);
            match note.map(|note| Checkpoint::open(&note, trust.log())) {
                None => tally.cover("checkpoints_unsigned", 1),
                Some(Ok(signed)) if signed == said => {}
                Some(Ok(_)) => tally.broken(&id, "checkpoint_note_differs", "something else was signed"),
                Some(Err(error)) => tally.broken(&id, "checkpoint_not_trusted", error.to_string()),
            }
        }
    }
}

fn grow(queries: &mut dyn Queries, frontier: &mut Frontier, size: u64) -> Result<(), StoreError> {
    const LEAVES: u64 = 4_096;
    while frontier.size() < size {
        let end = size.min(frontier.size() + LEAVES);
        let hashes = queries.chain().leaf_hashes(frontier.size(), end)?;
        if hashes.is_empty() {
            break;
        }
        frontier.append_batch(&hashes);
    }
    Ok(())
}

/// Where each account stands while the entries are walked.
#[derive(Default)]
struct Books {
    accounts: BTreeMap<AccountId, (i64, i64)>,
    entries: u64,
    postings: u64,
}

fn ledger(queries: &mut dyn Queries, trust: &Trust, tally: &mut Tally) -> Result<(), StoreError> {
    let mut books = Books::default();
    let (mut seq, mut previous) = (0, Digest::of(GENESIS));
    loop {
        let page = queries.guarantees().entries(seq, PAGE)?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
        let mut postings: BTreeMap<i64, Vec<PostingEvidence>> = BTreeMap::new();
        for posting in queries.guarantees().postings(first.seq, last.seq)? {
            postings.entry(posting.entry_seq).or_default().push(posting);
        }
        for entry in &page {
            let id = entry.id.to_string();
            if entry.seq != seq + 1 {
                tally.broken(&id, "sequence_gap", format!("entry {} follows entry {seq}", entry.seq));
            }
            if entry.previous_sha256 != previous {
                tally.broken(&id, "hash_chain_broken", format!("entry {} does not name the hash before it", entry.seq));
            }
            let sides = postings.remove(&entry.seq).unwrap_or_default();
            compare(tally, trust, entry, &sides);
            books.post(tally, &id, &sides);
            (seq, previous) = (entry.seq, entry.sha256);
        }
    }
    let head = queries.guarantees().ledger_head()?;
    if (head.last_seq, head.last_sha256) != (seq, previous) {
        tally.broken(format!("entry {seq}"), "head_differs", format!("the head says entry {}", head.last_seq));
    }
    books.close(queries, tally)
}

/// Bytes, columns, postings and leaf of one entry say the same.
fn compare(tally: &mut Tally, trust: &Trust, entry: &EntryEvidence, sides: &[PostingEvidence]) {
    let id = entry.id.to_string();
    if Digest::of(&entry.canonical) != entry.sha256 {
        tally.broken(&id, "hash_differs", "its hash is not that of its bytes");
    }
    let logged = match LoggedEntry::parse(&entry.canonical) {
        Ok(logged) => logged,
        Err(error) => return tally.broken(id, "entry_malformed", error.to_string()),
    };
    let columns_agree = logged.seq == entry.seq
        && logged.id == entry.id
        && logged.kind == entry.kind
        && logged.deal == entry.deal
        && logged.payee == entry.payee
        && logged.source == entry.source
        && logged.effective_on == entry.effective_on
        && logged.recorded_at == entry.recorded_at
        && logged.previous_sha256 == entry.previous_sha256
        && logged.log == trust.origin();
    if !columns_agree {
        tally.broken(&id, "entry_differs", "its columns are not what its bytes say");
    }
    if !logged.balances() {
        tally.broken(&id, "entry_unbalanced", "its postings do not sum to zero");
    }
    let said = logged.postings.iter().map(|p| (p.account, p.amount_minor(), p.line));
    if !said.eq(sides.iter().map(|p| (p.account, Some(p.amount_minor), p.line))) {
        tally.broken(&id, "postings_differ", "its postings are not what its bytes say");
    }
    let [bytes] = entry.leaves.as_slice() else {
        return tally.broken(id, "entry_not_logged_once", format!("it has {} leaves", entry.leaves.len()));
    };
    let commits = Leaf::parse(bytes)
        .is_ok_and(|l| l.kind == LeafKind::LedgerEntry && l.commitment == leaf::commitment(&entry.canonical));
    if !commits {
        tally.broken(id, "leaf_differs", "its leaf commits to something else");
    }
}

impl Books {
    fn post(&mut self, tally: &mut Tally, id: &str, sides: &[PostingEvidence]) {
        self.entries += 1;
        self.postings += sides.len() as u64;
        for side in sides {
            let (balance_minor, account_seq) = self.accounts.entry(side.account).or_default();
            *balance_minor = balance_minor.saturating_add(side.amount_minor);
            *account_seq += 1;
            if (side.balance_after_minor, side.account_seq) != (*balance_minor, *account_seq) {
                let detail = format!("{} stands at {balance_minor} after posting {account_seq}", side.account);
                tally.broken(id, "running_balance_differs", detail);
                // Goes on from what is written, so that one wrong posting is one counterexample.
                (*balance_minor, *account_seq) = (side.balance_after_minor, side.account_seq);
            }
        }
    }

    fn close(mut self, queries: &mut dyn Queries, tally: &mut Tally) -> Result<(), StoreError> {
        tally.cover("entries", self.entries);
        tally.cover("postings", self.postings);
        let balances = queries.guarantees().balances()?;
        tally.cover("accounts", balances.len() as u64);
        for balance in balances {
            let posted = self.accounts.remove(&balance.account).unwrap_or_default();
            if (balance.balance_minor, balance.account_seq) != posted {
                let detail = format!("its balance is {}, its postings come to {}", balance.balance_minor, posted.0);
                tally.broken(balance.account.to_string(), "balance_differs", detail);
            }
        }
        for account in self.accounts.into_keys() {
            tally.broken(account.to_string(), "balance_differs", "it has postings and no balance");
        }
        Ok(())
    }
}
