//! Evidence for the guarantees, in pages; the runs that were kept.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::repository::StoredCalculation;
use domain::agreements::{GoverningVersion, VersionContent};
use domain::guarantees::repository::{
    BankFileEvidence, Check, CheckpointEvidence, EntryEvidence, ErasureEvidence, GuaranteeQueries, GuaranteeRepository,
    HandshakeEvidence, KeptRun, PostingEvidence, Totals, Violations,
};
use domain::kernel::Instant;
use domain::kernel::ids::{
    AccountId, AgreementId, DealId, EntryId, GuaranteeRunId, HandshakeId, LineId, MemberId, PayeeId,
};
use domain::kernel::page::{Page, PageRequest};
use domain::ledger::account::Bounds;
use domain::ledger::repository::{AccountBalance, LedgerHead};
use domain::store::StoreError;
use uuid::Uuid;

use crate::agreements::{CalculationColumns, CalculationRow, Tables, calculation};
use crate::bind::{digest, instant, to_i64, to_u64};
use crate::error::store_error;
use crate::guarantee_checks;
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

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
    canonical: Vec<u8>,
    sha256: Vec<u8>,
    previous_sha256: Vec<u8>,
    leaves: Vec<Vec<u8>>,
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
    Bytea,
    Array<Bytea>,
);

impl EntryRow {
    fn restore(self) -> Result<EntryEvidence, StoreError> {
        Ok(EntryEvidence {
            seq: self.seq,
            id: EntryId::new(self.id),
            kind: self.kind,
            deal: self.deal_id.map(DealId::new),
            payee: self.payee_id.map(PayeeId::new),
            source: self.source_id,
            effective_on: self.effective_on.into(),
            recorded_at: Instant::new(self.recorded_at.into()),
            canonical: self.canonical,
            sha256: digest(&self.sha256)?,
            previous_sha256: digest(&self.previous_sha256)?,
            leaves: self.leaves,
        })
    }
}

type RunColumns = (SqlUuid, Bool, Bytea, BigInt, SqlUuid, Timestamptz);
type RunRow = (Uuid, bool, Vec<u8>, i64, Uuid, jiff_diesel::Timestamp);

fn restored((id, holds, envelope, size, created_by, created_at): RunRow) -> Result<KeptRun, StoreError> {
    Ok(KeptRun {
        id: GuaranteeRunId::new(id),
        holds,
        envelope,
        checkpoint_size: to_u64(size)?,
        created_by,
        created_at: Instant::new(created_at.into()),
    })
}

impl GuaranteeRepository for PgUnitOfWork<'_> {
    fn append_run(&mut self, run: &KeptRun) -> Result<(), StoreError> {
        command(
            "insert into guarantee_run (id, holds, report, checkpoint_size, created_by, created_at) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind::<SqlUuid, _>(run.id.uuid())
        .bind::<Bool, _>(run.holds)
        .bind::<Bytea, _>(run.envelope.as_slice())
        .bind::<BigInt, _>(to_i64(run.checkpoint_size)?)
        .bind::<SqlUuid, _>(run.created_by)
        .bind::<Timestamptz, _>(instant(run.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl GuaranteeQueries for PgQueries<'_> {
    fn totals(&mut self) -> Result<Totals, StoreError> {
        type Counted = (i64, i64, i64, i64, i64, i64, i64);
        type Summed = (i64, i64, i64, i64, i64);
        let (counted, summed): (Counted, Summed) = query::<(
            (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt),
            (BigInt, BigInt, BigInt, BigInt, BigInt),
        )>(
            "select (select count(*) from deal), (select count(*) from deal_fact), (select count(*) from commission_line),
               (select count(*) from payout), (select count(*) from payout_run where state = 'executed'), (select count(*) from chain_pending), (select count(*) from provider_line_result),
               (select coalesce(sum(earned_minor), 0)::bigint from commission_line),
               (select coalesce(sum(clawed_back_minor), 0)::bigint from commission_line),
               (select coalesce(sum(amount_minor), 0)::bigint from payout where state <> 'returned'),
               (select coalesce(sum(applied_minor), 0)::bigint from provider_line_step),
               (select coalesce(sum(unapplied_minor), 0)::bigint from provider_line_result)",
        )
        .get_result(self.pg)
        .map_err(store_error)?;
        let (deals, facts, lines, payouts, runs, pending, receipts) = counted;
        let (earned_minor, clawed_back_minor, paid_minor, received_minor, unapplied_minor) = summed;
        Ok(Totals {
            deals: to_u64(deals)?,
            facts: to_u64(facts)?,
            lines: to_u64(lines)?,
            payouts: to_u64(payouts)?,
            runs_executed: to_u64(runs)?,
            pending_leaves: to_u64(pending)?,
            earned_minor,
            clawed_back_minor,
            paid_minor,
            receipts: to_u64(receipts)?,
            received_minor,
            unapplied_minor,
        })
    }

    fn violations(&mut self, check: Check, at: Instant, limit: u32) -> Result<Violations, StoreError> {
        guarantee_checks::violations(self.pg, check, at, limit)
    }

    fn entries(&mut self, after_seq: i64, limit: u32) -> Result<Vec<EntryEvidence>, StoreError> {
        let rows: Vec<EntryRow> = query::<EntryColumns>(
            "select seq, id, kind, deal_id, payee_id, source_id, effective_on, recorded_at, canonical, sha256, previous_sha256,
               array(select leaf from chain_leaf l where l.source_id = e.id union all select leaf from chain_pending p where p.source_id = e.id)
             from ledger_entry e where seq > $1 order by seq limit $2",
        )
        .bind::<BigInt, _>(after_seq)
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(EntryRow::restore).collect()
    }

    fn postings(&mut self, from_seq: i64, to_seq: i64) -> Result<Vec<PostingEvidence>, StoreError> {
        let rows: Vec<(i64, Uuid, i64, i64, i64, Option<Uuid>)> =
            query::<(BigInt, SqlUuid, BigInt, BigInt, BigInt, Nullable<SqlUuid>)>(
                "select entry_seq, account_id, amount_minor, account_seq, balance_after_minor, line_id
                 from ledger_posting where entry_seq >= $1 and entry_seq <= $2 order by entry_seq, n",
            )
            .bind::<BigInt, _>(from_seq)
            .bind::<BigInt, _>(to_seq)
            .load(self.pg)
            .map_err(store_error)?;
        let posting = |(entry_seq, account, amount_minor, account_seq, balance_after_minor, line): (
            i64,
            Uuid,
            i64,
            i64,
            i64,
            Option<Uuid>,
        )| PostingEvidence {
            entry_seq,
            account: AccountId::new(account),
            amount_minor,
            account_seq,
            balance_after_minor,
            line: line.map(LineId::new),
        };
        Ok(rows.into_iter().map(posting).collect())
    }

    fn ledger_head(&mut self) -> Result<LedgerHead, StoreError> {
        let (last_seq, last_sha256, closed): (i64, Vec<u8>, Option<jiff_diesel::Date>) =
            query::<(BigInt, Bytea, Nullable<Date>)>(
                "select last_seq, last_sha256, closed_through_on from ledger_head",
            )
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(LedgerHead { last_seq, last_sha256: digest(&last_sha256)?, closed_through: closed.map(Into::into) })
    }

    fn balances(&mut self) -> Result<Vec<AccountBalance>, StoreError> {
        let rows: Vec<(Uuid, i64, i64)> = query::<(SqlUuid, BigInt, BigInt)>(
            "select account_id, balance_minor, account_seq from ledger_balance order by account_id",
        )
        .load(self.pg)
        .map_err(store_error)?;
        let balance = |(account, balance_minor, account_seq)| AccountBalance {
            account: AccountId::new(account),
            balance_minor,
            account_seq,
            bounds: Bounds::default(),
        };
        Ok(rows.into_iter().map(balance).collect())
    }

    fn checkpoints(&mut self, after_size: Option<u64>, limit: u32) -> Result<Vec<CheckpointEvidence>, StoreError> {
        let after = after_size.map_or(Ok(-1), to_i64)?;
        let rows: Vec<(i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>)> = query::<(BigInt, Bytea, Bytea, Nullable<Bytea>)>(
            "select c.size, c.root, c.body, n.note from chain_checkpoint c left join chain_checkpoint_note n using (size)
             where c.size > $1 order by c.size limit $2",
        )
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(size, root, body, note)| {
                Ok(CheckpointEvidence { size: to_u64(size)?, root: digest(&root)?, body, note })
            })
            .collect()
    }

    fn handshakes(&mut self, after: Uuid, limit: u32) -> Result<Vec<HandshakeEvidence>, StoreError> {
        let rows: Vec<(Uuid, Uuid, bool, Uuid, Vec<Uuid>)> = query::<(SqlUuid, SqlUuid, Bool, SqlUuid, Array<SqlUuid>)>(
            "select h.id, h.deal_id,
               exists (select from handshake_statement s where s.handshake_id = h.id and s.kind = 'seal'), d.member_id,
               array(select distinct l.member_id from commission_line l where l.deal_id = h.deal_id and l.member_id is not null and l.earned_minor <> 0)
             from handshake h join deal d on d.id = h.deal_id where h.id > $1 order by h.id limit $2",
        )
        .bind::<SqlUuid, _>(after)
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        let handshake = |(id, deal, sealed, member, earners): (Uuid, Uuid, bool, Uuid, Vec<Uuid>)| HandshakeEvidence {
            id: HandshakeId::new(id),
            deal: DealId::new(deal),
            sealed,
            member: MemberId::new(member),
            earners: earners.into_iter().map(MemberId::new).collect(),
        };
        Ok(rows.into_iter().map(handshake).collect())
    }

    fn erasures(&mut self, after: Uuid, limit: u32) -> Result<Vec<ErasureEvidence>, StoreError> {
        guarantee_checks::erasures(self.pg, after, limit)
    }

    /// A version that does not read is left out: what rests on it is then not reproduced, which is the finding.
    fn versions(&mut self) -> Result<Vec<GoverningVersion>, StoreError> {
        let rows: Vec<(Uuid, i32, Vec<u8>)> = query::<(SqlUuid, Integer, Bytea)>(
            "select agreement_id, number, content from agreement_version order by agreement_id, number",
        )
        .load(self.pg)
        .map_err(store_error)?;
        let parsed = |(agreement, number, content): (Uuid, i32, Vec<u8>)| {
            Some((AgreementId::new(agreement), u32::try_from(number).ok()?, VersionContent::parse(&content).ok()?))
        };
        let read: Vec<_> = rows.into_iter().filter_map(parsed).collect();
        let tables = Tables::named_by(self.pg, read.iter().map(|(.., content)| content))?;
        let version = |(agreement, number, content)| {
            let tables = tables.of(&content);
            GoverningVersion::with_tables(agreement, number, content, tables).ok()
        };
        Ok(read.into_iter().filter_map(version).collect())
    }

    fn calculations(&mut self, after: Uuid, limit: u32) -> Result<Vec<StoredCalculation>, StoreError> {
        let rows: Vec<CalculationRow> = query::<CalculationColumns>(
            "select id, deal_id, agreement_id, version_number, period, engine_version, input, output_sha256, known_at
             from calculation where id > $1 order by id limit $2",
        )
        .bind::<SqlUuid, _>(after)
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(calculation).collect()
    }

    fn bank_files(&mut self, after: Uuid, limit: u32) -> Result<Vec<BankFileEvidence>, StoreError> {
        let rows: Vec<(Uuid, Uuid, i64, i64, Vec<u8>)> = query::<(SqlUuid, SqlUuid, BigInt, BigInt, Bytea)>(
            "select f.id, f.run_id, coalesce(sum(p.amount_minor), 0)::bigint, count(p.id), f.bytes
             from bank_file f left join bank_file_payout i on i.file_id = f.id left join payout p on p.id = i.payout_id and p.run_id = f.run_id
             where f.id > $1 group by f.id order by f.id limit $2",
        )
        .bind::<SqlUuid, _>(after)
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(id, run, total_minor, payouts, file)| {
                Ok(BankFileEvidence { id, run, total_minor, payouts: to_u64(payouts)?, file })
            })
            .collect()
    }

    fn list_runs(&mut self, page: &PageRequest) -> Result<Page<KeptRun>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<RunRow> = query::<RunColumns>(listed!(
            paging.order,
            "select id, holds, report, checkpoint_size, created_by, created_at from guarantee_run where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, restored, |run| run.id.uuid())
    }

    fn find_run(&mut self, id: GuaranteeRunId) -> Result<Option<KeptRun>, StoreError> {
        let row: Option<RunRow> = query::<RunColumns>(
            "select id, holds, report, checkpoint_size, created_by, created_at from guarantee_run where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(restored).transpose()
    }
}
