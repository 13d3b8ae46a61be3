//! Webhooks: Stripe's own, once each, in any order; nobody else's.

use harness::stripe::{SECRET, signature};
use serde_json::Value;

use crate::world::World;

const KEPT: &str = "select count(*) from stripe_event";

fn at(world: &World) -> i64 {
    world.now().timestamp().as_second()
}

/// Five events of one payout's life, in the order in which they happened.
fn five(world: &World) -> Vec<Value> {
    let _ = world.executed();
    let _ = world.work();
    let transfer = world.double.transfers()[0]["id"].as_str().expect("an id").to_owned();
    let account = world.double.newest_account();
    let created = world.double.events().into_iter().find(|event| event["type"] == "transfer.created");
    let first = world.double.reverse(&transfer, 100);
    let failed = world.double.payout_event("payout.failed", &account);
    let second = world.double.reverse(&transfer, 200);
    let available = world.double.tell("balance.available", serde_json::json!({"object": "balance"}));
    vec![created.expect("an event"), first, failed, second, available]
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let smaller = permutations(n - 1);
    smaller
        .iter()
        .flat_map(|order| {
            (0..n).map(move |at| {
                let mut order = order.clone();
                order.insert(at, n - 1);
                order
            })
        })
        .collect()
}

#[test]
fn all_orders_of_five_come_to_the_same() {
    let orders = permutations(5);
    assert_eq!(orders.len(), 120);
    // One world for each of the first events, and the rest by turns: what is stored is the same whatever came when.
    for (n, order) in orders.iter().enumerate().filter(|(n, _)| n % 6 == 0) {
        let world = World::ready();
        let events = five(&world);
        for &which in order {
            world.tell(&events[which..=which]);
        }
        let back = "select sum(available_minor) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'";
        assert_eq!(world.number(back), 300, "{n}: {order:?}");
        assert_eq!(world.number("select count(*) from stripe_event_work where state = 'waiting'"), 0);
        world.is_whole();
    }
}

#[test]
fn fifty_times_at_once_is_once() {
    let world = World::ready();
    let event = five(&world).swap_remove(1);
    let before = world.number(KEPT);
    std::thread::scope(|scope| {
        let sent: Vec<_> = (0..50).map(|_| scope.spawn(|| world.deliver(&event).status)).collect();
        assert!(sent.into_iter().all(|sent| sent.join().expect("no panic") == 200));
    });
    assert_eq!(world.number(KEPT), before + 1);
    let entries = world.number("select count(*) from ledger_entry");
    std::thread::scope(|scope| {
        // Two processes apply it at the same time.
        let neighbour = world.service.neighbour();
        let desk = world.service.app.stripe.as_ref().expect("a desk");
        let stop = std::sync::atomic::AtomicBool::new(false);
        let other = scope.spawn(move || api::stripe_desk::round(&neighbour, desk, &stop));
        let _ = world.work();
        let _ = other.join().expect("no panic");
    });
    assert_eq!(world.number("select count(*) from ledger_entry"), entries + 1);
    world.tell(&world.double.events());
    world.is_whole();
}

#[test]
fn forged_stale_and_altered_ones_are_refused_and_not_kept() {
    let world = World::ready();
    let event = five(&world).swap_remove(0).to_string();
    let (body, now) = (event.as_bytes(), at(&world));
    let before = world.number(KEPT);
    let good = signature(SECRET, now, body);
    let refused = |signed: &str, body: &[u8]| {
        let _ = world.send_event(signed, body).problem(400, "invalid_signature");
    };
    refused(&signature("whsec_other", now, body), body);
    refused(&signature(SECRET, now - 301, body), body);
    refused(&signature(SECRET, now + 301, body), body);
    refused("", body);
    refused("t=1,v1=00", body);
    refused(&good.replace("v1=", "v0="), body);
    for hostile in ["' or '1'='1", "t=-9223372036854775809,v1=00", "t=1,t=1,v1=", "v1=\u{e9}", "%00\\x00"] {
        refused(hostile, body);
    }
    refused(&"t=1,".repeat(1_500), body);
    for n in (0..body.len()).step_by(17) {
        let mut altered = body.to_vec();
        altered[n] ^= 1;
        refused(&good, &altered);
    }
    let spaced = [body, b" "].concat();
    refused(&good, &spaced);
    assert_eq!(world.number(KEPT), before);
    let not = br#"{"hello": 1}"#;
    let _ = world.send_event(&signature(SECRET, now, not), not).problem(400, "not_an_event");
    let bare = world.service.send("POST", "/webhooks/stripe", &[("content-type", "application/json")], Some(body));
    let _ = bare.problem(400, "invalid_signature");
    assert_eq!(world.number(KEPT), before);
    assert_eq!(world.send_event(&good, body).expect(200)["received"], true);
    // The edges of the tolerance.
    world.service.clock.set(domain::kernel::Instant::new(jiff::Timestamp::from_second(now + 300).expect("a time")));
    let _ = world.send_event(&good, body).expect(200);
    assert_eq!(world.number(KEPT), before + 1);
}

#[test]
fn what_we_do_not_know_is_kept_and_left_alone() {
    let world = World::ready();
    let event = world.double.tell("customer.created", serde_json::json!({"object": "customer"}));
    world.tell(&[event]);
    assert_eq!(world.number("select count(*) from stripe_event_work where state = 'ignored'"), 1);
}

#[test]
fn without_secrets_nothing_is_believed() {
    let service = harness::server::Service::start();
    let reply = service.send("POST", "/webhooks/stripe", &[("stripe-signature", "t=1,v1=00")], Some(b"{}"));
    let _ = reply.problem(503, "unavailable");
}
