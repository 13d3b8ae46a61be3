//! The ledger as a book, under row-level security. Sums read postings, never the balances table, except
//! for the balance of now.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{AccountId, DealId, EntryId, LineId, OrganisationId, PayeeId, VerticalId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::ledger::account::{AccountKey, AccountKind};
use domain::ledger::book::{
    AccountFilter, AccountPosting, AccountRecord, AccrualBy, AccrualRow, AsOf, BookQueries, EntryFilter, EntryRecord,
    PostingRecord, TrialRow,
};
use domain::ledger::entry::EntryKind;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{Statement, query};
use crate::store::PgQueries;

type AccountColumns =
    (SqlUuid, Text, Nullable<SqlUuid>, Nullable<SqlUuid>, Nullable<Text>, BigInt, BigInt, Timestamptz);
type AccountRow = (Uuid, String, Option<Uuid>, Option<Uuid>, Option<String>, i64, i64, jiff_diesel::Timestamp);

fn account_key(kind: &str, party: Option<Uuid>, vertical: Option<Uuid>) -> Result<AccountKey, StoreError> {
    let kind = AccountKind::parse(kind).ok_or_else(|| unreadable("the kind of an account"))?;
    Ok(AccountKey { kind, party, vertical: vertical.map(VerticalId::new) })
}

fn account(row: AccountRow) -> Result<AccountRecord, StoreError> {
    let (id, kind, party, vertical, vertical_code, balance_minor, postings, created_at) = row;
    Ok(AccountRecord {
        id: AccountId::new(id),
        key: account_key(&kind, party, vertical)?,
        vertical_code,
        balance_minor,
        postings,
        created_at: Instant::new(created_at.into()),
    })
}

#[derive(Queryable)]
struct EntryRow {
    seq: i64,
    id: Uuid,
    kind: String,
    deal_id: Option<Uuid>,
    payee_id: Option<Uuid>,
    source_id: Uuid,
    effective_on: jiff_diesel::Date,
    recorded_at: jiff_diesel::Timestamp,
    sha256: Vec<u8>,
    previous_sha256: Vec<u8>,
    moved_from_on: Option<jiff_diesel::Date>,
    reverses: Option<Uuid>,
    reversed_by: Option<Uuid>,
}

type EntryColumns = (
    BigInt,
    SqlUuid,
    Text,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    SqlUuid,
    Date,
    Timestamptz,
    Bytea,
    Bytea,
    Nullable<Date>,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
);

/// The columns of [`EntryRow`], in its order, of the entries `e`.
macro_rules! entry_columns {
    () => {
        "e.seq, e.id, e.kind, e.deal_id, e.payee_id, e.source_id, e.effective_on, e.recorded_at, e.sha256, e.previous_sha256, e.moved_from_on,
         (select r.reverses_id from ledger_reversal r where r.entry_id = e.id), (select r.entry_id from ledger_reversal r where r.reverses_id = e.id)"
    };
}

type PostingColumns =
    (BigInt, SqlUuid, Text, Nullable<SqlUuid>, Nullable<SqlUuid>, Nullable<Text>, BigInt, Nullable<SqlUuid>);
type PostingRow = (i64, Uuid, String, Option<Uuid>, Option<Uuid>, Option<String>, i64, Option<Uuid>);

type AccountPostingColumns = (BigInt, SqlUuid, BigInt, Text, Date, Timestamptz, BigInt, BigInt, Nullable<SqlUuid>);

#[derive(Queryable)]
struct AccountPostingRow {
    account_seq: i64,
    entry: Uuid,
    entry_seq: i64,
    kind: String,
    effective_on: jiff_diesel::Date,
    recorded_at: jiff_diesel::Timestamp,
    amount_minor: i64,
    balance_after_minor: i64,
    line: Option<Uuid>,
}

impl EntryRow {
    fn restore(self) -> Result<EntryRecord, StoreError> {
        Ok(EntryRecord {
            seq: self.seq,
            id: EntryId::new(self.id),
            kind: self.kind,
            deal: self.deal_id.map(DealId::new),
            payee: self.payee_id.map(PayeeId::new),
            source: self.source_id,
            effective_on: self.effective_on.into(),
            recorded_at: Instant::new(self.recorded_at.into()),
            sha256: digest(&self.sha256)?,
            previous_sha256: digest(&self.previous_sha256)?,
            moved_from: self.moved_from_on.map(Into::into),
            reverses: self.reverses.map(EntryId::new),
            reversed_by: self.reversed_by.map(EntryId::new),
            postings: Vec::new(),
        })
    }
}

impl PgQueries<'_> {
    /// Entries with their postings: two statements whatever their number.
    fn entries(&mut self, statement: Statement<'_, EntryColumns>) -> Result<Vec<EntryRecord>, StoreError> {
        let rows: Vec<EntryRow> = statement.load(self.pg).map_err(store_error)?;
        let mut entries = rows.into_iter().map(EntryRow::restore).collect::<Result<Vec<_>, _>>()?;
        let postings: Vec<PostingRow> = query::<PostingColumns>(
            "select p.entry_seq, a.id, a.kind, a.party_id, a.vertical_id, v.code, p.amount_minor, p.line_id
             from ledger_posting p join ledger_account a on a.id = p.account_id left join vertical v on v.id = a.vertical_id
             where p.entry_seq = any($1) order by p.entry_seq, p.n",
        )
        .bind::<Array<BigInt>, _>(entries.iter().map(|e| e.seq).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let mut places: std::collections::BTreeMap<i64, &mut EntryRecord> =
            entries.iter_mut().map(|entry| (entry.seq, entry)).collect();
        for (seq, account, kind, party, vertical, vertical_code, amount_minor, line) in postings {
            let Some(entry) = places.get_mut(&seq) else { continue };
            entry.postings.push(PostingRecord {
                account: AccountId::new(account),
                key: account_key(&kind, party, vertical)?,
                vertical_code,
                amount_minor,
                line: line.map(LineId::new),
            });
        }
        Ok(entries)
    }
}

impl PgQueries<'_> {
    /// An account with its balance of now, which the database holds to the last posting: no sum.
    fn account_now(&mut self, id: AccountId) -> Result<Option<AccountRecord>, StoreError> {
        let row: Option<AccountRow> = query::<AccountColumns>(
            "select a.id, a.kind, a.party_id, a.vertical_id, v.code, b.balance_minor, b.account_seq, a.created_at
             from ledger_account a join ledger_balance b on b.account_id = a.id left join vertical v on v.id = a.vertical_id where a.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(account).transpose()
    }
}

impl BookQueries for PgQueries<'_> {
    fn list_accounts(
        &mut self,
        filter: &AccountFilter,
        request: &PageRequest,
    ) -> Result<Page<AccountRecord>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<AccountRow> = query::<AccountColumns>(listed!(
            paging.order,
            "with asked as (select $1::text as kind, $2::uuid as party_id, $3::uuid as vertical_id)
             select a.id, a.kind, a.party_id, a.vertical_id, v.code, b.balance_minor, b.account_seq, a.created_at
             from ledger_account a join ledger_balance b on b.account_id = a.id left join vertical v on v.id = a.vertical_id, asked
             where (asked.kind is null or a.kind = asked.kind) and (asked.party_id is null or a.party_id = asked.party_id)
               and (asked.vertical_id is null or a.vertical_id = asked.vertical_id) and ",
            "a.id", at "a.created_at", ""
        ))
        .bind::<Nullable<Text>, _>(filter.kind.map(AccountKind::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.party)
        .bind::<Nullable<SqlUuid>, _>(filter.vertical.map(VerticalId::uuid))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, account, |a| a.id.uuid())
    }

    fn find_account(&mut self, id: AccountId, as_of: AsOf) -> Result<Option<AccountRecord>, StoreError> {
        if as_of == AsOf::default() {
            return self.account_now(id);
        }
        let row: Option<AccountRow> = query::<AccountColumns>(
            "with asked as (select $1::uuid as id, $2::timestamptz as recorded_at, $3::date as effective_on)
             select a.id, a.kind, a.party_id, a.vertical_id, v.code, coalesce(s.balance_minor, 0), coalesce(s.postings, 0), a.created_at
             from asked join ledger_account a on a.id = asked.id left join vertical v on v.id = a.vertical_id
             left join lateral (
               select sum(p.amount_minor)::bigint as balance_minor, count(*) as postings
               from ledger_posting p join ledger_entry e on e.seq = p.entry_seq
               where p.account_id = a.id and (asked.recorded_at is null or e.recorded_at <= asked.recorded_at)
                 and (asked.effective_on is null or e.effective_on <= asked.effective_on)) s on true",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Nullable<Timestamptz>, _>(as_of.recorded_at.map(instant))
        .bind::<Nullable<Date>, _>(maybe_date(as_of.effective_on))
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(account).transpose()
    }

    fn account_postings(&mut self, id: AccountId, request: &PageRequest) -> Result<Page<AccountPosting>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<AccountPostingRow> = query::<AccountPostingColumns>(listed!(
            paging.order,
            "select p.account_seq, e.id, e.seq, e.kind, e.effective_on, e.recorded_at, p.amount_minor, p.balance_after_minor, p.line_id
             from ledger_posting p join ledger_entry e on e.seq = p.entry_seq where p.account_id = $1 and ",
            "p.account_seq", at "e.recorded_at", ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        let posting = |row: AccountPostingRow| AccountPosting {
            account_seq: row.account_seq,
            entry: EntryId::new(row.entry),
            entry_seq: row.entry_seq,
            kind: row.kind,
            effective_on: row.effective_on.into(),
            recorded_at: Instant::new(row.recorded_at.into()),
            amount_minor: row.amount_minor,
            balance_after_minor: row.balance_after_minor,
            line: row.line.map(LineId::new),
        };
        let postings = rows.into_iter().map(posting).collect();
        Ok(Page::cut(postings, request.limit, |p: &AccountPosting| p.account_seq.to_be_bytes().to_vec()))
    }

    fn list_entries(&mut self, filter: &EntryFilter, request: &PageRequest) -> Result<Page<EntryRecord>, StoreError> {
        let paging = Paging::newest_first(request);
        let statement = query::<EntryColumns>(listed!(
            paging.order,
            concat!(
                "with asked as (select $1::text as kind, $2::uuid as deal_id, $3::uuid as payee_id, $4::uuid as source_id,
                   $5::date as effective_from, $6::date as effective_to) select ",
                entry_columns!(),
                " from ledger_entry e, asked
                 where (asked.kind is null or e.kind = asked.kind) and (asked.deal_id is null or e.deal_id = asked.deal_id)
                   and (asked.payee_id is null or e.payee_id = asked.payee_id) and (asked.source_id is null or e.source_id = asked.source_id)
                   and (asked.effective_from is null or e.effective_on >= asked.effective_from)
                   and (asked.effective_to is null or e.effective_on <= asked.effective_to) and "
            ),
            "e.seq", at "e.recorded_at", ""
        ))
        .bind::<Nullable<Text>, _>(filter.kind.map(EntryKind::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.deal.map(DealId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.payee.map(PayeeId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.source)
        .bind::<Nullable<Date>, _>(maybe_date(filter.effective_from))
        .bind::<Nullable<Date>, _>(maybe_date(filter.effective_to))
        .page_by_number(paging)?;
        let entries = self.entries(statement)?;
        Ok(Page::cut(entries, request.limit, |e| e.seq.to_be_bytes().to_vec()))
    }

    fn find_entry(&mut self, id: EntryId) -> Result<Option<EntryRecord>, StoreError> {
        let statement =
            query::<EntryColumns>(concat!("select ", entry_columns!(), " from ledger_entry e where e.id = $1"))
                .bind::<SqlUuid, _>(id.uuid());
        Ok(self.entries(statement)?.pop())
    }

    fn entries_after(&mut self, seq: i64, limit: u32) -> Result<Vec<EntryRecord>, StoreError> {
        let statement = query::<EntryColumns>(concat!(
            "select ",
            entry_columns!(),
            " from ledger_entry e where e.seq > $1 order by e.seq limit $2"
        ))
        .bind::<BigInt, _>(seq)
        .bind::<BigInt, _>(i64::from(limit));
        self.entries(statement)
    }

    fn trial_balance(&mut self, as_of: AsOf) -> Result<Vec<TrialRow>, StoreError> {
        let rows: Vec<(String, i64, i64, i64)> = query::<(Text, BigInt, BigInt, BigInt)>(
            "with asked as (select $1::timestamptz as recorded_at, $2::date as effective_on), balance as (
               select a.id, a.kind, sum(p.amount_minor) as minor
               from ledger_posting p join ledger_account a on a.id = p.account_id join ledger_entry e on e.seq = p.entry_seq, asked
               where (asked.recorded_at is null or e.recorded_at <= asked.recorded_at) and (asked.effective_on is null or e.effective_on <= asked.effective_on)
               group by a.id, a.kind)
             select kind, count(*), coalesce(sum(minor) filter (where minor > 0), 0)::bigint, coalesce(-sum(minor) filter (where minor < 0), 0)::bigint
             from balance group by kind order by kind",
        )
        .bind::<Nullable<Timestamptz>, _>(as_of.recorded_at.map(instant))
        .bind::<Nullable<Date>, _>(maybe_date(as_of.effective_on))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(kind, accounts, debit_minor, credit_minor)| {
                let kind = AccountKind::parse(&kind).ok_or_else(|| unreadable("the kind of an account"))?;
                Ok(TrialRow { kind, accounts, debit_minor, credit_minor })
            })
            .collect()
    }

    fn accruals(&mut self, by: AccrualBy) -> Result<Vec<AccrualRow>, StoreError> {
        type Columns = (Text, BigInt, BigInt, BigInt, BigInt, BigInt);
        let key = match by {
            AccrualBy::Vertical => "vertical",
            AccrualBy::Cohort => "cohort",
            AccrualBy::Partner => "partner",
            AccrualBy::Product => "product",
        };
        let rows: Vec<(String, i64, i64, i64, i64, i64)> = query::<Columns>(
            "select case $1 when 'vertical' then v.code when 'product' then pr.code when 'partner' then d.provider_id::text else coalesce(m.cohort, '') end as key,
               count(distinct d.id), sum(l.earned_minor)::bigint, sum(l.clawed_back_minor)::bigint,
               coalesce(sum(l.earned_minor) filter (where l.role <> 'platform'), 0)::bigint,
               coalesce(sum(l.clawed_back_minor) filter (where l.role <> 'platform'), 0)::bigint
             from commission_line l join deal d on d.id = l.deal_id join vertical v on v.id = d.vertical_id
             join product pr on pr.id = d.product_id join member m on m.id = d.member_id group by 1 order by 1",
        )
        .bind::<Text, _>(key)
        .load(self.pg)
        .map_err(store_error)?;
        let shown = |key: String| match (by, Uuid::parse_str(&key)) {
            (AccrualBy::Partner, Ok(provider)) => OrganisationId::new(provider).to_string(),
            _ => key,
        };
        let row =
            |(key, deals, earned_minor, clawed_back_minor, payee_earned_minor, payee_clawed_back_minor)| AccrualRow {
                key: shown(key),
                deals,
                earned_minor,
                clawed_back_minor,
                payee_earned_minor,
                payee_clawed_back_minor,
            };
        Ok(rows.into_iter().map(row).collect())
    }
}
