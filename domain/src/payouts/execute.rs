//! Execution: the approved content becomes entries, payouts and bank files, in one transaction.
//!
//! Locks, in this order: run → payees → lines → head of the papers → lanes → balances → ledger head. Whoever comes second finds
//! the run executed and gets the same outcome. If what lies available no longer fits what was approved,
//! nothing moves: the run goes back to previewed with a new content, and its approval is void. Bounds: a
//! fixed number of statements for each [`PART`] payees; everything is looked at before anything is written; at most 16,383 lines a payee, since the postings of an entry are numbered
//! in 16 bits.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::bank_file;
use super::command::OnRun;
use super::content::PlannedPayout;
use super::decide;
use super::error::PayoutError;
use super::part::{Bounds, PART, Part};
use super::payout::Payout;
use super::plan::{self, Discrepancy};
use super::repository::PayeeStanding;
use super::retry;
use super::run::{PayoutRun, RunState, TransitionError};
use crate::access::{Scope, ownership};
use crate::directory::bank::BankDetails;
use crate::env::Env;
use crate::events::data::PayoutMoved;
use crate::events::{EventKind, NewEvent};
use crate::kernel::ids::{EntryId, LineId, OrganisationId, PayeeId, PayoutRunId};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::line::{CommissionLine, LineError};
use crate::ledger::posting;
use crate::store::{StoreError, UnitOfWork};
use crate::tax::papers;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// The money is on its way, by this or an earlier call.
    Done(PayoutRun),
    /// Nothing moved: the approval is void, and these are the reasons.
    Voided(PayoutRun, Vec<Discrepancy>),
}

/// Executes an approved run. A run that is executed already comes back as it is.
///
/// # Errors
/// See [`PayoutError`].
pub fn execute(uow: &mut dyn UnitOfWork, env: &Env<'_>, on: &OnRun) -> Result<Execution, PayoutError> {
    let anyhow = OnRun { version: None, ..*on };
    let run = decide::locked(uow, env, Scope::PayoutsExecute, &anyhow)?;
    match run.state {
        RunState::Executed { .. } => return Ok(Execution::Done(run)),
        RunState::Approved { .. } => {}
        _ => return Err(TransitionError::WrongState { from: run.state.code(), to: "executed" }.into()),
    }
    if on.version.is_some_and(|version| version != run.version) {
        return Err(PayoutError::Stale(run.version));
    }
    let account = uow.payouts().find_bank_account(run.bank_account)?.ok_or(PayoutError::BankAccountNotFound)?;
    let bounds = Bounds { run: run.id, account: &account, cut_off_on: run.cut_off_on };
    let payouts = &run.content.content().payouts;
    uow.payouts().lock_payees(&payees_of(payouts), &lines_of(payouts))?;
    let looked = looked_over(uow, env, bounds, payouts)?;
    if !looked.found.is_empty() {
        return voided(uow, env, run, &account, looked.found);
    }
    let dated = account.header_date.on(env.now.sydney_date());
    let files = bank_file::make(&account, dated, run.content.content(), &looked.details, env.ids)?;
    let run = run.execute(decide::act(env), files.iter().map(|file| file.about).collect())?;
    uow.payouts().update_run(&run)?;
    uow.payouts().append_step(&decide::step(env, &run, "executed", None))?;
    uow.events().append(&[decide::moved(env, EventKind::RunExecuted, &run)?])?;
    let mut drafts = Vec::new();
    for payouts in run.content.content().payouts.chunks(PART) {
        drafts.extend(write(uow, env, bounds, payouts)?);
    }
    uow.payouts().append_files(run.id, &files, env.now)?;
    drop(files);
    posting::post(uow, env, drafts)?;
    Ok(Execution::Done(run))
}

/// What a look at everything before anything is written came to.
#[derive(Default)]
struct LookedOver {
    /// What stands in the way.
    found: Vec<Discrepancy>,
    /// The bank details of payees, by their ids.
    details: BTreeMap<Uuid, BankDetails>,
}

fn looked_over(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    bounds: Bounds<'_>,
    payouts: &[PlannedPayout],
) -> Result<LookedOver, PayoutError> {
    let mut looked = LookedOver::default();
    for payouts in payouts.chunks(PART) {
        let part = Part::of(uow, &payees_of(payouts))?;
        looked.found.extend(plan::discrepancies(payouts, &part.input(env, bounds)));
        looked.details.extend(part.standings.into_iter().filter_map(|s| s.bank).map(|bank| (bank.id, bank.details)));
    }
    Ok(looked)
}

fn payees_of(payouts: &[PlannedPayout]) -> Vec<PayeeId> {
    payouts.iter().map(|payout| payout.payee).collect()
}

/// Every line that payouts change.
fn lines_of(payouts: &[PlannedPayout]) -> Vec<LineId> {
    let sent = payouts.iter().flat_map(|payout| payout.lines.iter().map(|share| share.line));
    sent.chain(payouts.iter().flat_map(|payout| payout.settled.iter().map(|settled| settled.line))).collect()
}

/// Writes some payouts with their lines, papers and events. What they post is left to the caller: the ledger's locks come
/// after those of all papers.
fn write(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    bounds: Bounds<'_>,
    payouts: &[PlannedPayout],
) -> Result<Vec<EntryDraft>, PayoutError> {
    let part = Part::of(uow, &payees_of(payouts))?;
    let papers = papers::drafts(payouts, &part.input(env, bounds));
    let Moved { payouts, lines, mut drafts } = move_money(env, bounds.run, payouts, &part.standings, part.lines)?;
    uow.payouts().append_payouts(&payouts, env.now)?;
    uow.ledger().save_lines(&lines)?;
    papers::issue(uow, env, papers, &payouts, &mut drafts)?;
    let told: Vec<NewEvent> = payouts.iter().map(|payout| initiated(env, payout)).collect::<Result<_, _>>()?;
    uow.events().append(&told)?;
    Ok(drafts)
}

fn initiated(env: &Env<'_>, payout: &Payout) -> Result<NewEvent, StoreError> {
    let planned = &payout.planned;
    let data = PayoutMoved {
        payout_id: planned.id,
        run_id: payout.run,
        payee_id: planned.payee,
        amount_minor: planned.net.0,
        reference: planned.reference.to_string(),
    };
    NewEvent::new(env, EventKind::PayoutInitiated, planned.id.uuid(), &data, &payout.visible_to)
}

/// Takes the approval back and works the content out anew.
fn voided(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    run: PayoutRun,
    account: &super::BankAccount,
    found: Vec<Discrepancy>,
) -> Result<Execution, PayoutError> {
    let reason = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let content = match retry::retried(run.content.content()) {
        Some(payout) => retry::worked_out(uow, env, run.id, account, payout)?,
        None => decide::worked_out(uow, env, run.id, account, run.cut_off_on)?,
    };
    let run = run.void(reason.clone(), content)?;
    let run = decide::written(uow, env, run, EventKind::RunVoided, "voided", Some(&reason))?;
    Ok(Execution::Voided(run, found))
}

/// What some payouts write.
#[derive(Default)]
struct Moved {
    payouts: Vec<Payout>,
    /// Only those that changed.
    lines: Vec<CommissionLine>,
    drafts: Vec<EntryDraft>,
}

fn move_money(
    env: &Env<'_>,
    run: PayoutRunId,
    payouts: &[PlannedPayout],
    standings: &[PayeeStanding],
    lines: Vec<CommissionLine>,
) -> Result<Moved, LineError> {
    let organisations: BTreeMap<PayeeId, OrganisationId> = standings.iter().map(|s| (s.id, s.organisation)).collect();
    let mut lines: BTreeMap<LineId, CommissionLine> = lines.into_iter().map(|line| (line.id, line)).collect();
    let mut moved = Moved::default();
    for planned in payouts {
        let mut touched = Vec::new();
        let (mut gst, mut withholding, mut recovery, mut sending) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for share in &planned.lines {
            let line = at(&mut lines, share.line, share.sent.0 + share.set_off.0 + share.withheld.0)?;
            if share.gst.0 > 0 {
                gst.extend(line.add_gst(share.gst.0)?);
            }
            if share.withheld.0 > 0 {
                withholding.extend(line.withhold(share.withheld.0)?);
            }
            if share.set_off.0 > 0 {
                recovery.push(line.set_off(share.set_off.0)?);
            }
            if share.sent.0 > 0 {
                sending.extend(line.send(share.sent.0)?);
            }
            touched.push(share.line);
        }
        for settled in &planned.settled {
            recovery.push(at(&mut lines, settled.line, settled.amount.0)?.settle(settled.amount.0)?);
            touched.push(settled.line);
        }
        let members = touched.iter().filter_map(|id| lines.get(id)?.member);
        let visible_to = ownership::of_payout(organisations.get(&planned.payee).copied(), members);
        moved.drafts.extend(draft(env, planned, EntryKind::Gst, gst, &visible_to));
        moved.drafts.extend(draft(env, planned, EntryKind::Withholding, withholding, &visible_to));
        moved.drafts.extend(draft(env, planned, EntryKind::ClawbackRecovery, recovery, &visible_to));
        moved.drafts.extend(draft(env, planned, EntryKind::PayoutInitiated, sending, &visible_to));
        moved.lines.extend(touched.iter().filter_map(|id| lines.get(id).cloned()));
        moved.payouts.push(Payout { run, planned: planned.clone(), visible_to });
    }
    moved.lines.sort_by_key(|line| line.id);
    moved.lines.dedup_by_key(|line| line.id);
    Ok(moved)
}

fn at(
    lines: &mut BTreeMap<LineId, CommissionLine>,
    line: LineId,
    amount_minor: i64,
) -> Result<&mut CommissionLine, LineError> {
    lines.get_mut(&line).ok_or(LineError { line, amount_minor })
}

fn draft(
    env: &Env<'_>,
    planned: &PlannedPayout,
    kind: EntryKind,
    postings: Vec<Posting>,
    visible_to: &[uuid::Uuid],
) -> Option<EntryDraft> {
    (!postings.is_empty()).then(|| EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind,
        deal: None,
        payee: Some(planned.payee),
        source: planned.id.uuid(),
        effective_on: env.now.sydney_date(),
        postings,
        visible_to: visible_to.to_vec(),
    })
}
