//! Tax, to look up: under row-level security.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{PayeeId, PayoutId, TaxDocumentId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use domain::tax::document::DocumentKind;
use domain::tax::facts::{GstFact, RctiAgreement, SupplierStatement};
use domain::tax::remit::TaxRemittance;
use domain::tax::report::{QuarterTotals, WithheldFrom};
use domain::tax::repository::{DocumentFilter, DocumentRecord, TaxQueries};
use uuid::Uuid;

use super::rows::{self, RemittanceColumns, RemittanceRow};
use crate::bind::{digest, from_instant};
use crate::error::store_error;
use crate::page::{Paging, by_id, by_number, listed};
use crate::statement::query;
use crate::store::PgQueries;

#[derive(Queryable)]
struct DocumentRow {
    seq: i64,
    id: Uuid,
    kind: String,
    number: String,
    financial_year: i32,
    payee: Uuid,
    payout: Option<Uuid>,
    issued_on: jiff_diesel::Date,
    issued_at: jiff_diesel::Timestamp,
    net_minor: i64,
    gst_minor: i64,
    withheld_minor: i64,
    sha256: Vec<u8>,
}

type DocumentColumns = (
    BigInt,
    SqlUuid,
    Text,
    Text,
    Integer,
    SqlUuid,
    Nullable<SqlUuid>,
    Date,
    Timestamptz,
    BigInt,
    BigInt,
    BigInt,
    Bytea,
);

impl DocumentRow {
    fn restore(self) -> Result<DocumentRecord, StoreError> {
        Ok(DocumentRecord {
            seq: self.seq,
            id: TaxDocumentId::new(self.id),
            kind: rows::kind(&self.kind)?,
            number: self.number,
            financial_year: self.financial_year,
            payee: PayeeId::new(self.payee),
            payout: self.payout.map(PayoutId::new),
            issued_on: self.issued_on.into(),
            issued_at: from_instant(self.issued_at),
            net_minor: self.net_minor,
            gst_minor: self.gst_minor,
            withheld_minor: self.withheld_minor,
            sha256: digest(&self.sha256)?,
        })
    }
}

impl TaxQueries for PgQueries<'_> {
    fn list_gst_facts(&mut self, payee: PayeeId) -> Result<Vec<GstFact>, StoreError> {
        rows::gst_facts(self.pg, payee)
    }

    fn list_rcti_agreements(&mut self, payee: PayeeId) -> Result<Vec<RctiAgreement>, StoreError> {
        let found = rows::agreements(self.pg, &[payee.uuid()])?;
        Ok(found.into_iter().map(rows::AgreementRow::restore).collect())
    }

    fn list_supplier_statements(&mut self, payee: PayeeId) -> Result<Vec<SupplierStatement>, StoreError> {
        let found = rows::statements(self.pg, &[payee.uuid()])?;
        found.into_iter().map(rows::StatementRow::restore).collect()
    }

    fn list_documents(
        &mut self,
        filter: &DocumentFilter,
        request: &PageRequest,
    ) -> Result<Page<DocumentRecord>, StoreError> {
        let paging = Paging::newest_first(request);
        let found: Vec<DocumentRow> = query::<DocumentColumns>(listed!(
            paging.order,
            "with asked as (select $1::uuid as payee_id, $2::uuid as payout_id, $3::text as kind, $4::integer as financial_year)
             select d.seq, d.id, d.kind, d.number, d.financial_year, d.payee_id, d.payout_id, d.issued_on, d.issued_at, d.net_minor, d.gst_minor, d.withheld_minor, d.content_sha256
             from tax_document d, asked where (asked.payee_id is null or d.payee_id = asked.payee_id) and (asked.payout_id is null or d.payout_id = asked.payout_id)
               and (asked.kind is null or d.kind = asked.kind) and (asked.financial_year is null or d.financial_year = asked.financial_year) and ",
            "d.seq", at "d.issued_at", ""
        ))
        .bind::<Nullable<SqlUuid>, _>(filter.payee.map(PayeeId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.payout.map(PayoutId::uuid))
        .bind::<Nullable<Text>, _>(filter.kind.map(DocumentKind::code))
        .bind::<Nullable<Integer>, _>(filter.financial_year)
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_number(found, request, DocumentRow::restore, |document| document.seq)
    }

    fn find_document(&mut self, id: TaxDocumentId) -> Result<Option<(DocumentRecord, Vec<u8>)>, StoreError> {
        let found: Option<(DocumentRow, Vec<u8>)> = query::<(DocumentColumns, Bytea)>(
            "select d.seq, d.id, d.kind, d.number, d.financial_year, d.payee_id, d.payout_id, d.issued_on, d.issued_at, d.net_minor, d.gst_minor, d.withheld_minor, d.content_sha256, c.content
             from tax_document d join tax_document_content c on c.document_id = d.id where d.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found.map(|(row, content)| Ok((row.restore()?, content))).transpose()
    }

    fn quarter_totals(
        &mut self,
        from: jiff::civil::Date,
        to: jiff::civil::Date,
    ) -> Result<Vec<QuarterTotals>, StoreError> {
        rows::quarter_totals(self.pg, from, to)
    }

    fn withheld(&mut self, financial_year: i32) -> Result<Vec<WithheldFrom>, StoreError> {
        type Columns = (SqlUuid, Nullable<Text>, BigInt, BigInt, BigInt);
        let found: Vec<(Uuid, Option<String>, i64, i64, i64)> = query::<Columns>(
            "select d.payee_id, n.name, count(*), sum(d.net_minor)::bigint, sum(d.withheld_minor)::bigint
             from tax_document d left join personal_data n on n.subject_id = d.payee_id
             where d.kind = 'payment_summary' and d.financial_year = $1 group by d.payee_id, n.name order by d.payee_id",
        )
        .bind::<Integer, _>(financial_year)
        .load(self.pg)
        .map_err(store_error)?;
        let from = |(payee, name, summaries, gross_minor, withheld_minor)| WithheldFrom {
            payee: PayeeId::new(payee),
            name,
            summaries,
            gross_minor,
            withheld_minor,
        };
        Ok(found.into_iter().map(from).collect())
    }

    fn list_remittances(&mut self, request: &PageRequest) -> Result<Page<TaxRemittance>, StoreError> {
        let paging = Paging::newest_first(request);
        let found: Vec<RemittanceRow> = query::<RemittanceColumns>(listed!(
            paging.order,
            "select id, quarter_from, quarter_to, bank_account_id, gst_collected_minor, gst_paid_minor, withheld_minor, paid_on, proposed_by, proposed_at, approved_by, approved_at
             from tax_remittance where ",
            "id", at "proposed_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(found, request, |row| Ok(row.restore()), |remittance| remittance.id.uuid())
    }
}
