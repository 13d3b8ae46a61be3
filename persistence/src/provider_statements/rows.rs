//! Rows of provider statements, and how they are restored.

use diesel::Queryable;
use diesel::sql_types::{BigInt, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::jobs::JobFault;
use domain::kernel::ids::{
    BankAccountId, DealId, ExceptionId, OrganisationId, ProviderStatementId, ProviderStatementLineId, UserId,
    WriteOffId,
};
use domain::provider_statements::exception::About;
use domain::provider_statements::mapping::MappingVersion;
use domain::provider_statements::statement::{OpenLine, StatementLine, item_of};
use domain::provider_statements::{
    ExceptionKind, ExceptionStatus, ItemKey, LineKind, ProviderException, ProviderStatement, Resolution, Side,
    StatementState, WriteOff, WriteOffState,
};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant, to_u64};
use crate::error::unreadable;

fn number(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unreadable("a negative number"))
}

pub(super) type MappingColumns = (SqlUuid, Integer, Bytea, SqlUuid, Timestamptz);
pub(super) type MappingRow = (Uuid, i32, Vec<u8>, Uuid, jiff_diesel::Timestamp);

pub(super) fn mapping((provider, version, content, by, at): MappingRow) -> Result<MappingVersion, StoreError> {
    Ok(MappingVersion {
        provider: OrganisationId::new(provider),
        version: number(version)?,
        mapping: serde_json::from_slice(&content).map_err(|_| unreadable("a mapping"))?,
        created_by: by,
        created_at: from_instant(at),
    })
}

/// The columns of [`StatementRow`], in its order.
macro_rules! statement_columns {
    () => {
        "id, provider_id, bank_account_id, mapping_version, state, period_from, period_to, paid_on, payment_reference, total_minor,
         file_sha256, file_bytes, line_count, fault_code, fault_detail, created_by, created_at, posted_at"
    };
}
pub(super) use statement_columns;

pub(super) type StatementColumns = (
    (SqlUuid, SqlUuid, SqlUuid, Integer, Text, Date, Date, Date, Text, BigInt),
    (Bytea, BigInt, BigInt, Nullable<Text>, Nullable<Text>, SqlUuid, Timestamptz, Nullable<Timestamptz>),
);
type Said = (Uuid, Uuid, Uuid, i32, String, jiff_diesel::Date, jiff_diesel::Date, jiff_diesel::Date, String, i64);
type Kept =
    (Vec<u8>, i64, i64, Option<String>, Option<String>, Uuid, jiff_diesel::Timestamp, Option<jiff_diesel::Timestamp>);

#[derive(Queryable)]
pub(super) struct StatementRow {
    said: Said,
    kept: Kept,
}

impl StatementRow {
    pub(super) fn restore(self) -> Result<ProviderStatement, StoreError> {
        let (id, provider, bank_account, mapping_version, state, from, to, paid_on, payment_reference, total_minor) =
            self.said;
        let (file, bytes, lines, code, detail, created_by, created_at, posted_at) = self.kept;
        Ok(ProviderStatement {
            id: ProviderStatementId::new(id),
            provider: OrganisationId::new(provider),
            bank_account: BankAccountId::new(bank_account),
            mapping_version: number(mapping_version)?,
            state: StatementState::parse(&state).ok_or_else(|| unreadable("the state of a statement"))?,
            period_from: from.into(),
            period_to: to.into(),
            paid_on: paid_on.into(),
            payment_reference,
            total_minor,
            file_sha256: digest(&file)?,
            file_bytes: to_u64(bytes)?,
            lines: to_u64(lines)?,
            fault: code.map(|code| JobFault { code, detail: detail.unwrap_or_default() }),
            created_by,
            created_at: from_instant(created_at),
            posted_at: posted_at.map(from_instant),
        })
    }
}

pub(super) type LineColumns = (SqlUuid, BigInt, Text, Text, Date, Date, BigInt, BigInt, Nullable<Text>);
pub(super) type LineRow = (Uuid, i64, String, String, jiff_diesel::Date, jiff_diesel::Date, i64, i64, Option<String>);

pub(super) fn line(row: LineRow) -> Result<StatementLine, StoreError> {
    let (id, line, reference, kind, on, month, amount_minor, gst_minor, product) = row;
    Ok(StatementLine {
        id: ProviderStatementLineId::new(id),
        line: to_u64(line)?,
        reference,
        kind: LineKind::parse(&kind).map_err(|_| unreadable("the kind of a line"))?,
        on: on.into(),
        month: month.into(),
        amount_minor,
        gst_minor,
        product,
    })
}

pub(super) type OpenColumns = (LineColumns, (SqlUuid, Date, SqlUuid, Integer, SmallInt));
pub(super) type OpenRow = (LineRow, (Uuid, jiff_diesel::Date, Uuid, i32, i16));

pub(super) fn open_line(
    (said, (statement, paid_on, bank_account, steps, window)): OpenRow,
) -> Result<OpenLine, StoreError> {
    Ok(OpenLine {
        line: line(said)?,
        statement: ProviderStatementId::new(statement),
        paid_on: paid_on.into(),
        bank_account: BankAccountId::new(bank_account),
        steps,
        window_days: u16::try_from(window).map_err(|_| unreadable("a window"))?,
    })
}

pub(super) type ItemParts = (Option<Uuid>, Option<jiff_diesel::Date>, Option<String>);
pub(super) type ItemPartColumns = (Nullable<SqlUuid>, Nullable<Date>, Nullable<Text>);

pub(super) fn item((deal, period, side): ItemParts) -> Option<ItemKey> {
    item_of(deal.map(DealId::new), period.map(Into::into), side.as_deref())
}

/// The columns of [`exception`], in its order.
macro_rules! exception_columns {
    () => {
        "id, provider_id, statement_id, last_statement_id, kind, line_id, deal_id, period, side, expected_minor, received_minor, status,
         owner_id, resolution, wait_until, note, write_off_id, opened_at, resolved_at, resolved_by, version"
    };
}
pub(super) use exception_columns;

pub(super) type ExceptionColumns = (
    (SqlUuid, SqlUuid, SqlUuid, SqlUuid, Text, Nullable<SqlUuid>),
    ItemPartColumns,
    (BigInt, BigInt, Text, Nullable<SqlUuid>, Nullable<Text>, Nullable<Date>, Nullable<Text>, Nullable<SqlUuid>),
    (Timestamptz, Nullable<Timestamptz>, Nullable<SqlUuid>, Integer),
);
type Found = (Uuid, Uuid, Uuid, Uuid, String, Option<Uuid>);
type Stands = (i64, i64, String, Option<Uuid>, Option<String>, Option<jiff_diesel::Date>, Option<String>, Option<Uuid>);
type Ends = (jiff_diesel::Timestamp, Option<jiff_diesel::Timestamp>, Option<Uuid>, i32);
pub(super) type ExceptionRow = (Found, ItemParts, Stands, Ends);

pub(super) fn exception((found, parts, stands, ends): ExceptionRow) -> Result<ProviderException, StoreError> {
    let (id, provider, statement, last, kind, line) = found;
    let (expected_minor, received_minor, status, owner, resolution, wait_until, note, write_off) = stands;
    let (opened_at, resolved_at, resolved_by, version) = ends;
    let item = item(parts);
    let about = match (line, item) {
        (Some(line), item) => About::Line(ProviderStatementLineId::new(line), item),
        (None, Some(item)) => About::Item(item),
        (None, None) => return Err(unreadable("what an exception is about")),
    };
    let resolution = resolution.map(|how| Resolution::parse(&how).ok_or_else(|| unreadable("a resolution")));
    Ok(ProviderException {
        id: ExceptionId::new(id),
        provider: OrganisationId::new(provider),
        statement: ProviderStatementId::new(statement),
        last_statement: ProviderStatementId::new(last),
        kind: ExceptionKind::parse(&kind).ok_or_else(|| unreadable("the kind of an exception"))?,
        about,
        expected_minor,
        received_minor,
        status: ExceptionStatus::parse(&status).ok_or_else(|| unreadable("the status of an exception"))?,
        owner: owner.map(UserId::new),
        resolution: resolution.transpose()?,
        wait_until: wait_until.map(Into::into),
        note,
        write_off: write_off.map(WriteOffId::new),
        opened_at: from_instant(opened_at),
        resolved_at: resolved_at.map(from_instant),
        resolved_by,
        version: number(version)?,
    })
}

/// The columns of [`write_off`], in its order.
macro_rules! write_off_columns {
    () => {
        "id, provider_id, deal_id, period, amount_minor, reason, exception_id, state, proposed_by, proposed_at, decided_by, decided_at, version"
    };
}
pub(super) use write_off_columns;

pub(super) type WriteOffColumns = (
    (SqlUuid, SqlUuid, SqlUuid, Nullable<Date>, BigInt, Text, Nullable<SqlUuid>),
    (Text, SqlUuid, Timestamptz, Nullable<SqlUuid>, Nullable<Timestamptz>, Integer),
);
type Proposal = (Uuid, Uuid, Uuid, Option<jiff_diesel::Date>, i64, String, Option<Uuid>);
type Decision = (String, Uuid, jiff_diesel::Timestamp, Option<Uuid>, Option<jiff_diesel::Timestamp>, i32);
pub(super) type WriteOffRow = (Proposal, Decision);

pub(super) fn write_off((proposal, decision): WriteOffRow) -> Result<WriteOff, StoreError> {
    let (id, provider, deal, period, amount_minor, reason, exception) = proposal;
    let (state, proposed_by, proposed_at, decided_by, decided_at, version) = decision;
    Ok(WriteOff {
        id: WriteOffId::new(id),
        provider: OrganisationId::new(provider),
        item: ItemKey { deal: DealId::new(deal), period: period.map(Into::into), side: Side::Earned },
        amount_minor,
        reason,
        exception: exception.map(ExceptionId::new),
        state: WriteOffState::parse(&state).ok_or_else(|| unreadable("the state of a write-off"))?,
        proposed_by,
        proposed_at: from_instant(proposed_at),
        decided_by,
        decided_at: decided_at.map(from_instant),
        version: number(version)?,
    })
}
