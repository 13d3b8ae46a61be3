//! A tax paper: what it says, as canonical JSON whose SHA-256 identifies it.
//!
//! Contents of an invoice: GST Act, s 29-70, with LI 2023/20 for one that the recipient writes: the words «Recipient
//! created tax invoice», names and ABNs of supplier and recipient, date of issue, description with quantity and price,
//! GST, total, extent to which the supplies are taxable, that the GST is payable by the supplier. Amounts are strings of
//! cents. The id of a paper is made of its digest (RFC 9562, version 8), so that an entry of the ledger whose source it
//! is commits to its bytes, and each paper names the digest of the one before, so that it commits to those as well.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::chain::paper::id_of;
use crate::kernel::Cents;
use crate::kernel::ids::{LineId, PayeeId, PayoutId, RctiAgreementId, TaxDocumentId};
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::{Currency, Digest, Instant};

/// What the first paper names as the digest before it is the digest of this.
pub const GENESIS: &[u8] = b"flip360/tax-documents/v1";
/// The version of every content so far.
pub const VERSION: u8 = 1;

/// The kinds of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A recipient created tax invoice.
    Rcti,
    /// A recipient created adjustment note.
    AdjustmentNote,
    /// What was paid, to somebody who is not registered for GST.
    RemittanceStatement,
    /// What was withheld of a payment because no ABN was quoted.
    PaymentSummary,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Rcti, Self::AdjustmentNote, Self::RemittanceStatement, Self::PaymentSummary];

    /// As it is stored and shown.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rcti => "rcti",
            Self::AdjustmentNote => "adjustment_note",
            Self::RemittanceStatement => "remittance_statement",
            Self::PaymentSummary => "payment_summary",
        }
    }

    /// Reads a kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == text)
    }

    /// What its numbers begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Rcti => "RCTI",
            Self::AdjustmentNote => "RCAN",
            Self::RemittanceStatement => "RS",
            Self::PaymentSummary => "PS",
        }
    }

    /// What stands at its head.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rcti => "Recipient created tax invoice",
            Self::AdjustmentNote => "Recipient created adjustment note",
            Self::RemittanceStatement => "Remittance statement",
            Self::PaymentSummary => "PAYG payment summary: withholding where ABN not quoted",
        }
    }

    /// What it says beside its figures.
    #[must_use]
    pub fn notes(self) -> Vec<String> {
        let notes: &[&str] = match self {
            Self::Rcti => &["The GST shown is payable by the supplier."],
            Self::AdjustmentNote => &[
                "This note decreases the price of the supplies on the invoices that it names.",
                "The GST shown is the amount by which the GST payable by the supplier decreases.",
            ],
            Self::RemittanceStatement => &["The supplier is not registered for GST; no GST is included."],
            Self::PaymentSummary => {
                &["The supplier quoted no ABN. The amount withheld is paid to the Australian Taxation Office."]
            }
        };
        notes.iter().map(|note| (*note).to_owned()).collect()
    }
}

/// The financial year of a date, by the year in which it ends: 2027 is FY27, 1 July 2026 to 30 June 2027.
#[must_use]
pub fn financial_year(on: Date) -> i32 {
    i32::from(on.year()) + i32::from(on.month() >= 7)
}

/// The number of a paper: `RCTI-FY27-000001`.
#[must_use]
pub fn number(kind: DocumentKind, financial_year: i32, serial: i32) -> String {
    format!("{}-FY{:02}-{serial:06}", kind.prefix(), financial_year.rem_euclid(100))
}

/// A party of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its ABN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abn: Option<String>,
    /// Its legal name.
    pub name: String,
}

/// One line of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentLine {
    /// The number of the invoice that it adjusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusts: Option<String>,
    /// What it is for.
    pub description: String,
    /// GST.
    pub gst: Cents,
    /// The commission line.
    pub line: LineId,
    /// The price, without GST.
    pub net: Cents,
    /// How many.
    pub quantity: u32,
    /// The date that governs the supply.
    pub supplied_on: Date,
    /// With GST.
    pub total: Cents,
    /// What was withheld.
    pub withheld: Cents,
}

/// What a paper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The agreement under which it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<RctiAgreementId>,
    /// AUD.
    pub currency: Currency,
    /// `wholly` or `not`: to what extent the supplies are taxable.
    pub extent_taxable: String,
    /// GST in all.
    pub gst: Cents,
    /// The day on which it is issued.
    pub issued_on: Date,
    /// What kind it is.
    pub kind: DocumentKind,
    /// The lines.
    pub lines: Vec<ContentLine>,
    /// Without GST, in all.
    pub net: Cents,
    /// What it says beside.
    pub notes: Vec<String>,
    /// Its number.
    pub number: String,
    /// The payee.
    pub payee: PayeeId,
    /// The payout that it goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<PayoutId>,
    /// The digest of the paper before.
    pub previous_sha256: Digest,
    /// Who receives the supply and writes the paper: we do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Party>,
    /// How GST is rounded.
    pub rounding: String,
    /// Its place among all papers, from 1 without gaps.
    pub seq: i64,
    /// Who supplies.
    pub supplier: Party,
    /// What stands at its head.
    pub title: String,
    /// With GST, in all.
    pub total: Cents,
    /// `tax_document`.
    pub r#type: String,
    /// [`VERSION`].
    pub v: u8,
    /// Withheld, in all.
    pub withheld: Cents,
}

impl Content {
    /// The canonical bytes.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// When the bytes are not a paper in canonical form.
    pub fn restore(bytes: &[u8]) -> Result<Self, JcsError> {
        let content: Self = serde_json::from_slice(bytes).map_err(|e| JcsError::Invalid(e.to_string()))?;
        if content.to_bytes()? == bytes { Ok(content) } else { Err(JcsError::NotCanonical) }
    }
}

/// A line of a paper as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLine {
    /// The commission line.
    pub line: LineId,
    /// Without GST.
    pub net_minor: i64,
    /// GST.
    pub gst_minor: i64,
    /// Withheld.
    pub withheld_minor: i64,
    /// The paper that it adjusts.
    pub adjusts: Option<TaxDocumentId>,
}

/// A paper as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxDocument {
    /// Its place among all papers.
    pub seq: i64,
    /// Its id.
    pub id: TaxDocumentId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its number.
    pub number: String,
    /// The financial year, by the year in which it ends.
    pub financial_year: i32,
    /// Its place among those of its kind and year, from 1 without gaps.
    pub serial: i32,
    /// The payee.
    pub payee: PayeeId,
    /// The payout that it goes with.
    pub payout: Option<PayoutId>,
    /// The agreement under which it is written.
    pub agreement: Option<RctiAgreementId>,
    /// The day on which it is issued, in Sydney.
    pub issued_on: Date,
    /// When it was written.
    pub issued_at: Instant,
    /// Without GST, in all.
    pub net_minor: i64,
    /// GST, in all.
    pub gst_minor: i64,
    /// Withheld, in all.
    pub withheld_minor: i64,
    /// Its lines.
    pub lines: Vec<DocumentLine>,
    /// The exact bytes.
    pub content: Vec<u8>,
    /// Their digest.
    pub sha256: Digest,
    /// The digest of the paper before.
    pub previous_sha256: Digest,
    /// Who may see it.
    pub visible_to: Vec<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_begin_in_july_and_numbers_carry_them() {
        for (on, year) in [
            (Date::constant(2026, 6, 30), 2026),
            (Date::constant(2026, 7, 1), 2027),
            (Date::constant(2027, 6, 30), 2027),
        ] {
            assert_eq!(financial_year(on), year);
        }
        assert_eq!(number(DocumentKind::Rcti, 2027, 1), "RCTI-FY27-000001");
        assert_eq!(number(DocumentKind::AdjustmentNote, 2100, 1_234_567), "RCAN-FY00-1234567");
    }

    #[test]
    fn an_id_is_made_of_the_digest() {
        let id = id_of(Digest::of(b"a paper")).uuid();
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        assert_ne!(id_of(Digest::of(b"a paper")), id_of(Digest::of(b"another")));
    }
}
