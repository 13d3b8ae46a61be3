//! What providers say that they paid, as it goes in and out.

mod exceptions;
mod mapping;
mod statements;

pub use exceptions::{
    AssignExceptionRequest, CreateWriteOffRequest, ExceptionQuery, ExceptionView, FundingReportView,
    ResolveExceptionRequest, StatementExceptionQuery, WriteOffQuery, WriteOffView,
};
pub use mapping::{MappingView, ReplaceMappingRequest, SavedMappingView};
pub use statements::{
    CreateStatementQuery, ProviderStatementDetailView, ProviderStatementView, StatementLineQuery, StatementLineView,
    StatementQuery,
};
