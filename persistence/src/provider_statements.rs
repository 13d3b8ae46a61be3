//! What providers say that they paid: mappings, statements, lines, exceptions, write-offs, funding.

mod exceptions;
mod items;
mod money;
mod queries;
mod rows;
mod steps;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{
    DealId, ExceptionId, OrganisationId, ProviderStatementId, ProviderStatementLineId, WriteOffId,
};
use domain::kernel::{Digest, Instant};
use domain::provider_statements::exception::{Finding, PostedLine};
use domain::provider_statements::funding::{DueLine, FundedLine, LineFunding};
use domain::provider_statements::mapping::MappingVersion;
use domain::provider_statements::overdue::Due;
use domain::provider_statements::post::PostedStep;
use domain::provider_statements::repository::ProviderStatementRepository;
use domain::provider_statements::resolve::Standing;
use domain::provider_statements::statement::{OpenLine, StatementLine};
use domain::provider_statements::{Item, LineResult, ProviderException, ProviderStatement, WriteOff};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, instant, to_i64};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;
use rows::{MappingColumns, MappingRow, StatementColumns, StatementRow, mapping, statement_columns};

fn version(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a version out of range"))
}

impl PgUnitOfWork<'_> {
    fn insert_statement(&mut self, statement: &ProviderStatement) -> Result<(), StoreError> {
        command(
            "insert into provider_statement (id, provider_id, bank_account_id, mapping_version, state, period_from, period_to, paid_on, payment_reference,
               total_minor, file_sha256, file_bytes, line_count, created_by, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind::<SqlUuid, _>(statement.id.uuid())
        .bind::<SqlUuid, _>(statement.provider.uuid())
        .bind::<SqlUuid, _>(statement.bank_account.uuid())
        .bind::<Integer, _>(version(statement.mapping_version)?)
        .bind::<Text, _>(statement.state.as_str())
        .bind::<Date, _>(date(statement.period_from))
        .bind::<Date, _>(date(statement.period_to))
        .bind::<Date, _>(date(statement.paid_on))
        .bind::<Text, _>(&statement.payment_reference)
        .bind::<BigInt, _>(statement.total_minor)
        .bind::<Bytea, _>(statement.file_sha256.bytes().as_slice())
        .bind::<BigInt, _>(to_i64(statement.file_bytes)?)
        .bind::<BigInt, _>(to_i64(statement.lines)?)
        .bind::<SqlUuid, _>(statement.created_by)
        .bind::<Timestamptz, _>(instant(statement.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl ProviderStatementRepository for PgUnitOfWork<'_> {
    fn take_turn(&mut self, provider: OrganisationId) -> Result<(), StoreError> {
        // Any number that others do not use: 360090 is the migration's.
        command("select pg_advisory_xact_lock(hashtextextended($1::text, 360090))")
            .bind::<SqlUuid, _>(provider.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find_mapping(&mut self, provider: OrganisationId) -> Result<Option<MappingVersion>, StoreError> {
        let row: Option<MappingRow> = query::<MappingColumns>(
            "select provider_id, version, content, created_by, created_at from statement_mapping where provider_id = $1 order by version desc limit 1",
        )
        .bind::<SqlUuid, _>(provider.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(mapping).transpose()
    }

    fn find_mapping_version(
        &mut self,
        provider: OrganisationId,
        number: u32,
    ) -> Result<Option<MappingVersion>, StoreError> {
        let row: Option<MappingRow> = query::<MappingColumns>(
            "select provider_id, version, content, created_by, created_at from statement_mapping where provider_id = $1 and version = $2",
        )
        .bind::<SqlUuid, _>(provider.uuid())
        .bind::<Integer, _>(version(number)?)
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(mapping).transpose()
    }

    fn append_mapping(&mut self, saved: &MappingVersion) -> Result<(), StoreError> {
        let content = serde_json::to_vec(&saved.mapping).map_err(|e| StoreError::Failed(e.to_string()))?;
        command("insert into statement_mapping (provider_id, version, content, created_by, created_at) values ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(saved.provider.uuid())
            .bind::<Integer, _>(version(saved.version)?)
            .bind::<Bytea, _>(content)
            .bind::<SqlUuid, _>(saved.created_by)
            .bind::<Timestamptz, _>(instant(saved.created_at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find_by_file(
        &mut self,
        provider: OrganisationId,
        file: Digest,
    ) -> Result<Option<ProviderStatementId>, StoreError> {
        let found: Option<Uuid> =
            query::<SqlUuid>("select id from provider_statement where provider_id = $1 and file_sha256 = $2")
                .bind::<SqlUuid, _>(provider.uuid())
                .bind::<Bytea, _>(file.bytes().as_slice())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        Ok(found.map(ProviderStatementId::new))
    }

    fn insert(&mut self, statement: &ProviderStatement, lines: &[StatementLine]) -> Result<(), StoreError> {
        self.insert_statement(statement)?;
        self.keep_lines(statement.id, lines)
    }

    fn lock(&mut self, id: ProviderStatementId) -> Result<Option<ProviderStatement>, StoreError> {
        let row: Option<StatementRow> = query::<StatementColumns>(concat!(
            "select ",
            statement_columns!(),
            " from provider_statement where id = $1 for update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(StatementRow::restore).transpose()
    }

    fn update(&mut self, statement: &ProviderStatement) -> Result<(), StoreError> {
        command("update provider_statement set state = $1, fault_code = $2, fault_detail = $3, posted_at = $4 where id = $5")
            .bind::<Text, _>(statement.state.as_str())
            .bind::<Nullable<Text>, _>(statement.fault.as_ref().map(|fault| fault.code.as_str()))
            .bind::<Nullable<Text>, _>(statement.fault.as_ref().map(|fault| fault.detail.as_str()))
            .bind::<Nullable<Timestamptz>, _>(statement.posted_at.map(instant))
            .bind::<SqlUuid, _>(statement.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn list_unposted(&mut self, id: ProviderStatementId, limit: u32) -> Result<Vec<OpenLine>, StoreError> {
        self.unposted(id, limit)
    }

    fn list_unapplied(
        &mut self,
        provider: OrganisationId,
        after: Option<ProviderStatementLineId>,
        limit: u32,
    ) -> Result<Vec<OpenLine>, StoreError> {
        self.unapplied(provider, after, limit)
    }

    fn find_unapplied(&mut self, line: ProviderStatementLineId) -> Result<Vec<OpenLine>, StoreError> {
        self.unapplied_of(line)
    }

    fn find_deals(&mut self, provider: OrganisationId, refs: &[String]) -> Result<Vec<(String, DealId)>, StoreError> {
        self.deals_called(provider, refs)
    }

    fn find_deals_by_amount(&mut self, provider: OrganisationId, amounts: &[i64]) -> Result<Vec<DealId>, StoreError> {
        self.deals_with_open(provider, amounts)
    }

    fn find_provider_of(&mut self, deal: DealId) -> Result<Option<OrganisationId>, StoreError> {
        let found: Option<Uuid> = query::<SqlUuid>("select provider_id from deal where id = $1")
            .bind::<SqlUuid, _>(deal.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(found.map(OrganisationId::new))
    }

    fn lock_items(&mut self, deals: &[DealId]) -> Result<Vec<Item>, StoreError> {
        self.items_of(deals)
    }

    fn append_steps(&mut self, by: ProviderStatementId, steps: &[PostedStep], at: Instant) -> Result<(), StoreError> {
        self.keep_steps(by, steps, at)
    }

    fn list_unsettled(&mut self, id: ProviderStatementId) -> Result<Vec<PostedLine>, StoreError> {
        self.unsettled(id)
    }

    fn update_results(&mut self, results: &[(ProviderStatementLineId, LineResult)]) -> Result<(), StoreError> {
        self.write_results(results)
    }

    fn list_unpaid(&mut self, provider: OrganisationId, due: &Due) -> Result<Vec<Item>, StoreError> {
        self.unpaid(provider, due)
    }

    fn list_stopped(&mut self, provider: OrganisationId, due: &Due) -> Result<Vec<DealId>, StoreError> {
        self.stopped(provider, due)
    }

    fn open_exceptions(
        &mut self,
        statement: &ProviderStatement,
        found: &[(ExceptionId, Finding)],
        at: Instant,
    ) -> Result<(), StoreError> {
        self.open(statement, found, at)
    }

    fn lock_open_exceptions(&mut self, provider: OrganisationId) -> Result<Vec<Standing>, StoreError> {
        self.standings(provider)
    }

    fn find_provider_of_exception(&mut self, id: ExceptionId) -> Result<Option<OrganisationId>, StoreError> {
        self.provider_of_exception(id)
    }

    fn lock_exception(&mut self, id: ExceptionId) -> Result<Option<ProviderException>, StoreError> {
        self.locked_exception(id)
    }

    fn update_exceptions(&mut self, exceptions: &[ProviderException]) -> Result<(), StoreError> {
        self.write_exceptions(exceptions)
    }

    fn insert_write_off(&mut self, write_off: &WriteOff) -> Result<(), StoreError> {
        self.keep_write_off(write_off)
    }

    fn lock_write_off(&mut self, id: WriteOffId) -> Result<Option<WriteOff>, StoreError> {
        self.locked_write_off(id)
    }

    fn update_write_off(&mut self, write_off: &WriteOff) -> Result<(), StoreError> {
        self.decide_write_off(write_off)
    }

    fn list_funded_lines(&mut self, deals: &[DealId]) -> Result<Vec<FundedLine>, StoreError> {
        self.funded_lines(deals)
    }

    fn save_funding(&mut self, funding: &[LineFunding]) -> Result<(), StoreError> {
        self.keep_funding(funding)
    }

    fn lock_funded_lines(&mut self, on: jiff::civil::Date, deals: u32) -> Result<Vec<DueLine>, StoreError> {
        self.funded_lines_due(on, deals)
    }

    fn add_released(&mut self, released: &[LineFunding]) -> Result<(), StoreError> {
        self.note_released(released)
    }
}
