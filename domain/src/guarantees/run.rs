//! Runs the checks, signs what they found, logs it and keeps it.
//!
//! The report is signed by the platform (JWS, `typ` `flip360-guarantees+jws`) and committed to by a leaf;
//! all runs share one lane, so that none can be left out unnoticed.

use uuid::Uuid;

use super::report::{self, Guarantee, Report};
use super::repository::KeptRun;
use super::{attribution, determinism, exactly_once, integrity, payout};
use crate::access::{Actor, MissingScope, Scope};
use crate::chain::checkpoint::TreeHead;
use crate::chain::jws::{self, Jws, JwsError};
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::chain::mirror;
use crate::chain::trust::Trust;
use crate::env::Env;
use crate::events::data::GuaranteesChecked;
use crate::events::{EventKind, NewEvent};
use crate::kernel::Instant;
use crate::kernel::ids::GuaranteeRunId;
use crate::kernel::page::{Page, PageRequest};
use crate::store::{Queries, Store, StoreError, UnitOfWork, UseCaseError};

pub use super::report::TYP;

/// Whose lane the runs are on.
const LANE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8004_0000_0000_0001);

/// Why there is no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuaranteeError {
    /// A scope is missing.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// There is no such run.
    #[error("there is no such run of the guarantees")]
    NotFound,
    /// Signing.
    #[error(transparent)]
    Sign(#[from] JwsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for GuaranteeError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_) | Self::NotFound | Self::Sign(_) => None,
        }
    }
}

/// What a run is called before it has found anything.
#[derive(Debug, Clone)]
pub struct RunLabel {
    /// Its id.
    pub id: GuaranteeRunId,
    /// The key that will sign.
    pub kid: String,
    /// When.
    pub taken_at: Instant,
}

/// Checks every promise over everything, at one moment. `progress` hears of each promise before it is
/// checked.
///
/// # Errors
/// The failure of the store.
pub fn examine(
    store: &dyn Store,
    trust: &Trust,
    label: &RunLabel,
    progress: &mut dyn FnMut(Guarantee),
) -> Result<Report, StoreError> {
    store.read_snapshot(&crate::access::Viewer::Everything, |queries| {
        let note = queries.chain().find_newest_note()?;
        let checkpoint: Option<TreeHead> = note.and_then(|published| mirror::head_of(published.note.as_bytes()).ok());
        let ledger_seq = queries.guarantees().ledger_head()?.last_seq;
        let mut guarantees = Vec::with_capacity(Guarantee::ALL.len());
        for guarantee in Guarantee::ALL {
            progress(guarantee);
            guarantees.push(checked(queries, trust, label.taken_at, guarantee)?.result(guarantee));
        }
        Ok(Report {
            checkpoint,
            holds: guarantees.iter().all(|result| result.holds),
            guarantees,
            id: label.id,
            kid: label.kid.clone(),
            ledger_seq: u64::try_from(ledger_seq).unwrap_or(0),
            log: trust.origin().to_owned(),
            taken_at: label.taken_at,
            r#type: report::TYPE.to_owned(),
            v: report::VERSION,
        })
    })
}

fn checked(
    queries: &mut dyn Queries,
    trust: &Trust,
    at: Instant,
    guarantee: Guarantee,
) -> Result<super::tally::Tally, StoreError> {
    match guarantee {
        Guarantee::Attribution => attribution::check(queries, trust, at),
        Guarantee::Determinism => determinism::check(queries),
        Guarantee::Integrity => integrity::check(queries, trust, at),
        Guarantee::ExactlyOnce => exactly_once::check(queries, at),
        Guarantee::Payout => payout::check(queries, at),
    }
}

/// Checks every promise, then signs, logs and keeps the report.
///
/// # Errors
/// See [`GuaranteeError`]; a broken promise is no error but what the report says.
pub fn run(
    store: &dyn Store,
    env: &Env<'_>,
    trust: &Trust,
    progress: &mut dyn FnMut(Guarantee),
) -> Result<Report, GuaranteeError> {
    let label = label(env)?;
    let report = examine(store, trust, &label, progress)?;
    store.transaction(|uow| keep(uow, env, &report)).map(|_| report)
}

/// Names a run that the actor may make.
///
/// # Errors
/// When the scope is missing.
pub fn label(env: &Env<'_>) -> Result<RunLabel, MissingScope> {
    env.actor.require(Scope::GuaranteesRun)?;
    Ok(RunLabel { id: GuaranteeRunId::new(env.ids.next()), kid: env.platform.kid(), taken_at: env.now })
}

/// Signs, logs and keeps a report.
///
/// # Errors
/// See [`GuaranteeError`].
pub fn keep(uow: &mut dyn UnitOfWork, env: &Env<'_>, report: &Report) -> Result<KeptRun, GuaranteeError> {
    env.actor.require(Scope::GuaranteesRun)?;
    let envelope = jws::sign(report, TYP, env.platform)?.into_bytes();
    let (source, kind) = (report.id.uuid(), LeafKind::GuaranteeRun);
    let item = LogItem { subject: LANE, source, kind, envelope: envelope.clone(), keep_envelope: false };
    log::append(uow, env, &[item])?;
    let kept = KeptRun {
        id: report.id,
        holds: report.holds,
        envelope,
        checkpoint_size: report.checkpoint.map_or(0, |head| head.size),
        created_by: env.actor.id,
        created_at: env.now,
    };
    uow.guarantees().append_run(&kept)?;
    let data = GuaranteesChecked { guarantee_run_id: kept.id, holds: kept.holds };
    uow.events().append(&[NewEvent::new(env, EventKind::GuaranteesChecked, kept.id.uuid(), &data, &[])?])?;
    Ok(kept)
}

/// Reads the report in a kept run. The signature is for strangers; the store is trusted here.
///
/// # Errors
/// When what is kept is no report.
pub fn report_of(run: &KeptRun) -> Result<Report, StoreError> {
    let unreadable = || StoreError::Failed("a kept run of the guarantees does not read".into());
    let envelope = std::str::from_utf8(&run.envelope).map_err(|_| unreadable())?;
    let jws = Jws::parse(envelope).map_err(|_| unreadable())?;
    Report::parse(jws.payload()).map_err(|_| unreadable())
}

/// One run.
///
/// # Errors
/// See [`GuaranteeError`].
pub fn find(store: &dyn Store, actor: &Actor, id: GuaranteeRunId) -> Result<KeptRun, GuaranteeError> {
    actor.require(Scope::GuaranteesRead)?;
    store.read(&actor.viewer(), |queries| queries.guarantees().find_run(id))?.ok_or(GuaranteeError::NotFound)
}

/// The runs, newest first.
///
/// # Errors
/// See [`GuaranteeError`].
pub fn list(store: &dyn Store, actor: &Actor, page: &PageRequest) -> Result<Page<KeptRun>, GuaranteeError> {
    actor.require(Scope::GuaranteesRead)?;
    Ok(store.read(&actor.viewer(), |queries| queries.guarantees().list_runs(page))?)
}
