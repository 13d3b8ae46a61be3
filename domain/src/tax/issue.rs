//! Issuing papers: numbers without a gap, digests in a chain, in the transaction of what they tell of.
//!
//! Everybody who issues takes the lock of the head first, so that numbers come without a gap: a transaction that fails
//! gives its numbers back. The lock comes after those of lines and before those of lanes and balances. Each paper is
//! logged with it ([`logged`]). Bounds: a fixed number of statements for any number of papers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::document::{
    Content, ContentLine, DocumentKind, DocumentLine, Party, TaxDocument, VERSION, financial_year, id_of, number,
};
use super::logged::{self, Loggable};
use super::repository::{DocumentHead, Parties};
use crate::env::Env;
use crate::events::data::TaxDocumentIssued;
use crate::events::{EventKind, NewEvent};
use crate::kernel::Cents;
use crate::kernel::ids::{LineId, PayeeId, PayoutId, RctiAgreementId, TaxDocumentId};
use crate::kernel::{Currency, Digest};
use crate::store::{StoreError, UnitOfWork};

/// A line of a paper that is to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftLine {
    /// The commission line.
    pub line: LineId,
    /// What it is for.
    pub description: String,
    /// The date that governs the supply.
    pub supplied_on: Date,
    /// Without GST.
    pub net_minor: i64,
    /// GST.
    pub gst_minor: i64,
    /// Withheld.
    pub withheld_minor: i64,
    /// The paper that it adjusts, and its number.
    pub adjusts: Option<(TaxDocumentId, String)>,
}

/// A paper that is to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What kind.
    pub kind: DocumentKind,
    /// For whom.
    pub payee: PayeeId,
    /// The payout that it goes with.
    pub payout: Option<PayoutId>,
    /// The agreement under which it is written.
    pub agreement: Option<RctiAgreementId>,
    /// Its lines.
    pub lines: Vec<DraftLine>,
    /// Who may see it.
    pub visible_to: Vec<Uuid>,
}

/// Issues papers in their order. Gives them back in the same order.
///
/// # Errors
/// The failure of the store.
pub fn issue(uow: &mut dyn UnitOfWork, env: &Env<'_>, drafts: &[Draft]) -> Result<Vec<TaxDocument>, StoreError> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let year = financial_year(env.now.sydney_date());
    let payees: Vec<PayeeId> = drafts.iter().map(|draft| draft.payee).collect();
    let parties = uow.tax().find_parties(&payees)?;
    let mut head = uow.tax().lock_head()?;
    let mut unlogged = logged::behind(uow, &head)?;
    let mut serials: BTreeMap<DocumentKind, i32> = uow.tax().list_serials(year)?.into_iter().collect();
    let mut documents = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let serial = serials.entry(draft.kind).or_default();
        *serial += 1;
        documents.push(written(env, draft, &parties, &mut head, (year, *serial))?);
    }
    head.logged_seq = Some(head.last_seq);
    uow.tax().append_documents(&documents, &head)?;
    unlogged.extend(documents.iter().map(Loggable::from));
    logged::log(uow, env, &unlogged)?;
    let told: Vec<NewEvent> = documents.iter().map(|document| issued(env, document)).collect::<Result<_, _>>()?;
    uow.events().append(&told)?;
    Ok(documents)
}

/// What listeners hear of a paper: whoever may see it.
fn issued(env: &Env<'_>, document: &TaxDocument) -> Result<NewEvent, StoreError> {
    let data = TaxDocumentIssued {
        tax_document_id: document.id,
        kind: document.kind.code(),
        number: document.number.clone(),
        payee_id: document.payee,
        payout_id: document.payout,
        issued_on: document.issued_on,
        net_minor: document.net_minor,
        gst_minor: document.gst_minor,
        withheld_minor: document.withheld_minor,
        sha256: document.sha256,
    };
    NewEvent::new(env, EventKind::TaxDocumentIssued, document.id.uuid(), &data, &document.visible_to)
}

fn written(
    env: &Env<'_>,
    draft: &Draft,
    parties: &Parties,
    head: &mut DocumentHead,
    (year, serial): (i32, i32),
) -> Result<TaxDocument, StoreError> {
    let (seq, previous_sha256, issued_on) = (head.last_seq + 1, head.last_sha256, env.now.sydney_date());
    let sum = |pick: fn(&DraftLine) -> i64| draft.lines.iter().map(pick).sum::<i64>();
    let (net, gst, withheld) = (sum(|l| l.net_minor), sum(|l| l.gst_minor), sum(|l| l.withheld_minor));
    let content = Content {
        agreement: draft.agreement,
        currency: Currency::Aud,
        extent_taxable: extent(draft.kind).to_owned(),
        gst: Cents(gst),
        issued_on,
        kind: draft.kind,
        lines: draft.lines.iter().map(content_line).collect(),
        net: Cents(net),
        notes: draft.kind.notes(),
        number: number(draft.kind, year, serial),
        payee: draft.payee,
        payout: draft.payout,
        previous_sha256,
        recipient: parties.recipient.clone(),
        rounding: "half_up_per_line".to_owned(),
        seq,
        supplier: parties.suppliers.get(&draft.payee).cloned().unwrap_or_else(unnamed),
        title: draft.kind.title().to_owned(),
        total: Cents(net + gst),
        r#type: "tax_document".to_owned(),
        v: VERSION,
        withheld: Cents(withheld),
    };
    let bytes = content.to_bytes().map_err(|e| StoreError::Failed(e.to_string()))?;
    let sha256 = Digest::of(&bytes);
    (head.last_seq, head.last_sha256) = (seq, sha256);
    Ok(TaxDocument {
        seq,
        id: id_of(sha256),
        kind: draft.kind,
        number: content.number,
        financial_year: year,
        serial,
        payee: draft.payee,
        payout: draft.payout,
        agreement: draft.agreement,
        issued_on,
        issued_at: env.now,
        net_minor: net,
        gst_minor: gst,
        withheld_minor: withheld,
        lines: draft.lines.iter().map(kept_line).collect(),
        content: bytes,
        sha256,
        previous_sha256,
        visible_to: draft.visible_to.clone(),
    })
}

const fn extent(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Rcti | DocumentKind::AdjustmentNote => "wholly",
        DocumentKind::RemittanceStatement | DocumentKind::PaymentSummary => "not",
    }
}

/// A payee whose name was erased is named by nothing.
fn unnamed() -> Party {
    Party { abn: None, name: String::new() }
}

fn content_line(line: &DraftLine) -> ContentLine {
    ContentLine {
        adjusts: line.adjusts.as_ref().map(|(_, number)| number.clone()),
        description: line.description.clone(),
        gst: Cents(line.gst_minor),
        line: line.line,
        net: Cents(line.net_minor),
        quantity: 1,
        supplied_on: line.supplied_on,
        total: Cents(line.net_minor + line.gst_minor),
        withheld: Cents(line.withheld_minor),
    }
}

fn kept_line(line: &DraftLine) -> DocumentLine {
    DocumentLine {
        line: line.line,
        net_minor: line.net_minor,
        gst_minor: line.gst_minor,
        withheld_minor: line.withheld_minor,
        adjusts: line.adjusts.as_ref().map(|(id, _)| *id),
    }
}
