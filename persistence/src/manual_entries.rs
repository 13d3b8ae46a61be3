//! What people write into the ledger by hand.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::Grounds;
use domain::kernel::ids::{AccountId, EntryId, LineId, ManualEntryId, VerticalId};
use domain::kernel::{Fault, Page, PageRequest};
use domain::ledger::account::{AccountKey, AccountKind};
use domain::ledger::entry::{EntryKind, Posting};
use domain::ledger::manual::{
    Act, FrozenEntries, ManualQueries, ManualRepository, ManualState, Mode, Named, Proposal, ProposalKind, Refusal,
    Undoable,
};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

#[derive(Queryable)]
struct ProposalRow {
    id: Uuid,
    kind: String,
    mode: String,
    state: String,
    content_sha256: Vec<u8>,
    entries: i32,
    refused: i32,
    debit_minor: i64,
    reason: String,
    proposed_by: Uuid,
    proposed_at: jiff_diesel::Timestamp,
    decided_by: Option<Uuid>,
    decided_at: Option<jiff_diesel::Timestamp>,
    decision: Option<String>,
    version: i32,
}

type ProposalColumns = (
    SqlUuid,
    Text,
    Text,
    Text,
    Bytea,
    Integer,
    Integer,
    BigInt,
    Text,
    SqlUuid,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Integer,
);

macro_rules! proposal_columns {
    () => {
        "id, kind, mode, state, content_sha256, entry_count, refused_count, debit_minor, reason, proposed_by, proposed_at, decided_by, decided_at, decision, version"
    };
}

#[derive(Queryable)]
struct ContentRow {
    proposal: ProposalRow,
    content: Vec<u8>,
}

impl ProposalRow {
    fn restore(self) -> Result<Proposal, StoreError> {
        let count = |n: i32| u32::try_from(n).map_err(|_| unreadable("a count"));
        let decided = self.decided_by.zip(self.decided_at).map(|(by, at)| Act { by, at: from_instant(at) });
        let state = match (self.state.as_str(), decided) {
            ("proposed", None) => ManualState::Proposed,
            ("posted", Some(act)) => ManualState::Posted(act),
            ("rejected", Some(act)) => {
                ManualState::Rejected(act, self.decision.as_deref().and_then(|text| Grounds::parse(text).ok()))
            }
            _ => return Err(unreadable("the state of a proposal")),
        };
        Ok(Proposal {
            id: ManualEntryId::new(self.id),
            kind: ProposalKind::parse(&self.kind).ok_or_else(|| unreadable("the kind of a proposal"))?,
            mode: Mode::parse(&self.mode).ok_or_else(|| unreadable("the mode of a proposal"))?,
            content_sha256: digest(&self.content_sha256)?,
            entries: count(self.entries)?,
            refused: count(self.refused)?,
            debit_minor: self.debit_minor,
            reason: self.reason,
            proposed: Act { by: self.proposed_by, at: from_instant(self.proposed_at) },
            state,
            version: count(self.version)?,
        })
    }
}

fn number(n: u32) -> Result<i32, StoreError> {
    i32::try_from(n).map_err(|_| unreadable("a count"))
}

fn frozen(bytes: Vec<u8>) -> Result<FrozenEntries, StoreError> {
    FrozenEntries::restore(bytes).map_err(|_| unreadable("the content of a proposal"))
}

fn append_refusals(
    pg: &mut diesel::pg::PgConnection,
    id: ManualEntryId,
    refusals: &[Refusal],
) -> Result<(), StoreError> {
    if refusals.is_empty() {
        return Ok(());
    }
    let places = refusals.iter().map(|refusal| number(refusal.n)).collect::<Result<Vec<_>, _>>()?;
    command(
        "insert into manual_entry_refusal (manual_id, n, code, pointer, detail)
         select t.manual_id, r.n, r.code, r.pointer, r.detail
         from (select $1::uuid as manual_id) t, unnest($2::integer[], $3::text[], $4::text[], $5::text[]) as r (n, code, pointer, detail)",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Array<Integer>, _>(places)
    .bind::<Array<Text>, _>(refusals.iter().map(|refusal| refusal.fault.code).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refusals.iter().map(|refusal| refusal.fault.pointer.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refusals.iter().map(|refusal| refusal.fault.detail.as_str()).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}

impl ManualRepository for PgUnitOfWork<'_> {
    fn find_named(&mut self, named: &Named) -> Result<Vec<Uuid>, StoreError> {
        query::<SqlUuid>(
            "select id from organisation where id = any($1) union all select id from bank_account where id = any($2)
             union all select id from vertical where id = any($3)",
        )
        .bind::<Array<SqlUuid>, _>(named.organisations.clone())
        .bind::<Array<SqlUuid>, _>(named.bank_accounts.clone())
        .bind::<Array<SqlUuid>, _>(named.verticals.clone())
        .load(self.pg)
        .map_err(store_error)
    }

    fn insert_proposal(
        &mut self,
        proposal: &Proposal,
        content: &FrozenEntries,
        refusals: &[Refusal],
    ) -> Result<(), StoreError> {
        command(
            "insert into manual_entry (id, kind, mode, state, content, content_sha256, entry_count, refused_count, debit_minor, reason, proposed_by, proposed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind::<SqlUuid, _>(proposal.id.uuid())
        .bind::<Text, _>(proposal.kind.as_str())
        .bind::<Text, _>(proposal.mode.as_str())
        .bind::<Text, _>(proposal.state.code())
        .bind::<Bytea, _>(content.bytes())
        .bind::<Bytea, _>(content.sha256().bytes().to_vec())
        .bind::<Integer, _>(number(proposal.entries)?)
        .bind::<Integer, _>(number(proposal.refused)?)
        .bind::<BigInt, _>(proposal.debit_minor)
        .bind::<Text, _>(proposal.reason.as_str())
        .bind::<SqlUuid, _>(proposal.proposed.by)
        .bind::<Timestamptz, _>(instant(proposal.proposed.at))
        .execute(self.pg)
        .map_err(store_error)?;
        append_refusals(self.pg, proposal.id, refusals)
    }

    fn lock_proposal(&mut self, id: ManualEntryId) -> Result<Option<(Proposal, FrozenEntries)>, StoreError> {
        let row: Option<ContentRow> = query::<(ProposalColumns, Bytea)>(concat!(
            "select ",
            proposal_columns!(),
            ", content from manual_entry where id = $1 for update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(|row| Ok((row.proposal.restore()?, frozen(row.content)?))).transpose()
    }

    fn update_proposal(&mut self, proposal: &Proposal, refusals: &[Refusal]) -> Result<(), StoreError> {
        let (decided, decision) = match &proposal.state {
            ManualState::Proposed => (None, None),
            ManualState::Posted(act) => (Some(*act), None),
            ManualState::Rejected(act, grounds) => (Some(*act), grounds.as_ref().map(Grounds::as_str)),
        };
        command(
            "update manual_entry set state = $1, refused_count = $2, decided_by = $3, decided_at = $4, decision = $5, version = $6 where id = $7",
        )
        .bind::<Text, _>(proposal.state.code())
        .bind::<Integer, _>(number(proposal.refused)?)
        .bind::<Nullable<SqlUuid>, _>(decided.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(decided.map(|act| instant(act.at)))
        .bind::<Nullable<Text>, _>(decision)
        .bind::<Integer, _>(number(proposal.version)?)
        .bind::<SqlUuid, _>(proposal.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        append_refusals(self.pg, proposal.id, refusals)
    }

    fn find_undoable(&mut self, id: EntryId) -> Result<Option<Undoable>, StoreError> {
        type Columns =
            (Text, Bool, Nullable<SqlUuid>, Text, Nullable<SqlUuid>, Nullable<SqlUuid>, BigInt, Nullable<SqlUuid>);
        type Row = (String, bool, Option<Uuid>, String, Option<Uuid>, Option<Uuid>, i64, Option<Uuid>);
        let rows: Vec<Row> = query::<Columns>(
            "select e.kind, exists (select from manual_entry m where m.id = e.source_id), r.entry_id, a.kind, a.party_id, a.vertical_id, p.amount_minor, p.line_id
             from ledger_entry e join ledger_posting p on p.entry_seq = e.seq join ledger_account a on a.id = p.account_id
             left join ledger_reversal r on r.reverses_id = e.id where e.id = $1 order by p.n",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let Some((kind, by_hand, reversed_by, ..)) = rows.first() else { return Ok(None) };
        let (by_hand, reversed_by) = (*by_hand, reversed_by.map(EntryId::new));
        let kind = EntryKind::parse(kind).ok_or_else(|| unreadable("the kind of an entry"))?;
        let posting = |(.., account, party, vertical, amount_minor, line): Row| {
            let account = AccountKind::parse(&account).ok_or_else(|| unreadable("the kind of an account"))?;
            let account = AccountKey { kind: account, party, vertical: vertical.map(VerticalId::new) };
            Ok(Posting { account, amount_minor, line: line.map(LineId::new) })
        };
        let postings = rows.into_iter().map(posting).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Some(Undoable { id, kind, postings, by_hand, reversed_by }))
    }

    fn append_reversals(&mut self, pairs: &[(EntryId, EntryId)]) -> Result<(), StoreError> {
        command("insert into ledger_reversal (entry_id, reverses_id) select * from unnest($1::uuid[], $2::uuid[])")
            .bind::<Array<SqlUuid>, _>(pairs.iter().map(|(entry, _)| entry.uuid()).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(pairs.iter().map(|(_, undone)| undone.uuid()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn update_floor(&mut self, account: AccountId, floor_minor: i64) -> Result<bool, StoreError> {
        let set: Option<bool> = query::<Nullable<Bool>>("select set_cash_floor($1, $2)")
            .bind::<SqlUuid, _>(account.uuid())
            .bind::<BigInt, _>(floor_minor)
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(set == Some(true))
    }
}

impl ManualQueries for PgQueries<'_> {
    fn list_proposals(&mut self, state: Option<&str>, request: &PageRequest) -> Result<Page<Proposal>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<ProposalRow> = query::<ProposalColumns>(listed!(
            paging.order,
            concat!(
                "with asked as (select $1::text as wanted) select ",
                proposal_columns!(),
                " from manual_entry, asked where (asked.wanted is null or state = asked.wanted) and "
            ),
            "id", at "proposed_at", ""
        ))
        .bind::<Nullable<Text>, _>(state)
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, ProposalRow::restore, |proposal| proposal.id.uuid())
    }

    fn find_proposal(&mut self, id: ManualEntryId) -> Result<Option<Proposal>, StoreError> {
        let row: Option<ProposalRow> =
            query::<ProposalColumns>(concat!("select ", proposal_columns!(), " from manual_entry where id = $1"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(ProposalRow::restore).transpose()
    }

    fn find_items(&mut self, id: ManualEntryId) -> Result<Option<(FrozenEntries, Vec<Refusal>)>, StoreError> {
        let content: Option<Vec<u8>> = query::<Bytea>("select content from manual_entry where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        let Some(content) = content else { return Ok(None) };
        let rows: Vec<(i32, String, String, String)> = query::<(Integer, Text, Text, Text)>(
            "select n, code, pointer, detail from manual_entry_refusal where manual_id = $1 order by n",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let refusal = |(n, code, pointer, detail): (i32, String, String, String)| {
            let code =
                domain::ledger::manual::refusal_code(&code).ok_or_else(|| unreadable("why an entry was refused"))?;
            let n = u32::try_from(n).map_err(|_| unreadable("a count"))?;
            Ok(Refusal { n, fault: Fault { pointer, code, detail } })
        };
        let refusals = rows.into_iter().map(refusal).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Some((frozen(content)?, refusals)))
    }
}
