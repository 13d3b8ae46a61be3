//! The live end of the event log: numbers what was committed and hands it to whoever follows.
//!
//! One thread of the process calls [`Feed::advance`]; followers wait for the head to move and take what is
//! new from memory, or from the database when they are further behind. A follower pulls, so a slow one
//! costs nothing but its connection and never slows the others. Bounds: [`KEPT`] events in memory.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::web::{Bytes, Data};
use domain::access::Viewer;
use domain::events::{self, Event, EventKind, EventsAsked};
use domain::kernel::PageRequest;
use domain::store::{Store, StoreError};
use tokio::sync::watch;

use crate::app::{App, blocking};
use crate::problem::Problem;

/// Events that are kept in memory.
const KEPT: usize = 4_096;
/// Events that are read at once.
const PAGE: u16 = 200;

/// An event and the bytes that everybody gets of it.
#[derive(Debug)]
pub struct Told {
    /// The event.
    pub event: Event,
    /// See [`Event::payload`].
    pub payload: Bytes,
}

impl Told {
    fn of(event: Event) -> Result<Self, StoreError> {
        Ok(Self { payload: event.payload()?.into(), event })
    }
}

/// The newest events.
#[derive(Debug)]
pub struct Feed {
    head: watch::Sender<u64>,
    recent: RwLock<VecDeque<Arc<Told>>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { head: watch::Sender::new(0), recent: RwLock::default() }
    }
}

impl Feed {
    /// Begins at the newest event: what is older is in the database.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn begin(&self, store: &dyn Store) -> Result<(), StoreError> {
        let last = store.read(&Viewer::Everything, |queries| queries.events().last_sequence())?;
        self.head.send_replace(last);
        Ok(())
    }

    /// Numbers what was committed, here or by another process, and hands it on. Returns the head.
    ///
    /// # Errors
    /// The failure of the store; what was numbered is handed on by the next round.
    pub fn advance(&self, store: &dyn Store) -> Result<u64, StoreError> {
        events::number(store)?;
        let last = store.read(&Viewer::Everything, |queries| queries.events().last_sequence())?;
        let mut known = *self.head.borrow();
        // Who is further behind than what is kept reads the database.
        known = known.max(last.saturating_sub(KEPT as u64));
        let kinds = EventKind::ALL.to_vec();
        while known < last {
            let asked = EventsAsked { kinds: kinds.clone(), subject: None, after_sequence: known };
            let page = PageRequest::of(PAGE);
            let found = store.read(&Viewer::Everything, |queries| queries.events().list_events(&asked, &page))?.data;
            let Some(newest) = found.last().map(|event| event.sequence) else { break };
            let told = found.into_iter().map(|e| Told::of(e).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
            let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
            recent.extend(told);
            let excess = recent.len().saturating_sub(KEPT);
            recent.drain(..excess);
            drop(recent);
            known = newest;
            self.head.send_replace(known);
        }
        Ok(known)
    }

    /// Moves whenever something was handed on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// The number of the last event that was handed on.
    #[must_use]
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// Those after a number, when memory holds all of them.
    fn after(&self, sequence: u64) -> Option<Vec<Arc<Told>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let oldest = recent.front().map_or(u64::MAX, |told| told.event.sequence);
        if sequence.saturating_add(1) < oldest {
            return None;
        }
        let from = recent.partition_point(|told| told.event.sequence <= sequence);
        Some(recent.range(from..).take(PAGE.into()).cloned().collect())
    }
}

/// Somebody who follows: what they may see, and how far they are.
pub struct Follower {
    app: Data<App>,
    viewer: Viewer,
    kinds: Vec<EventKind>,
    at: u64,
    head: watch::Receiver<u64>,
}

impl Follower {
    /// Follows from a number on.
    #[must_use]
    pub fn new(app: &Data<App>, viewer: Viewer, kinds: Vec<EventKind>, at: u64) -> Self {
        Self { app: app.clone(), viewer, kinds, at, head: app.feed.head.subscribe() }
    }

    /// What is new for this follower; waits until there may be something. Empty when there was news for
    /// others only.
    ///
    /// # Errors
    /// When the database does not answer, or the service stops.
    pub async fn next(&mut self) -> Result<Vec<Arc<Told>>, Problem> {
        let at = self.at;
        let head = *self.head.wait_for(|head| *head > at).await.map_err(|_| Problem::unavailable())?;
        if let Some(found) = self.app.feed.after(at) {
            self.at = found.last().map_or(head, |told| told.event.sequence);
            return Ok(found.into_iter().filter(|told| self.sees(&told.event)).collect());
        }
        let (app, viewer) = (self.app.clone(), self.viewer.clone());
        let asked = EventsAsked { kinds: self.kinds.clone(), subject: None, after_sequence: at };
        let page = PageRequest::of(PAGE);
        let page =
            blocking(move || app.store.read(&viewer, |queries| queries.events().list_events(&asked, &page))).await??;
        // A page that is not full has everything up to the head that was known before it was read.
        let full = page.next.is_some();
        let newest = page.data.last().map(|event| event.sequence);
        self.at = newest.filter(|_| full).unwrap_or_else(|| newest.unwrap_or(head).max(head));
        Ok(page.data.into_iter().map(|e| Told::of(e).map(Arc::new)).collect::<Result<_, _>>()?)
    }

    fn sees(&self, event: &Event) -> bool {
        let concerned = match &self.viewer {
            Viewer::Everything => true,
            Viewer::Parties(parties) => event.visible_to.iter().any(|party| parties.contains(party)),
        };
        concerned && self.kinds.contains(&event.kind)
    }
}
