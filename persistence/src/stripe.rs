//! The rail of Stripe: accounts, sendings, events, Stripe's own book.
//!
//! Statements: one each, whatever the number of rows; a reversal's shares are one statement too.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Instant;
use domain::kernel::ids::{EntryId, LineId, PayeeId, PayoutId};
use domain::payouts::stripe::KeptAccount;
use domain::payouts::stripe::event::{Ending, StripeEvent};
use domain::payouts::stripe::names::{AccountName, EventName, TransactionName};
use domain::payouts::stripe::rail::BalanceTransaction;
use domain::payouts::stripe::repository::StripeRepository;
use domain::payouts::stripe::reversal::Share;
use domain::payouts::stripe::sending::Asked;
use domain::payouts::stripe::transfer::{Claimed, Sending};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::instant;
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

mod queries;
mod recalls;
mod rows;

use rows::{
    AccountColumns, AccountRow, ClaimedColumns, ClaimedRow, EventColumns, EventRow, MovementColumns, MovementRow,
    SendingColumns, SendingRow, account_name, signed,
};

impl StripeRepository for PgUnitOfWork<'_> {
    fn lock_account(&mut self, payee: PayeeId) -> Result<Option<KeptAccount>, StoreError> {
        let row: Option<AccountRow> = query::<AccountColumns>(
            "select payee_id, account, transfers, payouts_enabled, disabled_reason, seen_at from stripe_account
             where payee_id = $1 for update",
        )
        .bind::<SqlUuid, _>(payee.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(AccountRow::restore).transpose()
    }

    fn insert_account(&mut self, account: &KeptAccount) -> Result<(), StoreError> {
        command(
            "insert into stripe_account (payee_id, seen_at, created_at)
             select payee_id, at, at from (select $1::uuid as payee_id, $2::timestamptz as at) asked
             on conflict (payee_id) do nothing",
        )
        .bind::<SqlUuid, _>(account.payee.uuid())
        .bind::<Timestamptz, _>(instant(account.seen_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn update_account(&mut self, account: &KeptAccount) -> Result<(), StoreError> {
        command(
            "update stripe_account set account = $1, transfers = $2, payouts_enabled = $3, disabled_reason = $4,
               seen_at = $5 where payee_id = $6",
        )
        .bind::<Nullable<Text>, _>(account.account.as_ref().map(|account| account.as_str().to_owned()))
        .bind::<Text, _>(account.transfers.code())
        .bind::<Bool, _>(account.payouts_enabled)
        .bind::<Nullable<Text>, _>(account.disabled_reason.clone())
        .bind::<Timestamptz, _>(instant(account.seen_at))
        .bind::<SqlUuid, _>(account.payee.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_payee_of(&mut self, account: &AccountName) -> Result<Option<PayeeId>, StoreError> {
        let found: Option<Uuid> = query::<SqlUuid>("select payee_id from stripe_account where account = $1")
            .bind::<Text, _>(account.as_str())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(found.map(PayeeId::new))
    }

    fn take_up(&mut self, at: Instant) -> Result<(), StoreError> {
        command(
            "insert into stripe_sending (payout_id, next_at)
             select p.id, asked.at from payout p, (select $1::timestamptz as at) asked
             where p.state in ('in_transit', 'waiting_for_funds', 'unknown') and p.rail = 'stripe'
               and not exists (select from stripe_sending s where s.payout_id = p.id)
             order by p.id on conflict (payout_id) do nothing",
        )
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn claim_sendings(&mut self, at: Instant, until: Instant, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        let rows: Vec<ClaimedRow> = query::<ClaimedColumns>(
            "with asked as (select $1::timestamptz as at, $2::timestamptz as until, $3::bigint as n),
             due as (
               select s.payout_id from stripe_sending s
               where s.next_at <= (select at from asked) and (s.leased_until is null or s.leased_until <= (select at from asked))
               order by s.next_at, s.payout_id limit (select n from asked) for update skip locked),
             claimed as (
               update stripe_sending s set attempts = s.attempts + 1, leased_until = asked.until
               from due, asked where s.payout_id = due.payout_id
               returning s.payout_id, s.attempts, s.refusals)
             select c.payout_id, p.run_id, p.stripe_account, p.amount_minor, c.attempts, c.refusals
             from claimed c join payout p on p.id = c.payout_id order by c.payout_id",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Timestamptz, _>(instant(until))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(ClaimedRow::restore).collect()
    }

    fn lock_sendings(&mut self, payouts: &[PayoutId]) -> Result<Vec<Sending>, StoreError> {
        let rows: Vec<SendingRow> = query::<SendingColumns>(
            "select payout_id, transfer, attempts, refusals, outcome, detail, next_at, reversed_minor
             from stripe_sending where payout_id = any($1) order by payout_id for update",
        )
        .bind::<Array<SqlUuid>, _>(payouts.iter().map(|p| p.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(SendingRow::restore).collect()
    }

    fn update_sendings(&mut self, sendings: &[Sending]) -> Result<(), StoreError> {
        let text = |text: &Option<String>| text.clone();
        let transfers = sendings.iter().map(|s| s.transfer.as_ref().map(|id| id.as_str().to_owned()));
        let refusals = sendings.iter().map(|s| signed(s.refusals)).collect::<Result<Vec<i32>, _>>()?;
        command(
            "update stripe_sending s set transfer = n.transfer, refusals = n.refusals, outcome = n.outcome, detail = n.detail,
               next_at = n.next_at, reversed_minor = n.reversed_minor, leased_until = null
             from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[])
               as n (payout_id, transfer, refusals, outcome, detail, next_at, reversed_minor)
             where s.payout_id = n.payout_id",
        )
        .bind::<Array<SqlUuid>, _>(sendings.iter().map(|s| s.payout.uuid()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(transfers.collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(refusals)
        .bind::<Array<Nullable<Text>>, _>(sendings.iter().map(|s| s.outcome.map(|o| o.code().to_owned())).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(sendings.iter().map(|s| text(&s.detail)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(sendings.iter().map(|s| s.next_at.map(instant)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(sendings.iter().map(|s| s.reversed_minor).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_asked(&mut self, payout: PayoutId) -> Result<Option<Asked>, StoreError> {
        let found: Option<(i64, Option<String>)> =
            query::<(BigInt, Nullable<Text>)>("select amount_minor, stripe_account from payout where id = $1")
                .bind::<SqlUuid, _>(payout.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        let Some((amount_minor, Some(account))) = found else { return Ok(None) };
        Ok(Some((amount_minor, account_name(&account)?)))
    }

    fn wake_for_funds(&mut self, at: Instant) -> Result<(), StoreError> {
        command(
            "update stripe_sending s set next_at = asked.at from (select $1::timestamptz as at) asked
             where s.outcome = 'insufficient_funds' and s.next_at > asked.at",
        )
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_reversed(&mut self, payout: PayoutId) -> Result<Vec<(LineId, i64)>, StoreError> {
        let rows: Vec<(Uuid, i64)> = query::<(SqlUuid, BigInt)>(
            "select line_id, sum(amount_minor)::bigint from stripe_reversed where payout_id = $1 group by 1 order by 1",
        )
        .bind::<SqlUuid, _>(payout.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(line, amount_minor)| (LineId::new(line), amount_minor)).collect())
    }

    fn append_reversed(
        &mut self,
        payout: PayoutId,
        up_to_minor: i64,
        shares: &[Share],
        at: Instant,
    ) -> Result<(), StoreError> {
        command(
            "with asked as (select $1::uuid as payout_id, $2::bigint as up_to_minor, $3::timestamptz as at)
             insert into stripe_reversed (payout_id, up_to_minor, line_id, amount_minor, recovered_minor, at)
             select asked.payout_id, asked.up_to_minor, s.line_id, s.amount_minor, s.recovered_minor, asked.at
             from asked, unnest($4::uuid[], $5::bigint[], $6::bigint[]) as s (line_id, amount_minor, recovered_minor)",
        )
        .bind::<SqlUuid, _>(payout.uuid())
        .bind::<BigInt, _>(up_to_minor)
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(shares.iter().map(|s| s.line.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(shares.iter().map(|s| s.amount_minor).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(shares.iter().map(|s| s.recovered_minor).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_event(&mut self, event: &StripeEvent, at: Instant) -> Result<bool, StoreError> {
        let rows = command(
            "with kept as (
               insert into stripe_event (id, type, account, body, created_at, received_at) values ($1, $2, $3, $4, $5, $6)
               on conflict (id) do nothing returning id, received_at)
             insert into stripe_event_work (event_id, state, next_at) select id, 'waiting', received_at from kept",
        )
        .bind::<Text, _>(event.id.as_str())
        .bind::<Text, _>(event.kind.as_str())
        .bind::<Nullable<Text>, _>(event.account.as_ref().map(|account| account.as_str().to_owned()))
        .bind::<Bytea, _>(event.body.as_slice())
        .bind::<Timestamptz, _>(instant(event.created_at))
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(rows > 0)
    }

    fn list_waiting_events(&mut self, at: Instant, limit: u32) -> Result<Vec<(StripeEvent, u32)>, StoreError> {
        let rows: Vec<EventRow> = query::<EventColumns>(
            "select e.id, e.type, e.account, e.created_at, e.body, w.attempts
             from stripe_event_work w join stripe_event e on e.id = w.event_id
             where w.state = 'waiting' and w.next_at <= $1 order by w.next_at, w.event_id limit $2",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(EventRow::restore).collect()
    }

    fn lock_waiting_event(&mut self, id: &EventName) -> Result<bool, StoreError> {
        let found: Option<String> = query::<Text>(
            "select event_id from stripe_event_work where event_id = $1 and state = 'waiting' for update",
        )
        .bind::<Text, _>(id.as_str())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        Ok(found.is_some())
    }

    fn end_event(&mut self, id: &EventName, ending: &Ending, at: Instant) -> Result<(), StoreError> {
        let (state, detail, next_at) = match ending {
            Ending::Applied => ("applied", None, None),
            Ending::Ignored => ("ignored", None, None),
            Ending::Contradicts(why) => ("contradicts", Some(why.as_str()), None),
            Ending::Later(next_at, why) => ("waiting", Some(why.as_str()), Some(*next_at)),
        };
        command(
            "update stripe_event_work w set state = asked.state, detail = asked.detail, attempts = w.attempts + 1,
               next_at = coalesce(asked.next_at, w.next_at), done_at = case when asked.next_at is null then asked.at end
             from (select $1::text as state, $2::text as detail, $3::timestamptz as next_at, $4::timestamptz as at) asked
             where w.event_id = $5 and w.state = 'waiting'",
        )
        .bind::<Text, _>(state)
        .bind::<Nullable<Text>, _>(detail)
        .bind::<Nullable<Timestamptz>, _>(next_at.map(instant))
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Text, _>(id.as_str())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_transactions(&mut self, movements: &[BalanceTransaction], at: Instant) -> Result<usize, StoreError> {
        command(
            "with asked as (select $1::timestamptz as at)
             insert into stripe_balance_transaction (id, kind, amount_minor, fee_minor, net_minor, source, created_at, read_at)
             select m.id, m.kind, m.amount_minor, m.fee_minor, m.net_minor, m.source, m.created_at, asked.at
             from asked, unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::timestamptz[])
               as m (id, kind, amount_minor, fee_minor, net_minor, source, created_at)
             on conflict (id) do nothing",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<Text>, _>(movements.iter().map(|m| m.id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(movements.iter().map(|m| m.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(movements.iter().map(|m| m.amount_minor).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(movements.iter().map(|m| m.fee_minor).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(movements.iter().map(|m| m.net_minor).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(movements.iter().map(|m| m.source.clone()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(movements.iter().map(|m| instant(m.created_at)).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)
    }

    fn find_transaction(&mut self, id: &TransactionName) -> Result<Option<(BalanceTransaction, bool)>, StoreError> {
        let row: Option<MovementRow> = query::<MovementColumns>(
            "select m.id, m.kind, m.amount_minor, m.fee_minor, m.net_minor, m.source, m.created_at,
               exists (select from stripe_booking b where b.transaction_id = m.id)
             from stripe_balance_transaction m where m.id = $1",
        )
        .bind::<Text, _>(id.as_str())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(MovementRow::restore).transpose()
    }

    fn append_booking(
        &mut self,
        id: &TransactionName,
        entry: EntryId,
        by: Uuid,
        at: Instant,
    ) -> Result<(), StoreError> {
        command("insert into stripe_booking (transaction_id, entry_id, booked_at, booked_by) values ($1, $2, $3, $4)")
            .bind::<Text, _>(id.as_str())
            .bind::<SqlUuid, _>(entry.uuid())
            .bind::<Timestamptz, _>(instant(at))
            .bind::<SqlUuid, _>(by)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

/// A number that is stored as it is not negative.
pub(crate) fn counted(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unreadable("a count"))
}
