//! The Stripe rail, to look up. Statements: two for the comparison of the books, whatever they hold.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{PayeeId, PayoutId};
use domain::payouts::stripe::KeptAccount;
use domain::payouts::stripe::book::{Comparison, Difference, NAMED};
use domain::payouts::stripe::recall::Recall;
use domain::payouts::stripe::repository::StripeQueries;
use domain::store::StoreError;
use uuid::Uuid;

use super::recalls::{RecallColumns, RecallRow, recall_columns, restore};
use super::rows::{AccountColumns, AccountRow};
use crate::bind::from_instant;
use crate::error::store_error;
use crate::statement::query;
use crate::store::PgQueries;

type Figures = (i64, i64, i64, Option<jiff_diesel::Timestamp>);
type FigureColumns = (BigInt, BigInt, BigInt, Nullable<Timestamptz>);
type DifferenceRow = (String, Option<String>, Option<Uuid>, i64, i64);
type DifferenceColumns = (Text, Nullable<Text>, Nullable<SqlUuid>, BigInt, BigInt);

impl StripeQueries for PgQueries<'_> {
    fn find_account(&mut self, payee: PayeeId) -> Result<Option<KeptAccount>, StoreError> {
        let row: Option<AccountRow> = query::<AccountColumns>(
            "select payee_id, account, transfers, payouts_enabled, disabled_reason, seen_at from stripe_account where payee_id = $1",
        )
        .bind::<SqlUuid, _>(payee.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(AccountRow::restore).transpose()
    }

    fn list_recalls(&mut self, payout: PayoutId) -> Result<Vec<Recall>, StoreError> {
        let rows: Vec<RecallRow> = query::<RecallColumns>(concat!(
            "select ",
            recall_columns!(),
            " from stripe_recall r where r.payout_id = $1 order by r.id"
        ))
        .bind::<SqlUuid, _>(payout.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(restore).collect()
    }

    fn compare(&mut self) -> Result<Comparison, StoreError> {
        let (ledger_minor, stripe_minor, movements, read_at): Figures = query::<FigureColumns>(
            "select coalesce((select sum(b.balance_minor) from ledger_balance b join ledger_account a on a.id = b.account_id
                 where a.kind = 'stripe_balance'), 0)::bigint,
               coalesce(sum(net_minor), 0)::bigint, count(*), max(read_at) from stripe_balance_transaction",
        )
        .get_result(self.pg)
        .map_err(store_error)?;
        let rows: Vec<DifferenceRow> = query::<DifferenceColumns>(
            "with ours as (
               select s.payout_id, s.transfer, p.amount_minor,
                 coalesce((select sum(g.amount_minor) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
                   join ledger_account a on a.id = g.account_id
                   where e.source_id = s.payout_id and e.kind = 'payout_settled' and a.kind = 'stripe_balance'), 0)::bigint as sent_minor,
                 coalesce((select sum(g.amount_minor) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
                   join ledger_account a on a.id = g.account_id
                   where e.source_id = s.payout_id and e.kind <> 'payout_settled' and a.kind = 'stripe_balance'), 0)::bigint as back_minor
               from stripe_sending s join payout p on p.id = s.payout_id where s.transfer is not null),
             sent as (select * from stripe_balance_transaction where kind = 'transfer'),
             back as (select coalesce(sum(net_minor), 0)::bigint as minor from stripe_balance_transaction
               where kind in ('transfer_refund', 'transfer_cancel', 'transfer_failure')),
             found as (
               select 'not_ours' as code, t.id as transaction_id, null::uuid as payout_id, t.net_minor as stripe_minor, 0::bigint as ledger_minor
                 from sent t where not exists (select from ours o where o.transfer = t.source)
               union all
               select 'not_at_stripe', null, o.payout_id, 0, o.sent_minor
                 from ours o where not exists (select from sent t where t.source = o.transfer)
               union all
               select 'other_amount', t.id, o.payout_id, t.net_minor, o.sent_minor
                 from ours o join sent t on t.source = o.transfer where t.net_minor <> o.sent_minor
               union all
               select 'reversals', null, null, back.minor, o.minor from back, (select coalesce(sum(back_minor), 0)::bigint as minor from ours) o
                 where back.minor <> o.minor
               union all
               select 'not_booked', t.id, null, t.net_minor, 0 from stripe_balance_transaction t
                 where t.kind not in ('transfer', 'transfer_refund', 'transfer_cancel', 'transfer_failure') and t.net_minor <> 0
                   and not exists (select from stripe_booking b where b.transaction_id = t.id))
             select code, transaction_id, payout_id, stripe_minor, ledger_minor from found
             order by code, transaction_id, payout_id limit $1",
        )
        .bind::<BigInt, _>(NAMED)
        .load(self.pg)
        .map_err(store_error)?;
        let named = |(code, transaction, payout, stripe_minor, ledger_minor): DifferenceRow| Difference {
            code,
            transaction,
            payout,
            stripe_minor,
            ledger_minor,
        };
        let differences = rows.into_iter().map(named).collect();
        Ok(Comparison { ledger_minor, stripe_minor, movements, read_at: read_at.map(from_instant), differences })
    }
}
