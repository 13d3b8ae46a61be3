//! Writing entries and postings: one statement each, whatever their number.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{DealId, PayeeId};
use domain::ledger::repository::{PostedEntry, PostedPosting};

use crate::bind::{array_literal, date, instant, maybe_date};
use crate::statement::command;

/// Entries, set-based; all of one moment.
pub(super) fn entries(pg: &mut diesel::pg::PgConnection, entries: &[PostedEntry]) -> QueryResult<usize> {
    let Some(first) = entries.first() else { return Ok(0) };
    command(
        "insert into ledger_entry (recorded_at, seq, id, kind, deal_id, payee_id, source_id, effective_on, canonical, sha256, previous_sha256, visible_to, moved_from_on)
         select t.at, seq, id, kind, deal_id, payee_id, source_id, effective_on, canonical, entry_sha256, previous_sha256, visible_to::uuid[], moved_from_on
         from (select $1::timestamptz as at) t,
         unnest($2::bigint[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::date[], $9::bytea[], $10::bytea[], $11::bytea[], $12::text[], $13::date[])
           as e (seq, id, kind, deal_id, payee_id, source_id, effective_on, canonical, entry_sha256, previous_sha256, visible_to, moved_from_on)",
    )
    .bind::<Timestamptz, _>(instant(first.recorded_at))
    .bind::<Array<BigInt>, _>(entries.iter().map(|e| e.seq).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|e| e.draft.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.draft.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(entries.iter().map(|e| e.draft.deal.map(DealId::uuid)).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(entries.iter().map(|e| e.draft.payee.map(PayeeId::uuid)).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|e| e.draft.source).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(entries.iter().map(|e| date(e.draft.effective_on)).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(entries.iter().map(|e| e.canonical.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(entries.iter().map(|e| e.sha256.bytes().as_slice()).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(entries.iter().map(|e| e.previous_sha256.bytes().as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| array_literal(&e.draft.visible_to)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(entries.iter().map(|e| maybe_date(e.moved_from)).collect::<Vec<_>>())
    .execute(pg)
}

/// Postings, set-based.
pub(super) fn postings(pg: &mut diesel::pg::PgConnection, postings: &[PostedPosting]) -> QueryResult<usize> {
    command(
        "insert into ledger_posting (entry_seq, n, account_id, amount_minor, account_seq, balance_after_minor, line_id)
         select * from unnest($1::bigint[], $2::smallint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[])",
    )
    .bind::<Array<BigInt>, _>(postings.iter().map(|p| p.entry_seq).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(postings.iter().map(|p| p.n).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(postings.iter().map(|p| p.account.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(postings.iter().map(|p| p.amount_minor).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(postings.iter().map(|p| p.account_seq).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(postings.iter().map(|p| p.balance_after_minor).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(postings.iter().map(|p| p.line).collect::<Vec<_>>())
    .execute(pg)
}
