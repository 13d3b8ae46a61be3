//! Changes of payees' bank accounts.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::bank_change::{BankChange, BankChangeQueries, BankChangeRepository, BankChangeState};
use domain::directory::{AbaText, AccountNumber, BankDetails, Bsb};
use domain::kernel::ids::{BankChangeId, PayeeId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::read;
use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type ChangeColumns = (
    SqlUuid,
    SqlUuid,
    Text,
    Text,
    Text,
    Text,
    SqlUuid,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
);

#[derive(Queryable)]
struct ChangeRow {
    id: Uuid,
    payee: Uuid,
    bsb: String,
    account_number: String,
    account_title: String,
    state: String,
    proposed_by: Uuid,
    proposed_at: jiff_diesel::Timestamp,
    approved_by: Option<Uuid>,
    approved_at: Option<jiff_diesel::Timestamp>,
    usable_from: Option<jiff_diesel::Timestamp>,
}

impl ChangeRow {
    fn restore(self) -> Result<BankChange, StoreError> {
        Ok(BankChange {
            id: BankChangeId::new(self.id),
            payee: PayeeId::new(self.payee),
            details: BankDetails {
                bsb: read("a BSB", Bsb::parse(&self.bsb))?,
                account: read("an account number", AccountNumber::parse(&self.account_number))?,
                title: read("an account's name", AbaText::parse(&self.account_title))?,
            },
            state: BankChangeState::parse(&self.state).ok_or_else(|| unreadable("the state of a bank change"))?,
            proposed_by: self.proposed_by,
            proposed_at: from_instant(self.proposed_at),
            approved_by: self.approved_by,
            approved_at: self.approved_at.map(from_instant),
            usable_from: self.usable_from.map(from_instant),
        })
    }
}

impl BankChangeRepository for PgUnitOfWork<'_> {
    fn insert_bank_change(&mut self, change: &BankChange) -> Result<(), StoreError> {
        command("update payee_bank_change set state = 'replaced' where payee_id = $1 and state = 'proposed'")
            .bind::<SqlUuid, _>(change.payee.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        command(
            "insert into payee_bank_change (id, payee_id, bsb, account_number, account_title, state, proposed_by, proposed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(change.id.uuid())
        .bind::<SqlUuid, _>(change.payee.uuid())
        .bind::<Text, _>(change.details.bsb.to_string())
        .bind::<Text, _>(change.details.account.as_str())
        .bind::<Text, _>(change.details.title.as_str())
        .bind::<Text, _>(change.state.as_str())
        .bind::<SqlUuid, _>(change.proposed_by)
        .bind::<Timestamptz, _>(instant(change.proposed_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_bank_change(&mut self, payee: PayeeId, id: BankChangeId) -> Result<Option<BankChange>, StoreError> {
        let row: Option<ChangeRow> = query::<ChangeColumns>(
            "select id, payee_id, bsb, account_number, account_title, state, proposed_by, proposed_at, approved_by, approved_at, usable_from_at
             from payee_bank_change where payee_id = $1 and id = $2 for update",
        )
        .bind::<SqlUuid, _>(payee.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(ChangeRow::restore).transpose()
    }

    fn update_bank_change(&mut self, change: &BankChange, details: Uuid) -> Result<(), StoreError> {
        command(
            "update payee_bank_change set state = $1, approved_by = $2, approved_at = $3, usable_from_at = $4 where id = $5",
        )
        .bind::<Text, _>(change.state.as_str())
        .bind::<Nullable<SqlUuid>, _>(change.approved_by)
        .bind::<Nullable<Timestamptz>, _>(change.approved_at.map(instant))
        .bind::<Nullable<Timestamptz>, _>(change.usable_from.map(instant))
        .bind::<SqlUuid, _>(change.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into payee_bank_details (id, payee_id, bsb, account_number, account_title, usable_from_at, created_at)
             select $1, payee_id, bsb, account_number, account_title, usable_from_at, approved_at from payee_bank_change where id = $2",
        )
        .bind::<SqlUuid, _>(details)
        .bind::<SqlUuid, _>(change.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl BankChangeQueries for PgQueries<'_> {
    fn list_bank_changes(&mut self, payee: PayeeId, request: &PageRequest) -> Result<Page<BankChange>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<ChangeRow> = query::<ChangeColumns>(listed!(
            paging.order,
            "select id, payee_id, bsb, account_number, account_title, state, proposed_by, proposed_at, approved_by, approved_at, usable_from_at
             from payee_bank_change where payee_id = $1 and ",
            "id",
            ""
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .after_id(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, ChangeRow::restore, |change| change.id.uuid())
    }
}
