//! Takes a file of returned payments in: what came back is `available` again, in one transaction.
//!
//! Locks: payees → payouts → the file's digest → lines → lanes → balances → ledger head. Bounds: a fixed number of statements.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::file::{self, ReturnCode, ReturnedItem};
use super::matching::{self, Candidate};
use super::repository::{BankReturn, KeptItem};
use crate::access::Scope;
use crate::env::Env;
use crate::kernel::ids::{BankReturnId, PayoutId};
use crate::kernel::{Digest, Faults};
use crate::payouts::decide::require;
use crate::payouts::error::PayoutError;
use crate::payouts::outcome::{self, Came, Outcome};
use crate::store::UnitOfWork;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveReturns {
    bytes: Vec<u8>,
    items: Vec<ReturnedItem>,
}

impl ReceiveReturns {
    /// Reads the file.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Faults> {
        Ok(Self { items: file::read(&bytes)?, bytes })
    }
}

/// What became of a file: whether it was new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The file as it is kept.
    pub kept: BankReturn,
    /// Whether it was taken in now.
    pub is_new: bool,
}

/// Takes it in, once.
///
/// # Errors
/// See [`PayoutError`].
pub fn receive(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ReceiveReturns) -> Result<Received, PayoutError> {
    require(env, Scope::PayoutsExecute)?;
    let references: BTreeSet<String> = command.items.iter().map(|item| item.reference.clone()).collect();
    let candidates = uow.returns().lock_by_reference(&references.into_iter().collect::<Vec<_>>())?;
    let (items, back) = matched(&command.items, &candidates);
    let sum = |all: bool| items.iter().filter(|i| all || i.payout.is_ok()).map(|i| i.amount_minor).sum::<i64>();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let kept = BankReturn {
        id: BankReturnId::new(env.ids.next()),
        sha256: Digest::of(&command.bytes),
        items: count(items.len()),
        matched: count(back.len()),
        total_minor: sum(true),
        matched_minor: sum(false),
        created_by: env.actor.id,
        created_at: env.now,
    };
    if !uow.returns().insert_return(&kept, &command.bytes)? {
        let kept = uow.returns().find_return(kept.sha256)?.ok_or(PayoutError::ReturnNotFound)?;
        return Ok(Received { kept, is_new: false });
    }
    uow.returns().append_items(kept.id, &items)?;
    let today = env.now.sydney_date();
    let outcomes: Vec<Outcome> = back
        .iter()
        .map(|(payout, (code, item, _))| Outcome {
            payout: *payout,
            came: Came::Back { reason: code.code().to_owned() },
            // A bank that dates its file ahead does not move the books ahead.
            effective_on: item.returned_on.min(today),
            source: kept.id.uuid(),
        })
        .collect();
    outcome::record(uow, env, &outcomes)?;
    let blocked: Vec<(Uuid, ReturnCode)> = back
        .values()
        .filter(|(code, ..)| code.blocks_details())
        .filter_map(|(code, _, details)| details.map(|details| (details, *code)))
        .collect();
    uow.returns().block_details(&blocked, kept.id.uuid(), env.now)?;
    Ok(Received { kept, is_new: true })
}

/// A payout that came back: why, by which item, and to which bank details it had gone.
type Back<'i> = BTreeMap<PayoutId, (ReturnCode, &'i ReturnedItem, Option<Uuid>)>;

fn matched<'i>(items: &'i [ReturnedItem], candidates: &[Candidate]) -> (Vec<KeptItem>, Back<'i>) {
    let by: BTreeMap<&str, &Candidate> = candidates.iter().map(|c| (c.reference.as_str(), c)).collect();
    let mut back = Back::new();
    let kept = items.iter().zip(1_u32..).map(|(item, n)| {
        let payout = matching::of(item, by.get(item.reference.as_str()).copied()).and_then(|candidate| {
            // Twice in one file is once.
            if back.contains_key(&candidate.payout) {
                return Err(matching::Unmatched::AlreadyReturned);
            }
            back.insert(candidate.payout, (item.code, item, candidate.details));
            Ok(candidate.payout)
        });
        KeptItem {
            n,
            code: item.code,
            amount_minor: item.amount_minor,
            reference: item.reference.clone(),
            returned_on: item.returned_on,
            payout,
        }
    });
    let kept = kept.collect();
    (kept, back)
}
