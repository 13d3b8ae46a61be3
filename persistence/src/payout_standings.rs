//! Payees as a run looks at them.

use diesel::Queryable;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::{Abn, GstTimeline, Rail};
use domain::kernel::Instant;
use domain::kernel::ids::{OrganisationId, PayeeId};
use domain::payouts::repository::{PayeeStanding, StandingBank};
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::unreadable;
use crate::payouts::bank_details;

#[derive(Queryable)]
pub(crate) struct StandingRow {
    id: Uuid,
    organisation_id: Uuid,
    abn: Option<String>,
    gst_registered_on: Option<jiff_diesel::Date>,
    rail: String,
    minimum_minor: i64,
    bank_id: Option<Uuid>,
    salt: Option<Uuid>,
    usable_from: Option<jiff_diesel::Timestamp>,
    bsb: Option<String>,
    account_number: Option<String>,
    account_title: Option<String>,
    is_blocked: bool,
}

pub(crate) type StandingColumns = (
    SqlUuid,
    SqlUuid,
    Nullable<Text>,
    Nullable<Date>,
    Text,
    BigInt,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Bool,
);

impl StandingRow {
    pub(crate) fn restore(self) -> Result<PayeeStanding, StoreError> {
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
        Ok(PayeeStanding {
            id: PayeeId::new(self.id),
            organisation: OrganisationId::new(self.organisation_id),
            abn,
            gst: GstTimeline::restore(self.gst_registered_on.map(|on| (on.into(), true))),
            rail: Rail::parse(&self.rail).map_err(|_| unreadable("a rail"))?,
            minimum_minor: self.minimum_minor,
            bank,
        })
    }
}
