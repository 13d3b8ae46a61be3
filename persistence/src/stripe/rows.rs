//! Rows of the Stripe rail.

use diesel::Queryable;
use diesel::sql_types::{BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{PayeeId, PayoutId, PayoutRunId};
use domain::payouts::stripe::KeptAccount;
use domain::payouts::stripe::event::StripeEvent;
use domain::payouts::stripe::names::{AccountName, EventName, TransactionName, TransferName};
use domain::payouts::stripe::rail::{BalanceTransaction, Capability};
use domain::payouts::stripe::transfer::{Claimed, Outcome, Sending};
use domain::store::StoreError;
use uuid::Uuid;

use super::counted;
use crate::bind::from_instant;
use crate::error::unreadable;

pub(super) fn signed(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a count out of range"))
}

pub(super) fn account_name(text: &str) -> Result<AccountName, StoreError> {
    AccountName::parse(text).ok_or_else(|| unreadable("an account at Stripe"))
}

#[derive(Queryable)]
pub(super) struct AccountRow {
    payee_id: Uuid,
    account: Option<String>,
    transfers: String,
    payouts_enabled: bool,
    disabled_reason: Option<String>,
    seen_at: jiff_diesel::Timestamp,
}

pub(super) type AccountColumns = (SqlUuid, Nullable<Text>, Text, Bool, Nullable<Text>, Timestamptz);

impl AccountRow {
    pub(super) fn restore(self) -> Result<KeptAccount, StoreError> {
        Ok(KeptAccount {
            payee: PayeeId::new(self.payee_id),
            account: self.account.as_deref().map(account_name).transpose()?,
            transfers: Capability::parse(&self.transfers),
            payouts_enabled: self.payouts_enabled,
            disabled_reason: self.disabled_reason,
            seen_at: from_instant(self.seen_at),
        })
    }
}

#[derive(Queryable)]
pub(super) struct ClaimedRow {
    payout_id: Uuid,
    run_id: Uuid,
    stripe_account: Option<String>,
    amount_minor: i64,
    attempts: i32,
    refusals: i32,
}

pub(super) type ClaimedColumns = (SqlUuid, SqlUuid, Nullable<Text>, BigInt, Integer, Integer);

impl ClaimedRow {
    pub(super) fn restore(self) -> Result<Claimed, StoreError> {
        Ok(Claimed {
            payout: PayoutId::new(self.payout_id),
            run: PayoutRunId::new(self.run_id),
            destination: account_name(self.stripe_account.as_deref().unwrap_or_default())?,
            amount_minor: self.amount_minor,
            attempts: counted(self.attempts)?,
            refusals: counted(self.refusals)?,
        })
    }
}

#[derive(Queryable)]
pub(super) struct SendingRow {
    payout_id: Uuid,
    transfer: Option<String>,
    attempts: i32,
    refusals: i32,
    outcome: Option<String>,
    detail: Option<String>,
    next_at: Option<jiff_diesel::Timestamp>,
    reversed_minor: i64,
}

pub(super) type SendingColumns =
    (SqlUuid, Nullable<Text>, Integer, Integer, Nullable<Text>, Nullable<Text>, Nullable<Timestamptz>, BigInt);

impl SendingRow {
    pub(super) fn restore(self) -> Result<Sending, StoreError> {
        let transfer = |text: String| TransferName::parse(&text).ok_or_else(|| unreadable("a transfer"));
        let outcome = |text: String| Outcome::parse(&text).ok_or_else(|| unreadable("what a try came to"));
        Ok(Sending {
            payout: PayoutId::new(self.payout_id),
            transfer: self.transfer.map(transfer).transpose()?,
            attempts: counted(self.attempts)?,
            refusals: counted(self.refusals)?,
            outcome: self.outcome.map(outcome).transpose()?,
            detail: self.detail,
            next_at: self.next_at.map(from_instant),
            reversed_minor: self.reversed_minor,
        })
    }
}

#[derive(Queryable)]
pub(super) struct EventRow {
    id: String,
    kind: String,
    account: Option<String>,
    created_at: jiff_diesel::Timestamp,
    body: Vec<u8>,
    attempts: i32,
}

pub(super) type EventColumns = (Text, Text, Nullable<Text>, Timestamptz, Bytea, Integer);

impl EventRow {
    pub(super) fn restore(self) -> Result<(StripeEvent, u32), StoreError> {
        let event = StripeEvent {
            id: EventName::parse(&self.id).ok_or_else(|| unreadable("an event of Stripe"))?,
            kind: self.kind,
            account: self.account.as_deref().map(account_name).transpose()?,
            created_at: from_instant(self.created_at),
            body: self.body,
        };
        Ok((event, counted(self.attempts)?))
    }
}

#[derive(Queryable)]
pub(super) struct MovementRow {
    id: String,
    kind: String,
    amount_minor: i64,
    fee_minor: i64,
    net_minor: i64,
    source: Option<String>,
    created_at: jiff_diesel::Timestamp,
    booked: bool,
}

pub(super) type MovementColumns = (Text, Text, BigInt, BigInt, BigInt, Nullable<Text>, Timestamptz, Bool);

impl MovementRow {
    pub(super) fn restore(self) -> Result<(BalanceTransaction, bool), StoreError> {
        let movement = BalanceTransaction {
            id: TransactionName::parse(&self.id).ok_or_else(|| unreadable("a movement of the Stripe balance"))?,
            kind: self.kind,
            amount_minor: self.amount_minor,
            fee_minor: self.fee_minor,
            net_minor: self.net_minor,
            source: self.source,
            created_at: from_instant(self.created_at),
        };
        Ok((movement, self.booked))
    }
}
