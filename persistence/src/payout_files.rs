//! Bank files of runs: written once with their payouts, never changed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Instant;
use domain::kernel::ids::{BankFileId, PayoutRunId};
use domain::payouts::bank_file::{BankFile, RunFile};
use domain::payouts::run::RunSummary;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, digest, instant};
use crate::error::{store_error, unreadable};
use crate::payout_rows::RunRow;
use crate::statement::{command, query};

#[derive(Queryable)]
struct FileRow {
    run_id: Uuid,
    id: Uuid,
    n: i32,
    dated_on: jiff_diesel::Date,
    sha256: Vec<u8>,
    total_minor: i64,
    payout_count: i32,
}

type FileColumns = (SqlUuid, SqlUuid, Integer, Date, Bytea, BigInt, Integer);

impl FileRow {
    fn restore(self) -> Result<RunFile, StoreError> {
        let count = |number: i32| u32::try_from(number).map_err(|_| unreadable("a count"));
        Ok(RunFile {
            id: BankFileId::new(self.id),
            n: count(self.n)?,
            dated_on: self.dated_on.into(),
            sha256: digest(&self.sha256)?,
            total_minor: self.total_minor,
            payouts: count(self.payout_count)?,
        })
    }
}

/// What runs know of their files, by run, each in the order of their places.
pub fn of_runs(pg: &mut PgConnection, runs: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<RunFile>>, StoreError> {
    let rows: Vec<FileRow> = query::<FileColumns>(
        "select run_id, id, n, dated_on, sha256, total_minor, payout_count from bank_file where run_id = any($1) order by run_id, n",
    )
    .bind::<Array<SqlUuid>, _>(runs)
    .load(pg)
    .map_err(store_error)?;
    let mut files: BTreeMap<Uuid, Vec<RunFile>> = BTreeMap::new();
    for row in rows {
        files.entry(row.run_id).or_default().push(row.restore()?);
    }
    Ok(files)
}

/// One run with its files.
pub fn restored(pg: &mut PgConnection, row: RunRow) -> Result<RunSummary, StoreError> {
    let files = of_runs(pg, &[row.id()])?.remove(&row.id()).unwrap_or_default();
    row.restore(files)
}

/// Keeps the files of a run, and which payouts are in which.
pub fn append(pg: &mut PgConnection, run: PayoutRunId, files: &[BankFile], at: Instant) -> Result<(), StoreError> {
    let about = || files.iter().map(|file| file.about);
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    command(
        "insert into bank_file (run_id, created_at, id, n, dated_on, total_minor, payout_count, bytes, sha256)
         select asked.*, f.* from (select $1::uuid, $2::timestamptz) asked,
           unnest($3::uuid[], $4::integer[], $5::date[], $6::bigint[], $7::integer[], $8::bytea[], $9::bytea[]) f",
    )
    .bind::<SqlUuid, _>(run.uuid())
    .bind::<Timestamptz, _>(instant(at))
    .bind::<Array<SqlUuid>, _>(about().map(|file| file.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(about().map(|file| number(file.n)).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(about().map(|file| date(file.dated_on)).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(about().map(|file| file.total_minor).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(about().map(|file| number(file.payouts)).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(files.iter().map(|file| file.bytes.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(files.iter().map(|file| file.about.sha256.bytes().to_vec()).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    let held: Vec<(Uuid, Uuid)> =
        files.iter().flat_map(|f| f.payouts.iter().map(|payout| (payout.uuid(), f.about.id.uuid()))).collect();
    command("insert into bank_file_payout (payout_id, file_id) select * from unnest($1::uuid[], $2::uuid[])")
        .bind::<Array<SqlUuid>, _>(held.iter().map(|(payout, _)| *payout).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(held.iter().map(|(_, file)| *file).collect::<Vec<_>>())
        .execute(pg)
        .map_err(store_error)?;
    Ok(())
}
