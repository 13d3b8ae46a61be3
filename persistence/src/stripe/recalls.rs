//! Parts of transfers that somebody asked to take back.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::Grounds;
use domain::kernel::Instant;
use domain::kernel::ids::{PayoutId, TransferReversalId};
use domain::payouts::stripe::names::{ReversalName, TransferName};
use domain::payouts::stripe::recall::{Recall, RecallState};
use domain::store::StoreError;
use uuid::Uuid;

use super::counted;
use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

pub(super) type RecallColumns = (
    (SqlUuid, SqlUuid, Text, BigInt, Text, Text, Nullable<Text>, Nullable<Text>),
    (Integer, Nullable<Timestamptz>, SqlUuid, Timestamptz, Nullable<Timestamptz>),
);
type Said = (Uuid, Uuid, String, i64, String, String, Option<String>, Option<String>);
type Tried = (i32, Option<jiff_diesel::Timestamp>, Uuid, jiff_diesel::Timestamp, Option<jiff_diesel::Timestamp>);
pub(super) type RecallRow = (Said, Tried);

/// The columns of [`RecallRow`], in its order, of a request `r`.
macro_rules! recall_columns {
    () => {
        "r.id, r.payout_id, r.transfer, r.amount_minor, r.reason, r.state, r.reversal, r.detail,
         r.attempts, r.next_at, r.asked_by, r.asked_at, r.done_at"
    };
}
pub(super) use recall_columns;

pub(super) fn restore((said, tried): RecallRow) -> Result<Recall, StoreError> {
    let (id, payout, transfer, amount_minor, reason, state, reversal, detail) = said;
    let (attempts, next_at, asked_by, asked_at, done_at) = tried;
    let reversal = reversal.map(|text| ReversalName::parse(&text).ok_or_else(|| unreadable("a reversal")));
    Ok(Recall {
        id: TransferReversalId::new(id),
        payout: PayoutId::new(payout),
        transfer: TransferName::parse(&transfer).ok_or_else(|| unreadable("a transfer"))?,
        amount_minor,
        reason: Grounds::parse(&reason).map_err(|_| unreadable("the reason of a reversal"))?,
        state: RecallState::parse(&state).ok_or_else(|| unreadable("the state of a reversal"))?,
        reversal: reversal.transpose()?,
        detail,
        attempts: counted(attempts)?,
        next_at: next_at.map(from_instant),
        asked_by,
        asked_at: from_instant(asked_at),
        done_at: done_at.map(from_instant),
    })
}

impl domain::payouts::stripe::recall::RecallRepository for PgUnitOfWork<'_> {
    fn find_open_recall(&mut self, payout: PayoutId) -> Result<bool, StoreError> {
        let open: Option<Uuid> =
            query::<SqlUuid>("select r.id from payout p join payout o on o.payee_id = p.payee_id join stripe_recall r on r.payout_id = o.id
                 where p.id = $1 and r.state in ('asked', 'unknown') limit 1")
                .bind::<SqlUuid, _>(payout.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        Ok(open.is_some())
    }

    fn insert_recall(&mut self, recall: &Recall) -> Result<(), StoreError> {
        command(
            "insert into stripe_recall (id, payout_id, transfer, amount_minor, reason, state, next_at, asked_by, asked_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind::<SqlUuid, _>(recall.id.uuid())
        .bind::<SqlUuid, _>(recall.payout.uuid())
        .bind::<Text, _>(recall.transfer.as_str())
        .bind::<BigInt, _>(recall.amount_minor)
        .bind::<Text, _>(recall.reason.as_str())
        .bind::<Text, _>(recall.state.as_str())
        .bind::<Nullable<Timestamptz>, _>(recall.next_at.map(instant))
        .bind::<SqlUuid, _>(recall.asked_by)
        .bind::<Timestamptz, _>(instant(recall.asked_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn claim_recalls(&mut self, at: Instant, until: Instant, limit: u32) -> Result<Vec<Recall>, StoreError> {
        let rows: Vec<RecallRow> = query::<RecallColumns>(concat!(
            "with asked as (select $1::timestamptz as at, $2::timestamptz as until, $3::bigint as n),
             due as (
               select d.id from stripe_recall d
               where d.next_at <= (select at from asked) and (d.leased_until is null or d.leased_until <= (select at from asked))
               order by d.next_at, d.id limit (select n from asked) for update skip locked)
             update stripe_recall r set attempts = r.attempts + 1, leased_until = asked.until
             from due, asked where r.id = due.id returning ",
            recall_columns!()
        ))
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Timestamptz, _>(instant(until))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(restore).collect()
    }

    fn lock_recall(&mut self, id: TransferReversalId) -> Result<Option<Recall>, StoreError> {
        let row: Option<RecallRow> = query::<RecallColumns>(concat!(
            "select ",
            recall_columns!(),
            " from stripe_recall r where r.id = $1 for update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(restore).transpose()
    }

    fn update_recall(&mut self, recall: &Recall) -> Result<(), StoreError> {
        command(
            "update stripe_recall set state = $1, reversal = $2, detail = $3, next_at = $4, done_at = $5, leased_until = null where id = $6",
        )
        .bind::<Text, _>(recall.state.as_str())
        .bind::<Nullable<Text>, _>(recall.reversal.as_ref().map(|name| name.as_str().to_owned()))
        .bind::<Nullable<Text>, _>(recall.detail.clone())
        .bind::<Nullable<Timestamptz>, _>(recall.next_at.map(instant))
        .bind::<Nullable<Timestamptz>, _>(recall.done_at.map(instant))
        .bind::<SqlUuid, _>(recall.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
