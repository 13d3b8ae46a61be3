//! Payees as a run looks at them.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::{Abn, GstTimeline, Rail};
use domain::kernel::Instant;
use domain::kernel::ids::{OrganisationId, PayeeId};
use domain::payouts::recovery::Terms;
use domain::payouts::repository::{PayeeStanding, StandingBank, StandingStripe};
use domain::payouts::stripe::names::AccountName;
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::{store_error, unreadable};
use crate::payouts::bank_details;
use crate::recovery_plans::term;
use crate::statement::query;

#[derive(Queryable)]
struct StandingRow {
    id: Uuid,
    organisation_id: Uuid,
    abn: Option<String>,
    gst_from: Vec<jiff_diesel::Date>,
    gst_registered: Vec<bool>,
    rail: String,
    minimum_minor: i64,
    bank_id: Option<Uuid>,
    salt: Option<Uuid>,
    usable_from: Option<jiff_diesel::Timestamp>,
    bsb: Option<String>,
    account_number: Option<String>,
    account_title: Option<String>,
    is_blocked: bool,
    stripe_account: Option<String>,
    stripe_payable: Option<bool>,
    reversal_open: bool,
    plans_from: Vec<jiff_diesel::Date>,
    plans_ended: Vec<Option<jiff_diesel::Date>>,
    plans_share: Vec<Option<i64>>,
    plans_most: Vec<Option<i64>>,
}

type StandingColumns = (
    SqlUuid,
    SqlUuid,
    Nullable<Text>,
    Array<Date>,
    Array<Bool>,
    Text,
    BigInt,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Bool,
    Nullable<Text>,
    Nullable<Bool>,
    Bool,
    Array<Date>,
    Array<Nullable<Date>>,
    Array<Nullable<BigInt>>,
    Array<Nullable<BigInt>>,
);

impl StandingRow {
    fn restore(self) -> Result<PayeeStanding, StoreError> {
        let abn = self.abn.map(|text| Abn::parse(&text)).transpose().map_err(|_| unreadable("an ABN"))?;
        let bank = match (self.bank_id, self.salt, self.usable_from, self.bsb, self.account_number, self.account_title)
        {
            (Some(id), Some(salt), Some(from), Some(bsb), Some(account), Some(title)) => Some(StandingBank {
                id,
                salt,
                usable_from: Instant::new(from.into()),
                is_blocked: self.is_blocked,
                details: bank_details(&bsb, &account, &title)?,
            }),
            _ => None,
        };
        let stripe = self.stripe_account.as_deref().map(|text| {
            let account = AccountName::parse(text).ok_or_else(|| unreadable("an account at Stripe"))?;
            Ok::<_, StoreError>(StandingStripe {
                account,
                payable: self.stripe_payable == Some(true),
                reversal_open: self.reversal_open,
            })
        });
        let bounds = self.plans_share.into_iter().zip(self.plans_most);
        let terms = self.plans_from.into_iter().zip(self.plans_ended).zip(bounds);
        let recovery = terms.map(|((from, ended), bounds)| term(from, ended, bounds)).collect::<Result<Vec<_>, _>>()?;
        Ok(PayeeStanding {
            id: PayeeId::new(self.id),
            organisation: OrganisationId::new(self.organisation_id),
            abn,
            gst: GstTimeline::restore(self.gst_from.into_iter().map(Into::into).zip(self.gst_registered)),
            rail: Rail::parse(&self.rail).map_err(|_| unreadable("a rail"))?,
            minimum_minor: self.minimum_minor,
            bank,
            stripe: stripe.transpose()?,
            recovery: Terms::restore(recovery),
        })
    }
}

/// How the payees of a selection from `payee` stand.
macro_rules! standings {
    ($payees:literal) => {
        concat!(
            "with asked as (",
            $payees,
            ") select p.id, p.organisation_id, p.abn, array(select from_on from payee_gst_status s where s.payee_id = p.id order by n),
               array(select registered from payee_gst_status s where s.payee_id = p.id order by n), p.rail, p.minimum_payout_minor,
               b.id, b.salt, b.usable_from_at, b.bsb, b.account_number, b.account_title,
               exists (select from bank_details_block k where k.bank_details_id = b.id),
               s.account, s.transfers = 'active' and s.payouts_enabled,
               s.account is not null and exists (select from stripe_recall c join payout o on o.id = c.payout_id
                 where o.payee_id = p.id and c.state in ('asked', 'unknown')), r.from_on, r.ended_on, r.max_share_ppm, r.max_minor
             from asked p cross join lateral (
               select coalesce(array_agg(from_on order by decided_at, id), '{}') as from_on,
                 coalesce(array_agg(ended_on order by decided_at, id), '{}') as ended_on,
                 coalesce(array_agg(max_share_ppm order by decided_at, id), '{}') as max_share_ppm,
                 coalesce(array_agg(max_minor order by decided_at, id), '{}') as max_minor
               from recovery_plan a where a.payee_id = p.id and a.state = 'approved') r left join stripe_account s on s.payee_id = p.id left join lateral (
               select * from payee_bank_details d where d.payee_id = p.id order by d.created_at desc, d.id desc limit 1) b on true
             order by p.id"
        )
    };
}
pub(crate) use standings;

pub(crate) fn list(
    pg: &mut PgConnection,
    sql: &'static str,
    payees: &[PayeeId],
) -> Result<Vec<PayeeStanding>, StoreError> {
    let rows: Vec<StandingRow> = query::<StandingColumns>(sql)
        .bind::<Array<SqlUuid>, _>(payees.iter().map(|payee| payee.uuid()).collect::<Vec<_>>())
        .load(pg)
        .map_err(store_error)?;
    rows.into_iter().map(StandingRow::restore).collect()
}
