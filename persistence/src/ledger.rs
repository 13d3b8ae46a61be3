//! Accounts, entries, postings, balances, commission lines.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::model::{ComponentKey, FundingRule, Role};
use domain::kernel::Instant;
use domain::kernel::ids::{AccountId, CalculationId, DealId, LineId, MemberId, OrganisationId, PayeeId, VerticalId};
use domain::ledger::account::{AccountKey, AccountKind, Bounds};
use domain::ledger::line::{Buckets, CommissionLine};
use domain::ledger::repository::{
    Account, AccountBalance, LedgerHead, LedgerQueries, LedgerRepository, MemberTotal, PostedEntry, PostedPosting,
    TrialBalanceRow,
};
use domain::store::StoreError;
use uuid::Uuid;

mod append;

use crate::bind::{array_literal, date, digest, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{Statement, command, query};
use crate::store::{PgQueries, PgUnitOfWork};

#[derive(Queryable)]
pub(crate) struct LineRow {
    id: Uuid,
    deal_id: Uuid,
    component: String,
    role: String,
    level: i16,
    member_id: Option<Uuid>,
    payee_id: Option<Uuid>,
    period: Option<jiff_diesel::Date>,
    funding_rule: String,
    payable_on: jiff_diesel::Date,
    earned_minor: i64,
    clawed_back_minor: i64,
    suspense_minor: i64,
    accrued_minor: i64,
    held_minor: i64,
    available_minor: i64,
    in_transit_minor: i64,
    paid_minor: i64,
    recoverable_minor: i64,
    set_off_minor: i64,
    withheld_minor: i64,
    gst_minor: i64,
    calculation_id: Uuid,
    visible_to: Vec<Uuid>,
}

pub(crate) type LineColumns = (
    SqlUuid,
    SqlUuid,
    Text,
    Text,
    SmallInt,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Nullable<Date>,
    Text,
    Date,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    SqlUuid,
    Array<SqlUuid>,
);

/// The columns of [`LineRow`], in its order.
macro_rules! line_columns {
    () => {
        "id, deal_id, component, role, level, member_id, payee_id, period, funding_rule, payable_on, earned_minor, clawed_back_minor,
         suspense_minor, accrued_minor, held_minor, available_minor, in_transit_minor, paid_minor, recoverable_minor,
         set_off_minor, withheld_minor, gst_minor, calculation_id, visible_to"
    };
}
pub(crate) use line_columns;

/// A role as it is stored: its name, and the level of an upline.
const fn stored_role(role: Role) -> (&'static str, i16) {
    match role {
        Role::Member => ("member", 0),
        Role::Upline(level) => ("upline", level as i16),
        Role::Participant(n) => ("participant", n as i16),
        Role::Platform => ("platform", 0),
    }
}

fn restored_role(role: &str, level: i16) -> Option<Role> {
    match role {
        "member" => Some(Role::Member),
        "upline" => u8::try_from(level).ok().map(Role::Upline),
        "participant" => u8::try_from(level).ok().map(Role::Participant),
        "platform" => Some(Role::Platform),
        _ => None,
    }
}

const fn stored_rule(rule: FundingRule) -> &'static str {
    match rule {
        FundingRule::OnExpiry => "on_expiry",
        FundingRule::OnReceipt => "on_receipt",
    }
}

fn restored_rule(text: &str) -> Option<FundingRule> {
    [FundingRule::OnExpiry, FundingRule::OnReceipt].into_iter().find(|rule| stored_rule(*rule) == text)
}

impl LineRow {
    pub(crate) fn restore(self) -> Result<CommissionLine, StoreError> {
        Ok(CommissionLine {
            id: LineId::new(self.id),
            deal: DealId::new(self.deal_id),
            component: ComponentKey::parse(&self.component).map_err(|_| unreadable("a component"))?,
            role: restored_role(&self.role, self.level).ok_or_else(|| unreadable("a role"))?,
            member: self.member_id.map(MemberId::new),
            payee: self.payee_id.map(PayeeId::new),
            period: self.period.map(Into::into),
            funding_rule: restored_rule(&self.funding_rule).ok_or_else(|| unreadable("a funding rule"))?,
            payable_on: self.payable_on.into(),
            earned_minor: self.earned_minor,
            clawed_back_minor: self.clawed_back_minor,
            buckets: Buckets {
                suspense_minor: self.suspense_minor,
                accrued_minor: self.accrued_minor,
                held_minor: self.held_minor,
                available_minor: self.available_minor,
                in_transit_minor: self.in_transit_minor,
                paid_minor: self.paid_minor,
                recoverable_minor: self.recoverable_minor,
                set_off_minor: self.set_off_minor,
                withheld_minor: self.withheld_minor,
            },
            gst_minor: self.gst_minor,
            calculation: CalculationId::new(self.calculation_id),
            visible_to: self.visible_to,
        })
    }
}

impl PgUnitOfWork<'_> {
    pub(crate) fn lines(&mut self, statement: Statement<'_, LineColumns>) -> Result<Vec<CommissionLine>, StoreError> {
        let rows: Vec<LineRow> = statement.load(self.pg).map_err(store_error)?;
        rows.into_iter().map(LineRow::restore).collect()
    }
}

type AccountColumns = (SqlUuid, Text, Nullable<SqlUuid>, Nullable<SqlUuid>, Array<SqlUuid>);
type AccountRow = (Uuid, String, Option<Uuid>, Option<Uuid>, Vec<Uuid>);

fn account((id, kind, party, vertical, visible_to): AccountRow) -> Result<Account, StoreError> {
    let kind = AccountKind::parse(&kind).ok_or_else(|| unreadable("the kind of an account"))?;
    let key = AccountKey { kind, party, vertical: vertical.map(VerticalId::new) };
    Ok(Account { id: AccountId::new(id), key, visible_to })
}

impl LedgerRepository for PgUnitOfWork<'_> {
    fn find_accounts(&mut self, keys: &[AccountKey]) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<AccountRow> =
            query::<AccountColumns>(
                "select a.id, a.kind, a.party_id, a.vertical_id, a.visible_to
                 from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (kind, party_id, vertical_id)
                 join ledger_account a on a.kind = k.kind and a.currency = 'AUD'
                   and coalesce(a.party_id, '00000000-0000-0000-0000-000000000000') = coalesce(k.party_id, '00000000-0000-0000-0000-000000000000')
                   and coalesce(a.vertical_id, '00000000-0000-0000-0000-000000000000') = coalesce(k.vertical_id, '00000000-0000-0000-0000-000000000000')",
            )
            .bind::<Array<Text>, _>(keys.iter().map(|k| k.kind.as_str()).collect::<Vec<_>>())
            .bind::<Array<Nullable<SqlUuid>>, _>(keys.iter().map(|k| k.party).collect::<Vec<_>>())
            .bind::<Array<Nullable<SqlUuid>>, _>(keys.iter().map(|k| k.vertical.map(|v| v.uuid())).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        rows.into_iter().map(account).collect()
    }

    fn find_accounts_by_id(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<AccountRow> = query::<AccountColumns>(
            "select id, kind, party_id, vertical_id, visible_to from ledger_account where id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(account).collect()
    }

    fn append_accounts(&mut self, accounts: &[Account], at: Instant) -> Result<(), StoreError> {
        command(
            "with opened as (
               insert into ledger_account (id, kind, party_id, vertical_id, currency, visible_to, created_at)
               select id, kind, party_id, vertical_id, 'AUD', visible_to::uuid[], t.at
               from (select $1::timestamptz as at) t, unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[])
                 as a (id, kind, party_id, vertical_id, visible_to)
               on conflict do nothing returning id
             ) insert into ledger_balance (account_id) select id from opened",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(accounts.iter().map(|a| a.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(accounts.iter().map(|a| a.key.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(accounts.iter().map(|a| a.key.party).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(
            accounts.iter().map(|a| a.key.vertical.map(|v| v.uuid())).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(accounts.iter().map(|a| array_literal(&a.visible_to)).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_balances(&mut self, accounts: &[AccountId]) -> Result<Vec<AccountBalance>, StoreError> {
        type Columns = (SqlUuid, BigInt, BigInt, Nullable<BigInt>, Nullable<BigInt>);
        let rows: Vec<(Uuid, i64, i64, Option<i64>, Option<i64>)> = query::<Columns>(
            "select account_id, balance_minor, account_seq, least_minor, most_minor from ledger_balance where account_id = any($1) order by account_id for update",
        )
        .bind::<Array<SqlUuid>, _>(accounts.iter().map(|a| a.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let balance = |(account, balance_minor, account_seq, least_minor, most_minor)| AccountBalance {
            account: AccountId::new(account),
            balance_minor,
            account_seq,
            bounds: Bounds { least_minor, most_minor },
        };
        Ok(rows.into_iter().map(balance).collect())
    }

    fn lock_head(&mut self) -> Result<LedgerHead, StoreError> {
        let (last_seq, last_sha256, closed): (i64, Vec<u8>, Option<jiff_diesel::Date>) =
            query::<(BigInt, Bytea, Nullable<Date>)>(
                "select last_seq, last_sha256, closed_through_on from ledger_head for update",
            )
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(LedgerHead { last_seq, last_sha256: digest(&last_sha256)?, closed_through: closed.map(Into::into) })
    }

    fn append_entries(
        &mut self,
        entries: &[PostedEntry],
        postings: &[PostedPosting],
        balances: &[AccountBalance],
        head: &LedgerHead,
    ) -> Result<(), StoreError> {
        append::entries(self.pg, entries).map_err(store_error)?;
        append::postings(self.pg, postings).map_err(store_error)?;
        command(
            "update ledger_balance b set balance_minor = n.balance_minor, account_seq = n.account_seq
             from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as n (account_id, balance_minor, account_seq) where b.account_id = n.account_id",
        )
        .bind::<Array<SqlUuid>, _>(balances.iter().map(|b| b.account.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(balances.iter().map(|b| b.balance_minor).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(balances.iter().map(|b| b.account_seq).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        command("update ledger_head set last_seq = $1, last_sha256 = $2")
            .bind::<BigInt, _>(head.last_seq)
            .bind::<Bytea, _>(head.last_sha256.bytes().as_slice())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_lines(&mut self, deals: &[DealId]) -> Result<Vec<CommissionLine>, StoreError> {
        let statement = query::<LineColumns>(concat!(
            "select ",
            line_columns!(),
            " from commission_line where deal_id = any($1) order by id for update"
        ))
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.uuid()).collect::<Vec<_>>());
        self.lines(statement)
    }

    fn lock_lines_by_id(&mut self, lines: &[LineId]) -> Result<Vec<CommissionLine>, StoreError> {
        let statement = query::<LineColumns>(concat!(
            "select ",
            line_columns!(),
            " from commission_line where id = any($1) order by id for update"
        ))
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.uuid()).collect::<Vec<_>>());
        self.lines(statement)
    }

    fn lock_due_lines(&mut self, on: jiff::civil::Date, deals: u32) -> Result<Vec<CommissionLine>, StoreError> {
        let statement = query::<LineColumns>(
            concat!("select ", line_columns!(), " from commission_line where accrued_minor > 0 and payable_on <= $1 and funding_rule = 'on_expiry' and deal_id in (
               select distinct deal_id from commission_line where accrued_minor > 0 and payable_on <= $2 and funding_rule = 'on_expiry' order by deal_id limit $3)
             order by id for update"),
        )
        .bind::<Date, _>(date(on))
        .bind::<Date, _>(date(on))
        .bind::<BigInt, _>(i64::from(deals));
        self.lines(statement)
    }

    fn save_lines(&mut self, lines: &[CommissionLine]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let numbers = |pick: fn(&CommissionLine) -> i64| lines.iter().map(pick).collect::<Vec<_>>();
        command(
            "insert into commission_line (id, deal_id, component, role, level, member_id, payee_id, payable_on, earned_minor, clawed_back_minor,
               suspense_minor, accrued_minor, held_minor, available_minor, in_transit_minor, paid_minor, recoverable_minor, set_off_minor, calculation_id, visible_to, period, funding_rule, withheld_minor, gst_minor)
             select id, deal_id, component, role, level, member_id, payee_id, payable_on, earned_minor, clawed_back_minor,
               suspense_minor, accrued_minor, held_minor, available_minor, in_transit_minor, paid_minor, recoverable_minor, set_off_minor, calculation_id, visible_to::uuid[], period, funding_rule, withheld_minor, gst_minor
             from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::uuid[], $7::uuid[], $8::date[], $9::bigint[], $10::bigint[],
               $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::uuid[], $20::text[], $21::date[], $22::text[], $23::bigint[], $24::bigint[])
               as l (id, deal_id, component, role, level, member_id, payee_id, payable_on, earned_minor, clawed_back_minor,
               suspense_minor, accrued_minor, held_minor, available_minor, in_transit_minor, paid_minor, recoverable_minor, set_off_minor, calculation_id, visible_to, period, funding_rule, withheld_minor, gst_minor)
             on conflict (id) do update set payable_on = excluded.payable_on, earned_minor = excluded.earned_minor,
               clawed_back_minor = excluded.clawed_back_minor, suspense_minor = excluded.suspense_minor, accrued_minor = excluded.accrued_minor,
               held_minor = excluded.held_minor, available_minor = excluded.available_minor, in_transit_minor = excluded.in_transit_minor,
               paid_minor = excluded.paid_minor, recoverable_minor = excluded.recoverable_minor, set_off_minor = excluded.set_off_minor, withheld_minor = excluded.withheld_minor, gst_minor = excluded.gst_minor, calculation_id = excluded.calculation_id,
               version = commission_line.version + 1",
        )
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|l| l.component.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|l| stored_role(l.role).0).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(lines.iter().map(|l| stored_role(l.role).1).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(lines.iter().map(|l| l.member.map(MemberId::uuid)).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(lines.iter().map(|l| l.payee.map(PayeeId::uuid)).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(lines.iter().map(|l| date(l.payable_on)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(numbers(|l| l.earned_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.clawed_back_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.suspense_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.accrued_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.held_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.available_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.in_transit_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.paid_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.recoverable_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.set_off_minor))
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.calculation.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|l| array_literal(&l.visible_to)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(lines.iter().map(|l| maybe_date(l.period)).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|l| stored_rule(l.funding_rule)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(numbers(|l| l.buckets.withheld_minor))
        .bind::<Array<BigInt>, _>(numbers(|l| l.gst_minor))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl LedgerQueries for PgQueries<'_> {
    fn trial_balance(&mut self) -> Result<Vec<TrialBalanceRow>, StoreError> {
        let rows: Vec<(String, i64)> = query::<(Text, BigInt)>(
            "select a.kind, sum(p.amount_minor)::bigint from ledger_posting p join ledger_account a on a.id = p.account_id group by a.kind order by a.kind",
        )
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(kind, balance_minor)| TrialBalanceRow { kind, balance_minor }).collect())
    }

    fn member_totals(&mut self, organisation: OrganisationId) -> Result<Vec<MemberTotal>, StoreError> {
        let rows: Vec<(String, i64, i64)> = query::<(Text, BigInt, BigInt)>(
            "select m.member_ref, sum(l.earned_minor)::bigint, sum(l.clawed_back_minor)::bigint
             from commission_line l join member m on m.id = l.member_id where m.organisation_id = $1 group by m.member_ref order by m.member_ref",
        )
        .bind::<SqlUuid, _>(organisation.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let total =
            |(member_ref, earned_minor, clawed_back_minor)| MemberTotal { member_ref, earned_minor, clawed_back_minor };
        Ok(rows.into_iter().map(total).collect())
    }
}
