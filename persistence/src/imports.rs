//! Imports: the file in pieces, its rows, what became of them.

mod rows;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::deals::import::file::{DealImport, ImportCounts, ImportState, RowOutcome, StagedRow};
use domain::deals::import::repository::{ImportFilter, ImportQueries, ImportRepository, PendingRow};
use domain::kernel::ids::{DealId, DealImportId, OrganisationId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};
use rows::{ImportColumns, ImportRecord, RowColumns, import_columns, place, restored_row};

impl ImportRepository for PgUnitOfWork<'_> {
    fn insert(&mut self, import: &DealImport) -> Result<(), StoreError> {
        command(
            "insert into deal_import (id, organisation_id, provider_id, format, state, created_by, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(import.id.uuid())
        .bind::<SqlUuid, _>(import.organisation.uuid())
        .bind::<SqlUuid, _>(import.provider.uuid())
        .bind::<Text, _>(import.format.as_str())
        .bind::<Text, _>(import.state.as_str())
        .bind::<SqlUuid, _>(import.created_by)
        .bind::<Timestamptz, _>(instant(import.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock(&mut self, import: DealImportId) -> Result<Option<DealImport>, StoreError> {
        let row: Option<ImportRecord> =
            query::<ImportColumns>(concat!("select ", import_columns!(), " from deal_import where id = $1 for update"))
                .bind::<SqlUuid, _>(import.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(ImportRecord::restore).transpose()
    }

    fn update(&mut self, import: &DealImport) -> Result<(), StoreError> {
        let count = |pick: fn(&ImportCounts) -> u64| import.counts.as_ref().map(|c| to_i64(pick(c))).transpose();
        command(
            "update deal_import set state = $1, file_sha256 = $2, file_bytes = $3, declaration_sha256 = $4, fault_code = $5, fault_detail = $6,
               pending_count = $7, created_count = $8, corrected_count = $9, unchanged_count = $10, superseded_count = $11, refused_count = $12,
               finished_at = $13
             where id = $14",
        )
        .bind::<Text, _>(import.state.as_str())
        .bind::<Nullable<Bytea>, _>(import.file_sha256.map(|d| d.bytes().to_vec()))
        .bind::<BigInt, _>(to_i64(import.file_bytes)?)
        .bind::<Nullable<Bytea>, _>(import.declaration.map(|d| d.bytes().to_vec()))
        .bind::<Nullable<Text>, _>(import.fault.as_ref().map(|f| f.code.as_str()))
        .bind::<Nullable<Text>, _>(import.fault.as_ref().map(|f| f.detail.as_str()))
        .bind::<Nullable<BigInt>, _>(count(|c| c.pending)?)
        .bind::<Nullable<BigInt>, _>(count(|c| c.created)?)
        .bind::<Nullable<BigInt>, _>(count(|c| c.corrected)?)
        .bind::<Nullable<BigInt>, _>(count(|c| c.unchanged)?)
        .bind::<Nullable<BigInt>, _>(count(|c| c.superseded)?)
        .bind::<Nullable<BigInt>, _>(count(|c| c.refused)?)
        .bind::<Nullable<Timestamptz>, _>(import.finished_at.map(instant))
        .bind::<SqlUuid, _>(import.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_chunk(&mut self, import: DealImportId, n: u32, bytes: &[u8]) -> Result<(), StoreError> {
        command("insert into deal_import_chunk (import_id, n, bytes) values ($1, $2, $3)")
            .bind::<SqlUuid, _>(import.uuid())
            .bind::<Integer, _>(place(n)?)
            .bind::<Bytea, _>(bytes)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find_chunk(&mut self, import: DealImportId, n: u32) -> Result<Option<Vec<u8>>, StoreError> {
        query::<Bytea>("select bytes from deal_import_chunk where import_id = $1 and n = $2")
            .bind::<SqlUuid, _>(import.uuid())
            .bind::<Integer, _>(place(n)?)
            .get_result(self.pg)
            .optional()
            .map_err(store_error)
    }

    fn discard(&mut self, import: DealImportId) -> Result<(), StoreError> {
        command(
            "with pieces as (delete from deal_import_chunk where import_id = $1)
             delete from deal_import where id = $2 and state = 'uploading'",
        )
        .bind::<SqlUuid, _>(import.uuid())
        .bind::<SqlUuid, _>(import.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn forget(&mut self, import: DealImportId) -> Result<(), StoreError> {
        command("delete from deal_import_chunk where import_id = $1")
            .bind::<SqlUuid, _>(import.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        command("delete from deal_import_row where import_id = $1 and outcome = 'pending'")
            .bind::<SqlUuid, _>(import.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        command("update deal_import_row set payload = null where import_id = $1 and payload is not null")
            .bind::<SqlUuid, _>(import.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn last_line(&mut self, import: DealImportId) -> Result<u64, StoreError> {
        let line: i64 = query::<BigInt>("select coalesce(max(line), 0) from deal_import_row where import_id = $1")
            .bind::<SqlUuid, _>(import.uuid())
            .get_result(self.pg)
            .map_err(store_error)?;
        to_u64(line)
    }

    fn append_rows(&mut self, import: DealImportId, rows: &[StagedRow]) -> Result<(), StoreError> {
        let lines = rows.iter().map(|row| to_i64(row.line)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into deal_import_row (import_id, line, external_ref, outcome, faults, payload)
             select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[])",
        )
        .bind::<SqlUuid, _>(import.uuid())
        .bind::<Array<BigInt>, _>(lines)
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.external_ref.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.outcome.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Bytea>>, _>(rows.iter().map(|row| row.faults.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Bytea>>, _>(rows.iter().map(|row| row.payload.as_deref()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn supersede(&mut self, import: DealImportId, after: u64, up_to: u64) -> Result<(), StoreError> {
        // `is true` keeps the planner off the index by outcome, under which every row would look at every
        // other one: a row has few later ones of its own reference.
        command(
            "update deal_import_row r set outcome = 'superseded'
             where r.import_id = $1 and r.line > $2 and r.line <= $3 and r.outcome = 'pending' and exists (
               select from deal_import_row later where later.import_id = r.import_id and later.external_ref = r.external_ref
                 and later.line > r.line and (later.outcome = 'pending') is true)",
        )
        .bind::<SqlUuid, _>(import.uuid())
        .bind::<BigInt, _>(to_i64(after)?)
        .bind::<BigInt, _>(to_i64(up_to)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_pending(&mut self, import: DealImportId, limit: u32) -> Result<Vec<PendingRow>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = query::<(BigInt, Bytea)>(
            "select line, coalesce(payload, '') from deal_import_row where import_id = $1 and outcome = 'pending' order by line limit $2",
        )
        .bind::<SqlUuid, _>(import.uuid())
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(|(line, payload)| Ok(PendingRow { line: to_u64(line)?, payload })).collect()
    }

    fn resolve(&mut self, import: DealImportId, rows: &[StagedRow]) -> Result<(), StoreError> {
        let lines = rows.iter().map(|row| to_i64(row.line)).collect::<Result<Vec<_>, _>>()?;
        command(
            "update deal_import_row r set outcome = n.outcome, faults = n.faults, deal_id = n.deal_id, payload = null
             from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[]) as n (line, outcome, faults, deal_id)
             where r.import_id = $5 and r.line = n.line",
        )
        .bind::<Array<BigInt>, _>(lines)
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.outcome.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Bytea>>, _>(rows.iter().map(|row| row.faults.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(rows.iter().map(|row| row.deal.map(DealId::uuid)).collect::<Vec<_>>())
        .bind::<SqlUuid, _>(import.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn reinstate(&mut self, import: DealImportId, refs: &[String]) -> Result<(), StoreError> {
        command(
            "update deal_import_row r set outcome = 'pending'
             from (select external_ref, max(line) as line from deal_import_row
                   where import_id = $1 and external_ref = any($2) and outcome = 'superseded' group by external_ref) latest
             where r.import_id = $3 and r.line = latest.line",
        )
        .bind::<SqlUuid, _>(import.uuid())
        .bind::<Array<Text>, _>(refs)
        .bind::<SqlUuid, _>(import.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn count_rows(&mut self, import: DealImportId) -> Result<ImportCounts, StoreError> {
        let rows: Vec<(String, i64)> = query::<(Text, BigInt)>(
            "select outcome, count(*) from deal_import_row where import_id = $1 group by outcome",
        )
        .bind::<SqlUuid, _>(import.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let mut counts = ImportCounts::default();
        for (outcome, count) in rows {
            let outcome = RowOutcome::parse(&outcome).ok_or_else(|| unreadable("the outcome of a row"))?;
            *counts.of(outcome) = to_u64(count)?;
        }
        Ok(counts)
    }

    fn list_abandoned(&mut self, before: Instant) -> Result<Vec<DealImportId>, StoreError> {
        let ids: Vec<Uuid> = query::<SqlUuid>(
            "select id from deal_import where state = 'uploading' and created_at < $1 order by created_at limit 100",
        )
        .bind::<Timestamptz, _>(instant(before))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(ids.into_iter().map(DealImportId::new).collect())
    }
}

impl ImportQueries for PgQueries<'_> {
    fn find(&mut self, import: DealImportId) -> Result<Option<DealImport>, StoreError> {
        let row: Option<ImportRecord> =
            query::<ImportColumns>(concat!("select ", import_columns!(), " from deal_import where id = $1"))
                .bind::<SqlUuid, _>(import.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(ImportRecord::restore).transpose()
    }

    fn list(&mut self, filter: &ImportFilter, page: &PageRequest) -> Result<Page<DealImport>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<ImportRecord> = query::<ImportColumns>(listed!(
            paging.order,
            concat!("select ", import_columns!(), " from deal_import where "),
            "id", at "created_at", " and coalesce(state = $4, true) and coalesce(organisation_id = $5, true) and coalesce(provider_id = $6, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(filter.state.map(ImportState::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.organisation.map(OrganisationId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.provider.map(OrganisationId::uuid))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, ImportRecord::restore, |import| import.id.uuid())
    }

    fn list_rows(
        &mut self,
        import: DealImportId,
        outcome: Option<RowOutcome>,
        page: &PageRequest,
    ) -> Result<Page<StagedRow>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<(i64, Option<String>, String, Option<Vec<u8>>, Option<Uuid>)> = query::<RowColumns>(listed!(
            paging.order,
            "select line, external_ref, outcome, faults, deal_id from deal_import_row
             where import_id = $1 and outcome = coalesce($2, outcome) and ",
            "line",
            ""
        ))
        .bind::<SqlUuid, _>(import.uuid())
        .bind::<Nullable<Text>, _>(outcome.map(RowOutcome::as_str))
        .after_number(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let rows = rows.into_iter().map(restored_row).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(rows, page.limit, |row| row.line.to_be_bytes().to_vec()))
    }
}
