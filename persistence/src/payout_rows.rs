//! Rows of payouts that both writers and look-ups read.

use diesel::Queryable;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use domain::directory::{AbaText, ClusterText, Rail};
use domain::kernel::Instant;
use domain::kernel::ids::{BankAccountId, PayeeId, PayoutId, PayoutRunId};
use domain::payouts::BankAccount;
use domain::payouts::bank_account::{BankCode, HeaderDate, UserNumber};
use domain::payouts::bank_file::RunFile;
use domain::payouts::payout::PayoutState;
use domain::payouts::repository::PayoutRecord;
use domain::payouts::run::{Act, RunState, RunSummary};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::digest;
use crate::error::unreadable;
use crate::payouts::bank_details;

#[derive(Queryable)]
pub(crate) struct AccountRow {
    id: Uuid,
    name: String,
    bsb: String,
    account_number: String,
    account_title: String,
    bank_code: String,
    user_name: String,
    user_number: String,
    remitter: String,
    description: String,
    self_balancing: bool,
    header_date: String,
    item_limit: i32,
    settle_after_days: Option<i16>,
    csv_profile: Option<String>,
}

pub(crate) type AccountColumns = (
    SqlUuid,
    Text,
    Text,
    Text,
    Text,
    Text,
    Text,
    Text,
    Text,
    Text,
    Bool,
    Text,
    Integer,
    Nullable<SmallInt>,
    Nullable<Text>,
);

/// What is selected of an own account.
macro_rules! account_columns {
    () => {
        "id, name, bsb, account_number, account_title, bank_code, user_name, user_number, remitter, description, self_balancing, header_date, item_limit, settle_after_days, csv_profile::text"
    };
}
pub(crate) use account_columns;

impl AccountRow {
    pub(crate) fn restore(self) -> Result<BankAccount, StoreError> {
        let bad = || unreadable("a bank account");
        Ok(BankAccount {
            id: BankAccountId::new(self.id),
            name: ClusterText::parse(&self.name).map_err(|_| bad())?,
            details: bank_details(&self.bsb, &self.account_number, &self.account_title)?,
            bank_code: BankCode::parse(&self.bank_code).map_err(|_| bad())?,
            user_name: AbaText::parse(&self.user_name).map_err(|_| bad())?,
            user_number: UserNumber::parse(&self.user_number).map_err(|_| bad())?,
            remitter: AbaText::parse(&self.remitter).map_err(|_| bad())?,
            description: AbaText::parse(&self.description).map_err(|_| bad())?,
            self_balancing: self.self_balancing,
            header_date: HeaderDate::parse(&self.header_date).map_err(|_| bad())?,
            item_limit: u32::try_from(self.item_limit).map_err(|_| bad())?,
            settle_after_days: self.settle_after_days.map(u16::try_from).transpose().map_err(|_| bad())?,
            csv: self.csv_profile.map(|json| serde_json::from_str(&json)).transpose().map_err(|_| bad())?,
        })
    }
}

#[derive(Queryable)]
pub(crate) struct RunRow {
    id: Uuid,
    bank_account_id: Uuid,
    state: String,
    cut_off_on: jiff_diesel::Date,
    content_sha256: Vec<u8>,
    /// What it pays in all, how many payees, how many it leaves out.
    sums: Vec<i64>,
    created_by: Uuid,
    created_at: jiff_diesel::Timestamp,
    proposed_by: Option<Uuid>,
    proposed_at: Option<jiff_diesel::Timestamp>,
    approved_by: Option<Uuid>,
    approved_at: Option<jiff_diesel::Timestamp>,
    executed_by: Option<Uuid>,
    executed_at: Option<jiff_diesel::Timestamp>,
    voided_reason: Option<String>,
    version: i32,
}

pub(crate) type RunColumns = (
    SqlUuid,
    SqlUuid,
    Text,
    Date,
    Bytea,
    Array<BigInt>,
    SqlUuid,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Integer,
);

/// What is selected of a run.
macro_rules! run_columns {
    () => {
        "id, bank_account_id, state, cut_off_on, content_sha256, array[total_minor, payout_count, skipped_count], created_by, created_at,
         proposed_by, proposed_at, approved_by, approved_at, executed_by, executed_at, voided_reason, version"
    };
}
pub(crate) use run_columns;

fn act(by: Option<Uuid>, at: Option<jiff_diesel::Timestamp>) -> Result<Act, StoreError> {
    let (Some(by), Some(at)) = (by, at) else { return Err(unreadable("who decided on a payout run")) };
    Ok(Act { by, at: Instant::new(at.into()) })
}

impl RunRow {
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }

    /// With the files of this run.
    pub(crate) fn restore(self, files: Vec<RunFile>) -> Result<RunSummary, StoreError> {
        let state = self.state(files)?;
        let [total_minor, payouts, skipped] = self.sums.as_slice() else { return Err(unreadable("sums of a run")) };
        let count = |number: &i64| usize::try_from(*number).map_err(|_| unreadable("a count"));
        Ok(RunSummary {
            id: PayoutRunId::new(self.id),
            bank_account: BankAccountId::new(self.bank_account_id),
            cut_off_on: self.cut_off_on.into(),
            content_sha256: digest(&self.content_sha256)?,
            total_minor: *total_minor,
            payouts: count(payouts)?,
            skipped: count(skipped)?,
            created: Act { by: self.created_by, at: Instant::new(self.created_at.into()) },
            state,
            version: u32::try_from(self.version).map_err(|_| unreadable("a version"))?,
        })
    }

    fn state(&self, files: Vec<RunFile>) -> Result<RunState, StoreError> {
        let proposed = || act(self.proposed_by, self.proposed_at);
        let approved = || act(self.approved_by, self.approved_at);
        Ok(match self.state.as_str() {
            "previewed" => RunState::Previewed { voided: self.voided_reason.clone() },
            "proposed" => RunState::Proposed { proposed: proposed()? },
            "approved" => RunState::Approved { proposed: proposed()?, approved: approved()? },
            "executed" => RunState::Executed {
                proposed: proposed()?,
                approved: approved()?,
                executed: act(self.executed_by, self.executed_at)?,
                files,
            },
            "rejected" => RunState::Rejected { proposed: proposed()? },
            "cancelled" => RunState::Cancelled,
            _ => return Err(unreadable("the state of a payout run")),
        })
    }
}

#[derive(Queryable)]
pub(crate) struct PayoutRow {
    pub(crate) id: Uuid,
    run_id: Uuid,
    payee_id: Uuid,
    state: String,
    amount_minor: i64,
    gross_minor: i64,
    recovered_minor: i64,
    gst_minor: i64,
    withheld_minor: i64,
    rail: String,
    reference: String,
    created_at: jiff_diesel::Timestamp,
    ended_on: Option<jiff_diesel::Date>,
    retry_of: Option<Uuid>,
    retried_by: Option<Uuid>,
}

pub(crate) type PayoutColumns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Text,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Text,
    Text,
    Timestamptz,
    Nullable<Date>,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
);

/// What is selected of a payout `p`.
macro_rules! payout_columns {
    () => {
        "p.id, p.run_id, p.payee_id, p.state, p.amount_minor, p.gross_minor, p.recovered_minor, p.gst_minor, p.withheld_minor, p.rail, p.reference, p.created_at,
         case when p.state in ('settled', 'returned') then (select s.effective_on from payout_step s where s.payout_id = p.id order by s.n desc limit 1) end,
         p.retry_of, (select r.id from payout r where r.retry_of = p.id)"
    };
}
pub(crate) use payout_columns;

impl PayoutRow {
    pub(crate) fn restore(self) -> Result<PayoutRecord, StoreError> {
        Ok(PayoutRecord {
            id: PayoutId::new(self.id),
            run: PayoutRunId::new(self.run_id),
            payee: PayeeId::new(self.payee_id),
            state: PayoutState::parse(&self.state).ok_or_else(|| unreadable("the state of a payout"))?,
            amount_minor: self.amount_minor,
            gross_minor: self.gross_minor,
            recovered_minor: self.recovered_minor,
            gst_minor: self.gst_minor,
            withheld_minor: self.withheld_minor,
            rail: Rail::parse(&self.rail).map_err(|_| unreadable("a rail"))?,
            reference: self.reference,
            created_at: Instant::new(self.created_at.into()),
            ended_on: self.ended_on.map(Into::into),
            retry_of: self.retry_of.map(PayoutId::new),
            retried_by: self.retried_by.map(PayoutId::new),
        })
    }
}
