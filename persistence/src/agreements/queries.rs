//! Agreements, versions, calculations, to look up.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Uuid as SqlUuid};
use domain::agreements::AgreementVersion;
use domain::agreements::repository::{AgreementQueries, FoundAgreement, StoredCalculation};
use domain::kernel::ids::{AgreementId, CalculationId, VerticalId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;

use super::rows::{
    self, AgreementColumns, AgreementRow, CalculationColumns, CalculationRow, VersionColumns, VersionRow, agreement,
    calculation,
};
use crate::error::store_error;
use crate::page::{Paging, by_id, by_number, listed};
use crate::statement::query;
use crate::store::PgQueries;

impl AgreementQueries for PgQueries<'_> {
    fn list(&mut self, vertical: Option<VerticalId>, page: &PageRequest) -> Result<Page<FoundAgreement>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<AgreementRow> = query::<AgreementColumns>(listed!(
            paging.order,
            "select a.id, v.code, a.name, a.provider_id, a.created_at from agreement a join vertical v on v.id = a.vertical_id where ",
            "a.id", at "a.created_at", " and coalesce(a.vertical_id = $4, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(vertical.map(VerticalId::uuid))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, agreement, |a| a.id.uuid())
    }

    fn find(&mut self, id: AgreementId) -> Result<Option<FoundAgreement>, StoreError> {
        let row: Option<AgreementRow> = query::<AgreementColumns>(
            "select a.id, v.code, a.name, a.provider_id, a.created_at from agreement a join vertical v on v.id = a.vertical_id where a.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(agreement).transpose()
    }

    fn list_versions(&mut self, id: AgreementId, page: &PageRequest) -> Result<Page<AgreementVersion>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<VersionRow> = query::<VersionColumns>(listed!(
            paging.order,
            "select agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at, writer_ids,
               proposed_by, proposed_at, rejected_by, rejected_at, rejected_reason, approver_id, approved_at, approval_id, acknowledged,
               activated_at, superseded_by, superseded_at, retired_by, retired_at, retired_reason, version
             from agreement_version where agreement_id = $1 and ",
            "number", at "created_at", ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        let mut page = by_number(rows, page, VersionRow::restore, |v| i64::from(v.number))?;
        rows::all_with_tables(self.pg, &mut page.data)?;
        Ok(page)
    }

    fn find_version(&mut self, id: AgreementId, number: u32) -> Result<Option<AgreementVersion>, StoreError> {
        // A number that no version can have is not found rather than out of range.
        let Ok(number) = i32::try_from(number) else { return Ok(None) };
        let row: Option<VersionRow> = query::<VersionColumns>(
            "select agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at, writer_ids,
               proposed_by, proposed_at, rejected_by, rejected_at, rejected_reason, approver_id, approved_at, approval_id, acknowledged,
               activated_at, superseded_by, superseded_at, retired_by, retired_at, retired_reason, version
             from agreement_version where agreement_id = $1 and number = $2",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Integer, _>(number)
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        rows::with_tables(self.pg, row)
    }

    fn list_ranges(
        &mut self,
        id: AgreementId,
        but: u32,
    ) -> Result<Vec<(u32, jiff::civil::Date, Option<jiff::civil::Date>)>, StoreError> {
        rows::ranges(self.pg, id, but)
    }

    fn find_calculation(&mut self, id: CalculationId) -> Result<Option<StoredCalculation>, StoreError> {
        let row: Option<CalculationRow> = query::<CalculationColumns>(
            "select id, deal_id, agreement_id, version_number, period, engine_version, input, output_sha256, known_at from calculation where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(calculation).transpose()
    }
}
