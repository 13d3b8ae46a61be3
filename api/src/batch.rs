//! Group commit: commands that are in flight at the same moment share one transaction.
//!
//! While one batch is being written, the next gathers; nothing waits for a timer. Every command keeps
//! its own key, its own outcome and its own first answer, and a refused one never harms its neighbours.
//! When the database fails a batch as a whole, its commands are tried one by one. Bounds: [`LARGEST`]
//! commands a batch, [`RUNNERS`] batches at once (they meet at the ledger's head, so more gain nothing),
//! [`WAITING`] commands in the queue; beyond that a caller is told to come back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use actix_web::web::Data;
use domain::access::Actor;
use domain::access::audit::AuditRecord;
use domain::env::{Asked, Env};
use domain::idempotency::{Claim, FirstAnswer, IdempotencyRecord};
use domain::store::{StoreError, UnitOfWork, UseCaseError};
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::app::App;
use crate::backlog::takes_more;
use crate::extract::Command;
use crate::once::{self, Held};
use crate::problem::Problem;

/// Commands in one transaction, at most.
pub const LARGEST: usize = 64;
/// Batches at the same time.
pub const RUNNERS: usize = 2;
/// Commands that may wait.
pub const WAITING: usize = 4_096;

/// A set-based use case behind the batcher.
pub trait BatchWork: Send + Sync + 'static {
    /// What is asked.
    type Command: Send + Sync + 'static;
    /// What came of it.
    type Done: Send + 'static;
    /// Why one command was refused.
    type Refusal: Into<Problem>;
    /// Why nothing of a batch was done.
    type Failure: UseCaseError + Into<Problem>;

    /// Does all of them; an outcome each, in their order.
    ///
    /// # Errors
    /// When nothing was done.
    fn run(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        asked: &[Asked<'_, Self::Command>],
    ) -> Result<Vec<Result<Self::Done, Self::Refusal>>, Self::Failure>;

    /// What the caller is told.
    ///
    /// # Errors
    /// When it does not serialise.
    fn answer(done: Self::Done) -> Result<Answer, Problem>;
}

type Outcome = Result<Answer, Problem>;

struct Queued<C> {
    command: Command<C>,
    held: Held,
    reply: oneshot::Sender<Outcome>,
}

/// The queue of one use case.
pub struct Batcher<W: BatchWork> {
    queue: Mutex<Queue<W::Command>>,
}

struct Queue<C> {
    waiting: VecDeque<Queued<C>>,
    runners: usize,
}

impl<W: BatchWork> Default for Batcher<W> {
    fn default() -> Self {
        Self { queue: Mutex::new(Queue { waiting: VecDeque::new(), runners: 0 }) }
    }
}

impl<W: BatchWork> Batcher<W> {
    /// How many commands wait.
    pub fn waiting(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.len()
    }

    /// Does the command with whatever else is in flight. `of` finds the batcher in the application.
    ///
    /// # Errors
    /// See [`crate::once`]; 503 when too many wait.
    pub async fn submit(app: &Data<App>, of: fn(&App) -> &Self, command: Command<W::Command>) -> Outcome {
        takes_more(app, command.caller.operation).await?;
        let held = Held::take(app, &command.claim)?;
        let (reply, outcome) = oneshot::channel();
        let start = {
            let mut queue = of(app).queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.waiting.len() >= WAITING {
                return Err(Problem::unavailable());
            }
            queue.waiting.push_back(Queued { command, held, reply });
            let start = queue.runners < RUNNERS;
            queue.runners += usize::from(start);
            start
        };
        if start {
            let app = app.clone();
            actix_web::rt::task::spawn_blocking(move || of(&app).work_off(&app));
        }
        outcome.await.unwrap_or_else(|_| Err(Problem::unavailable()))
    }

    /// Takes batches until nothing waits.
    fn work_off(&self, app: &App) {
        let mut slot = Slot { queue: &self.queue, taken: true };
        while let Some(batch) = slot.next_batch() {
            let outcomes = outcomes::<W>(app, &batch.iter().map(|q| &q.command).collect::<Vec<_>>());
            app.wrote();
            for (queued, outcome) in batch.into_iter().zip(outcomes) {
                let Queued { held, reply, .. } = queued;
                // The key first: whoever has the answer may ask again at once.
                drop(held);
                // A caller that went away finds its answer under its key.
                let _ = reply.send(outcome);
            }
        }
    }
}

/// A runner's place. It is given back in the same breath in which the queue is seen to be empty, so that
/// no command is left without a runner; and when the runner panics.
struct Slot<'q, C> {
    queue: &'q Mutex<Queue<C>>,
    taken: bool,
}

impl<C> Slot<'_, C> {
    fn next_batch(&mut self) -> Option<Vec<Queued<C>>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let size = queue.waiting.len().min(LARGEST);
        if size == 0 {
            queue.runners -= 1;
            self.taken = false;
            return None;
        }
        Some(queue.waiting.drain(..size).collect())
    }
}

impl<C> Drop for Slot<'_, C> {
    fn drop(&mut self) {
        if self.taken {
            self.queue.lock().unwrap_or_else(PoisonError::into_inner).runners -= 1;
        }
    }
}

/// Commits the commands together; when that fails as a whole, one by one.
fn outcomes<W: BatchWork>(app: &App, commands: &[&Command<W::Command>]) -> Vec<Outcome> {
    match app.store.transaction(|uow| attempt::<W>(app, uow, commands)) {
        Ok(outcomes) => outcomes,
        Err(_) if commands.len() > 1 => {
            commands.iter().flat_map(|command| outcomes::<W>(app, std::slice::from_ref(command))).collect()
        }
        Err(Failed::Store(error)) => vec![Err(error.into())],
        Err(Failed::Work(error)) => vec![Err(error.into())],
        Err(Failed::Missing) => vec![Err(Problem::internal(&"a command of a batch has no outcome"))],
    }
}

enum Failed<E> {
    Store(StoreError),
    Work(E),
    Missing,
}

impl<E> From<StoreError> for Failed<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E: UseCaseError> UseCaseError for Failed<E> {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Work(error) => error.store_error(),
            Self::Missing => None,
        }
    }
}

fn attempt<W: BatchWork>(
    app: &App,
    uow: &mut dyn UnitOfWork,
    commands: &[&Command<W::Command>],
) -> Result<Vec<Outcome>, Failed<W::Failure>> {
    let service = Actor::service();
    let env = app.env(&service);
    let mut outcomes = known(uow, commands)?;
    let fresh: Vec<usize> = (0..commands.len()).filter(|n| outcomes[*n].is_none()).collect();
    let asked: Vec<Asked<'_, W::Command>> =
        fresh.iter().map(|n| Asked { actor: &commands[*n].caller.actor, command: &commands[*n].body }).collect();
    let done = if asked.is_empty() { Vec::new() } else { W::run(uow, &env, &asked).map_err(Failed::Work)? };
    let (mut audit, mut records): (Vec<AuditRecord>, Vec<IdempotencyRecord>) = Default::default();
    for (n, outcome) in fresh.into_iter().zip(done) {
        let command = commands[n];
        let outcome = outcome.map_err(Into::into).and_then(W::answer);
        match &outcome {
            Ok(answer) => {
                audit.extend(once::audit_record(&env, &command.caller, &command.fields, answer));
                records.push(once::record_of(command, answer.first()));
            }
            Err(problem) if problem.is_kept() => {
                records.push(once::record_of(command, once::problem_answer(problem, &command.caller)));
            }
            Err(_) => {}
        }
        outcomes[n] = Some(outcome);
    }
    uow.audit().append(&audit)?;
    uow.idempotency().append(&records, env.now.sydney_date())?;
    outcomes.into_iter().map(|outcome| outcome.ok_or(Failed::Missing)).collect()
}

/// Claims the keys; what is being worked on elsewhere or was answered before needs no work.
fn known<C>(uow: &mut dyn UnitOfWork, commands: &[&Command<C>]) -> Result<Vec<Option<Outcome>>, StoreError> {
    let claims: Vec<Claim> = commands.iter().map(|c| c.claim.clone()).collect();
    let taken = uow.idempotency().claim(&claims)?;
    let records = uow.idempotency().find(&claims)?;
    let answered: HashMap<&Claim, &IdempotencyRecord> = records.iter().map(|r| (&r.claim, r)).collect();
    let known = commands.iter().zip(taken).map(|(command, taken)| {
        if !taken {
            return Some(Err(once::in_flight()));
        }
        answered.get(&command.claim).map(|record| replayed(record, command))
    });
    Ok(known.collect())
}

fn replayed<C>(record: &IdempotencyRecord, command: &Command<C>) -> Outcome {
    let first: FirstAnswer = record.answer.clone();
    if record.fingerprint == command.fingerprint { Ok(Answer::replay(first)) } else { Err(once::reused()) }
}
