//! Takes statements in: a debit settles the payouts of its file, a credit brings payouts back, in one transaction.
//!
//! Locks: own accounts, by id → the document's digest → payouts → lines → lanes → balances → ledger head. Bounds: a
//! fixed number of statements a bank statement.

use std::collections::{BTreeMap, BTreeSet};

use super::matching::{self, Target};
use super::repository::{KeptLine, KeptStatement, LineMatch};
use super::statement::{StatementFormat, StatementInput};
use crate::access::Scope;
use crate::env::Env;
use crate::kernel::ids::{BankAccountId, BankFileId, BankStatementId, BankStatementLineId, PayoutId};
use crate::kernel::{Digest, Faults};
use crate::payouts::BankAccount;
use crate::payouts::decide::require;
use crate::payouts::error::PayoutError;
use crate::payouts::outcome::{self, Came, Outcome};
use crate::store::UnitOfWork;

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveStatements {
    /// The account, where the caller says it.
    pub account: Option<BankAccountId>,
    /// How it is written.
    pub format: StatementFormat,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its statements.
    pub statements: Vec<StatementInput>,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its statements.
    pub statements: Vec<KeptStatement>,
    /// Whether it was taken in now.
    pub is_new: bool,
}

/// Takes a document in, once.
///
/// # Errors
/// See [`PayoutError`].
pub fn receive(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ReceiveStatements) -> Result<Received, PayoutError> {
    require(env, Scope::PayoutsExecute)?;
    let accounts = whose(&uow.bank().accounts()?, command)?;
    let mut locked: BTreeMap<BankAccountId, BankAccount> = BTreeMap::new();
    for id in accounts.iter().copied().collect::<BTreeSet<_>>() {
        let account = uow.bank().lock_account(id)?.ok_or(PayoutError::BankAccountNotFound)?;
        locked.insert(id, account);
    }
    let sha256 = Digest::of(&command.bytes);
    if !uow.bank().insert_document(sha256, command.format, &command.bytes)? {
        return Ok(Received { statements: uow.bank().statements_of(sha256)?, is_new: false });
    }
    let mut statements = Vec::with_capacity(command.statements.len());
    for ((input, id), n) in command.statements.iter().zip(&accounts).zip(1_u32..) {
        let Some(account) = locked.get(id) else { return Err(PayoutError::BankAccountNotFound) };
        statements.push(one(uow, env, account, (input, command.format, sha256, n))?);
    }
    Ok(Received { statements, is_new: true })
}

/// The account of each statement.
fn whose(own: &[BankAccount], command: &ReceiveStatements) -> Result<Vec<BankAccountId>, PayoutError> {
    let mut faults = Faults::default();
    let mut found = Vec::new();
    for (n, statement) in command.statements.iter().enumerate() {
        statement.check(n, &mut faults);
        let is_of = |account: &&BankAccount| {
            let details = &account.details;
            statement.account.is_none() || statement.is_of(&details.bsb.compact(), details.account.as_str())
        };
        let asked = |account: &&BankAccount| command.account.is_none_or(|id| id == account.id);
        let mut fitting = own.iter().filter(is_of).filter(asked);
        match (fitting.next(), fitting.next()) {
            (Some(account), None) => found.push(account.id),
            (None, _) => faults.push(format!("/statements/{n}/account"), "not_found", "it is of none of our accounts"),
            (Some(_), Some(_)) => {
                faults.push(format!("/statements/{n}/account"), "ambiguous", "say of which of our accounts it is");
            }
        }
    }
    faults.check().map_err(PayoutError::Faults)?;
    Ok(found)
}

fn one(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    account: &BankAccount,
    (input, format, sha256, n): (&StatementInput, StatementFormat, Digest, u32),
) -> Result<KeptStatement, PayoutError> {
    let id = BankStatementId::new(env.ids.next());
    let lines: Vec<KeptLine> = input
        .lines
        .iter()
        .zip(1_u32..)
        .map(|(line, n)| KeptLine {
            id: BankStatementLineId::new(env.ids.next()),
            statement: id,
            account: account.id,
            n,
            booked_on: line.booked_on,
            amount_minor: line.amount_minor,
            text: line.text.clone(),
            matches: Vec::new(),
        })
        .collect();
    let mut kept = KeptStatement {
        id,
        account: account.id,
        sha256,
        n,
        format,
        reference: input.reference.clone(),
        from_on: input.from_on,
        to_on: input.to_on,
        opening_minor: input.opening_minor,
        closing_minor: input.closing_minor,
        lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        matched: 0,
        created_by: env.actor.id,
        created_at: env.now,
    };
    uow.bank().append_statement(&kept, &lines)?;
    let found = match_lines(uow, account, &lines)?;
    kept.matched = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let booked: Vec<(&KeptLine, &[Target])> =
        lines.iter().filter_map(|line| Some((line, found.get(&line.id)?.as_slice()))).collect();
    apply(uow, env, &booked, None)?;
    Ok(kept)
}

fn match_lines(
    uow: &mut dyn UnitOfWork,
    account: &BankAccount,
    lines: &[KeptLine],
) -> Result<BTreeMap<BankStatementLineId, Vec<Target>>, PayoutError> {
    let dates = lines.iter().map(|line| line.booked_on);
    let (Some(first), Some(last)) = (dates.clone().min(), dates.max()) else { return Ok(BTreeMap::new()) };
    let references: BTreeSet<String> =
        lines.iter().filter(|line| line.amount_minor > 0).flat_map(|line| matching::references(&line.text)).collect();
    let candidates = uow.bank().candidates(account.id, (first, last), &references.into_iter().collect::<Vec<_>>())?;
    let words = [account.description.as_str(), account.user_name.as_str(), account.user_number.as_str()];
    let words: Vec<String> =
        words.iter().map(|word| word.to_ascii_uppercase()).filter(|word| !word.is_empty()).collect();
    let open: Vec<_> = lines.iter().map(Into::into).collect();
    Ok(matching::find(&open, &candidates, &words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Writes down what lines are, and moves what that moves; `by` names who says so, and why.
pub(super) fn apply(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    found: &[(&KeptLine, &[Target])],
    by: Option<&str>,
) -> Result<(), PayoutError> {
    let files: BTreeMap<BankFileId, &KeptLine> = found
        .iter()
        .flat_map(|(line, targets)| targets.iter().map(move |target| (target, *line)))
        .filter_map(|(target, line)| match target {
            Target::File(file) => Some((*file, line)),
            Target::Payout(_) | Target::Return(_) => None,
        })
        .collect();
    let of_files = uow.bank().payouts_of(&files.keys().copied().collect::<Vec<_>>())?;
    let mut outcomes: Vec<Outcome> = of_files
        .into_iter()
        .filter_map(|(file, payout)| files.get(&file).map(|line| said(env, line, payout, Came::Through)))
        .collect();
    for (line, targets) in found {
        outcomes.extend(targets.iter().filter_map(|target| match target {
            Target::Payout(payout) => {
                Some(said(env, line, *payout, Came::Back { reason: "bank_statement".to_owned() }))
            }
            Target::File(_) | Target::Return(_) => None,
        }));
    }
    let (through, back): (Vec<Outcome>, Vec<Outcome>) =
        outcomes.into_iter().partition(|outcome| outcome.came == Came::Through);
    // One statement may hold the debit of a file and, later on, a credit that takes part of it back.
    outcome::record(uow, env, &through)?;
    outcome::record(uow, env, &back)?;
    let matches: Vec<LineMatch> = found
        .iter()
        .flat_map(|(line, targets)| targets.iter().map(|target| (line.id, *target)))
        .map(|(line, target)| LineMatch {
            line,
            target: Some(target),
            by: by.map(|_| env.actor.id),
            at: env.now,
            reason: by.map(str::to_owned),
        })
        .collect();
    uow.bank().append_matches(&matches)?;
    Ok(())
}

fn said(env: &Env<'_>, line: &KeptLine, payout: PayoutId, came: Came) -> Outcome {
    // A bank that books ahead does not move the books ahead.
    Outcome { payout, came, effective_on: line.booked_on.min(env.now.sydney_date()), source: line.id.uuid() }
}
