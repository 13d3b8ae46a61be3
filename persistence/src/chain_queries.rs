//! What the log shows: rows of hashes, leaves, signed checkpoints, and what leaves commit to.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::chain::published::{
    ChainQueries, IndexedLeaf, KeptApproval, KeptEntry, KeptEnvelope, KeptHandshake, PublishedNote, TreeRows,
};
use domain::chain::statement::VersionName;
use domain::kernel::ids::{AgreementId, EntryId, GuaranteeRunId, HandshakeId, PayoutRunId};
use domain::kernel::{Digest, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::agreements::read_number;
use crate::bind::{digest, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::query;
use crate::store::{PgQueries, PgUnitOfWork};

fn leaf_hashes(pg: &mut PgConnection, from: u64, to: u64) -> Result<Vec<Digest>, StoreError> {
    let rows: Vec<Vec<u8>> =
        query::<Bytea>("select leaf_sha256 from chain_leaf where index >= $1 and index < $2 order by index")
            .bind::<BigInt, _>(to_i64(from)?)
            .bind::<BigInt, _>(to_i64(to)?)
            .load(pg)
            .map_err(store_error)?;
    rows.iter().map(|bytes| digest(bytes)).collect()
}

fn tiles(pg: &mut PgConnection, row: u8, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    query::<Bytea>("select hashes from chain_tile where level = $1 and n >= $2 and n < $3 order by n")
        .bind::<SmallInt, _>(i16::from(row))
        .bind::<BigInt, _>(to_i64(from)?)
        .bind::<BigInt, _>(to_i64(to)?)
        .load(pg)
        .map_err(store_error)
}

impl TreeRows for PgUnitOfWork<'_> {
    fn leaf_hashes(&mut self, from: u64, to: u64) -> Result<Vec<Digest>, StoreError> {
        leaf_hashes(self.pg, from, to)
    }

    fn tiles(&mut self, row: u8, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        tiles(self.pg, row, from, to)
    }
}

impl TreeRows for PgQueries<'_> {
    fn leaf_hashes(&mut self, from: u64, to: u64) -> Result<Vec<Digest>, StoreError> {
        leaf_hashes(self.pg, from, to)
    }

    fn tiles(&mut self, row: u8, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        tiles(self.pg, row, from, to)
    }
}

fn kept((source, envelope): (Uuid, Option<Vec<u8>>)) -> KeptEnvelope {
    KeptEnvelope { source, envelope }
}

fn version_name(agreement: Uuid, number: i32) -> Result<VersionName, StoreError> {
    Ok(VersionName { agreement: AgreementId::new(agreement), number: read_number(number)? })
}

impl ChainQueries for PgQueries<'_> {
    fn find_newest_note(&mut self) -> Result<Option<PublishedNote>, StoreError> {
        let row: Option<(i64, Vec<u8>)> =
            query::<(BigInt, Bytea)>("select size, note from chain_checkpoint_note order by size desc limit 1")
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(|(size, note)| {
            let note = String::from_utf8(note).map_err(|_| unreadable("a checkpoint"))?;
            Ok(PublishedNote { size: to_u64(size)?, note })
        })
        .transpose()
    }

    fn leaves(&mut self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        query::<Bytea>("select leaf from chain_leaf where index >= $1 and index < $2 order by index")
            .bind::<BigInt, _>(to_i64(from)?)
            .bind::<BigInt, _>(to_i64(to)?)
            .load(self.pg)
            .map_err(store_error)
    }

    fn find_leaves(&mut self, sources: &[Uuid]) -> Result<Vec<IndexedLeaf>, StoreError> {
        let rows: Vec<(Uuid, i64, Vec<u8>)> = query::<(SqlUuid, BigInt, Bytea)>(
            "select source_id, index, leaf from chain_leaf where source_id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(sources)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(|(source, index, leaf)| Ok(IndexedLeaf { source, index: to_u64(index)?, leaf })).collect()
    }

    fn find_handshakes(&mut self, ids: &[HandshakeId]) -> Result<Vec<KeptHandshake>, StoreError> {
        let rows: Vec<(Uuid, Uuid, Option<Vec<u8>>)> = query::<(SqlUuid, SqlUuid, Nullable<Bytea>)>(
            "select s.handshake_id, s.id, e.secret from handshake_statement s
             left join chain_secret e on e.source_id = s.id and e.kind = 'envelope'
             where s.handshake_id = any($1)
             order by s.handshake_id, array_position(array['offer', 'accept', 'seal'], s.kind)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let mut found: Vec<KeptHandshake> = Vec::new();
        for (handshake, source, envelope) in rows {
            let statement = kept((source, envelope));
            match found.last_mut().filter(|last| last.id.uuid() == handshake) {
                Some(last) => last.statements.push(statement),
                None => found.push(KeptHandshake { id: HandshakeId::new(handshake), statements: vec![statement] }),
            }
        }
        Ok(found)
    }

    fn find_entries(&mut self, ids: &[EntryId]) -> Result<Vec<KeptEntry>, StoreError> {
        let rows: Vec<(Uuid, Vec<u8>)> =
            query::<(SqlUuid, Bytea)>("select id, canonical from ledger_entry where id = any($1)")
                .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
                .load(self.pg)
                .map_err(store_error)?;
        Ok(rows.into_iter().map(|(id, canonical)| KeptEntry { id: EntryId::new(id), canonical }).collect())
    }

    fn find_version_approvals(&mut self, names: &[VersionName]) -> Result<Vec<KeptApproval<VersionName>>, StoreError> {
        // No version has a number that the column cannot hold.
        let known = names.iter().filter_map(|name| Some((name.agreement.uuid(), i32::try_from(name.number).ok()?)));
        let (agreements, numbers): (Vec<Uuid>, Vec<i32>) = known.unzip();
        let rows: Vec<(Uuid, i32, Option<Uuid>, Option<Vec<u8>>)> =
            query::<(SqlUuid, Integer, Nullable<SqlUuid>, Nullable<Bytea>)>(
                "select v.agreement_id, v.number, v.approval_id, e.secret
                 from unnest($1::uuid[], $2::int[]) as wanted (agreement_id, number)
                 join agreement_version v using (agreement_id, number)
                 left join chain_secret e on e.source_id = v.approval_id and e.kind = 'envelope'",
            )
            .bind::<Array<SqlUuid>, _>(agreements)
            .bind::<Array<Integer>, _>(numbers)
            .load(self.pg)
            .map_err(store_error)?;
        let approval = |(agreement, number, source, envelope): (Uuid, i32, Option<Uuid>, Option<Vec<u8>>)| {
            let approval = source.map(|source| kept((source, envelope)));
            Ok(KeptApproval { of: version_name(agreement, number)?, approval })
        };
        rows.into_iter().map(approval).collect()
    }

    fn find_run_approvals(&mut self, ids: &[PayoutRunId]) -> Result<Vec<KeptApproval<PayoutRunId>>, StoreError> {
        let rows: Vec<(Uuid, Option<Uuid>, Option<Vec<u8>>)> = query::<(SqlUuid, Nullable<SqlUuid>, Nullable<Bytea>)>(
            "select r.id, e.source_id, e.secret from payout_run r left join lateral (
                   select source_id, secret from chain_secret s
                   where s.subject_id = r.id and s.kind = 'envelope' order by source_id desc limit 1
                 ) e on r.approved_by is not null
                 where r.id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let approval = |(run, source, envelope): (Uuid, Option<Uuid>, Option<Vec<u8>>)| KeptApproval {
            of: PayoutRunId::new(run),
            approval: source.map(|source| kept((source, envelope))),
        };
        Ok(rows.into_iter().map(approval).collect())
    }

    fn find_reports(&mut self, ids: &[GuaranteeRunId]) -> Result<Vec<KeptEnvelope>, StoreError> {
        let rows: Vec<(Uuid, Vec<u8>)> =
            query::<(SqlUuid, Bytea)>("select id, report from guarantee_run where id = any($1)")
                .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
                .load(self.pg)
                .map_err(store_error)?;
        Ok(rows.into_iter().map(|(run, report)| kept((run, Some(report)))).collect())
    }

    fn list_approved_versions(&mut self, page: &PageRequest) -> Result<Page<VersionName>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<(Uuid, Uuid, i32)> = query::<(SqlUuid, SqlUuid, Integer)>(listed!(
            paging.order,
            "select approval_id, agreement_id, number from agreement_version where ",
            "approval_id", at "approved_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        let restored = |(approval, agreement, number)| Ok((approval, version_name(agreement, number)?));
        Ok(by_id(rows, page, restored, |(approval, _)| *approval)?.map(|(_, name)| name))
    }

    fn list_approved_runs(&mut self, page: &PageRequest) -> Result<Page<PayoutRunId>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<Uuid> = query::<SqlUuid>(listed!(
            paging.order,
            "select id from payout_run where approved_by is not null and ",
            "id", at "approved_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, |id| Ok(PayoutRunId::new(id)), |run| run.uuid())
    }

    fn find_declarations(&mut self, envelopes: &[Digest]) -> Result<Vec<KeptEnvelope>, StoreError> {
        let rows: Vec<(Uuid, Option<Vec<u8>>)> = query::<(SqlUuid, Nullable<Bytea>)>(
            "select d.id, e.secret from import_declaration d
             left join chain_secret e on e.source_id = d.id and e.kind = 'envelope' where d.envelope_sha256 = any($1)",
        )
        .bind::<Array<Bytea>, _>(envelopes.iter().map(|d| d.bytes().as_slice()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(kept).collect())
    }

    fn find_registrations(&mut self, kids: &[String]) -> Result<Vec<KeptEnvelope>, StoreError> {
        let rows: Vec<(Uuid, Option<Vec<u8>>)> = query::<(SqlUuid, Nullable<Bytea>)>(
            "select k.id, e.secret from signing_key k
             left join chain_secret e on e.source_id = k.id and e.kind = 'envelope' where k.kid = any($1)",
        )
        .bind::<Array<Text>, _>(kids)
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(kept).collect())
    }
}
