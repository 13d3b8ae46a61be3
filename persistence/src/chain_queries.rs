//! What the log shows: rows of hashes, leaves, signed checkpoints, and what leaves commit to.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::chain::export::{ExportedLeaf, YoungerErasure};
use domain::chain::published::{
    ChainQueries, IndexedLeaf, KeptApproval, KeptEntry, KeptEnvelope, KeptHandshake, KeptKeyEvent, KeptPaper,
    KeyEventKind, PublishedNote, TreeRows,
};
use domain::chain::statement::VersionName;
use domain::kernel::ids::{AgreementId, EntryId, ErasureId, GuaranteeRunId, HandshakeId, PayoutRunId, TaxDocumentId};
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

type ExportedRow = (i64, Vec<u8>, Option<Vec<u8>>, bool, Option<Vec<i64>>);
type ExportedColumns = (BigInt, Bytea, Nullable<Bytea>, Bool, Nullable<Array<BigInt>>);

fn indexes(numbers: Vec<i64>) -> Result<Vec<u64>, StoreError> {
    numbers.into_iter().map(to_u64).collect()
}

/// Declarations and registrations are never erased: others' receipts rest on them.
fn kept((source, envelope): (Uuid, Option<Vec<u8>>)) -> KeptEnvelope {
    KeptEnvelope { source, envelope, erased: false }
}

fn version_name(agreement: Uuid, number: i32) -> Result<VersionName, StoreError> {
    Ok(VersionName { agreement: AgreementId::new(agreement), number: read_number(number)? })
}

impl ChainQueries for PgQueries<'_> {
    fn find_newest_note(&mut self) -> Result<Option<PublishedNote>, StoreError> {
        let row: Option<(i64, Vec<u8>, String)> = query::<(BigInt, Bytea, Text)>(
            "select n.size, n.note,
               coalesce((select string_agg(c.line || chr(10), '' order by c.witness) from chain_cosignature c where c.size = n.size), '')
             from chain_published p join chain_checkpoint_note n on n.size = p.size",
        )
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(|(size, note, cosignatures)| {
            let note = String::from_utf8(note).map_err(|_| unreadable("a checkpoint"))?;
            Ok(PublishedNote { size: to_u64(size)?, note: note + &cosignatures })
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
        let rows: Vec<(Uuid, Uuid, Option<Vec<u8>>, bool)> = query::<(SqlUuid, SqlUuid, Nullable<Bytea>, Bool)>(
            "select s.handshake_id, s.id, e.secret, d.source_id is not null from handshake_statement s
             left join chain_secret e on e.source_id = s.id and e.kind = 'envelope' left join chain_erased d on d.source_id = s.id
             where s.handshake_id = any($1)
             order by s.handshake_id, array_position(array['offer', 'accept', 'seal'], s.kind)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let mut found: Vec<KeptHandshake> = Vec::new();
        for (handshake, source, envelope, erased) in rows {
            let statement = KeptEnvelope { source, envelope, erased };
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

    fn find_papers(&mut self, ids: &[TaxDocumentId]) -> Result<Vec<KeptPaper>, StoreError> {
        let rows: Vec<(Uuid, Option<Vec<u8>>)> = query::<(SqlUuid, Nullable<Bytea>)>(
            "select d.id, e.envelope from tax_document d left join tax_document_envelope e on e.document_id = d.id where d.id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(id, envelope)| KeptPaper { id: TaxDocumentId::new(id), envelope }).collect())
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

    fn find_key_events(&mut self, kids: &[String]) -> Result<Vec<KeptKeyEvent>, StoreError> {
        type Row = (String, String, Option<String>, String, Uuid, Option<Vec<u8>>);
        let rows: Vec<Row> = query::<(Text, Text, Nullable<Text>, Text, SqlUuid, Nullable<Bytea>)>(
            "with asked as (select id, coalesce(first_id, id) as first from signing_key where kid = any($1)),
               successions as (
                 select first from asked
                 union select coalesce(s.first_id, s.id) from asked join signing_key_end e on e.key_id = asked.id and e.kind = 'revocation'
                   join signing_key s on s.kid = e.kid),
               keys as (
                 select k.id, k.kid, k.replaces_id from signing_key k join successions on k.id = first
                 union all select k.id, k.kid, k.replaces_id from signing_key k join successions on k.first_id = first)
             select events.kind, kid, successor, signer, source, c.secret from (
               select 'registration' as kind, kid, null::text as successor, kid as signer, id as source from keys where replaces_id is null
               union all
               select e.kind, keys.kid, n.kid, e.kid, e.source_id from keys join signing_key_end e on e.key_id = keys.id
                 left join signing_key n on n.id = e.source_id) events
             left join chain_secret c on c.source_id = source and c.kind = 'envelope'",
        )
        .bind::<Array<Text>, _>(kids)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(kind, kid, successor, signer, source, envelope)| {
                let kind = match kind.as_str() {
                    "registration" => KeyEventKind::Registration,
                    "rotation" => KeyEventKind::Rotation,
                    "revocation" => KeyEventKind::Revocation,
                    _ => return Err(unreadable("an event of a key")),
                };
                Ok(KeptKeyEvent { kind, kid, successor, signer, kept: kept((source, envelope)) })
            })
            .collect()
    }

    fn export_leaves(&mut self, from: u64, to: u64) -> Result<Vec<ExportedLeaf>, StoreError> {
        let rows: Vec<ExportedRow> = query::<ExportedColumns>(
            "select l.index, l.leaf, coalesce(s.secret, e.canonical, g.report, t.envelope), d.source_id is not null,
               case when l.kind = 'erasure' then array(
                 select x.index from chain_erased n join chain_leaf x on x.source_id = n.source_id where n.erasure_id = l.source_id order by 1) end
             from chain_leaf l
             left join chain_secret s on s.source_id = l.source_id and s.kind = 'envelope'
             left join ledger_entry e on l.kind = 'ledger_entry' and e.id = l.source_id
             left join guarantee_run g on l.kind = 'guarantee_run' and g.id = l.source_id
             left join tax_document_envelope t on l.kind = 'tax_document' and t.document_id = l.source_id
             left join chain_erased d on d.source_id = l.source_id
             where l.index >= $1 and l.index < $2 order by l.index",
        )
        .bind::<BigInt, _>(to_i64(from)?)
        .bind::<BigInt, _>(to_i64(to)?)
        .load(self.pg)
        .map_err(store_error)?;
        let leaf = |(index, leaf, envelope, erased, erases): ExportedRow| {
            Ok(ExportedLeaf { index: to_u64(index)?, leaf, envelope, erased, erases: erases.map(indexes).transpose()? })
        };
        rows.into_iter().map(leaf).collect()
    }

    fn list_unlogged(&mut self, limit: u32) -> Result<Vec<Vec<u8>>, StoreError> {
        query::<Bytea>(
            "select canonical from ledger_entry e where not exists (select from chain_leaf l where l.source_id = e.id)
             and not exists (select from chain_pending p where p.source_id = e.id) order by seq limit $1",
        )
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)
    }

    fn list_younger_erasures(
        &mut self,
        size: u64,
        after: Option<ErasureId>,
        limit: u32,
    ) -> Result<Vec<YoungerErasure>, StoreError> {
        type Row = (Uuid, Vec<u8>, Vec<Vec<u8>>, Vec<i64>);
        let rows: Vec<Row> = query::<(SqlUuid, Bytea, Array<Bytea>, Array<BigInt>)>(
            "with asked (size) as (select $1::bigint)
             select e.id, s.secret,
               array(select coalesce(l.leaf, p.leaf) from chain_erased n left join chain_leaf l using (source_id) left join chain_pending p using (source_id)
                 where n.erasure_id = e.id and coalesce(l.leaf, p.leaf) is not null),
               array(select l.index from chain_erased n join chain_leaf l using (source_id) where n.erasure_id = e.id and l.index < asked.size order by 1)
             from asked cross join chain_erasure e join chain_secret s on s.source_id = e.id and s.kind = 'envelope'
             where e.id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
               and not exists (select from chain_leaf l where l.source_id = e.id and l.index < asked.size) order by e.id limit $3",
        )
        .bind::<BigInt, _>(to_i64(size)?)
        .bind::<Nullable<SqlUuid>, _>(after.map(ErasureId::uuid))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        let erasure = |(id, envelope, leaves, erases): Row| {
            Ok(YoungerErasure { id: ErasureId::new(id), envelope, leaves, erases: indexes(erases)? })
        };
        rows.into_iter().map(erasure).collect()
    }
}
