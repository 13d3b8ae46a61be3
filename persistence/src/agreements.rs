//! Agreements, versions, calculations.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::in_force::Published;
use domain::agreements::repository::{AgreementRepository, FoundAgreement, Moved, StoredCalculation};
use domain::agreements::{AgreementVersion, GoverningVersion, VersionContent, VersionState};
use domain::catalogue::{VerticalCode, reference};
use domain::kernel::ids::{AgreementId, DealId, OrganisationId};
use domain::kernel::{Digest, Instant};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{array_literal, date, digest, from_instant, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

mod queries;
mod rows;
mod tables;

use rows::{
    AgreementColumns, AgreementRow, MovedRow, VersionColumns, VersionRow, agreement, governing_date, version_number,
};
pub(crate) use rows::{CalculationColumns, CalculationRow, calculation, read_number};
pub(crate) use tables::Tables;

type PublishedColumns = (Text, SqlUuid, Integer, Bytea, Bytea, Nullable<SqlUuid>, Nullable<Timestamptz>);
type PublishedRow = (String, Uuid, i32, Vec<u8>, Vec<u8>, Option<Uuid>, Option<jiff_diesel::Timestamp>);

/// Versions that are what was approved, with the tables that they name.
fn published(pg: &mut PgConnection, rows: Vec<PublishedRow>) -> Result<Vec<(VerticalCode, Published)>, StoreError> {
    let contents = rows.iter().map(|row| VersionContent::parse(&row.3)).collect::<Result<Vec<_>, _>>();
    let contents = contents.map_err(|_| unreadable("an agreement version"))?;
    let tables = Tables::named_by(pg, &contents)?;
    rows.into_iter()
        .zip(contents)
        .map(|((code, agreement, number, _, sha256, provider, retired_at), content)| {
            let vertical = VerticalCode::parse(&code).map_err(|_| unreadable("a vertical's code"))?;
            let number = u32::try_from(number).map_err(|_| unreadable("a version number"))?;
            let tables = tables.of(&content);
            let version = GoverningVersion::with_tables(AgreementId::new(agreement), number, content, tables)
                .map_err(|_| unreadable("an agreement version"))?;
            if version.content_hash().bytes().as_slice() != sha256 {
                return Err(unreadable("an agreement version is not what was approved"));
            }
            let retired_on = retired_at.map(|at| from_instant(at).sydney_date());
            Ok((vertical, Published { version, provider: provider.map(OrganisationId::new), retired_on }))
        })
        .collect()
}

impl AgreementRepository for PgUnitOfWork<'_> {
    fn ship(&mut self, name: &str, version: &GoverningVersion, at: Instant) -> Result<(), StoreError> {
        let content = version.content();
        let bytes = content.canonical_bytes().map_err(|e| StoreError::Failed(e.to_string()))?;
        command(
            "insert into agreement (id, vertical_id, name, created_at, published_at)
             select id, vertical, name, at, at from (select $1::uuid as id, $2::uuid as vertical, $3::text as name, $4::timestamptz as at) a on conflict do nothing",
        )
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<SqlUuid, _>(reference::vertical_id(content.vertical).uuid())
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into agreement_version (state, agreement_id, number, governing_date, effective_from, effective_until, content, content_sha256, created_at, activated_at)
             select case when v.first <= (v.at at time zone 'Australia/Sydney')::date then 'active' else 'approved' end, v.*,
               case when v.first <= (v.at at time zone 'Australia/Sydney')::date then v.at end
             from (select $1::uuid, $2::int, $3::text, $4::date as first, $5::date, $6::bytea, $7::bytea, $8::timestamptz as at) v on conflict do nothing",
        )
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<Integer, _>(version_number(version.number())?)
        .bind::<Text, _>(governing_date(content.governing_date))
        .bind::<Date, _>(date(content.effective_from))
        .bind::<Nullable<Date>, _>(maybe_date(content.effective_until))
        .bind::<Bytea, _>(bytes)
        .bind::<Bytea, _>(version.content_hash().bytes().to_vec())
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        // What ships later begins in the place of what shipped before.
        command(
            "update agreement_version v set state = 'superseded', superseded_by = l.number, superseded_at = $1, version = v.version + 1
             from agreement_version l
             where l.agreement_id = $2 and l.number = $3 and l.state = 'active' and v.agreement_id = l.agreement_id and v.number < l.number
               and v.state = 'active'",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<Integer, _>(version_number(version.number())?)
        .execute(self.pg)
        .map_err(store_error)?;
        tables::ship(self.pg, name, version.tables(), at)?;
        tables::name(self.pg, (version.agreement(), version.number()), version.tables())
    }

    fn find_vertical(&mut self, agreement: AgreementId) -> Result<Option<VerticalCode>, StoreError> {
        let code: Option<String> =
            query::<Text>("select v.code from agreement a join vertical v on v.id = a.vertical_id where a.id = $1")
                .bind::<SqlUuid, _>(agreement.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        code.map(|code| VerticalCode::parse(&code).map_err(|_| unreadable("a vertical's code"))).transpose()
    }

    fn list_published(&mut self, vertical: VerticalCode) -> Result<Vec<Published>, StoreError> {
        let rows: Vec<PublishedRow> = query::<PublishedColumns>(
            "select vertical.code, v.agreement_id, v.number, v.content, v.content_sha256, a.provider_id, v.retired_at from agreement_version v
             join agreement a on a.id = v.agreement_id join vertical on vertical.id = a.vertical_id
             where a.vertical_id = $1 and v.state in ('approved', 'active', 'superseded', 'retired') order by v.agreement_id, v.number",
        )
        .bind::<SqlUuid, _>(reference::vertical_id(vertical).uuid())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(published(self.pg, rows)?.into_iter().map(|(_, version)| version).collect())
    }

    fn list_published_of(&mut self, deals: &[DealId]) -> Result<Vec<(VerticalCode, Vec<Published>)>, StoreError> {
        let rows: Vec<PublishedRow> = query::<PublishedColumns>(
            "select vertical.code, v.agreement_id, v.number, v.content, v.content_sha256, a.provider_id, v.retired_at from agreement_version v
             join agreement a on a.id = v.agreement_id join vertical on vertical.id = a.vertical_id
             where a.vertical_id in (select vertical_id from deal where id = any($1))
               and v.state in ('approved', 'active', 'superseded', 'retired') order by vertical.code, v.agreement_id, v.number",
        )
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let mut verticals: Vec<(VerticalCode, Vec<Published>)> = Vec::new();
        for (vertical, version) in published(self.pg, rows)? {
            match verticals.last_mut() {
                Some((last, versions)) if *last == vertical => versions.push(version),
                _ => verticals.push((vertical, vec![version])),
            }
        }
        Ok(verticals)
    }

    fn list_trail_outputs(&mut self, deals: &[DealId]) -> Result<Vec<(DealId, jiff::civil::Date, Digest)>, StoreError> {
        let rows: Vec<(Uuid, jiff_diesel::Date, Vec<u8>)> = query::<(SqlUuid, Date, Bytea)>(
            "select distinct on (deal_id, period) deal_id, period, output_sha256 from calculation
             where deal_id = any($1) and period is not null order by deal_id, period, known_at desc, id desc",
        )
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let output = |(deal, period, sha256): (Uuid, jiff_diesel::Date, Vec<u8>)| {
            Ok((DealId::new(deal), period.to_jiff(), digest(&sha256)?))
        };
        rows.into_iter().map(output).collect()
    }

    fn append_calculations(&mut self, calculations: &[StoredCalculation]) -> Result<(), StoreError> {
        let Some(first) = calculations.first() else { return Ok(()) };
        let numbers = calculations.iter().map(|c| version_number(c.version.1)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into calculation (known_at, id, deal_id, agreement_id, version_number, engine_version, input, input_sha256, output_sha256, period)
             select $1, id, deal_id, agreement_id, number, engine, input, sha256(input), output_sha256, period
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::smallint[], $7::bytea[], $8::bytea[], $9::date[])
               as c (id, deal_id, agreement_id, number, engine, input, output_sha256, period)",
        )
        .bind::<Timestamptz, _>(instant(first.known_at))
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.version.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<SmallInt>, _>(calculations.iter().map(|c| i16::try_from(c.engine).unwrap_or(i16::MAX)).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(calculations.iter().map(|c| c.input.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(calculations.iter().map(|c| c.output_sha256.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(calculations.iter().map(|c| maybe_date(c.period)).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn insert_agreement(&mut self, agreement: &FoundAgreement) -> Result<(), StoreError> {
        command("insert into agreement (id, vertical_id, name, provider_id, created_at) values ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(agreement.id.uuid())
            .bind::<SqlUuid, _>(reference::vertical_id(agreement.vertical).uuid())
            .bind::<Text, _>(agreement.name.as_str())
            .bind::<Nullable<SqlUuid>, _>(agreement.provider.map(OrganisationId::uuid))
            .bind::<Timestamptz, _>(instant(agreement.created_at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_agreement(&mut self, id: AgreementId) -> Result<Option<FoundAgreement>, StoreError> {
        let row: Option<AgreementRow> = query::<AgreementColumns>(
            "select a.id, v.code, a.name, a.provider_id, a.created_at from agreement a join vertical v on v.id = a.vertical_id
             where a.id = $1 for no key update of a",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(agreement).transpose()
    }

    fn last_number(&mut self, id: AgreementId) -> Result<u32, StoreError> {
        let number: i32 =
            query::<Integer>("select coalesce(max(number), 0) from agreement_version where agreement_id = $1")
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .map_err(store_error)?;
        u32::try_from(number).map_err(|_| unreadable("a version number"))
    }

    fn insert_version(&mut self, version: &AgreementVersion) -> Result<(), StoreError> {
        command(
            "insert into agreement_version (state, agreement_id, number, governing_date, effective_from, effective_until, content, content_sha256, author_id, writer_ids, created_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::uuid[], $11, $12)",
        )
        .bind::<Text, _>(version.state.as_str())
        .bind::<SqlUuid, _>(version.agreement.uuid())
        .bind::<Integer, _>(version_number(version.number)?)
        .bind::<Text, _>(governing_date(version.governing_date))
        .bind::<Date, _>(date(version.effective_from))
        .bind::<Nullable<Date>, _>(maybe_date(version.effective_until))
        .bind::<Bytea, _>(version.content.as_slice())
        .bind::<Bytea, _>(version.content_sha256.bytes().as_slice())
        .bind::<Nullable<SqlUuid>, _>(version.writers.first().copied())
        .bind::<Text, _>(array_literal(&version.writers))
        .bind::<Timestamptz, _>(instant(version.created_at))
        .bind::<Integer, _>(version.version)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_version(&mut self, id: AgreementId, number: u32) -> Result<Option<AgreementVersion>, StoreError> {
        // A number that no version can have is not found rather than out of range.
        let Ok(number) = i32::try_from(number) else { return Ok(None) };
        let row: Option<VersionRow> = query::<VersionColumns>(
            "select agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at, writer_ids,
               proposed_by, proposed_at, rejected_by, rejected_at, rejected_reason, approver_id, approved_at, approval_id, acknowledged,
               activated_at, superseded_by, superseded_at, retired_by, retired_at, retired_reason, version
             from agreement_version where agreement_id = $1 and number = $2 for no key update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Integer, _>(number)
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        rows::with_tables(self.pg, row)
    }

    fn update_version(&mut self, version: &AgreementVersion) -> Result<(), StoreError> {
        let (proposed, rejected, retired) = (version.proposed, version.rejected.as_ref(), version.retired.as_ref());
        let approved = version.approved.as_ref();
        command(
            "update agreement_version set state = $1, governing_date = $2, effective_from = $3, effective_until = $4, content = $5, content_sha256 = $6,
               writer_ids = $7::text::uuid[], proposed_by = $8, proposed_at = $9, rejected_by = $10, rejected_at = $11, rejected_reason = $12,
               approver_id = $13, approved_at = $14, approval_id = $15, acknowledged = $16, retired_by = $17, retired_at = $18, retired_reason = $19, version = $20
             where agreement_id = $21 and number = $22",
        )
        .bind::<Text, _>(version.state.as_str())
        .bind::<Text, _>(governing_date(version.governing_date))
        .bind::<Date, _>(date(version.effective_from))
        .bind::<Nullable<Date>, _>(maybe_date(version.effective_until))
        .bind::<Bytea, _>(version.content.as_slice())
        .bind::<Bytea, _>(version.content_sha256.bytes().as_slice())
        .bind::<Text, _>(array_literal(&version.writers))
        .bind::<Nullable<SqlUuid>, _>(proposed.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(proposed.map(|act| instant(act.at)))
        .bind::<Nullable<SqlUuid>, _>(rejected.map(|ended| ended.act.by))
        .bind::<Nullable<Timestamptz>, _>(rejected.map(|ended| instant(ended.act.at)))
        .bind::<Nullable<Text>, _>(rejected.map(|ended| ended.reason.as_str()))
        .bind::<Nullable<SqlUuid>, _>(approved.map(|approval| approval.act.by))
        .bind::<Nullable<Timestamptz>, _>(approved.map(|approval| instant(approval.act.at)))
        .bind::<Nullable<SqlUuid>, _>(approved.map(|approval| approval.id))
        .bind::<Array<Text>, _>(approved.map(|approval| approval.acknowledged.clone()).unwrap_or_default())
        .bind::<Nullable<SqlUuid>, _>(retired.map(|ended| ended.act.by))
        .bind::<Nullable<Timestamptz>, _>(retired.map(|ended| instant(ended.act.at)))
        .bind::<Nullable<Text>, _>(retired.map(|ended| ended.reason.as_str()))
        .bind::<Integer, _>(version.version)
        .bind::<SqlUuid, _>(version.agreement.uuid())
        .bind::<Integer, _>(version_number(version.number)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn publish(&mut self, version: &AgreementVersion) -> Result<(), StoreError> {
        let at = version.approved.as_ref().map_or(version.created_at, |approval| approval.act.at);
        command("update agreement set published_at = $1 where id = $2 and published_at is null")
            .bind::<Timestamptz, _>(instant(at))
            .bind::<SqlUuid, _>(version.agreement.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        tables::name(self.pg, (version.agreement, version.number), &version.tables)
    }

    fn list_ranges(
        &mut self,
        id: AgreementId,
        but: u32,
    ) -> Result<Vec<(u32, jiff::civil::Date, Option<jiff::civil::Date>)>, StoreError> {
        rows::ranges(self.pg, id, but)
    }

    fn come_into_force(&mut self, now: Instant, of: Option<AgreementId>) -> Result<Vec<Moved>, StoreError> {
        let today = date(now.sydney_date());
        // Agreement by agreement, as whoever changes one locks them; of what is locked, what is due.
        let due: Vec<Uuid> = query::<SqlUuid>(
            "select a.id from agreement a where coalesce(a.id = $1, true) and exists (
               select from agreement_version v where v.agreement_id = a.id and (
                 (v.state = 'approved' and v.effective_from <= $2)
                 or (v.state = 'active' and exists (
                   select from agreement_version l where l.agreement_id = v.agreement_id and l.number > v.number and l.state in ('approved', 'active') and l.effective_from <= $3))))
             order by a.id for no key update of a",
        )
        .bind::<Nullable<SqlUuid>, _>(of.map(AgreementId::uuid))
        .bind::<Date, _>(today)
        .bind::<Date, _>(today)
        .load(self.pg)
        .map_err(store_error)?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let activated = "update agreement_version v set state = 'active', activated_at = $1, version = v.version + 1
             from agreement a where a.id = v.agreement_id and v.agreement_id = any($2) and v.state = 'approved' and v.effective_from <= $3
             returning v.agreement_id, v.number, a.provider_id, v.state, v.content_sha256, v.effective_from";
        let superseded = "update agreement_version v set state = 'superseded', superseded_at = $1, version = v.version + 1,
               superseded_by = (select max(l.number) from agreement_version l where l.agreement_id = v.agreement_id and l.state = 'active')
             from agreement a where a.id = v.agreement_id and v.agreement_id = any($2) and v.state = 'active' and exists (
               select from agreement_version l where l.agreement_id = v.agreement_id and l.number > v.number and l.state = 'active' and l.effective_from <= $3)
             returning v.agreement_id, v.number, a.provider_id, v.state, v.content_sha256, v.effective_from";
        let mut moved = Vec::new();
        for statement in [activated, superseded] {
            let rows: Vec<MovedRow> = query::<rows::MovedColumns>(statement)
                .bind::<Timestamptz, _>(instant(now))
                .bind::<Array<SqlUuid>, _>(due.as_slice())
                .bind::<Date, _>(today)
                .load(self.pg)
                .map_err(store_error)?;
            moved.extend(rows.into_iter().map(rows::moved).collect::<Result<Vec<_>, _>>()?);
        }
        moved.sort_by_key(|m| (m.agreement, m.state == VersionState::Superseded, m.number));
        Ok(moved)
    }
}
