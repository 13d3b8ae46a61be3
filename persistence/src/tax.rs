//! Tax: what payees are to the tax office, papers, payments to the tax office; what writers do.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Instant;
use domain::kernel::ids::{LineId, PayeeId, RctiAgreementId, TaxDocumentId, TaxRemittanceId};
use domain::store::StoreError;
use domain::tax::decide::{LineFacts, PayeePapers};
use domain::tax::document::{DocumentKind, Party, TaxDocument};
use domain::tax::facts::{GstFact, RctiAgreement, SupplierStatement};
use domain::tax::logged::Loggable;
use domain::tax::remit::TaxRemittance;
use domain::tax::report::QuarterTotals;
use domain::tax::repository::{DocumentHead, Parties, TaxRepository, Told};
use uuid::Uuid;

use crate::bind::{array_literal, date, digest, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

mod logged;
mod queries;
mod rows;

use rows::{AgreementRow, LineFactColumns, LineFactRow, RemittanceColumns, RemittanceRow, StatementRow};

fn ids(of: &[PayeeId]) -> Vec<Uuid> {
    of.iter().map(|payee| payee.uuid()).collect()
}

fn lines(of: &[LineId]) -> Vec<Uuid> {
    of.iter().map(|line| line.uuid()).collect()
}

impl TaxRepository for PgUnitOfWork<'_> {
    fn append_gst_fact(&mut self, id: Uuid, payee: PayeeId, fact: &GstFact, by: Uuid) -> Result<(), StoreError> {
        command("insert into payee_gst_status (id, payee_id, registered, from_on, known_at, recorded_by) values ($1, $2, $3, $4, $5, $6)")
            .bind::<SqlUuid, _>(id)
            .bind::<SqlUuid, _>(payee.uuid())
            .bind::<Bool, _>(fact.registered)
            .bind::<Date, _>(date(fact.from_on))
            .bind::<Timestamptz, _>(instant(fact.known_at))
            .bind::<SqlUuid, _>(by)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn list_gst_facts(&mut self, payee: PayeeId) -> Result<Vec<GstFact>, StoreError> {
        rows::gst_facts(self.pg, payee)
    }

    fn append_rcti_agreement(&mut self, agreement: &RctiAgreement, by: Uuid) -> Result<(), StoreError> {
        command(
            "insert into rcti_agreement (id, payee_id, wording_version, accepted_by, accepted_on, recorded_by, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(agreement.id.uuid())
        .bind::<SqlUuid, _>(agreement.payee.uuid())
        .bind::<Text, _>(agreement.wording_version.as_str())
        .bind::<SqlUuid, _>(agreement.accepted_by)
        .bind::<Date, _>(date(agreement.accepted_on))
        .bind::<SqlUuid, _>(by)
        .bind::<Timestamptz, _>(instant(agreement.recorded_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_rcti_end(
        &mut self,
        id: RctiAgreementId,
        on: jiff::civil::Date,
        by: Uuid,
        at: Instant,
    ) -> Result<(), StoreError> {
        command(
            "insert into rcti_agreement_end (agreement_id, ended_on, recorded_by, recorded_at) values ($1, $2, $3, $4)",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Date, _>(date(on))
        .bind::<SqlUuid, _>(by)
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_supplier_statement(&mut self, statement: &SupplierStatement, by: Uuid) -> Result<(), StoreError> {
        command(
            "insert into payee_supplier_statement (id, payee_id, reason, from_on, to_on, recorded_by, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(statement.id)
        .bind::<SqlUuid, _>(statement.payee.uuid())
        .bind::<Text, _>(statement.reason.as_str())
        .bind::<Date, _>(date(statement.from_on))
        .bind::<Nullable<Date>, _>(maybe_date(statement.to_on))
        .bind::<SqlUuid, _>(by)
        .bind::<Timestamptz, _>(instant(statement.recorded_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_papers(&mut self, payees: &[PayeeId]) -> Result<BTreeMap<PayeeId, PayeePapers>, StoreError> {
        let mut papers: BTreeMap<PayeeId, PayeePapers> = BTreeMap::new();
        let agreements: Vec<AgreementRow> = rows::agreements(self.pg, &ids(payees))?;
        for agreement in agreements {
            let agreement = agreement.restore();
            papers.entry(agreement.payee).or_default().agreements.push(agreement);
        }
        let statements: Vec<StatementRow> = rows::statements(self.pg, &ids(payees))?;
        for statement in statements {
            let statement = statement.restore()?;
            papers.entry(statement.payee).or_default().statements.push(statement);
        }
        Ok(papers)
    }

    fn list_line_facts(&mut self, of: &[LineId]) -> Result<BTreeMap<LineId, LineFacts>, StoreError> {
        // From the papers of the line, never from all papers, which a join may be planned to begin with.
        let found: Vec<LineFactRow> = query::<LineFactColumns>(
            "select l.id,
               coalesce((l.period + interval '1 month' - interval '1 day')::date,
                 case v.governing_date when 'referred' then d.referred_on when 'contracted' then d.contracted_on else d.settled_on end, l.payable_on),
               (select coalesce(sum(t.net_minor), 0) from tax_document_line t
                 cross join lateral (select kind from tax_document o where o.id = t.document_id limit 1) x
                 where t.line_id = l.id and x.kind <> 'payment_summary')::bigint,
               l.component, p.code, d.id, l.period
             from unnest($1::uuid[]) as k (id) join commission_line l on l.id = k.id join deal d on d.id = l.deal_id join product p on p.id = d.product_id
             left join agreement_version v on v.agreement_id = d.agreement_id and v.number = d.version_number",
        )
        .bind::<Array<SqlUuid>, _>(lines(of))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(found.into_iter().map(LineFactRow::restore).collect())
    }

    fn list_told(&mut self, of: &[LineId]) -> Result<Vec<Told>, StoreError> {
        type Columns = (SqlUuid, SqlUuid, Text, Text, BigInt, BigInt);
        let found: Vec<(Uuid, Uuid, String, String, i64, i64)> = query::<Columns>(
            "select t.line_id, x.id, x.number, x.kind, sum(t.net_minor)::bigint, sum(t.gst_minor)::bigint
             from unnest($1::uuid[]) as k (id) join tax_document_line t on t.line_id = k.id
             join tax_document o on o.id = t.document_id and o.kind <> 'payment_summary'
             join tax_document x on x.id = coalesce(t.adjusts_id, t.document_id)
             group by t.line_id, x.seq, x.id, x.number, x.kind order by t.line_id, x.seq desc",
        )
        .bind::<Array<SqlUuid>, _>(lines(of))
        .load(self.pg)
        .map_err(store_error)?;
        let told = |(line, document, number, kind, net_minor, gst_minor): (Uuid, Uuid, String, String, i64, i64)| {
            Ok(Told {
                line: LineId::new(line),
                document: TaxDocumentId::new(document),
                number,
                kind: rows::kind(&kind)?,
                net_minor,
                gst_minor,
            })
        };
        found.into_iter().map(told).collect()
    }

    fn find_parties(&mut self, payees: &[PayeeId]) -> Result<Parties, StoreError> {
        let operator: Option<(String, Option<String>)> =
            query::<(Text, Nullable<Text>)>("select name, abn from organisation where kind = 'operator'")
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        let recipient = operator.map(|(name, abn)| Party { abn, name });
        if payees.is_empty() {
            return Ok(Parties { recipient, suppliers: BTreeMap::new() });
        }
        let found: Vec<(Uuid, Option<String>, Option<String>)> = query::<(SqlUuid, Nullable<Text>, Nullable<Text>)>(
            "select p.id, d.name, p.abn from payee p left join personal_data d on d.subject_id = p.id where p.id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(ids(payees))
        .load(self.pg)
        .map_err(store_error)?;
        let party = |(id, name, abn): (Uuid, Option<String>, Option<String>)| {
            (PayeeId::new(id), Party { abn, name: name.unwrap_or_default() })
        };
        Ok(Parties { recipient, suppliers: found.into_iter().map(party).collect() })
    }

    fn lock_head(&mut self) -> Result<DocumentHead, StoreError> {
        let (last_seq, last_sha256, logged_seq): (i64, Vec<u8>, Option<i64>) =
            query::<(BigInt, Bytea, Nullable<BigInt>)>(
                "select last_seq, last_sha256, logged_seq from tax_head for update",
            )
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(DocumentHead { last_seq, last_sha256: digest(&last_sha256)?, logged_seq })
    }

    fn list_serials(&mut self, financial_year: i32) -> Result<Vec<(DocumentKind, i32)>, StoreError> {
        let found: Vec<(String, i32)> =
            query::<(Text, Integer)>("select kind, last_serial from tax_number where financial_year = $1")
                .bind::<Integer, _>(financial_year)
                .load(self.pg)
                .map_err(store_error)?;
        found.into_iter().map(|(kind, serial)| Ok((rows::kind(&kind)?, serial))).collect()
    }

    fn append_documents(&mut self, documents: &[TaxDocument], head: &DocumentHead) -> Result<(), StoreError> {
        append_documents(self.pg, documents).map_err(store_error)?;
        append_lines(self.pg, documents).map_err(store_error)?;
        let mut last: BTreeMap<(DocumentKind, i32), i32> = BTreeMap::new();
        for document in documents {
            last.insert((document.kind, document.financial_year), document.serial);
        }
        command(
            "insert into tax_number (kind, financial_year, last_serial) select * from unnest($1::text[], $2::integer[], $3::integer[])
             on conflict (kind, financial_year) do update set last_serial = excluded.last_serial",
        )
        .bind::<Array<Text>, _>(last.keys().map(|(kind, _)| kind.code()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(last.keys().map(|(_, year)| *year).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(last.values().copied().collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        command("update tax_head set last_seq = $1, last_sha256 = $2, logged_seq = $3")
            .bind::<BigInt, _>(head.last_seq)
            .bind::<Bytea, _>(head.last_sha256.bytes().as_slice())
            .bind::<Nullable<BigInt>, _>(head.logged_seq)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn list_papers_after(&mut self, seq: i64) -> Result<Vec<Loggable>, StoreError> {
        logged::papers_after(self.pg, seq)
    }

    fn append_envelopes(&mut self, envelopes: &[(TaxDocumentId, Vec<u8>)]) -> Result<(), StoreError> {
        logged::append_envelopes(self.pg, envelopes)
    }

    fn list_due_lines(&mut self, by: Instant, after: Uuid, limit: u32) -> Result<Vec<LineId>, StoreError> {
        let found: Vec<Uuid> = query::<SqlUuid>(
            "select l.id from commission_line l
             where l.id > $1 and l.role <> 'platform' and l.payee_id in (select payee_id from rcti_agreement)
               and l.earned_minor - l.clawed_back_minor > (
                 select coalesce(sum(t.net_minor), 0) from tax_document_line t join tax_document x on x.id = t.document_id
                 where t.line_id = l.id and x.kind <> 'payment_summary')
               and (select min(e.recorded_at) from ledger_posting p join ledger_entry e on e.seq = p.entry_seq where p.line_id = l.id) <= $2
             order by l.id limit $3",
        )
        .bind::<SqlUuid, _>(after)
        .bind::<Timestamptz, _>(instant(by))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(found.into_iter().map(LineId::new).collect())
    }

    fn list_payees_of(&mut self, of: &[LineId]) -> Result<Vec<PayeeId>, StoreError> {
        let found: Vec<Uuid> = query::<SqlUuid>(
            "select distinct payee_id from commission_line where id = any($1) and payee_id is not null order by 1",
        )
        .bind::<Array<SqlUuid>, _>(lines(of))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(found.into_iter().map(PayeeId::new).collect())
    }

    fn quarter_totals(
        &mut self,
        from: jiff::civil::Date,
        to: jiff::civil::Date,
    ) -> Result<Vec<QuarterTotals>, StoreError> {
        rows::quarter_totals(self.pg, from, to)
    }

    fn insert_remittance(&mut self, remittance: &TaxRemittance) -> Result<(), StoreError> {
        command(
            "insert into tax_remittance (id, quarter_from, quarter_to, bank_account_id, gst_collected_minor, gst_paid_minor, withheld_minor, paid_on, state, proposed_by, proposed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind::<SqlUuid, _>(remittance.id.uuid())
        .bind::<Date, _>(date(remittance.totals.quarter.from))
        .bind::<Date, _>(date(remittance.totals.quarter.to))
        .bind::<SqlUuid, _>(remittance.bank_account.uuid())
        .bind::<BigInt, _>(remittance.totals.gst_collected_minor)
        .bind::<BigInt, _>(remittance.totals.gst_paid_minor)
        .bind::<BigInt, _>(remittance.totals.withheld_minor)
        .bind::<Date, _>(date(remittance.paid_on))
        .bind::<Text, _>(remittance.state())
        .bind::<SqlUuid, _>(remittance.proposed_by)
        .bind::<Timestamptz, _>(instant(remittance.proposed_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_remittance(&mut self, id: TaxRemittanceId) -> Result<Option<TaxRemittance>, StoreError> {
        let row: Option<RemittanceRow> = query::<RemittanceColumns>(
            "select id, quarter_from, quarter_to, bank_account_id, gst_collected_minor, gst_paid_minor, withheld_minor, paid_on, proposed_by, proposed_at, approved_by, approved_at
             from tax_remittance where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        Ok(row.map(RemittanceRow::restore))
    }

    fn update_remittance(&mut self, remittance: &TaxRemittance) -> Result<(), StoreError> {
        command("update tax_remittance set state = $1, approved_by = $2, approved_at = $3 where id = $4")
            .bind::<Text, _>(remittance.state())
            .bind::<Nullable<SqlUuid>, _>(remittance.approved.map(|(by, _)| by))
            .bind::<Nullable<Timestamptz>, _>(remittance.approved.map(|(_, at)| instant(at)))
            .bind::<SqlUuid, _>(remittance.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

fn append_documents(pg: &mut diesel::pg::PgConnection, documents: &[TaxDocument]) -> QueryResult<usize> {
    let first = documents.first();
    command(
        "insert into tax_document (issued_at, seq, id, kind, number, financial_year, serial, payee_id, payout_id, agreement_id, issued_on, net_minor, gst_minor, withheld_minor, content_sha256, previous_sha256, visible_to)
         select t.at, d.seq, d.id, d.kind, d.number, d.financial_year, d.serial, d.payee_id, d.payout_id, d.agreement_id, d.issued_on, d.net_minor, d.gst_minor, d.withheld_minor, d.content_sha256, d.previous_sha256, d.visible_to::uuid[]
         from (select $1::timestamptz as at) t,
           unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::integer[], $7::integer[], $8::uuid[], $9::uuid[], $10::uuid[], $11::date[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[], $16::bytea[], $17::text[])
           as d (seq, id, kind, number, financial_year, serial, payee_id, payout_id, agreement_id, issued_on, net_minor, gst_minor, withheld_minor, content_sha256, previous_sha256, visible_to)",
    )
    .bind::<Nullable<Timestamptz>, _>(first.map(|d| instant(d.issued_at)))
    .bind::<Array<BigInt>, _>(documents.iter().map(|d| d.seq).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(documents.iter().map(|d| d.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(documents.iter().map(|d| d.kind.code()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(documents.iter().map(|d| d.number.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(documents.iter().map(|d| d.financial_year).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(documents.iter().map(|d| d.serial).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(documents.iter().map(|d| d.payee.uuid()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(documents.iter().map(|d| d.payout.map(|p| p.uuid())).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(documents.iter().map(|d| d.agreement.map(|a| a.uuid())).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(documents.iter().map(|d| date(d.issued_on)).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(documents.iter().map(|d| d.net_minor).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(documents.iter().map(|d| d.gst_minor).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(documents.iter().map(|d| d.withheld_minor).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(documents.iter().map(|d| d.sha256.bytes().to_vec()).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(documents.iter().map(|d| d.previous_sha256.bytes().to_vec()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(documents.iter().map(|d| array_literal(&d.visible_to)).collect::<Vec<_>>())
    .execute(pg)?;
    command("insert into tax_document_content (document_id, content) select * from unnest($1::uuid[], $2::bytea[])")
        .bind::<Array<SqlUuid>, _>(documents.iter().map(|d| d.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(documents.iter().map(|d| d.content.clone()).collect::<Vec<_>>())
        .execute(pg)
}

fn append_lines(pg: &mut diesel::pg::PgConnection, documents: &[TaxDocument]) -> QueryResult<usize> {
    let numbered = |document: &TaxDocument| {
        let id = document.id.uuid();
        document.lines.clone().into_iter().zip(1_i32..).map(move |(line, n)| (id, n, line))
    };
    let kept: Vec<_> = documents.iter().flat_map(numbered).collect();
    command(
        "insert into tax_document_line (document_id, n, line_id, net_minor, gst_minor, withheld_minor, adjusts_id)
         select * from unnest($1::uuid[], $2::integer[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[])",
    )
    .bind::<Array<SqlUuid>, _>(kept.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(kept.iter().map(|(_, n, _)| *n).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(kept.iter().map(|(.., line)| line.line.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(kept.iter().map(|(.., line)| line.net_minor).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(kept.iter().map(|(.., line)| line.gst_minor).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(kept.iter().map(|(.., line)| line.withheld_minor).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        kept.iter().map(|(.., line)| line.adjusts.map(|id| id.uuid())).collect::<Vec<_>>(),
    )
    .execute(pg)
}

/// Not a word that is stored.
fn bad_kind() -> StoreError {
    unreadable("the kind of a tax paper")
}
