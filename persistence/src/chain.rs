//! Lanes, secrets and pending leaves; the tree of the sequencer.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::chain::checkpoint::TreeHead;
use domain::chain::leaf::{LaneHead, LeafKind};
use domain::chain::repository::{ChainRepository, PendingLeaf, Secret, SubjectLane};
use domain::chain::tile::FullTile;
use domain::kernel::{Digest, Instant};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

type LaneColumns = (SqlUuid, Bytea, BigInt, Nullable<Bytea>);
type PendingColumns = (SqlUuid, Text, Bytea, BigInt, Bytea, Timestamptz);

impl ChainRepository for PgUnitOfWork<'_> {
    fn lock_lanes(&mut self, subjects: &[Uuid]) -> Result<Vec<SubjectLane>, StoreError> {
        let rows: Vec<(Uuid, Vec<u8>, i64, Option<Vec<u8>>)> = query::<LaneColumns>(
            "select subject_id, lane, next_n, last_leaf_sha256 from chain_lane where subject_id = any($1) order by subject_id for update",
        )
        .bind::<Array<SqlUuid>, _>(subjects)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(subject, lane, next_n, last)| {
                let last_leaf_hash = last.map_or(Ok(Digest([0; 32])), |bytes| digest(&bytes))?;
                let head = LaneHead { lane: digest(&lane)?, next_n: to_u64(next_n)?, last_leaf_hash };
                Ok(SubjectLane { subject, head })
            })
            .collect()
    }

    fn insert_lanes(&mut self, lanes: &[SubjectLane]) -> Result<(), StoreError> {
        let made = command(
            "insert into chain_lane (subject_id, lane, next_n) select subject_id, lane, 0 from unnest($1::uuid[], $2::bytea[]) as l (subject_id, lane) on conflict (subject_id) do nothing",
        )
        .bind::<Array<SqlUuid>, _>(lanes.iter().map(|l| l.subject).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(lanes.iter().map(|l| l.head.lane.bytes().as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        // Another transaction made a lane between our look and our insert: begin again and find it.
        if made == lanes.len() { Ok(()) } else { Err(StoreError::Contention) }
    }

    fn update_lanes(&mut self, lanes: &[SubjectLane]) -> Result<(), StoreError> {
        let next = lanes.iter().map(|l| to_i64(l.head.next_n)).collect::<Result<Vec<_>, _>>()?;
        command(
            "update chain_lane set next_n = l.next_n, last_leaf_sha256 = l.last from unnest($1::uuid[], $2::bigint[], $3::bytea[]) as l (subject_id, next_n, last) where chain_lane.subject_id = l.subject_id",
        )
        .bind::<Array<SqlUuid>, _>(lanes.iter().map(|l| l.subject).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(next)
        .bind::<Array<Bytea>, _>(lanes.iter().map(|l| l.head.last_leaf_hash.bytes().as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_secrets(&mut self, secrets: &[Secret]) -> Result<(), StoreError> {
        if secrets.is_empty() {
            return Ok(());
        }
        command("insert into chain_secret (source_id, subject_id, kind, secret) select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[])")
            .bind::<Array<SqlUuid>, _>(secrets.iter().map(|s| s.source).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(secrets.iter().map(|s| s.subject).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(secrets.iter().map(|s| s.kind).collect::<Vec<_>>())
            .bind::<Array<Bytea>, _>(secrets.iter().map(|s| s.bytes.as_slice()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn append_pending(&mut self, leaves: &[PendingLeaf]) -> Result<(), StoreError> {
        let Some(first) = leaves.first() else { return Ok(()) };
        let places = leaves.iter().map(|l| to_i64(l.lane_seq)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into chain_pending (created_at, source_id, kind, lane, n, leaf)
             select $1, source_id, kind, lane, n, leaf
             from unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[]) with ordinality
               as l (source_id, kind, lane, n, leaf, place) order by place",
        )
        .bind::<Timestamptz, _>(instant(first.created_at))
        .bind::<Array<SqlUuid>, _>(leaves.iter().map(|l| l.source).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(leaves.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(leaves.iter().map(|l| l.lane.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(places)
        .bind::<Array<Bytea>, _>(leaves.iter().map(|l| l.leaf.as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_head(&mut self) -> Result<TreeHead, StoreError> {
        let (size, root): (i64, Vec<u8>) = query::<(BigInt, Bytea)>("select size, root from chain_head for update")
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(TreeHead { size: to_u64(size)?, root: digest(&root)? })
    }

    fn take_pending(&mut self, limit: u32) -> Result<Vec<PendingLeaf>, StoreError> {
        let rows: Vec<(Uuid, String, Vec<u8>, i64, Vec<u8>, jiff_diesel::Timestamp)> = query::<PendingColumns>(
            // A range of ids, never a join: what has come in since statistics were taken cannot make it a product of both.
            "with taken as (
               delete from chain_pending where id <= (select max(id) from (select id from chain_pending order by id limit $1) oldest) returning *
             ) select source_id, kind, lane, n, leaf, created_at from taken order by id",
        )
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(source, kind, lane, n, leaf, created_at)| {
                Ok(PendingLeaf {
                    source,
                    kind: LeafKind::parse(&kind).ok_or_else(|| unreadable("the kind of a leaf"))?,
                    lane: digest(&lane)?,
                    lane_seq: to_u64(n)?,
                    leaf,
                    created_at: Instant::new(created_at.into()),
                })
            })
            .collect()
    }

    fn append_leaves(&mut self, first_index: u64, leaves: &[PendingLeaf], hashes: &[Digest]) -> Result<(), StoreError> {
        let places = leaves.iter().map(|l| to_i64(l.lane_seq)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into chain_leaf (index, source_id, kind, lane, n, leaf, leaf_sha256)
             select $1 + place - 1, source_id, kind, lane, n, leaf, leaf_sha256
             from unnest($2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bytea[], $7::bytea[]) with ordinality
               as l (source_id, kind, lane, n, leaf, leaf_sha256, place)",
        )
        .bind::<BigInt, _>(to_i64(first_index)?)
        .bind::<Array<SqlUuid>, _>(leaves.iter().map(|l| l.source).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(leaves.iter().map(|l| l.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(leaves.iter().map(|l| l.lane.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(places)
        .bind::<Array<Bytea>, _>(leaves.iter().map(|l| l.leaf.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(hashes.iter().map(|h| h.bytes().as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_tiles(&mut self, tiles: &[FullTile]) -> Result<(), StoreError> {
        if tiles.is_empty() {
            return Ok(());
        }
        let places = tiles.iter().map(|t| to_i64(t.index)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into chain_tile (level, n, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])",
        )
        .bind::<Array<SmallInt>, _>(tiles.iter().map(|t| i16::from(t.row)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(places)
        .bind::<Array<Bytea>, _>(tiles.iter().map(|t| t.bytes.as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn advance_head(&mut self, from_size: u64, to: &TreeHead, body: &str, at: Instant) -> Result<(), StoreError> {
        let moved = command("update chain_head set size = $1, root = $2 where size = $3")
            .bind::<BigInt, _>(to_i64(to.size)?)
            .bind::<Bytea, _>(to.root.bytes().as_slice())
            .bind::<BigInt, _>(to_i64(from_size)?)
            .execute(self.pg)
            .map_err(store_error)?;
        if moved != 1 {
            return Err(StoreError::Contention);
        }
        command("insert into chain_checkpoint (size, root, body, created_at) values ($1, $2, $3, $4) on conflict (size) do nothing")
            .bind::<BigInt, _>(to_i64(to.size)?)
            .bind::<Bytea, _>(to.root.bytes().as_slice())
            .bind::<Bytea, _>(body.as_bytes())
            .bind::<Timestamptz, _>(instant(at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn append_note(&mut self, size: u64, note: &str) -> Result<(), StoreError> {
        command("insert into chain_checkpoint_note (size, note) values ($1, $2) on conflict (size) do nothing")
            .bind::<BigInt, _>(to_i64(size)?)
            .bind::<Bytea, _>(note.as_bytes())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}
