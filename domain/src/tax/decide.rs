//! What a payment owes in tax: a pure function of who is paid, for what, on which day.
//!
//! Of each line only what no paper has told before is taxed, so that a payment that came back and goes out again
//! carries no second GST and nothing is withheld of it twice. GST needs registration at the supply (the date that
//! governs the line) and at issue: where the two differ, the line is left out for somebody to look at. Whoever is
//! registered is paid with an invoice that we write, which needs an agreement in force (LI 2023/20). Whoever has no ABN
//! has tax withheld, unless the payment is small or a supplier's statement is on file. The base of withholding is the
//! payment before clawbacks are set off: what is set off is paid too (TAA 1953, sch 1, s 11-5; assumed for set-off, so
//! dated with the rates).

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::facts::{RctiAgreement, SupplierStatement};
use super::rates;
use crate::directory::number::Abn;
use crate::directory::payee::GstTimeline;
use crate::kernel::ids::{LineId, PayeeId, RctiAgreementId};

/// What is known of the payees and lines of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxFacts {
    /// Whether we have a name and an ABN to write invoices under.
    pub recipient: bool,
    /// Agreements and statements by payee.
    pub payees: BTreeMap<PayeeId, PayeePapers>,
    /// Supply and papers by line; a line that is missing was never documented and is supplied on the day of issue.
    pub lines: BTreeMap<LineId, LineFacts>,
}

/// What a payee has agreed to and stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayeePapers {
    /// Agreements that we write its invoices.
    pub agreements: Vec<RctiAgreement>,
    /// Statements why no ABN is quoted.
    pub statements: Vec<SupplierStatement>,
}

/// What tax needs to know of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFacts {
    /// The date that governs it.
    pub supplied_on: Date,
    /// What papers have told of it so far, without GST, less what adjustment notes took back.
    pub documented_minor: i64,
    /// What it is for, in words.
    pub description: String,
}

/// A line that is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payable {
    /// The line.
    pub line: LineId,
    /// What is available of it, in cents.
    pub available_minor: i64,
    /// What it has come to, without GST: earned less clawed back.
    pub value_minor: i64,
}

/// Who is paid.
#[derive(Debug, Clone, Copy)]
pub struct Supplier<'a> {
    /// The payee.
    pub id: PayeeId,
    /// Its ABN.
    pub abn: Option<Abn>,
    /// Its registration for GST.
    pub gst: &'a GstTimeline,
}

/// How a payment is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// By an invoice that we write, with GST.
    Invoice(RctiAgreementId),
    /// By a statement: no GST, nothing withheld.
    Statement,
    /// By a statement, and a payment summary of what is withheld.
    Withholding,
}

/// A line with its tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxedLine {
    /// The line.
    pub line: LineId,
    /// What is available of it.
    pub available_minor: i64,
    /// What a paper tells of it for the first time, without GST.
    pub told_minor: i64,
    /// GST on that.
    pub gst_minor: i64,
    /// What is withheld of that.
    pub withheld_minor: i64,
}

impl TaxedLine {
    /// What is left to pay or to set off.
    #[must_use]
    pub const fn payable_minor(&self) -> i64 {
        self.available_minor + self.gst_minor - self.withheld_minor
    }
}

/// Why a line is not paid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaxException {
    /// Registered for GST at the supply and not at issue, or the other way round.
    GstStatusChanged,
    /// Registered, and nobody agreed that we write the invoice.
    RctiAgreementMissing,
    /// We have no ABN to write an invoice under.
    RecipientUnknown,
}

/// A payment with its tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxedPayment {
    /// How it is documented.
    pub treatment: Treatment,
    /// What is paid, in the order in which it was given.
    pub lines: Vec<TaxedLine>,
    /// What is not, and why.
    pub left_out: Vec<(Payable, TaxException)>,
}

impl TaxedPayment {
    /// A payment whose tax was done when it was paid the first time.
    #[must_use]
    pub fn without_tax(payables: &[Payable]) -> Self {
        let line = |payable: &Payable| TaxedLine {
            line: payable.line,
            available_minor: payable.available_minor,
            told_minor: 0,
            gst_minor: 0,
            withheld_minor: 0,
        };
        Self { treatment: Treatment::Statement, lines: payables.iter().map(line).collect(), left_out: Vec::new() }
    }

    /// What is available, without tax of this payment.
    #[must_use]
    pub fn gross_minor(&self) -> i64 {
        self.lines.iter().map(|line| line.available_minor).sum()
    }

    /// GST that it adds.
    #[must_use]
    pub fn gst_minor(&self) -> i64 {
        self.lines.iter().map(|line| line.gst_minor).sum()
    }

    /// What it withholds.
    #[must_use]
    pub fn withheld_minor(&self) -> i64 {
        self.lines.iter().map(|line| line.withheld_minor).sum()
    }

    /// Whether a paper is to be written.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.lines.iter().any(|line| line.told_minor > 0)
    }
}

/// Works out the tax of a payment to one payee, issued on a date.
#[must_use]
pub fn of_payment(supplier: Supplier<'_>, payables: &[Payable], facts: &TaxFacts, issued_on: Date) -> TaxedPayment {
    let nothing = PayeePapers::default();
    let papers = facts.payees.get(&supplier.id).unwrap_or(&nothing);
    let registered = supplier.gst.registered_on(issued_on);
    let agreement = papers.agreements.iter().find(|agreement| agreement.in_force_on(issued_on));
    let mut lines = Vec::with_capacity(payables.len());
    let mut left_out = Vec::new();
    for payable in payables {
        let known = facts.lines.get(&payable.line);
        let told_minor = untold(payable, known.map_or(0, |line| line.documented_minor));
        let supplied_on = known.map_or(issued_on, |line| line.supplied_on);
        let exception = if told_minor == 0 {
            None
        } else if supplier.gst.registered_on(supplied_on) != registered {
            Some(TaxException::GstStatusChanged)
        } else if registered && agreement.is_none() {
            Some(TaxException::RctiAgreementMissing)
        } else if registered && !facts.recipient {
            Some(TaxException::RecipientUnknown)
        } else {
            None
        };
        match exception {
            Some(exception) => left_out.push((*payable, exception)),
            None => lines.push(TaxedLine {
                line: payable.line,
                available_minor: payable.available_minor,
                told_minor,
                gst_minor: if registered { rates::gst_on(told_minor, issued_on) } else { 0 },
                withheld_minor: 0,
            }),
        }
    }
    let treatment = match agreement.filter(|_| registered) {
        Some(agreement) => Treatment::Invoice(agreement.id),
        None if supplier.abn.is_none() && withholds(papers, &lines, issued_on) => {
            for line in &mut lines {
                line.withheld_minor = rates::withheld_of(line.told_minor, issued_on);
            }
            Treatment::Withholding
        }
        None => Treatment::Statement,
    };
    TaxedPayment { treatment, lines, left_out }
}

/// What no paper has told of a line that is to be paid.
fn untold(payable: &Payable, documented_minor: i64) -> i64 {
    payable.available_minor.min(payable.value_minor - documented_minor).max(0)
}

/// Whether something is withheld of a payment to somebody without an ABN.
fn withholds(papers: &PayeePapers, lines: &[TaxedLine], issued_on: Date) -> bool {
    let payment_minor: i64 = lines.iter().map(|line| line.told_minor).sum();
    let stated = papers.statements.iter().any(|statement| statement.holds_on(issued_on));
    payment_minor > 0 && !stated && !rates::is_too_small(payment_minor, issued_on)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
