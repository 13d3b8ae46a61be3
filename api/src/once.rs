//! One outcome per request: claim the key, look for a first answer, do the work, keep the answer, all in
//! one transaction with the effect and its audit record.
//!
//! | situation | answer |
//! |---|---|
//! | the key is being worked on | 409 `idempotency_key_in_flight`, `Retry-After` |
//! | the key stands for another request | 422 `idempotency_key_reused` |
//! | the key was answered | the first answer byte for byte, `Idempotency-Replayed: true` |
//! | otherwise | the work's own, kept when it is 2xx or a refusal by a rule (409, 422) |
//!
//! A refusal wrote nothing, so its answer is kept by a transaction of its own; a crash between the two
//! leaves no trace, and the retry is judged afresh.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use actix_web::web::Data;
use domain::access::audit::{AuditRecord, Fields};
use domain::env::Env;
use domain::idempotency::{Claim, FirstAnswer, IdempotencyRecord};
use domain::kernel::id::decode;
use domain::store::{StoreError, UnitOfWork, UseCaseError};
use uuid::Uuid;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::backlog::takes_more;
use crate::extract::{Caller, Change, Command};
use crate::problem::Problem;

/// Keys that this process is working on.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<HashSet<Claim>>);

/// A key that is ours until this is dropped.
pub struct Held {
    app: Data<App>,
    claim: Claim,
}

impl Held {
    /// Takes a key of this process.
    ///
    /// # Errors
    /// 409 when another request has it.
    pub fn take(app: &Data<App>, claim: &Claim) -> Result<Self, Problem> {
        let mut keys = app.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.insert(claim.clone()) { Ok(Self { app: app.clone(), claim: claim.clone() }) } else { Err(in_flight()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.app.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.claim);
    }
}

/// The same key is being worked on.
#[must_use]
pub fn in_flight() -> Problem {
    Problem::conflict("idempotency_key_in_flight", "a request with this key is being worked on; ask again in a moment")
        .with_header("Retry-After", "1")
}

/// The same key, another request.
#[must_use]
pub fn reused() -> Problem {
    Problem::refused(
        "idempotency_key_reused",
        "this key was used for a request with another path or body; a new request needs a new key",
    )
}

/// Why the transaction did not go through.
enum Stopped<E> {
    Store(StoreError),
    Work(E),
    View(Problem),
    InFlight,
    Reused,
}

impl<E> From<StoreError> for Stopped<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E: UseCaseError> UseCaseError for Stopped<E> {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Work(error) => error.store_error(),
            Self::View(_) | Self::InFlight | Self::Reused => None,
        }
    }
}

enum Found {
    Fresh(Answer),
    Kept(FirstAnswer),
}

/// Does something once.
///
/// # Errors
/// The problem that the table above or the use case names.
pub async fn once<T, R, E>(
    app: &Data<App>,
    command: Command<T>,
    work: impl Fn(&mut dyn UnitOfWork, &Env<'_>, &T) -> Result<R, E> + Send + 'static,
    view: impl Fn(R) -> Result<Answer, Problem> + Send + 'static,
) -> Result<Answer, Problem>
where
    T: Send + 'static,
    E: UseCaseError + Into<Problem>,
{
    takes_more(app, command.caller.operation).await?;
    let held = Held::take(app, &command.claim)?;
    let app = app.clone();
    blocking(move || {
        let _held = held;
        let outcome = app.store.transaction(|uow| attempt(&app, uow, &command, &work, &view));
        match outcome {
            Ok(Found::Fresh(answer)) => {
                app.wrote();
                Ok(answer)
            }
            Ok(Found::Kept(first)) => Ok(Answer::replay(first)),
            Err(Stopped::InFlight) => Err(in_flight()),
            Err(Stopped::Reused) => Err(reused()),
            Err(Stopped::Store(error)) => Err(error.into()),
            Err(Stopped::View(problem)) => Err(problem),
            Err(Stopped::Work(error)) => refused(&app, &command, error.into()),
        }
    })
    .await?
}

/// The first answer to a request, when it was answered: what is done before the transaction is then not done
/// again.
///
/// # Errors
/// 409 while the key is being worked on, 422 when it stands for another request.
pub async fn answered<T: Sync + Send>(app: &Data<App>, command: &Command<T>) -> Result<Option<Answer>, Problem> {
    let (app, asked) = (app.clone(), command.without_body());
    blocking(move || {
        let outcome: Result<Option<FirstAnswer>, Stopped<StoreError>> =
            app.store.transaction(|uow| first_answer(uow, &asked));
        match outcome {
            Ok(first) => Ok(first.map(|first| opened(&app, &asked, first)).transpose()?.map(Answer::replay)),
            Err(Stopped::InFlight) => Err(in_flight()),
            Err(Stopped::Reused) => Err(reused()),
            Err(Stopped::Store(error) | Stopped::Work(error)) => Err(error.into()),
            Err(Stopped::View(problem)) => Err(problem),
        }
    })
    .await?
}

fn attempt<T, R, E>(
    app: &App,
    uow: &mut dyn UnitOfWork,
    command: &Command<T>,
    work: &impl Fn(&mut dyn UnitOfWork, &Env<'_>, &T) -> Result<R, E>,
    view: &impl Fn(R) -> Result<Answer, Problem>,
) -> Result<Found, Stopped<E>> {
    if let Some(first) = first_answer(uow, command)? {
        return opened(app, command, first).map(Found::Kept).map_err(Stopped::View);
    }
    let env = app.env(&command.caller.actor);
    let done = work(uow, &env, &command.body).map_err(Stopped::Work)?;
    let answer = view(done).map_err(Stopped::View)?;
    let audit = audit_record(&env, &command.caller, &command.fields, &answer);
    uow.audit().append(&audit)?;
    let first = kept(app, command, &answer).map_err(Stopped::View)?;
    uow.idempotency().append(&[record_of(command, first)], env.now.sydney_date())?;
    Ok(Found::Fresh(answer))
}

/// Claims the key in the database and looks for its first answer.
fn first_answer<T, E>(uow: &mut dyn UnitOfWork, command: &Command<T>) -> Result<Option<FirstAnswer>, Stopped<E>> {
    let claims = std::slice::from_ref(&command.claim);
    if uow.idempotency().claim(claims)?.first() != Some(&true) {
        return Err(Stopped::InFlight);
    }
    match uow.idempotency().find(claims)?.into_iter().next() {
        Some(record) if record.fingerprint == command.fingerprint => Ok(Some(record.answer)),
        Some(_) => Err(Stopped::Reused),
        None => Ok(None),
    }
}

/// What is kept of an answer: sealed when it is private.
///
/// # Errors
/// When it cannot be sealed.
fn kept<T>(app: &App, command: &Command<T>, answer: &Answer) -> Result<FirstAnswer, Problem> {
    let first = answer.first();
    if !answer.is_private() {
        return Ok(first);
    }
    let body = app.sealer.seal(app.randomness.as_ref(), &about(command), &first.body);
    Ok(FirstAnswer { body: body.map_err(|e| Problem::internal(&e))?, sealed: true, ..first })
}

/// A kept answer as it went out.
fn opened<T>(app: &App, command: &Command<T>, first: FirstAnswer) -> Result<FirstAnswer, Problem> {
    if !first.sealed {
        return Ok(first);
    }
    let body = app.sealer.open(&about(command), &first.body).map_err(|e| Problem::internal(&e))?;
    Ok(FirstAnswer { body, sealed: false, ..first })
}

/// What a sealed answer belongs to.
fn about<T>(command: &Command<T>) -> Vec<u8> {
    [command.claim.caller.as_bytes().as_slice(), command.claim.key.as_str().as_bytes()].concat()
}

/// Keeps the refusal of a rule as the first answer; what another request kept meanwhile wins.
fn refused<T>(app: &App, command: &Command<T>, problem: Problem) -> Result<Answer, Problem> {
    if !problem.is_kept() {
        return Err(problem);
    }
    let first = problem_answer(&problem, &command.caller);
    let outcome: Result<Option<FirstAnswer>, Stopped<StoreError>> = app.store.transaction(|uow| {
        let kept = first_answer(uow, command)?;
        if kept.is_none() {
            let record = record_of(command, first.clone());
            uow.idempotency().append(&[record], app.clock.now().sydney_date())?;
        }
        Ok(kept)
    });
    match outcome {
        Ok(Some(kept)) => Ok(Answer::replay(kept)),
        Ok(None) | Err(Stopped::Store(_) | Stopped::Work(_) | Stopped::View(_)) => Err(problem),
        Err(Stopped::InFlight) => Err(in_flight()),
        Err(Stopped::Reused) => Err(reused()),
    }
}

/// A problem as it is kept: the very bytes that go out.
#[must_use]
pub fn problem_answer(problem: &Problem, caller: &Caller) -> FirstAnswer {
    let view = problem.view(&caller.path, caller.request_id.as_str());
    FirstAnswer {
        status: problem.status.as_u16().try_into().unwrap_or(i16::MAX),
        content_type: "application/problem+json".to_owned(),
        location: None,
        etag: None,
        body: serde_json::to_vec(&view).unwrap_or_default(),
        sealed: false,
    }
}

/// The record of a command's first answer.
#[must_use]
pub fn record_of<T>(command: &Command<T>, answer: FirstAnswer) -> IdempotencyRecord {
    IdempotencyRecord { claim: command.claim.clone(), fingerprint: command.fingerprint, answer }
}

/// The audit record of an answer; none when it is about no object.
#[must_use]
pub fn audit_record(env: &Env<'_>, caller: &Caller, fields: &Fields, answer: &Answer) -> Vec<AuditRecord> {
    let record = answer.object().map(|object| {
        let record = AuditRecord {
            at: env.now,
            actor: caller.actor.id,
            actor_kind: caller.subject.into(),
            embed: caller.embed,
            action: caller.operation,
            object,
            object_name: object_name(caller, answer, object),
            changed: Vec::new(),
            before: None,
            after: None,
            refused: None,
            request_id: caller.request_id.as_str().to_owned(),
        };
        let given = if fields.is_empty() && answer.altered().is_some() { record } else { record.given(fields) };
        match answer.altered() {
            Some(altered) => given.altered(&altered.before, &altered.after),
            None => given,
        }
    });
    record.into_iter().collect()
}

/// The object's id as it is shown: named by the answer, or by the path that was asked for.
fn object_name(caller: &Caller, answer: &Answer, object: Uuid) -> Option<String> {
    let is_it = |name: &&str| name.rsplit_once('_').and_then(|(_, suffix)| decode(suffix)) == Some(object);
    let named = answer.object_name().filter(is_it);
    named.or_else(|| caller.path.split('/').find(is_it)).map(str::to_owned)
}

/// Changes a version of something, with its audit record. Repeating it is stopped by the precondition.
///
/// # Errors
/// What the use case says.
pub async fn change<T, R, E>(
    app: &Data<App>,
    change: Change<T>,
    work: impl Fn(&mut dyn UnitOfWork, &Env<'_>, &Change<T>) -> Result<R, E> + Send + 'static,
    view: impl Fn(R) -> Result<Answer, Problem> + Send + 'static,
) -> Result<Answer, Problem>
where
    T: Send + 'static,
    E: UseCaseError + Into<Problem>,
{
    takes_more(app, change.caller.operation).await?;
    let app = app.clone();
    blocking(move || {
        let outcome = app.store.transaction(|uow| {
            let env = app.env(&change.caller.actor);
            let done = work(uow, &env, &change).map_err(Stopped::Work)?;
            let answer = view(done).map_err(Stopped::View)?;
            // What changed says more than what was given.
            let none = Fields::new();
            let given = if answer.altered().is_some() { &none } else { &change.fields };
            uow.audit().append(&audit_record(&env, &change.caller, given, &answer))?;
            Ok(answer)
        });
        outcome.inspect(|_| app.wrote()).map_err(|stopped: Stopped<E>| match stopped {
            Stopped::Store(error) => error.into(),
            Stopped::Work(error) => error.into(),
            Stopped::View(problem) => problem,
            Stopped::InFlight => in_flight(),
            Stopped::Reused => reused(),
        })
    })
    .await?
}
