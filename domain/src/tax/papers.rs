//! The papers of a payout: an invoice, or a statement and a payment summary, over just what the payout taxes.
//!
//! A payout that pays again what came back brings no paper: what it pays was told when it first went out.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::decide::{LineFacts, TaxFacts, TaxedLine, TaxedPayment, Treatment};
use super::document::DocumentKind;
use super::issue::{self, Draft, DraftLine};
use crate::env::Env;
use crate::kernel::ids::{PayoutId, TaxDocumentId};
use crate::ledger::entry::{EntryDraft, EntryKind};
use crate::payouts::content::PlannedPayout;
use crate::payouts::payout::Payout;
use crate::payouts::plan::PlanInput;
use crate::store::{StoreError, UnitOfWork};

/// The papers of payouts, in their order. Who may see them is not known yet.
#[must_use]
pub fn drafts(payouts: &[PlannedPayout], input: &PlanInput<'_>) -> Vec<Draft> {
    let today = input.now.sydney_date();
    let taxed = input.taxed_now(payouts);
    let both = payouts.iter().zip(&taxed);
    both.filter_map(|(payout, taxed)| Some(of_payout(payout, taxed.as_ref()?, input.tax, today))).flatten().collect()
}

fn of_payout(payout: &PlannedPayout, taxed: &TaxedPayment, facts: &TaxFacts, today: Date) -> Vec<Draft> {
    if !taxed.tells() {
        return Vec::new();
    }
    let (kind, agreement) = match taxed.treatment {
        Treatment::Invoice(agreement) => (DocumentKind::Rcti, Some(agreement)),
        Treatment::Statement | Treatment::Withholding => (DocumentKind::RemittanceStatement, None),
    };
    let told = taxed.lines.iter().filter(|line| line.told_minor > 0);
    let lines: Vec<DraftLine> = told.map(|line| draft_line(line, facts.lines.get(&line.line), today)).collect();
    let first = Draft { kind, payee: payout.payee, payout: Some(payout.id), agreement, lines, visible_to: Vec::new() };
    let summary = Draft { kind: DocumentKind::PaymentSummary, ..first.clone() };
    let withheld = (taxed.withheld_minor() > 0).then_some(summary);
    std::iter::once(first).chain(withheld).collect()
}

fn draft_line(line: &TaxedLine, known: Option<&LineFacts>, today: Date) -> DraftLine {
    DraftLine {
        line: line.line,
        description: known.map(|facts| facts.description.clone()).unwrap_or_default(),
        supplied_on: known.map_or(today, |facts| facts.supplied_on),
        net_minor: line.told_minor,
        gst_minor: line.gst_minor,
        withheld_minor: line.withheld_minor,
        adjusts: None,
    }
}

/// Issues them: whoever sees a payout sees its papers, and an entry over GST names the invoice that says so.
///
/// # Errors
/// The failure of the store.
pub fn issue(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    mut drafts: Vec<Draft>,
    payouts: &[Payout],
    entries: &mut [EntryDraft],
) -> Result<(), StoreError> {
    let seen: BTreeMap<PayoutId, &Payout> = payouts.iter().map(|payout| (payout.planned.id, payout)).collect();
    for draft in &mut drafts {
        let payout = draft.payout.and_then(|id| seen.get(&id));
        draft.visible_to = payout.map(|payout| payout.visible_to.clone()).unwrap_or_default();
    }
    let documents = issue::issue(uow, env, &drafts)?;
    let invoices = documents.iter().filter(|document| document.kind == DocumentKind::Rcti);
    let of: BTreeMap<uuid::Uuid, TaxDocumentId> =
        invoices.filter_map(|document| Some((document.payout?.uuid(), document.id))).collect();
    for entry in entries.iter_mut().filter(|entry| entry.kind == EntryKind::Gst) {
        let invoice = of.get(&entry.source).ok_or_else(|| StoreError::Failed("GST without an invoice".into()))?;
        entry.source = invoice.uuid();
    }
    Ok(())
}
