//! Taking a statement: read whole and at once, kept line by line, its job enqueued; or refused with every fault.
//!
//! Invariants: a file counts once per provider (by its digest); its lines come to the total that is named; nothing is
//! kept of a file that cannot be read. The file itself is not kept, since its other columns may name people: its lines
//! and its digest are. Bounds: [`super::file::MAX_LINES`] lines, a period of at most 366 days.

use jiff::civil::Date;

use super::file::{self, SampleLine};
use super::statement::{ProviderStatement, StatementLine, StatementState};
use super::{ReconciliationError, post};
use crate::access::Scope;
use crate::directory::payee::date;
use crate::directory::required;
use crate::env::Env;
use crate::jobs::{self, Job, JobKind};
use crate::kernel::ids::{BankAccountId, JobId, OrganisationId, ProviderStatementId, ProviderStatementLineId};
use crate::kernel::{Digest, Faults};
use crate::store::{StoreError, UnitOfWork};

/// Why a cancelled statement failed.
pub const CANCELLED: (&str, &str) = ("cancelled", "the matching was cancelled; what was posted before stays");
/// The longest payment reference in characters.
const MAX_REFERENCE: usize = 140;
/// The longest period in days.
const MAX_DAYS: i32 = 366;

/// What is said of a statement beside its file, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportStatementInput {
    /// `#provider_id`
    pub provider_id: Option<String>,
    /// `#bank_account_id`
    pub bank_account_id: Option<String>,
    /// `#period_from`
    pub period_from: Option<String>,
    /// `#period_to`
    pub period_to: Option<String>,
    /// `#paid_on`
    pub paid_on: Option<String>,
    /// `#payment_reference`
    pub payment_reference: Option<String>,
    /// `#total_minor`, GST included
    pub total_minor: Option<i64>,
}

/// A statement that is to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportStatement {
    /// Who says that it paid.
    pub provider: OrganisationId,
    /// Where the money came in.
    pub bank_account: BankAccountId,
    /// The first day that it is about.
    pub period_from: Date,
    /// The last day.
    pub period_to: Date,
    /// The date of the payment.
    pub paid_on: Date,
    /// What the bank statement shows.
    pub payment_reference: String,
    /// What was paid in all, GST included, in cents.
    pub total_minor: i64,
    /// The file.
    pub bytes: Vec<u8>,
}

impl ImportStatement {
    /// Checks what is said beside the file.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &ImportStatementInput, bytes: Vec<u8>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let provider = required(f, "#provider_id", raw.provider_id.as_deref(), OrganisationId::parse);
        let bank_account = required(f, "#bank_account_id", raw.bank_account_id.as_deref(), BankAccountId::parse);
        let period_from = required(f, "#period_from", raw.period_from.as_deref(), date);
        let period_to = required(f, "#period_to", raw.period_to.as_deref(), date);
        if let (Some(from), Some(to)) = (period_from, period_to) {
            let days = to.since(from).map_or(i32::MAX, |span| span.get_days());
            if to < from {
                f.push("#period_to", "date_out_of_order", format!("{to} is before {from}"));
            } else if days > MAX_DAYS {
                f.push("#period_to", "out_of_range", format!("a period has at most {MAX_DAYS} days"));
            }
        }
        let paid_on = required(f, "#paid_on", raw.paid_on.as_deref(), date);
        let payment_reference = match raw.payment_reference.as_deref().map(str::trim) {
            None | Some("") => {
                f.push("#payment_reference", "required", "this parameter is required");
                None
            }
            Some(text) if text.chars().count() > MAX_REFERENCE || text.chars().any(char::is_control) => {
                f.push("#payment_reference", "invalid_text", format!("at most {MAX_REFERENCE} printable characters"));
                None
            }
            Some(text) => Some(text.to_owned()),
        };
        if raw.total_minor.is_none() {
            f.push("#total_minor", "required", "this parameter is required");
        }
        faults.clone().check()?;
        let made = (|| {
            Some(Self {
                provider: provider?,
                bank_account: bank_account?,
                period_from: period_from?,
                period_to: period_to?,
                paid_on: paid_on?,
                payment_reference: payment_reference?,
                total_minor: raw.total_minor?,
                bytes,
            })
        })();
        made.ok_or(faults)
    }
}

/// Takes a statement, and enqueues the job that matches and posts it.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn import(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &ImportStatement,
) -> Result<(ProviderStatement, Job), ReconciliationError> {
    post::require(env, Scope::PayoutsWrite)?;
    let mut faults = Faults::default();
    uow.provider_statements().take_turn(command.provider)?;
    if !post::is_provider(uow, command.provider)? {
        faults.push("#provider_id", "unknown_provider", "there is no such provider");
    }
    if uow.payouts().find_bank_account(command.bank_account)?.is_none() {
        faults.push("#bank_account_id", "not_found", "there is no such bank account");
    }
    if command.paid_on > env.now.sydney_date() {
        faults.push("#paid_on", "in_future", "what is paid in the future has not come");
    }
    faults.check()?;
    let file_sha256 = Digest::of(&command.bytes);
    if let Some(known) = uow.provider_statements().find_by_file(command.provider, file_sha256)? {
        return Err(ReconciliationError::Known(known));
    }
    let mapping = uow.provider_statements().find_mapping(command.provider)?.ok_or(ReconciliationError::NoMapping)?;
    let read = file::read(&mapping.mapping, &command.bytes)?;
    totals(command.total_minor, &read)?;
    let lines: Vec<StatementLine> = read.into_iter().map(|line| kept(env, line)).collect();
    let statement = ProviderStatement {
        id: ProviderStatementId::new(env.ids.next()),
        provider: command.provider,
        bank_account: command.bank_account,
        mapping_version: mapping.version,
        state: StatementState::Received,
        period_from: command.period_from,
        period_to: command.period_to,
        paid_on: command.paid_on,
        payment_reference: command.payment_reference.clone(),
        total_minor: command.total_minor,
        file_sha256,
        file_bytes: command.bytes.len() as u64,
        lines: lines.len() as u64,
        fault: None,
        created_by: env.actor.id,
        created_at: env.now,
        posted_at: None,
    };
    uow.provider_statements().insert(&statement, &lines)?;
    let job = enqueued(uow, env, statement.id)?;
    Ok((statement, job))
}

/// The lines must come to what is said to be paid.
fn totals(total_minor: i64, lines: &[SampleLine]) -> Result<(), Faults> {
    let sum: i128 = lines.iter().map(|line| i128::from(line.amount_minor) + i128::from(line.gst_minor)).sum();
    let mut faults = Faults::default();
    if sum != i128::from(total_minor) {
        let detail = format!("the lines come to {sum} cents, not {total_minor}");
        faults.push("#total_minor", "total_differs", detail);
    }
    faults.check()
}

fn kept(env: &Env<'_>, line: SampleLine) -> StatementLine {
    let SampleLine { line, reference, kind, on, month, amount_minor, gst_minor, product } = line;
    let id = ProviderStatementLineId::new(env.ids.next());
    StatementLine { id, line, reference, kind, on, month, amount_minor, gst_minor, product }
}

fn enqueued(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: ProviderStatementId) -> Result<Job, StoreError> {
    let job = Job::new(JobId::new(env.ids.next()), JobKind::ProviderStatement, id.uuid(), env.actor.id, env.now);
    jobs::enqueue(uow, &job)?;
    Ok(job)
}

/// Matches a statement again: goes on with one that was stopped, and moves on what has been unapplied since.
///
/// # Errors
/// See [`ReconciliationError`]; [`ReconciliationError::WrongState`] while a job is at it.
pub fn match_again(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ProviderStatementId,
) -> Result<(ProviderStatement, Job), ReconciliationError> {
    post::require(env, Scope::PayoutsWrite)?;
    let mut statement = uow.provider_statements().lock(id)?.ok_or(ReconciliationError::NotFound)?;
    if statement.state == StatementState::Received {
        return Err(ReconciliationError::WrongState(statement.state.as_str()));
    }
    statement.state = StatementState::Received;
    statement.fault = None;
    uow.provider_statements().update(&statement)?;
    let job = enqueued(uow, env, id)?;
    Ok((statement, job))
}

/// Puts a statement away whose job did not come to its end; what was posted stays.
///
/// # Errors
/// The failure of the store.
pub fn stopped(
    uow: &mut dyn UnitOfWork,
    id: ProviderStatementId,
    (code, detail): (&str, &str),
) -> Result<(), StoreError> {
    let found = uow.provider_statements().lock(id)?.filter(|found| found.state == StatementState::Received);
    let Some(mut statement) = found else { return Ok(()) };
    statement.state = StatementState::Failed;
    statement.fault = Some(jobs::JobFault { code: code.to_owned(), detail: detail.to_owned() });
    uow.provider_statements().update(&statement)
}

/// Where a statement is looked up: the result of its job.
#[must_use]
pub fn path(id: ProviderStatementId) -> String {
    format!("/v1/provider-statements/{id}")
}
