//! From a calculation to the ledger: target minus posted, per line, as new entries.
//!
//! Nothing is ever edited. What was posted for a line stands; the difference to what the corrected
//! facts come to is posted now, apart for what is earned (`accrual`, later `adjustment`) and what is
//! taken back (`clawback`, or `adjustment` when a clawback is undone).

use jiff::civil::Date;
use uuid::Uuid;

use super::account::{AccountKey, AccountKind};
use super::entry::{EntryDraft, EntryKind, Posting};
use super::line::{Buckets, CommissionLine};
use crate::access::ownership;
use crate::agreements::evaluate::{CalculationOutput, Line};
use crate::kernel::id::IdSource;
use crate::kernel::ids::{CalculationId, DealId, EntryId, LineId, MemberId, OrganisationId, PayeeId, VerticalId};

/// What the entries of a deal need to know of it.
pub struct DealAccounts<'a> {
    /// The deal.
    pub deal: DealId,
    /// Who pays commission in.
    pub provider: OrganisationId,
    /// Through whom its members earn.
    pub introducer: OrganisationId,
    /// Where revenue and expense are kept.
    pub vertical: VerticalId,
    /// The calculation that the target comes from.
    pub calculation: CalculationId,
    /// The business date of the accrual.
    pub earned_on: Date,
    /// The business date of the clawback.
    pub clawed_back_on: Date,
    /// Who may see the lines and entries.
    pub visible_to: &'a [Uuid],
}

/// Lines as they stand after, and the entries that bring them there.
#[derive(Debug, Default)]
pub struct Accrual {
    /// Only lines that changed or are new.
    pub lines: Vec<CommissionLine>,
    /// In the order in which they are to be posted.
    pub drafts: Vec<EntryDraft>,
}

/// Works out the difference. `posted` are the lines so far of the deal itself, or of the period of its trail that the
/// target is of; `payee_of` tells who is paid for a
/// member's new lines.
#[must_use]
pub fn difference(
    deal: &DealAccounts<'_>,
    posted: Vec<CommissionLine>,
    target: &CalculationOutput,
    payee_of: impl Fn(MemberId) -> Option<PayeeId>,
    ids: &dyn IdSource,
) -> Accrual {
    let first = posted.iter().all(|line| line.earned_minor == 0);
    let mut lines = posted;
    for wanted in &target.lines {
        if !lines.iter().any(|line| line.component == wanted.component && line.role == wanted.role) {
            lines.push(opened(deal, wanted, &payee_of, ids));
        }
    }
    let mut earned = Sides::default();
    let mut taken = Sides::default();
    let mut changed = Vec::new();
    for mut line in lines {
        let wanted = target.lines.iter().find(|t| t.component == line.component && t.role == line.role);
        let (earned_minor, clawed_back_minor) = wanted.map_or((0, 0), |t| (t.earned.minor(), t.clawed_back.minor()));
        let more_earned = earned_minor - line.earned_minor;
        let more_taken = clawed_back_minor - line.clawed_back_minor;
        if more_earned == 0 && more_taken == 0 {
            continue;
        }
        earned.owe(&mut line, more_earned);
        taken.owe(&mut line, -more_taken);
        (line.earned_minor, line.clawed_back_minor) = (earned_minor, clawed_back_minor);
        line.payable_on = wanted.map_or(line.payable_on, |t| t.payable_on);
        line.calculation = deal.calculation;
        changed.push(line);
    }
    let earned_kind = if first { EntryKind::Accrual } else { EntryKind::Adjustment };
    let taken_kind = if taken.owed_minor <= 0 { EntryKind::Clawback } else { EntryKind::Adjustment };
    let mut drafts = Vec::new();
    drafts.extend(earned.draft(deal, earned_kind, deal.earned_on, ids));
    drafts.extend(taken.draft(deal, taken_kind, deal.clawed_back_on, ids));
    Accrual { lines: changed, drafts }
}

fn opened(
    deal: &DealAccounts<'_>,
    wanted: &Line,
    payee_of: impl Fn(MemberId) -> Option<PayeeId>,
    ids: &dyn IdSource,
) -> CommissionLine {
    let visible_to = ownership::of_line(deal.introducer, wanted.participant);
    CommissionLine {
        id: LineId::new(ids.next()),
        deal: deal.deal,
        component: wanted.component.clone(),
        role: wanted.role,
        member: wanted.participant,
        payee: wanted.participant.and_then(payee_of),
        period: wanted.period,
        funding_rule: wanted.funding_rule,
        payable_on: wanted.payable_on,
        earned_minor: 0,
        clawed_back_minor: 0,
        gst_minor: 0,
        buckets: Buckets::default(),
        calculation: deal.calculation,
        visible_to,
    }
}

/// The postings of one entry while they are gathered.
#[derive(Default)]
struct Sides {
    /// More owed by the provider (C).
    owed_minor: i64,
    /// More owed to payees (P).
    expense_minor: i64,
    payees: Vec<Posting>,
}

impl Sides {
    /// Owes a line so much more, or less when negative.
    fn owe(&mut self, line: &mut CommissionLine, more_minor: i64) {
        self.owed_minor += more_minor;
        if line.is_platform() || more_minor == 0 {
            return;
        }
        self.expense_minor += more_minor;
        self.payees.extend(if more_minor > 0 { line.give(more_minor) } else { line.take(-more_minor) });
    }

    fn draft(self, deal: &DealAccounts<'_>, kind: EntryKind, on: Date, ids: &dyn IdSource) -> Option<EntryDraft> {
        let plain = |account, amount_minor| Posting { account, amount_minor, line: None };
        let receivable = AccountKey::of_party(AccountKind::ProviderReceivable, deal.provider.uuid());
        let revenue = AccountKey::of_vertical(AccountKind::CommissionRevenue, deal.vertical);
        let expense = AccountKey::of_vertical(AccountKind::CommissionExpense, deal.vertical);
        let mut postings = vec![
            plain(receivable, self.owed_minor),
            plain(revenue, -self.owed_minor),
            plain(expense, self.expense_minor),
        ];
        postings.retain(|posting| posting.amount_minor != 0);
        postings.extend(self.payees);
        (!postings.is_empty()).then(|| EntryDraft {
            id: EntryId::new(ids.next()),
            kind,
            deal: Some(deal.deal),
            payee: None,
            source: deal.calculation.uuid(),
            effective_on: on,
            postings,
            visible_to: deal.visible_to.to_vec(),
        })
    }
}
