//! Agreements, versions, calculations.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Date, Integer, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::model::GoverningDate;
use domain::agreements::repository::{AgreementRepository, StoredCalculation};
use domain::agreements::{GoverningVersion, VersionContent};
use domain::catalogue::{VerticalCode, reference};
use domain::kernel::Instant;
use domain::kernel::ids::AgreementId;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

const fn governing_date(date: GoverningDate) -> &'static str {
    match date {
        GoverningDate::Referred => "referred",
        GoverningDate::Contracted => "contracted",
        GoverningDate::Settled => "settled",
    }
}

fn version_number(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a version number"))
}

impl AgreementRepository for PgUnitOfWork<'_> {
    fn ship(&mut self, name: &str, version: &GoverningVersion, at: Instant) -> Result<(), StoreError> {
        let content = version.content();
        let bytes = content.canonical_bytes().map_err(|e| StoreError::Failed(e.to_string()))?;
        command(
            "insert into agreement (id, vertical_id, name, created_at) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<SqlUuid, _>(reference::vertical_id(content.vertical).uuid())
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into agreement_version (agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at)
             values ($1, $2, 'active', $3, $4, $5, $6, $7, $8) on conflict do nothing",
        )
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<Integer, _>(version_number(version.number())?)
        .bind::<Text, _>(governing_date(content.governing_date))
        .bind::<Date, _>(date(content.effective_from))
        .bind::<diesel::sql_types::Nullable<Date>, _>(maybe_date(content.effective_until))
        .bind::<Bytea, _>(bytes)
        .bind::<Bytea, _>(version.content_hash().bytes().to_vec())
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_active(&mut self, vertical: VerticalCode) -> Result<Vec<GoverningVersion>, StoreError> {
        let rows: Vec<(Uuid, i32, Vec<u8>, Vec<u8>)> = query::<(SqlUuid, Integer, Bytea, Bytea)>(
            "select v.agreement_id, v.number, v.content, v.content_sha256 from agreement_version v
             join agreement a on a.id = v.agreement_id
             where a.vertical_id = $1 and v.state in ('active', 'superseded') order by v.number desc",
        )
        .bind::<SqlUuid, _>(reference::vertical_id(vertical).uuid())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(agreement, number, content, sha256)| {
                let content = VersionContent::parse(&content).map_err(|_| unreadable("an agreement version"))?;
                let number = u32::try_from(number).map_err(|_| unreadable("a version number"))?;
                let version = GoverningVersion::try_new(AgreementId::new(agreement), number, content)
                    .map_err(|_| unreadable("an agreement version"))?;
                if version.content_hash().bytes().as_slice() != sha256 {
                    return Err(unreadable("an agreement version is not what was approved"));
                }
                Ok(version)
            })
            .collect()
    }

    fn append_calculations(&mut self, calculations: &[StoredCalculation]) -> Result<(), StoreError> {
        let Some(first) = calculations.first() else { return Ok(()) };
        let numbers = calculations.iter().map(|c| version_number(c.version.1)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into calculation (known_at, id, deal_id, agreement_id, version_number, engine_version, input, input_sha256, output_sha256)
             select $1, id, deal_id, agreement_id, number, engine, input, sha256(input), output_sha256
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::smallint[], $7::bytea[], $8::bytea[])
               as c (id, deal_id, agreement_id, number, engine, input, output_sha256)",
        )
        .bind::<Timestamptz, _>(instant(first.known_at))
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.version.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<SmallInt>, _>(calculations.iter().map(|c| i16::try_from(c.engine).unwrap_or(i16::MAX)).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(calculations.iter().map(|c| c.input.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(calculations.iter().map(|c| c.output_sha256.bytes().as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
