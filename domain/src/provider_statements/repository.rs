//! The ports of provider statements.

use jiff::civil::Date;

use super::exception::{ExceptionStatus, Finding, PostedLine, ProviderException};
use super::funding::{DueLine, FundedLine, FundingRow, LineFunding};
use super::item::Item;
use super::mapping::MappingVersion;
use super::overdue::Due;
use super::post::PostedStep;
use super::resolve::Standing;
use super::statement::{
    LineRecord, LineResult, OpenLine, ProviderStatement, StatementFigures, StatementLine, StatementState,
};
use super::write_off::{WriteOff, WriteOffState};
use crate::kernel::ids::{
    DealId, ExceptionId, OrganisationId, ProviderStatementId, ProviderStatementLineId, UserId, WriteOffId,
};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

macro_rules! port {
    ($(#[doc = $what:literal])+ $name:ident { $($(#[doc = $doc:literal])+ fn $method:ident($($arg:ident: $type:ty),*) -> $out:ty;)+ }) => {
        $(#[doc = $what])+
        pub trait $name {
            $(
                $(#[doc = $doc])+
                ///
                /// # Errors
                /// The failure of the store; a rule of the database, by name.
                fn $method(&mut self, $($arg: $type),*) -> Result<$out, StoreError>;
            )+
        }
    };
}

port! {
    /// Provider statements, inside a transaction.
    ProviderStatementRepository {
        /// Waits for its turn: of one provider one transaction at a time matches, imports, or saves a mapping.
        fn take_turn(provider: OrganisationId) -> ();
        /// The latest mapping of a provider.
        fn find_mapping(provider: OrganisationId) -> Option<MappingVersion>;
        /// One version of a mapping.
        fn find_mapping_version(provider: OrganisationId, version: u32) -> Option<MappingVersion>;
        /// Keeps a version of a mapping.
        fn append_mapping(version: &MappingVersion) -> ();
        /// The statement of a provider with this file.
        fn find_by_file(provider: OrganisationId, file: Digest) -> Option<ProviderStatementId>;
        /// Keeps a statement with its lines.
        fn insert(statement: &ProviderStatement, lines: &[StatementLine]) -> ();
        /// Locks a statement.
        fn lock(id: ProviderStatementId) -> Option<ProviderStatement>;
        /// Writes what may change of a statement.
        fn update(statement: &ProviderStatement) -> ();
        /// The first lines of a statement that are not posted, in their order.
        fn list_unposted(id: ProviderStatementId, limit: u32) -> Vec<OpenLine>;
        /// Lines of a provider of which something is unapplied, after this one by id, with what is left of them.
        fn list_unapplied(provider: OrganisationId, after: Option<ProviderStatementLineId>, limit: u32) -> Vec<OpenLine>;
        /// The same of one line; empty when nothing is left.
        fn find_unapplied(line: ProviderStatementLineId) -> Vec<OpenLine>;
        /// The deals of a provider that are called so.
        fn find_deals(provider: OrganisationId, references: &[String]) -> Vec<(String, DealId)>;
        /// The deals of a provider with an item of which exactly one of these amounts is open.
        fn find_deals_by_amount(provider: OrganisationId, amounts: &[i64]) -> Vec<DealId>;
        /// Who pays the commission of a deal.
        fn find_provider_of(deal: DealId) -> Option<OrganisationId>;
        /// Locks deals, in the order of their ids; gives all their items.
        fn lock_items(deals: &[DealId]) -> Vec<Item>;
        /// Keeps what lines came to. A step that is known already breaks `provider_line_step_once`.
        fn append_steps(by: ProviderStatementId, steps: &[PostedStep], at: Instant) -> ();
        /// The lines that a statement was the last to move and that did not settle their items then, with the items as
        /// they are.
        fn list_unsettled(id: ProviderStatementId) -> Vec<PostedLine>;
        /// Writes the results of lines.
        fn update_results(results: &[(ProviderStatementLineId, LineResult)]) -> ();
        /// Items that fell due and of which nothing ever came.
        fn list_unpaid(provider: OrganisationId, due: &Due) -> Vec<Item>;
        /// Open deals whose trail was paid before the last month and not for it.
        fn list_stopped(provider: OrganisationId, due: &Due) -> Vec<DealId>;
        /// Opens exceptions. Where one of the same item is open, it gets the figures of now; a line has one ever.
        fn open_exceptions(statement: &ProviderStatement, found: &[(ExceptionId, Finding)], at: Instant) -> ();
        /// Locks the exceptions of a provider that are not resolved, with what is left of their causes.
        fn lock_open_exceptions(provider: OrganisationId) -> Vec<Standing>;
        /// Whose statement an exception is of.
        fn find_provider_of_exception(id: ExceptionId) -> Option<OrganisationId>;
        /// Locks an exception.
        fn lock_exception(id: ExceptionId) -> Option<ProviderException>;
        /// Writes what may change of exceptions.
        fn update_exceptions(exceptions: &[ProviderException]) -> ();
        /// Keeps a proposal.
        fn insert_write_off(write_off: &WriteOff) -> ();
        /// Locks a write-off.
        fn lock_write_off(id: WriteOffId) -> Option<WriteOff>;
        /// Writes what was decided.
        fn update_write_off(write_off: &WriteOff) -> ();
        /// All lines of deals, with what funding needs to know.
        fn list_funded_lines(deals: &[DealId]) -> Vec<FundedLine>;
        /// Writes how much of lines is funded.
        fn save_funding(funding: &[LineFunding]) -> ();
        /// Locks lines on hold that are funded beyond what was released, whose hold has expired; at most so many deals.
        fn lock_funded_lines(on: Date, deals: u32) -> Vec<DueLine>;
        /// Notes what was released of lines.
        fn add_released(released: &[LineFunding]) -> ();
    }
}

/// Which statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatementFilter {
    /// Of this provider.
    pub provider: Option<OrganisationId>,
    /// Only in this state.
    pub state: Option<StatementState>,
}

/// Which exceptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExceptionFilter {
    /// That this statement showed.
    pub statement: Option<ProviderStatementId>,
    /// Of this provider.
    pub provider: Option<OrganisationId>,
    /// Only those that stand so.
    pub status: Option<ExceptionStatus>,
    /// Only somebody's.
    pub owner: Option<UserId>,
}

port! {
    /// Provider statements, to look up.
    ProviderStatementQueries {
        /// The latest mapping of a provider.
        fn find_mapping(provider: OrganisationId) -> Option<MappingVersion>;
        /// Statements, newest first.
        fn list(filter: &StatementFilter, page: &PageRequest) -> Page<ProviderStatement>;
        /// One statement, with what it came to.
        fn find(id: ProviderStatementId) -> Option<(ProviderStatement, StatementFigures)>;
        /// The lines of a statement in their order, with what became of them.
        fn list_lines(id: ProviderStatementId, result: Option<LineResult>, page: &PageRequest) -> Page<LineRecord>;
        /// Exceptions, newest first.
        fn list_exceptions(filter: &ExceptionFilter, page: &PageRequest) -> Page<ProviderException>;
        /// Write-offs, newest first.
        fn list_write_offs(state: Option<WriteOffState>, page: &PageRequest) -> Page<WriteOff>;
        /// What is available against what the providers paid, per provider.
        fn funding() -> Vec<FundingRow>;
    }
}
