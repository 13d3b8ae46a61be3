//! Rows of tax that both writers and look-ups read.

use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Queryable, RunQueryDsl};
use domain::kernel::Instant;
use domain::kernel::ids::{BankAccountId, DealId, LineId, PayeeId, RctiAgreementId, TaxRemittanceId};
use domain::store::StoreError;
use domain::tax::decide::LineFacts;
use domain::tax::document::DocumentKind;
use domain::tax::facts::{GstFact, RctiAgreement, StatementReason, SupplierStatement};
use domain::tax::remit::TaxRemittance;
use domain::tax::report::{Quarter, QuarterTotals};
use uuid::Uuid;

use crate::bind::{date, from_instant};
use crate::error::{store_error, unreadable};
use crate::statement::query;

pub(super) fn kind(text: &str) -> Result<DocumentKind, StoreError> {
    DocumentKind::parse(text).ok_or_else(super::bad_kind)
}

#[derive(Queryable)]
pub(super) struct AgreementRow {
    id: Uuid,
    payee: Uuid,
    wording_version: String,
    accepted_by: Uuid,
    accepted_on: jiff_diesel::Date,
    ended_on: Option<jiff_diesel::Date>,
    recorded_at: jiff_diesel::Timestamp,
}

type AgreementColumns = (SqlUuid, SqlUuid, Text, SqlUuid, Date, Nullable<Date>, Timestamptz);

impl AgreementRow {
    pub(super) fn restore(self) -> RctiAgreement {
        RctiAgreement {
            id: RctiAgreementId::new(self.id),
            payee: PayeeId::new(self.payee),
            wording_version: self.wording_version,
            accepted_by: self.accepted_by,
            accepted_on: self.accepted_on.into(),
            ended_on: self.ended_on.map(Into::into),
            recorded_at: from_instant(self.recorded_at),
        }
    }
}

#[derive(Queryable)]
pub(super) struct StatementRow {
    id: Uuid,
    payee: Uuid,
    reason: String,
    from_on: jiff_diesel::Date,
    to_on: Option<jiff_diesel::Date>,
    recorded_at: jiff_diesel::Timestamp,
}

type StatementColumns = (SqlUuid, SqlUuid, Text, Date, Nullable<Date>, Timestamptz);

impl StatementRow {
    pub(super) fn restore(self) -> Result<SupplierStatement, StoreError> {
        Ok(SupplierStatement {
            id: self.id,
            payee: PayeeId::new(self.payee),
            reason: StatementReason::parse(&self.reason).ok_or_else(|| unreadable("the reason of a statement"))?,
            from_on: self.from_on.into(),
            to_on: self.to_on.map(Into::into),
            recorded_at: from_instant(self.recorded_at),
        })
    }
}

#[derive(Queryable)]
pub(super) struct LineFactRow {
    id: Uuid,
    supplied_on: jiff_diesel::Date,
    documented_minor: i64,
    component: String,
    product: String,
    deal: Uuid,
    period: Option<jiff_diesel::Date>,
}

pub(super) type LineFactColumns = (SqlUuid, Date, BigInt, Text, Text, SqlUuid, Nullable<Date>);

impl LineFactRow {
    pub(super) fn restore(self) -> (LineId, LineFacts) {
        let deal = DealId::new(self.deal);
        let of = self.period.map(|first| first.to_jiff().strftime(" for %Y-%m").to_string()).unwrap_or_default();
        let facts = LineFacts {
            supplied_on: self.supplied_on.into(),
            documented_minor: self.documented_minor,
            description: format!("Referral commission {}{of}, {}, {deal}", self.component, self.product),
        };
        (LineId::new(self.id), facts)
    }
}

#[derive(Queryable)]
pub(super) struct RemittanceRow {
    id: Uuid,
    quarter_from: jiff_diesel::Date,
    quarter_to: jiff_diesel::Date,
    bank_account: Uuid,
    gst_collected_minor: i64,
    gst_paid_minor: i64,
    withheld_minor: i64,
    paid_on: jiff_diesel::Date,
    proposed_by: Uuid,
    proposed_at: jiff_diesel::Timestamp,
    approved_by: Option<Uuid>,
    approved_at: Option<jiff_diesel::Timestamp>,
}

pub(super) type RemittanceColumns = (
    SqlUuid,
    Date,
    Date,
    SqlUuid,
    BigInt,
    BigInt,
    BigInt,
    Date,
    SqlUuid,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
);

impl RemittanceRow {
    pub(super) fn restore(self) -> TaxRemittance {
        let approved = self.approved_by.zip(self.approved_at.map(from_instant));
        TaxRemittance {
            id: TaxRemittanceId::new(self.id),
            totals: QuarterTotals {
                quarter: Quarter { from: self.quarter_from.into(), to: self.quarter_to.into() },
                gst_collected_minor: self.gst_collected_minor,
                gst_paid_minor: self.gst_paid_minor,
                withheld_minor: self.withheld_minor,
            },
            bank_account: BankAccountId::new(self.bank_account),
            paid_on: self.paid_on.into(),
            proposed_by: self.proposed_by,
            proposed_at: Instant::new(self.proposed_at.into()),
            approved,
        }
    }
}

pub(super) fn gst_facts(pg: &mut PgConnection, payee: PayeeId) -> Result<Vec<GstFact>, StoreError> {
    let found: Vec<(bool, jiff_diesel::Date, jiff_diesel::Timestamp)> = query::<(Bool, Date, Timestamptz)>(
        "select registered, from_on, known_at from payee_gst_status where payee_id = $1 order by n",
    )
    .bind::<SqlUuid, _>(payee.uuid())
    .load(pg)
    .map_err(store_error)?;
    let fact = |(registered, from_on, known_at): (bool, jiff_diesel::Date, jiff_diesel::Timestamp)| GstFact {
        registered,
        from_on: from_on.into(),
        known_at: from_instant(known_at),
    };
    Ok(found.into_iter().map(fact).collect())
}

pub(super) fn agreements(pg: &mut PgConnection, payees: &[Uuid]) -> Result<Vec<AgreementRow>, StoreError> {
    query::<AgreementColumns>(
        "select a.id, a.payee_id, a.wording_version, a.accepted_by, a.accepted_on, e.ended_on, a.recorded_at
         from rcti_agreement a left join rcti_agreement_end e on e.agreement_id = a.id where a.payee_id = any($1) order by a.id",
    )
    .bind::<Array<SqlUuid>, _>(payees)
    .load(pg)
    .map_err(store_error)
}

pub(super) fn statements(pg: &mut PgConnection, payees: &[Uuid]) -> Result<Vec<StatementRow>, StoreError> {
    query::<StatementColumns>(
        "select id, payee_id, reason, from_on, to_on, recorded_at from payee_supplier_statement where payee_id = any($1) order by id",
    )
    .bind::<Array<SqlUuid>, _>(payees)
    .load(pg)
    .map_err(store_error)
}

pub(super) fn quarter_totals(
    pg: &mut PgConnection,
    from: jiff::civil::Date,
    to: jiff::civil::Date,
) -> Result<Vec<QuarterTotals>, StoreError> {
    let found: Vec<(jiff_diesel::Date, i64, i64, i64)> = query::<(Date, BigInt, BigInt, BigInt)>(
        "select date_trunc('quarter', e.effective_on)::date,
           coalesce(-sum(p.amount_minor) filter (where a.kind = 'gst_collected'), 0)::bigint,
           coalesce(sum(p.amount_minor) filter (where a.kind = 'gst_paid'), 0)::bigint,
           coalesce(-sum(p.amount_minor) filter (where a.kind = 'withholding_payable'), 0)::bigint
         from ledger_account a join ledger_posting p on p.account_id = a.id join ledger_entry e on e.seq = p.entry_seq
         where a.kind in ('gst_collected', 'gst_paid', 'withholding_payable') and e.kind <> 'tax_remittance'
           and e.effective_on between $1 and $2 group by 1 order by 1",
    )
    .bind::<Date, _>(date(from))
    .bind::<Date, _>(date(to))
    .load(pg)
    .map_err(store_error)?;
    let totals = |(first, gst_collected_minor, gst_paid_minor, withheld_minor): (jiff_diesel::Date, _, _, _)| {
        let quarter = Quarter::of(first.into());
        QuarterTotals { quarter, gst_collected_minor, gst_paid_minor, withheld_minor }
    };
    Ok(found.into_iter().map(totals).collect())
}
