//! Rows of bank statements.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{BankAccountId, BankStatementId, BankStatementLineId};
use domain::payouts::bank::matching::Target;
use domain::payouts::bank::repository::{KeptLine, KeptStatement, LineMatch};
use domain::payouts::bank::statement::StatementFormat;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant};
use crate::error::{store_error, unreadable};
use crate::statement::query;

pub fn number(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unreadable("a count"))
}

#[derive(Queryable)]
pub struct StatementRow {
    id: Uuid,
    bank_account_id: Uuid,
    sha256: Vec<u8>,
    n: i32,
    format: String,
    reference: String,
    from_on: jiff_diesel::Date,
    to_on: jiff_diesel::Date,
    opening_minor: Option<i64>,
    closing_minor: Option<i64>,
    line_count: i32,
    matched: i64,
    created_by: Uuid,
    created_at: jiff_diesel::Timestamp,
}

pub type StatementColumns = (
    SqlUuid,
    SqlUuid,
    Bytea,
    Integer,
    Text,
    Text,
    Date,
    Date,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Integer,
    BigInt,
    SqlUuid,
    Timestamptz,
);

/// What is selected of a statement `s` with its document `d`.
macro_rules! statement_columns {
    () => {
        "s.id, s.bank_account_id, s.document_sha256, s.n, d.format, s.reference, s.from_on, s.to_on, s.opening_minor, s.closing_minor, s.line_count,
         (select count(distinct m.line_id) from bank_statement_line l join bank_line_match m on m.line_id = l.id where l.statement_id = s.id),
         s.created_by, s.created_at"
    };
}
pub(crate) use statement_columns;

impl StatementRow {
    pub fn restore(self) -> Result<KeptStatement, StoreError> {
        Ok(KeptStatement {
            id: BankStatementId::new(self.id),
            account: BankAccountId::new(self.bank_account_id),
            sha256: digest(&self.sha256)?,
            n: number(self.n)?,
            format: StatementFormat::parse(&self.format).ok_or_else(|| unreadable("the format of a statement"))?,
            reference: self.reference,
            from_on: self.from_on.into(),
            to_on: self.to_on.into(),
            opening_minor: self.opening_minor,
            closing_minor: self.closing_minor,
            lines: number(self.line_count)?,
            matched: u32::try_from(self.matched).map_err(|_| unreadable("a count"))?,
            created_by: self.created_by,
            created_at: from_instant(self.created_at),
        })
    }
}

#[derive(Queryable)]
pub struct LineRow {
    pub id: Uuid,
    statement_id: Uuid,
    bank_account_id: Uuid,
    n: i32,
    booked_on: jiff_diesel::Date,
    amount_minor: i64,
    text: String,
}

pub type LineColumns = (SqlUuid, SqlUuid, SqlUuid, Integer, Date, BigInt, Text);

impl LineRow {
    pub fn restore(self, matches: Vec<LineMatch>) -> Result<KeptLine, StoreError> {
        Ok(KeptLine {
            id: BankStatementLineId::new(self.id),
            statement: BankStatementId::new(self.statement_id),
            account: BankAccountId::new(self.bank_account_id),
            n: number(self.n)?,
            booked_on: self.booked_on.into(),
            amount_minor: self.amount_minor,
            text: self.text,
            matches,
        })
    }
}

/// Lines with what they are matched to.
pub fn matched(pg: &mut PgConnection, rows: Vec<LineRow>) -> Result<Vec<KeptLine>, StoreError> {
    type Columns = (SqlUuid, Text, SqlUuid, Nullable<SqlUuid>, Timestamptz, Nullable<Text>);
    type Row = (Uuid, String, Uuid, Option<Uuid>, jiff_diesel::Timestamp, Option<String>);
    let found: Vec<Row> = query::<Columns>(
        "select line_id, kind, target_id, matched_by, at, reason from bank_line_match where line_id = any($1) order by line_id, target_id",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .load(pg)
    .map_err(store_error)?;
    let mut by_line: BTreeMap<Uuid, Vec<LineMatch>> = BTreeMap::new();
    for (line, kind, target, by, at, reason) in found {
        let target = Target::restore(&kind, target);
        by_line.entry(line).or_default().push(LineMatch {
            line: BankStatementLineId::new(line),
            target,
            by,
            at: from_instant(at),
            reason,
        });
    }
    rows.into_iter()
        .map(|row| {
            let matches = by_line.remove(&row.id).unwrap_or_default();
            row.restore(matches)
        })
        .collect()
}
