//! Matches a line by hand: to what the platform could not find, or to an explanation.
//!
//! What a line can be is [`HandTarget`]: a kind more is a variant more here and in [`Target`]. A match by hand moves what
//! the same match found by the platform would move, and is never taken back. Amounts must agree to the cent.

use super::matching::Target;
use super::receive;
use super::repository::{KeptLine, LineMatch};
use crate::access::Scope;
use crate::directory::required;
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::ids::{BankFileId, BankStatementLineId, PayoutId};
use crate::payouts::decide::require;
use crate::payouts::error::PayoutError;
use crate::store::{StoreError, UnitOfWork};

/// What somebody says that a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandTarget {
    /// The debit of a bank file.
    File(BankFileId),
    /// A payout that came back.
    Payout(PayoutId),
    /// Something that has nothing to do with payouts.
    Explained,
}

/// Matches a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchLine {
    /// The line.
    pub line: BankStatementLineId,
    /// What it is.
    pub target: HandTarget,
    /// Why.
    pub reason: Grounds,
}

impl MatchLine {
    /// Reads `/bank_file_id` or `/payout_id`, or neither, and `/reason`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(
        line: BankStatementLineId,
        file: Option<&str>,
        payout: Option<&str>,
        reason: Option<&str>,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let reason = required(&mut faults, "/reason", reason, Grounds::parse);
        let file = file.map(|text| faults.keep("/bank_file_id", BankFileId::parse(text)));
        let payout = payout.map(|text| faults.keep("/payout_id", PayoutId::parse(text)));
        let target = match (file, payout) {
            (Some(file), None) => file.map(HandTarget::File),
            (None, Some(payout)) => payout.map(HandTarget::Payout),
            (None, None) => Some(HandTarget::Explained),
            (Some(_), Some(_)) => {
                faults.push("/payout_id", "not_together", "a line is a bank file or a payout, not both");
                None
            }
        };
        faults.clone().check()?;
        let (Some(target), Some(reason)) = (target, reason) else { return Err(faults) };
        Ok(Self { line, target, reason })
    }
}

/// Matches a line that is unmatched.
///
/// # Errors
/// See [`PayoutError`]: not found, matched already, another amount.
pub fn match_line(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &MatchLine) -> Result<KeptLine, PayoutError> {
    require(env, Scope::PayoutsExecute)?;
    let line = uow.bank().find_line(command.line)?.ok_or(PayoutError::LineNotFound)?;
    if !line.matches.is_empty() {
        return Err(PayoutError::LineMatched);
    }
    let (target, amount_minor, pointer) = match command.target {
        HandTarget::Explained => {
            let explained = LineMatch {
                line: line.id,
                target: None,
                by: Some(env.actor.id),
                at: env.now,
                reason: Some(command.reason.as_str().to_owned()),
            };
            uow.bank().append_matches(std::slice::from_ref(&explained))?;
            return Ok(KeptLine { matches: vec![explained], ..line });
        }
        HandTarget::File(file) => {
            (Target::File(file), uow.bank().file_total(line.account, file)?.map(|total| -total), "/bank_file_id")
        }
        HandTarget::Payout(payout) => {
            (Target::Payout(payout), uow.bank().payout_amount(line.account, payout)?, "/payout_id")
        }
    };
    let mut faults = Faults::default();
    match amount_minor {
        None => faults.push(pointer, "not_found", "there is none such of this account"),
        Some(amount_minor) if amount_minor != line.amount_minor => {
            faults.push(pointer, "other_amount", "it is over another amount than the line");
        }
        Some(_) => {}
    }
    faults.check().map_err(PayoutError::Faults)?;
    match receive::apply(uow, env, &[(&line, &[target])], Some(command.reason.as_str())) {
        Err(PayoutError::Store(StoreError::Violates(rule))) if rule == "bank_line_matched_once" => {
            Err(PayoutError::LineMatched)
        }
        outcome => outcome.map(|()| {
            let (by, reason) = (Some(env.actor.id), Some(command.reason.as_str().to_owned()));
            KeptLine {
                matches: vec![LineMatch { line: line.id, target: Some(target), by, at: env.now, reason }],
                ..line
            }
        }),
    }
}
