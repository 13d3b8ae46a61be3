//! Returned payments: files, items, bank details that are blocked.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::Rail;
use domain::kernel::ids::{BankReturnId, PayoutId};
use domain::kernel::{Digest, Instant, Page, PageRequest};
use domain::payouts::returns::file::Place;
use domain::payouts::returns::matching::Candidate;
use domain::payouts::returns::repository::{BankReturn, KeptItem, ReturnException, ReturnQueries, ReturnRepository};
use domain::payouts::returns::{ReturnCode, Unmatched};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, digest, from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::payouts::bank_details;
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

#[derive(Queryable)]
struct ReturnRow {
    id: Uuid,
    sha256: Vec<u8>,
    item_count: i32,
    matched_count: i32,
    total_minor: i64,
    matched_minor: i64,
    created_by: Uuid,
    created_at: jiff_diesel::Timestamp,
}

type ReturnColumns = (SqlUuid, Bytea, Integer, Integer, BigInt, BigInt, SqlUuid, Timestamptz);

fn number(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unreadable("a count"))
}

impl ReturnRow {
    fn restore(self) -> Result<BankReturn, StoreError> {
        Ok(BankReturn {
            id: BankReturnId::new(self.id),
            sha256: digest(&self.sha256)?,
            items: number(self.item_count)?,
            matched: number(self.matched_count)?,
            total_minor: self.total_minor,
            matched_minor: self.matched_minor,
            created_by: self.created_by,
            created_at: from_instant(self.created_at),
        })
    }
}

#[derive(Queryable)]
struct ItemRow {
    return_id: Uuid,
    n: i32,
    code: String,
    amount_minor: i64,
    reference: String,
    returned_on: jiff_diesel::Date,
    payout_id: Option<Uuid>,
    unmatched: Option<String>,
    created_at: jiff_diesel::Timestamp,
}

type ItemColumns = (SqlUuid, Integer, Text, BigInt, Text, Date, Nullable<SqlUuid>, Nullable<Text>, Timestamptz);

impl ItemRow {
    fn restore(self) -> Result<ReturnException, StoreError> {
        let unmatched = self.unmatched.as_deref().and_then(Unmatched::parse);
        let payout = match (self.payout_id, unmatched) {
            (Some(payout), None) => Ok(PayoutId::new(payout)),
            (None, Some(why)) => Err(why),
            _ => return Err(unreadable("a returned payment")),
        };
        let code =
            self.code.chars().next().and_then(ReturnCode::of_digit).ok_or_else(|| unreadable("a return code"))?;
        Ok(ReturnException {
            file: BankReturnId::new(self.return_id),
            item: KeptItem {
                n: number(self.n)?,
                code,
                amount_minor: self.amount_minor,
                reference: self.reference,
                returned_on: self.returned_on.into(),
                payout,
            },
            created_at: from_instant(self.created_at),
        })
    }
}

#[derive(Queryable)]
struct CandidateRow {
    id: Uuid,
    reference: String,
    amount_minor: i64,
    rail: String,
    details: Option<Uuid>,
    bsb: Option<String>,
    account_number: Option<String>,
    account_title: Option<String>,
    is_told: bool,
}

type CandidateColumns =
    (SqlUuid, Text, BigInt, Text, Nullable<SqlUuid>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Bool);

impl CandidateRow {
    fn restore(self) -> Result<Candidate, StoreError> {
        let place = match (self.bsb, self.account_number, self.account_title) {
            (Some(bsb), Some(account), Some(title)) => {
                let details = bank_details(&bsb, &account, &title)?;
                Some(Place { bsb: details.bsb, account: details.account })
            }
            _ => None,
        };
        Ok(Candidate {
            payout: PayoutId::new(self.id),
            reference: self.reference,
            amount_minor: self.amount_minor,
            is_told: self.is_told,
            rail: Rail::parse(&self.rail).map_err(|_| unreadable("a rail"))?,
            details: self.details,
            place,
        })
    }
}

impl ReturnRepository for PgUnitOfWork<'_> {
    fn insert_return(&mut self, kept: &BankReturn, bytes: &[u8]) -> Result<bool, StoreError> {
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let inserted = command(
            "insert into bank_return (id, sha256, bytes, item_count, matched_count, total_minor, matched_minor, created_by, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict on constraint bank_return_once do nothing",
        )
        .bind::<SqlUuid, _>(kept.id.uuid())
        .bind::<Bytea, _>(kept.sha256.bytes().as_slice())
        .bind::<Bytea, _>(bytes)
        .bind::<Integer, _>(count(kept.items))
        .bind::<Integer, _>(count(kept.matched))
        .bind::<BigInt, _>(kept.total_minor)
        .bind::<BigInt, _>(kept.matched_minor)
        .bind::<SqlUuid, _>(kept.created_by)
        .bind::<Timestamptz, _>(instant(kept.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(inserted == 1)
    }

    fn append_items(&mut self, file: BankReturnId, items: &[KeptItem]) -> Result<(), StoreError> {
        command(
            "insert into bank_return_item (return_id, n, code, amount_minor, reference, returned_on, payout_id, unmatched)
             select asked.*, i.* from (select $1::uuid) asked,
               unnest($2::integer[], $3::text[], $4::bigint[], $5::text[], $6::date[], $7::uuid[], $8::text[]) i",
        )
        .bind::<SqlUuid, _>(file.uuid())
        .bind::<Array<Integer>, _>(items.iter().map(|i| i32::try_from(i.n).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(items.iter().map(|i| i.code.digit().to_string()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(items.iter().map(|i| i.amount_minor).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(items.iter().map(|i| i.reference.as_str()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(items.iter().map(|i| date(i.returned_on)).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(items.iter().map(|i| i.payout.ok().map(PayoutId::uuid)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(items.iter().map(|i| i.payout.err().map(Unmatched::code)).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_return(&mut self, sha256: Digest) -> Result<Option<BankReturn>, StoreError> {
        let row: Option<ReturnRow> = query::<ReturnColumns>(
            "select id, sha256, item_count, matched_count, total_minor, matched_minor, created_by, created_at from bank_return where sha256 = $1",
        )
        .bind::<Bytea, _>(sha256.bytes().as_slice())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(ReturnRow::restore).transpose()
    }

    fn lock_by_reference(&mut self, references: &[String]) -> Result<Vec<Candidate>, StoreError> {
        command(
            "select 1 from payee where id in (select payee_id from payout where reference = any($1)) order by id for no key update",
        )
        .bind::<Array<Text>, _>(references)
        .execute(self.pg)
        .map_err(store_error)?;
        let rows: Vec<CandidateRow> = query::<CandidateColumns>(
            "with locked as (select * from payout where reference = any($1) order by id for update)
             select p.id, p.reference, p.amount_minor, p.rail, d.id, d.bsb, d.account_number, d.account_title,
               exists (select from bank_return_item i where i.payout_id = p.id)
             from locked p left join payee_bank_details d on d.id = p.bank_details_id order by p.id",
        )
        .bind::<Array<Text>, _>(references)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(CandidateRow::restore).collect()
    }

    fn block_details(&mut self, details: &[(Uuid, ReturnCode)], source: Uuid, at: Instant) -> Result<(), StoreError> {
        let details: BTreeMap<Uuid, ReturnCode> = details.iter().copied().collect();
        command(
            "insert into bank_details_block (source_id, at, bank_details_id, code)
             select asked.*, b.* from (select $1::uuid, $2::timestamptz) asked, unnest($3::uuid[], $4::text[]) b on conflict do nothing",
        )
        .bind::<SqlUuid, _>(source)
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(details.keys().copied().collect::<Vec<_>>())
        .bind::<Array<Text>, _>(details.values().map(|code| code.digit().to_string()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl ReturnQueries for PgQueries<'_> {
    fn list_returns(&mut self, page: &PageRequest) -> Result<Page<BankReturn>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<ReturnRow> = query::<ReturnColumns>(listed!(
            paging.order,
            "select id, sha256, item_count, matched_count, total_minor, matched_minor, created_by, created_at from bank_return where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, ReturnRow::restore, |kept| kept.id.uuid())
    }

    fn find_return(&mut self, id: BankReturnId) -> Result<Option<(BankReturn, Vec<KeptItem>)>, StoreError> {
        let row: Option<ReturnRow> = query::<ReturnColumns>(
            "select id, sha256, item_count, matched_count, total_minor, matched_minor, created_by, created_at from bank_return where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let items: Vec<ItemRow> = query::<ItemColumns>(
            "select i.return_id, n, code, amount_minor, reference, returned_on, payout_id, unmatched, r.created_at
             from bank_return_item i join bank_return r on r.id = i.return_id where i.return_id = $1 order by n",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let items = items.into_iter().map(|row| row.restore().map(|kept| kept.item)).collect::<Result<_, _>>()?;
        Ok(Some((row.restore()?, items)))
    }

    fn list_exceptions(&mut self, limit: u32) -> Result<Vec<ReturnException>, StoreError> {
        let rows: Vec<ItemRow> = query::<ItemColumns>(
            "select i.return_id, n, code, amount_minor, reference, returned_on, payout_id, unmatched, r.created_at
             from bank_return_item i join bank_return r on r.id = i.return_id where payout_id is null order by i.return_id, n limit $1",
        )
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(ItemRow::restore).collect()
    }
}
