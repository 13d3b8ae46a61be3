//! Invoices that no payment has brought about: an invoice that the recipient writes is due within 28 days of the day on
//! which the value is determined, paid or not (LI 2023/20, cl 4; GSTR 2000/10).
//!
//! The value of a line is determined when it is first posted. Lines of payees that are registered at supply and issue,
//! with an agreement in force, are invoiced; those for which that does not hold wait for somebody, as they do in a run.
//! GST goes where the line lies: off what is to be got back, else to what is on hold, in dispute or available. Locks:
//! payees → lines → head of the papers → lanes → balances → ledger head. Bound: [`BATCH`] lines a transaction.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use uuid::Uuid;

use super::decide::{self, Payable, Supplier, Treatment};
use super::document::DocumentKind;
use super::issue::{Draft, DraftLine};
use super::{adjust, service};
use crate::access::ownership;
use crate::env::Env;
use crate::kernel::Instant;
use crate::kernel::ids::PayeeId;
use crate::ledger::entry::Posting;
use crate::ledger::line::CommissionLine;
use crate::ledger::posting::{self, PostError};
use crate::store::UnitOfWork;

/// Days from the determination of the value to the invoice.
pub const DAYS: i64 = 28;
/// Lines in one call, at most.
pub const BATCH: u32 = 500;

/// Invoices what is due of the lines after an id. Gives the id to go on after, or nothing when there are no more.
///
/// # Errors
/// See [`PostError`].
pub fn invoice(uow: &mut dyn UnitOfWork, env: &Env<'_>, after: Uuid) -> Result<Option<Uuid>, PostError> {
    let by = env.now.timestamp().checked_sub(SignedDuration::from_hours(24 * DAYS)).map_or(env.now, Instant::new);
    let due = uow.tax().list_due_lines(by, after, BATCH)?;
    let Some(last) = due.last().copied() else { return Ok(None) };
    let named = uow.tax().list_payees_of(&due)?;
    let standings = uow.payouts().lock_standings(&named)?;
    let mut lines = uow.ledger().lock_lines_by_id(&due)?;
    let facts = service::facts(uow, &named, &due)?;
    let today = env.now.sydney_date();
    let mut papers: BTreeMap<PayeeId, (Draft, Vec<Posting>)> = BTreeMap::new();
    for line in &mut lines {
        let standing = standings.iter().find(|standing| Some(standing.id) == line.payee);
        let Some(standing) = standing else { continue };
        let supplier = Supplier { id: standing.id, abn: standing.abn, gst: &standing.gst };
        let taxed = decide::of_payment(supplier, &[whole(line)], &facts, today);
        let (Treatment::Invoice(agreement), [one]) = (taxed.treatment, taxed.lines.as_slice()) else { continue };
        if one.told_minor == 0 {
            continue;
        }
        let (draft, postings) = papers.entry(standing.id).or_insert_with(|| {
            let draft = Draft {
                kind: DocumentKind::Rcti,
                payee: standing.id,
                payout: None,
                agreement: Some(agreement),
                lines: Vec::new(),
                visible_to: Vec::new(),
            };
            (draft, Vec::new())
        });
        let known = facts.lines.get(&line.id);
        draft.lines.push(DraftLine {
            line: line.id,
            description: known.map(|f| f.description.clone()).unwrap_or_default(),
            supplied_on: known.map_or(today, |f| f.supplied_on),
            net_minor: one.told_minor,
            gst_minor: one.gst_minor,
            withheld_minor: 0,
            adjusts: None,
        });
        draft.visible_to.extend(ownership::of_line_entry(&line.visible_to, line.member));
        postings.extend(line.owe_gst(one.gst_minor));
    }
    let drafts = adjust::write(uow, env, papers)?;
    uow.ledger().save_lines(&lines)?;
    posting::post(uow, env, drafts)?;
    Ok(Some(last.uuid()))
}

/// All that a line has come to, paid or not.
const fn whole(line: &CommissionLine) -> Payable {
    let value_minor = line.earned_minor - line.clawed_back_minor;
    Payable { line: line.id, available_minor: value_minor, value_minor }
}
