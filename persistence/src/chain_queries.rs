//! What the log shows: rows of hashes, leaves, signed checkpoints, and what leaves commit to.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::chain::published::{
    ChainQueries, IndexedLeaf, KeptEntry, KeptEnvelope, KeptHandshake, KeptKeyEvent, KeyEventKind, PublishedNote,
    TreeRows,
};
use domain::kernel::Digest;
use domain::kernel::ids::{EntryId, HandshakeId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, to_i64, to_u64};
use crate::error::{store_error, unreadable};
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
}
