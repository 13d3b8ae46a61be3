//! Endpoints that hang or fail keep nobody else waiting.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};

use api::dispatch::PER_ENDPOINT;
use api::workers::{Shifts, Workers};
use domain::webhooks::endpoint::MAX_PER_OWNER;
use harness::server::Service;
use serde_json::json;

use crate::receiver::{Receiver, status};
use crate::{create, deliveries, happens};

/// Holds answers back until it is opened.
#[derive(Default)]
struct Latch {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Latch {
    fn wait(&self) {
        drop(self.opened.wait_while(self.open.lock().expect("no panic"), |open| !*open));
    }

    fn open(&self) {
        *self.open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }
}

#[test]
fn a_slow_and_a_broken_endpoint_keep_nobody_waiting() {
    let service = Service::start();
    let partner = service.partner();
    let latch = Arc::new(Latch::default());
    let held = Arc::clone(&latch);
    let hanging = Receiver::answering(move |_| {
        held.wait();
        status(204)
    });
    let broken = Receiver::answering(|_| status(500));
    let fast = Receiver::start();
    let wants = json!(["contact.created"]);
    let hangs = create(&service, &partner, &hanging.url, &wants);
    let _ = create(&service, &partner, &broken.url, &wants);
    let _ = create(&service, &partner, &fast.url, &wants);
    let workers = Workers::start(&service.app, &Shifts::alone()).expect("threads");
    // More than one endpoint may have on its way at once.
    let events = 2 * PER_ENDPOINT as usize;
    for _ in 0..events {
        let _ = happens(&service);
    }
    let heard = fast.wait_for(events);
    let _ = hanging.wait_for(PER_ENDPOINT as usize);
    let _ = broken.wait_for(events);
    assert_eq!(heard.iter().map(|heard| heard.id()).collect::<BTreeSet<_>>().len(), events);
    assert_eq!(hanging.heard().len(), PER_ENDPOINT as usize, "and no more hang at a time");
    assert!(deliveries(&service, &partner, &hangs, "status=delivered").is_empty());
    latch.open();
    let _ = hanging.wait_for(events);
    workers.stop();
    assert_eq!(deliveries(&service, &partner, &hangs, "status=delivered&limit=200").len(), events);
}

#[test]
fn all_endpoints_of_one_owner_that_hang_leave_places_to_others() {
    let service = Service::start();
    let partner = service.partner();
    let latch = Arc::new(Latch::default());
    let held = Arc::clone(&latch);
    let hanging = Receiver::answering(move |_| {
        held.wait();
        status(204)
    });
    let fast = Receiver::start();
    for _ in 0..MAX_PER_OWNER {
        let _ = create(&service, &partner, &hanging.url, &json!(["contact.created"]));
    }
    let _ = create(&service, &service.operator(), &fast.url, &json!(["contact.created"]));
    let workers = Workers::start(&service.app, &Shifts::alone()).expect("threads");
    for _ in 0..PER_ENDPOINT {
        let _ = happens(&service);
    }
    let _ = hanging.wait_for((PER_ENDPOINT * MAX_PER_OWNER) as usize);
    let _ = happens(&service);
    assert_eq!(fast.wait_for(PER_ENDPOINT as usize + 1).len(), PER_ENDPOINT as usize + 1);
    latch.open();
    let _ = hanging.wait_for(((PER_ENDPOINT + 1) * MAX_PER_OWNER) as usize);
    workers.stop();
}
