//! The ports of tax.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::decide::{LineFacts, PayeePapers};
use super::document::{DocumentKind, Party, TaxDocument};
use super::facts::{GstFact, RctiAgreement, SupplierStatement};
use super::logged::Loggable;
use super::remit::TaxRemittance;
use super::report::{QuarterTotals, WithheldFrom};
use crate::kernel::ids::{LineId, PayeeId, PayoutId, RctiAgreementId, TaxDocumentId, TaxRemittanceId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// Where the papers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentHead {
    /// The place of the last one; 0 before the first.
    pub last_seq: i64,
    /// Its digest.
    pub last_sha256: Digest,
    /// The place of the last one that was logged; none before papers were.
    pub logged_seq: Option<i64>,
}

/// Who stands on papers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parties {
    /// We: the operator, if there is one.
    pub recipient: Option<Party>,
    /// The payees.
    pub suppliers: BTreeMap<PayeeId, Party>,
}

/// What a paper told of a line, less what adjustment notes took back of it; newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The line.
    pub line: LineId,
    /// The paper.
    pub document: TaxDocumentId,
    /// Its number.
    pub number: String,
    /// Its kind.
    pub kind: DocumentKind,
    /// Left of it, without GST.
    pub net_minor: i64,
    /// Left of its GST.
    pub gst_minor: i64,
}

/// Tax, inside a transaction. The payee is locked before anything of it is written.
pub trait TaxRepository {
    /// Adds a fact of a payee's registration for GST.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_gst_fact(&mut self, id: Uuid, payee: PayeeId, fact: &GstFact, by: Uuid) -> Result<(), StoreError>;

    /// The facts of a payee's registration, as they came.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_gst_facts(&mut self, payee: PayeeId) -> Result<Vec<GstFact>, StoreError>;

    /// Keeps an agreement.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_rcti_agreement(&mut self, agreement: &RctiAgreement, by: Uuid) -> Result<(), StoreError>;

    /// Keeps the end of an agreement.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_rcti_end(&mut self, id: RctiAgreementId, on: Date, by: Uuid, at: Instant) -> Result<(), StoreError>;

    /// Keeps a supplier's statement.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_supplier_statement(&mut self, statement: &SupplierStatement, by: Uuid) -> Result<(), StoreError>;

    /// Agreements and statements of payees.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_papers(&mut self, payees: &[PayeeId]) -> Result<BTreeMap<PayeeId, PayeePapers>, StoreError>;

    /// What tax needs to know of lines.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_line_facts(&mut self, lines: &[LineId]) -> Result<BTreeMap<LineId, LineFacts>, StoreError>;

    /// What papers have told of lines, the newest paper of each line first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_told(&mut self, lines: &[LineId]) -> Result<Vec<Told>, StoreError>;

    /// Who stands on papers for these payees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_parties(&mut self, payees: &[PayeeId]) -> Result<Parties, StoreError>;

    /// Locks the head of the papers: whoever issues waits here.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_head(&mut self) -> Result<DocumentHead, StoreError>;

    /// The last number of each kind in a financial year.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_serials(&mut self, financial_year: i32) -> Result<Vec<(DocumentKind, i32)>, StoreError>;

    /// Keeps papers, their numbers and the head after them.
    ///
    /// # Errors
    /// The rules of the database, by name.
    fn append_documents(&mut self, documents: &[TaxDocument], head: &DocumentHead) -> Result<(), StoreError>;

    /// The papers after a place, in their order.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_papers_after(&mut self, seq: i64) -> Result<Vec<Loggable>, StoreError>;

    /// Keeps what the leaves of papers commit to. Their leaves wait in the log already.
    ///
    /// # Errors
    /// `tax_document_is_logged`.
    fn append_envelopes(&mut self, envelopes: &[(TaxDocumentId, Vec<u8>)]) -> Result<(), StoreError>;

    /// Lines after an id, of payees with an agreement, whose value was determined by a moment and of which a paper has
    /// not told everything; at most so many, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_due_lines(&mut self, by: Instant, after: Uuid, limit: u32) -> Result<Vec<LineId>, StoreError>;

    /// The payees of lines.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_payees_of(&mut self, lines: &[LineId]) -> Result<Vec<PayeeId>, StoreError>;

    /// What the books say of GST and withholding, by quarter.
    ///
    /// # Errors
    /// The failure of the store.
    fn quarter_totals(&mut self, from: Date, to: Date) -> Result<Vec<QuarterTotals>, StoreError>;

    /// Keeps a proposed payment to the tax office.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_remittance(&mut self, remittance: &TaxRemittance) -> Result<(), StoreError>;

    /// Locks a payment to the tax office.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_remittance(&mut self, id: TaxRemittanceId) -> Result<Option<TaxRemittance>, StoreError>;

    /// Writes that it was approved.
    ///
    /// # Errors
    /// `tax_remittance_once_a_quarter`.
    fn update_remittance(&mut self, remittance: &TaxRemittance) -> Result<(), StoreError>;
}

/// A paper to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRecord {
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
    /// The payee.
    pub payee: PayeeId,
    /// The payout that it goes with.
    pub payout: Option<PayoutId>,
    /// The day on which it was issued.
    pub issued_on: Date,
    /// When it was written.
    pub issued_at: Instant,
    /// Without GST.
    pub net_minor: i64,
    /// GST.
    pub gst_minor: i64,
    /// Withheld.
    pub withheld_minor: i64,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// Which papers are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// Of one payee.
    pub payee: Option<PayeeId>,
    /// Of one payout.
    pub payout: Option<PayoutId>,
    /// Of one kind.
    pub kind: Option<DocumentKind>,
    /// Of one financial year, by the year in which it ends.
    pub financial_year: Option<i32>,
}

/// Tax, to look up.
pub trait TaxQueries {
    /// The facts of a payee's registration, as they came.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_gst_facts(&mut self, payee: PayeeId) -> Result<Vec<GstFact>, StoreError>;

    /// The agreements of a payee, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_rcti_agreements(&mut self, payee: PayeeId) -> Result<Vec<RctiAgreement>, StoreError>;

    /// The statements of a payee, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_supplier_statements(&mut self, payee: PayeeId) -> Result<Vec<SupplierStatement>, StoreError>;

    /// Papers, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_documents(
        &mut self,
        filter: &DocumentFilter,
        page: &PageRequest,
    ) -> Result<Page<DocumentRecord>, StoreError>;

    /// A paper with its exact bytes.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_document(&mut self, id: TaxDocumentId) -> Result<Option<(DocumentRecord, Vec<u8>)>, StoreError>;

    /// What the books say of GST and withholding, by quarter.
    ///
    /// # Errors
    /// The failure of the store.
    fn quarter_totals(&mut self, from: Date, to: Date) -> Result<Vec<QuarterTotals>, StoreError>;

    /// From whom tax was withheld in a financial year, by payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn withheld(&mut self, financial_year: i32) -> Result<Vec<WithheldFrom>, StoreError>;

    /// Payments to the tax office, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_remittances(&mut self, page: &PageRequest) -> Result<Page<TaxRemittance>, StoreError>;
}
