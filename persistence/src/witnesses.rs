//! Cosignatures of witnesses, evidence of their refusals, and how far the log is published.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::chain::checkpoint::TreeHead;
use domain::chain::published::PublishedNote;
use domain::chain::witness::record::{
    Cosignature, CosignedHead, Evidence, EvidenceKind, WitnessQueries, WitnessRepository,
};
use domain::kernel::ids::EvidenceId;
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type EvidenceColumns = (SqlUuid, Text, Text, BigInt, BigInt, Text, SmallInt, Bytea, Timestamptz);
type EvidenceRow = (Uuid, String, String, i64, i64, String, i16, Vec<u8>, jiff_diesel::Timestamp);

fn evidence(row: EvidenceRow) -> Result<Evidence, StoreError> {
    let (id, kind, witness, old_size, size, note, status, response, at) = row;
    Ok(Evidence {
        id: EvidenceId::new(id),
        kind: EvidenceKind::parse(&kind).ok_or_else(|| unreadable("the kind of evidence"))?,
        witness,
        old_size: to_u64(old_size)?,
        size: to_u64(size)?,
        note,
        status: u16::try_from(status).map_err(|_| unreadable("a status"))?,
        response,
        at: from_instant(at),
    })
}

impl WitnessRepository for PgUnitOfWork<'_> {
    fn find_cosigned_heads(&mut self) -> Result<Vec<CosignedHead>, StoreError> {
        // Hops from witness to witness along the index: its rows are one for each checkpoint.
        let rows: Vec<(String, i64, Vec<u8>)> = query::<(Text, BigInt, Bytea)>(
            "with recursive hop as (
               (select witness from chain_cosignature order by witness limit 1)
               union all
               select (select c.witness from chain_cosignature c where c.witness > hop.witness order by c.witness limit 1)
               from hop where hop.witness is not null
             )
             select hop.witness, newest.size, newest.root from hop
             cross join lateral (select size, root from chain_cosignature c where c.witness = hop.witness order by size desc limit 1) newest
             where hop.witness is not null",
        )
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(witness, size, root)| {
                Ok(CosignedHead { witness, head: TreeHead { size: to_u64(size)?, root: digest(&root)? } })
            })
            .collect()
    }

    fn append_cosignature(&mut self, cosignature: &Cosignature) -> Result<(), StoreError> {
        command(
            "insert into chain_cosignature (witness, size, root, line, cosigned_at_second, received_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (witness, size) do nothing",
        )
        .bind::<Text, _>(cosignature.witness.as_str())
        .bind::<BigInt, _>(to_i64(cosignature.head.size)?)
        .bind::<Bytea, _>(cosignature.head.root.bytes().as_slice())
        .bind::<Text, _>(cosignature.line.as_str())
        .bind::<BigInt, _>(to_i64(cosignature.time)?)
        .bind::<Timestamptz, _>(instant(cosignature.received_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_cosigners(&mut self, size: u64) -> Result<Vec<String>, StoreError> {
        query::<Text>(
            "select c.witness from chain_cosignature c where c.size = $1
             and not exists (select from chain_evidence e where e.witness = c.witness and e.kind = 'behind')",
        )
        .bind::<BigInt, _>(to_i64(size)?)
        .load(self.pg)
        .map_err(store_error)
    }

    fn publish(&mut self, size: u64) -> Result<(), StoreError> {
        command("update chain_published set size = $1 where size is null or size < $2")
            .bind::<BigInt, _>(to_i64(size)?)
            .bind::<BigInt, _>(to_i64(size)?)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn append_evidence(&mut self, evidence: &Evidence) -> Result<bool, StoreError> {
        let kept = command(
            "insert into chain_evidence (id, kind, witness, old_size, size, note, status, response, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict on constraint chain_evidence_once do nothing",
        )
        .bind::<SqlUuid, _>(evidence.id.uuid())
        .bind::<Text, _>(evidence.kind.as_str())
        .bind::<Text, _>(evidence.witness.as_str())
        .bind::<BigInt, _>(to_i64(evidence.old_size)?)
        .bind::<BigInt, _>(to_i64(evidence.size)?)
        .bind::<Text, _>(evidence.note.as_str())
        .bind::<SmallInt, _>(i16::try_from(evidence.status).unwrap_or(i16::MAX))
        .bind::<Bytea, _>(evidence.response.as_slice())
        .bind::<Timestamptz, _>(instant(evidence.at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(kept == 1)
    }
}

impl WitnessQueries for PgQueries<'_> {
    fn find_signed_note(&mut self) -> Result<Option<PublishedNote>, StoreError> {
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

    fn find_cosigned_head(&mut self, witness: &str, up_to: u64) -> Result<Option<TreeHead>, StoreError> {
        let row: Option<(i64, Vec<u8>)> = query::<(BigInt, Bytea)>(
            "select size, root from chain_cosignature where witness = $1 and size <= $2 order by size desc limit 1",
        )
        .bind::<Text, _>(witness)
        .bind::<BigInt, _>(i64::try_from(up_to).unwrap_or(i64::MAX))
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(|(size, root)| Ok(TreeHead { size: to_u64(size)?, root: digest(&root)? })).transpose()
    }

    fn list_evidence(&mut self, page: &PageRequest) -> Result<Page<Evidence>, StoreError> {
        let paging = Paging::newest_first(page);
        let text = listed!(
            paging.order,
            "select id, kind, witness, old_size, size, note, status, response, at from chain_evidence where ",
            "id",
            at "at",
            ""
        );
        let rows: Vec<EvidenceRow> =
            query::<EvidenceColumns>(text).page_by_id(paging)?.load(self.pg).map_err(store_error)?;
        by_id(rows, page, evidence, |evidence| evidence.id.uuid())
    }

    fn count_evidence(&mut self) -> Result<u64, StoreError> {
        let count: i64 =
            query::<BigInt>("select count(*) from chain_evidence").get_result(self.pg).map_err(store_error)?;
        to_u64(count)
    }
}
