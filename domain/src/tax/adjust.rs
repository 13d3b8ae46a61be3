//! Adjustment notes: an invoice is never edited; what is clawed back of it is told by a note that copies its treatment.
//!
//! A line that has come to less than papers told of it is adjusted from its newest paper backwards. GST is rounded on
//! the absolute amount and then takes the sign (payouts.md); whoever takes back all that is left of an invoice takes
//! back all that is left of its GST, so that a full clawback is the exact mirror. What a statement without GST told
//! needs no note. GST goes where the money lies: off what is unpaid, else to what is to be got back. Deregistration
//! changes nothing (GSTR 2000/10). Bound: lines that carry GST; a fixed number of statements for any number of lines.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::document::DocumentKind;
use super::issue::{self, Draft, DraftLine};
use super::rates;
use super::repository::Told;
use crate::access::ownership;
use crate::env::Env;
use crate::kernel::ids::{EntryId, LineId, PayeeId};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::line::CommissionLine;
use crate::store::{StoreError, UnitOfWork};

/// What a note takes back of one paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// Which of the papers.
    pub at: usize,
    /// Without GST, in cents, positive.
    pub net_minor: i64,
    /// GST, in cents, positive or nought.
    pub gst_minor: i64,
}

/// What of these papers (newest first) is taken back when their line has come to `value_minor`.
#[must_use]
pub fn taken_back(told: &[Told], value_minor: i64, on: jiff::civil::Date) -> Vec<TakenBack> {
    let documented: i64 = told.iter().map(|paper| paper.net_minor).sum();
    let mut excess = (documented - value_minor).max(0);
    let mut taken = Vec::new();
    for (at, paper) in told.iter().enumerate() {
        let net_minor = excess.min(paper.net_minor);
        if net_minor <= 0 {
            continue;
        }
        excess -= net_minor;
        if paper.kind != DocumentKind::Rcti {
            continue;
        }
        let all = net_minor == paper.net_minor;
        let gst_minor = if all { paper.gst_minor } else { rates::gst_on(net_minor, on).min(paper.gst_minor) };
        taken.push(TakenBack { at, net_minor, gst_minor });
    }
    taken
}

/// Writes the notes of lines that were just corrected, takes their GST off, and gives the entries that do so, which are
/// to be posted after those of the correction.
///
/// # Errors
/// The failure of the store.
pub fn clawed_back(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    lines: &mut [CommissionLine],
) -> Result<Vec<EntryDraft>, StoreError> {
    let ids: Vec<LineId> = lines.iter().filter(|line| line.gst_minor > 0).map(|line| line.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut told: BTreeMap<LineId, Vec<Told>> = BTreeMap::new();
    for paper in uow.tax().list_told(&ids)? {
        told.entry(paper.line).or_default().push(paper);
    }
    let facts = uow.tax().list_line_facts(&ids)?;
    let today = env.now.sydney_date();
    let mut notes: BTreeMap<PayeeId, (Draft, Vec<Posting>)> = BTreeMap::new();
    for line in lines.iter_mut() {
        let (Some(papers), Some(payee)) = (told.get(&line.id), line.payee) else { continue };
        let taken = taken_back(papers, line.earned_minor - line.clawed_back_minor, today);
        if taken.is_empty() {
            continue;
        }
        let (draft, postings) = notes.entry(payee).or_insert_with(|| (note(payee), Vec::new()));
        for back in taken {
            let paper = &papers[back.at];
            if let Some(posted) = line.remove_gst(back.gst_minor) {
                postings.extend(posted);
            }
            draft.lines.push(DraftLine {
                line: line.id,
                description: facts.get(&line.id).map(|f| f.description.clone()).unwrap_or_default(),
                supplied_on: facts.get(&line.id).map_or(today, |f| f.supplied_on),
                net_minor: -back.net_minor,
                gst_minor: -back.gst_minor,
                withheld_minor: 0,
                adjusts: Some((paper.document, paper.number.clone())),
            });
        }
        let seen = ownership::of_line_entry(&line.visible_to, line.member);
        draft.visible_to.extend(seen);
    }
    write(uow, env, notes)
}

fn note(payee: PayeeId) -> Draft {
    Draft {
        kind: DocumentKind::AdjustmentNote,
        payee,
        payout: None,
        agreement: None,
        lines: Vec::new(),
        visible_to: Vec::new(),
    }
}

/// Issues papers and gives the entries over their GST.
pub(super) fn write(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    papers: BTreeMap<PayeeId, (Draft, Vec<Posting>)>,
) -> Result<Vec<EntryDraft>, StoreError> {
    let (mut drafts, postings): (Vec<Draft>, Vec<Vec<Posting>>) = papers.into_values().unzip();
    for draft in &mut drafts {
        draft.visible_to.sort_unstable();
        draft.visible_to.dedup();
    }
    let documents = issue::issue(uow, env, &drafts)?;
    let entries = documents.iter().zip(postings).filter(|(_, postings)| !postings.is_empty());
    Ok(entries.map(|(document, postings)| entry(env, document.id.uuid(), document, postings)).collect())
}

fn entry(env: &Env<'_>, source: Uuid, document: &super::TaxDocument, postings: Vec<Posting>) -> EntryDraft {
    EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::Gst,
        deal: None,
        payee: Some(document.payee),
        source,
        effective_on: document.issued_on,
        postings,
        visible_to: document.visible_to.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::TaxDocumentId;

    fn told(n: u128, kind: DocumentKind, net_minor: i64, gst_minor: i64) -> Told {
        Told {
            line: LineId::new(Uuid::from_u128(1)),
            document: TaxDocumentId::new(Uuid::from_u128(n)),
            number: n.to_string(),
            kind,
            net_minor,
            gst_minor,
        }
    }

    #[test]
    fn the_newest_invoice_is_adjusted_first_and_a_full_clawback_mirrors_it() {
        use DocumentKind::{Rcti, RemittanceStatement};
        let on = jiff::civil::Date::constant(2026, 11, 29);
        let two = [told(2, Rcti, 105, 11), told(1, Rcti, 1_005, 101)];
        let mixed = [told(2, Rcti, 500, 50), told(1, RemittanceStatement, 1_000, 0)];
        let stated_last = [told(2, RemittanceStatement, 500, 0), told(1, Rcti, 1_000, 100)];
        type Row<'a> = (&'a str, &'a [Told], i64, &'a [(usize, i64, i64)]);
        let table: [Row<'_>; 8] = [
            ("nothing is clawed back", &two, 1_110, &[]),
            ("it has come to more", &two, 2_000, &[]),
            ("a part: 5 of 10.5 %, rounded on the absolute amount", &two, 1_105, &[(0, 5, 1)]),
            ("all of the newest, its GST to the cent", &two, 1_005, &[(0, 105, 11)]),
            ("into the older one", &two, 500, &[(0, 105, 11), (1, 505, 51)]),
            ("everything mirrors", &two, 0, &[(0, 105, 11), (1, 1_005, 101)]),
            ("what a statement told needs no note", &mixed, 400, &[(0, 500, 50)]),
            ("a newer statement gives first", &stated_last, 900, &[(1, 100, 10)]),
        ];
        for (name, papers, value, wanted) in table {
            let found = taken_back(papers, value, on);
            let found: Vec<(usize, i64, i64)> = found.iter().map(|t| (t.at, t.net_minor, t.gst_minor)).collect();
            assert_eq!(found, wanted, "{name}");
        }
    }
}
