//! Lookup tables. What versions of agreements name is read for all of them in one statement.

use std::collections::BTreeMap;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::VersionContent;
use domain::agreements::model::LookupTable;
use domain::agreements::tables::{FoundTable, FoundTableVersion, LookupTableQueries, LookupTableRepository};
use domain::agreements::version::TableVersion;
use domain::kernel::ids::{AgreementId, LookupTableId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::{read_number, version_number};
use crate::bind::{digest, from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, by_number, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

/// Versions of tables, by table and number.
pub(crate) struct Tables(BTreeMap<(LookupTableId, u32), TableVersion>);

impl Tables {
    /// Those that these contents name, as far as they exist.
    pub fn named_by<'c>(
        pg: &mut PgConnection,
        contents: impl IntoIterator<Item = &'c VersionContent>,
    ) -> Result<Self, StoreError> {
        let named = contents.into_iter().flat_map(VersionContent::tables).map(|table| (table.id, table.number));
        // A number that no version can have names none.
        let named: Vec<(Uuid, i32)> =
            named.filter_map(|(id, number)| Some((id.uuid(), i32::try_from(number).ok()?))).collect();
        if named.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let rows: Vec<VersionRow> = query::<VersionColumns>(
            "select v.table_id, v.number, v.content, v.content_sha256, v.author_id, v.created_at from lookup_table_version v
             join (select distinct id, number from unnest($1::uuid[], $2::int[]) as n (id, number)) n on n.id = v.table_id and n.number = v.number",
        )
        .bind::<Array<SqlUuid>, _>(named.iter().map(|n| n.0).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(named.iter().map(|n| n.1).collect::<Vec<_>>())
        .load(pg)
        .map_err(store_error)?;
        let tables = rows.into_iter().map(|row| version(row).map(|found| found.version));
        let keyed = tables.map(|table| table.map(|table| ((table.id, table.number), table)));
        keyed.collect::<Result<_, _>>().map(Self)
    }

    /// Those that this content names.
    pub fn of(&self, content: &VersionContent) -> Vec<TableVersion> {
        content.tables().into_iter().filter_map(|named| self.0.get(&(named.id, named.number)).cloned()).collect()
    }
}

type VersionColumns = (SqlUuid, Integer, Bytea, Bytea, Nullable<SqlUuid>, Timestamptz);
type VersionRow = (Uuid, i32, Vec<u8>, Vec<u8>, Option<Uuid>, jiff_diesel::Timestamp);

fn version((id, number, content, sha256, author, created_at): VersionRow) -> Result<FoundTableVersion, StoreError> {
    let table = LookupTable::parse(&content).map_err(|_| unreadable("a lookup table"))?;
    let version = TableVersion::try_new(LookupTableId::new(id), read_number(number)?, table);
    let version = version.map_err(|_| unreadable("a lookup table"))?;
    if version.content_hash != digest(&sha256)? {
        return Err(unreadable("a lookup table is not what was added"));
    }
    Ok(FoundTableVersion { version, author, created_at: from_instant(created_at) })
}

type TableColumns = (SqlUuid, Text, Timestamptz);
type TableRow = (Uuid, String, jiff_diesel::Timestamp);

fn table((id, name, created_at): TableRow) -> FoundTable {
    FoundTable { id: LookupTableId::new(id), name, created_at: from_instant(created_at) }
}

/// Keeps tables that ship, called as their agreement is; those that exist already stay as they are.
pub(super) fn ship(pg: &mut PgConnection, name: &str, tables: &[TableVersion], at: Instant) -> Result<(), StoreError> {
    if tables.is_empty() {
        return Ok(());
    }
    let contents = tables.iter().map(|t| t.table.canonical_bytes()).collect::<Result<Vec<_>, _>>();
    let contents = contents.map_err(|e| StoreError::Failed(e.to_string()))?;
    let numbers = tables.iter().map(|t| version_number(t.number)).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<Uuid> = tables.iter().map(|t| t.id.uuid()).collect();
    command("insert into lookup_table (name, created_at, id) select $1, $2, id from unnest($3::uuid[]) as t (id) on conflict do nothing")
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(ids.as_slice())
        .execute(pg)
        .map_err(store_error)?;
    command(
        "insert into lookup_table_version (created_at, table_id, number, content, content_sha256)
         select $1, id, number, content, sha256(content) from unnest($2::uuid[], $3::int[], $4::bytea[]) as t (id, number, content) on conflict do nothing",
    )
    .bind::<Timestamptz, _>(instant(at))
    .bind::<Array<SqlUuid>, _>(ids.as_slice())
    .bind::<Array<Integer>, _>(numbers)
    .bind::<Array<Bytea>, _>(contents.iter().map(Vec::as_slice).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}

/// Keeps that an approved version of an agreement names these tables.
pub(super) fn name(
    pg: &mut PgConnection,
    (agreement, number): (AgreementId, u32),
    tables: &[TableVersion],
) -> Result<(), StoreError> {
    if tables.is_empty() {
        return Ok(());
    }
    let numbers = tables.iter().map(|t| version_number(t.number)).collect::<Result<Vec<_>, _>>()?;
    command(
        "insert into agreement_version_table (agreement_id, number, table_id, table_number)
         select $1, $2, id, number from unnest($3::uuid[], $4::int[]) as t (id, number) on conflict do nothing",
    )
    .bind::<SqlUuid, _>(agreement.uuid())
    .bind::<Integer, _>(version_number(number)?)
    .bind::<Array<SqlUuid>, _>(tables.iter().map(|t| t.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(numbers)
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}

impl LookupTableRepository for PgUnitOfWork<'_> {
    fn insert_table(&mut self, table: &FoundTable) -> Result<(), StoreError> {
        command("insert into lookup_table (id, name, created_at) values ($1, $2, $3)")
            .bind::<SqlUuid, _>(table.id.uuid())
            .bind::<Text, _>(table.name.as_str())
            .bind::<Timestamptz, _>(instant(table.created_at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_table(&mut self, id: LookupTableId) -> Result<Option<u32>, StoreError> {
        let found: Option<Uuid> = query::<SqlUuid>("select id from lookup_table where id = $1 for no key update")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        if found.is_none() {
            return Ok(None);
        }
        // A statement of its own: it sees what was committed while the lock was waited for.
        let last: i32 =
            query::<Integer>("select coalesce(max(number), 0) from lookup_table_version where table_id = $1")
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .map_err(store_error)?;
        read_number(last).map(Some)
    }

    fn append_table_version(&mut self, version: &FoundTableVersion) -> Result<(), StoreError> {
        let FoundTableVersion { version, author, created_at } = version;
        let content = version.table.canonical_bytes().map_err(|e| StoreError::Failed(e.to_string()))?;
        command(
            "insert into lookup_table_version (table_id, number, content, content_sha256, author_id, created_at) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind::<SqlUuid, _>(version.id.uuid())
        .bind::<Integer, _>(version_number(version.number)?)
        .bind::<Bytea, _>(content)
        .bind::<Bytea, _>(version.content_hash.bytes().as_slice())
        .bind::<Nullable<SqlUuid>, _>(*author)
        .bind::<Timestamptz, _>(instant(*created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl LookupTableQueries for PgQueries<'_> {
    fn list_tables(&mut self, page: &PageRequest) -> Result<Page<FoundTable>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<TableRow> = query::<TableColumns>(listed!(
            paging.order,
            "select id, name, created_at from lookup_table where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, |row| Ok(table(row)), |t| t.id.uuid())
    }

    fn find_table(&mut self, id: LookupTableId) -> Result<Option<FoundTable>, StoreError> {
        let row: Option<TableRow> =
            query::<TableColumns>("select id, name, created_at from lookup_table where id = $1")
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        Ok(row.map(table))
    }

    fn list_table_versions(
        &mut self,
        id: LookupTableId,
        page: &PageRequest,
    ) -> Result<Page<FoundTableVersion>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<VersionRow> = query::<VersionColumns>(listed!(
            paging.order,
            "select table_id, number, content, content_sha256, author_id, created_at from lookup_table_version where table_id = $1 and ",
            "number", at "created_at", ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_number(rows, page, version, |found| i64::from(found.version.number))
    }

    fn find_table_version(&mut self, id: LookupTableId, number: u32) -> Result<Option<FoundTableVersion>, StoreError> {
        let Ok(number) = i32::try_from(number) else { return Ok(None) };
        let row: Option<VersionRow> = query::<VersionColumns>(
            "select table_id, number, content, content_sha256, author_id, created_at from lookup_table_version where table_id = $1 and number = $2",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Integer, _>(number)
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(version).transpose()
    }
}
