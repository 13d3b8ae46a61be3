//! The event log over real PostgreSQL and real HTTP: numbered without a gap in the order of causes,
//! replayed by whoever may see it, followed live.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::access::Role;
use domain::events;
use domain::ledger::release;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

/// A service over a platform on which the example was imported and its holds have expired.
fn site() -> Service {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    let _ = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
    let service = Service::over(platform);
    let _ = service.tell();
    service
}

/// Every event that a caller sees, page by page.
fn replay(service: &Service, token: &str, query: &str) -> Vec<Value> {
    let mut events = Vec::new();
    let mut path = format!("/v1/events?limit=7{query}");
    loop {
        let page = service.get(&path, token).expect(200);
        events.extend(page["data"].as_array().expect("rows").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/events?limit=7{query}&cursor={cursor}"),
            None => return events,
        }
    }
}

fn text<'v>(event: &'v Value, key: &str) -> &'v str {
    event[key].as_str().expect("a text")
}

#[test]
fn a_replay_tells_everything_once_in_order_and_from_any_number_on() {
    let service = site();
    let operator = service.operator();
    let events = replay(&service, &operator, "");
    let sequences: Vec<u64> = events.iter().map(|e| e["sequence"].as_u64().expect("a number")).collect();
    assert_eq!(sequences, (1..=events.len() as u64).collect::<Vec<_>>());
    let settled = service.platform.number("select count(*) from deal_transition where to_stage = 'settled'");
    let told = events.iter().filter(|e| e["type"] == "deal.settled").count();
    assert_eq!(told, usize::try_from(settled).expect("a count"));
    let later = replay(&service, &operator, "&after_sequence=40");
    assert_eq!(later, events[40..]);
    let some = replay(&service, &operator, "&type=deal.settled,deal.reversed");
    let of_types = |e: &&Value| ["deal.settled", "deal.reversed"].contains(&text(e, "type"));
    assert_eq!(some, events.iter().filter(of_types).cloned().collect::<Vec<_>>());
    let subject = text(&some[0], "subject_id");
    let of_one = replay(&service, &operator, &format!("&subject_id={subject}"));
    assert_eq!(of_one, events.iter().filter(|e| e["subject_id"] == subject).cloned().collect::<Vec<_>>());
    let one = service.get(&format!("/v1/events/{}", text(&some[0], "id")), &operator);
    assert_eq!(one.expect(200), some[0]);
}

#[test]
fn the_moves_of_a_deal_are_told_in_their_order() {
    let service = site();
    let mut moves: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in replay(&service, &service.operator(), "") {
        if let Some(n) = event["data"]["transition"].as_i64() {
            moves.entry(text(&event, "subject_id").to_owned()).or_default().push(n);
        }
    }
    assert_eq!(moves.len(), 14);
    for (deal, moves) in moves {
        assert_eq!(moves, (0..i64::try_from(moves.len()).expect("a count")).collect::<Vec<_>>(), "{deal}");
    }
}

#[test]
fn everybody_sees_what_concerns_them_and_no_more() {
    let service = site();
    assert_eq!(replay(&service, &service.stranger(), ""), Vec::<Value>::new());
    let partner = replay(&service, &service.partner(), "");
    assert!(partner.iter().any(|e| e["type"] == "deal.settled"));
    assert!(partner.iter().all(|e| !text(e, "type").starts_with("payout_run.")));
    // A member sees their own deals; figures straight from the tables.
    let member =
        service.platform.ids_of("select member_id as id from deal group by 1 order by count(*) desc limit 1")[0];
    let member = domain::kernel::ids::MemberId::new(member);
    let token = service.token(&[Role::Member], Some(service.platform.introducer), Some(member));
    let own = replay(&service, &token, "&type=deal.referred");
    let deals = service.platform.number(&format!("select count(*) from deal where member_id = '{}'", member.uuid()));
    assert_eq!(own.len(), usize::try_from(deals).expect("a count"));
    // An agent may not read the ledger, so it does not hear of entries.
    let agent = service.token(&[Role::PartnerAgent], Some(service.platform.introducer), None);
    assert!(partner.iter().any(|e| e["type"] == "ledger_entry.posted"));
    assert!(replay(&service, &agent, "").iter().all(|e| e["type"] != "ledger_entry.posted"));
    assert_eq!(replay(&service, &agent, "&type=ledger_entry.posted"), Vec::<Value>::new());
    let entry = partner.iter().find(|e| e["type"] == "ledger_entry.posted").expect("an entry");
    let path = format!("/v1/events/{}", text(entry, "id"));
    let _ = service.get(&path, &agent).problem(404, "not_found");
    let _ = service.get(&path, &service.stranger()).problem(404, "not_found");
    let _ = service.get(&path, &service.partner()).expect(200);
}

#[test]
fn what_a_listener_cannot_mean_is_refused() {
    let service = Service::start();
    let operator = service.operator();
    for query in ["type=deal.sold", "subject_id=deal", "after_sequence=-1", "before=3", "limit=0", "cursor=AAAA"] {
        let reply = service.get(&format!("/v1/events?{query}"), &operator);
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    let investor = service.token(&[Role::Investor], None, None);
    let _ = service.get("/v1/events", &investor).problem(403, "insufficient_scope");
    let types = service.get("/v1/event-types", &operator).expect(200);
    assert!(types["data"].as_array().expect("types").iter().any(|t| t["type"] == "deal.settled"));
}

#[test]
fn two_that_number_at_once_while_others_write_leave_no_gap_and_keep_the_order() {
    let service = Service::start();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let numbering: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Acquire) {
                        let _ = events::number(service.app.store.as_ref()).expect("the store answers");
                    }
                })
            })
            .collect();
        let writing: Vec<_> = (0..4)
            .map(|n| {
                let service = &service;
                scope.spawn(move || {
                    let operator = service.operator();
                    for m in 0..10 {
                        let organisation = json!({"kind": "introducer", "name": format!("Partner {n}-{m}")});
                        let made = service.post("/v1/organisations", &operator, &organisation);
                        let id = made.expect(201)["id"].as_str().expect("an id").to_owned();
                        for version in 1..4 {
                            let change = json!({"name": format!("Partner {n}-{m}, {version}")});
                            let path = format!("/v1/organisations/{id}");
                            let _ = service.patch(&path, &operator, &format!("\"{version}\""), &change).expect(200);
                        }
                    }
                })
            })
            .collect();
        writing.into_iter().for_each(|thread| thread.join().expect("it wrote"));
        done.store(true, Ordering::Release);
        numbering.into_iter().for_each(|thread| thread.join().expect("it numbered"));
    });
    let _ = service.tell();
    let events = replay(&service, &service.operator(), "&type=organisation.created,organisation.updated");
    assert_eq!(events.len(), 160);
    let mut versions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for event in &events {
        let version = event["data"]["version"].as_i64().expect("a version");
        versions.entry(text(event, "subject_id")).or_default().push(version);
    }
    assert!(versions.values().all(|versions| *versions == [1, 2, 3, 4]), "{versions:?}");
}

#[test]
fn a_stream_goes_on_where_its_follower_was_and_tells_what_comes_next() {
    let service = site();
    let operator = service.operator();
    let before = replay(&service, &operator, "");
    let partner = service.partner();
    let known = replay(&service, &partner, "");
    // From the very first on: older than what this process has in memory.
    let mut behind = service.follow("/v1/events/stream?after_sequence=0", &partner, &[]);
    let told: Vec<Value> = behind.by_ref().take(known.len()).map(|(_, _, data)| data).collect();
    assert_eq!(told, known);
    let last = before.last().expect("an event")["sequence"].to_string();
    let mut resumed = service.follow("/v1/events/stream?type=contact.created", &partner, &[("last-event-id", &last)]);
    let mut fresh = service.follow("/v1/events/stream", &partner, &[]);
    let mut stranger = service.follow("/v1/events/stream", &service.stranger(), &[]);
    let made = |organisation: domain::kernel::ids::OrganisationId, name: &str| {
        let contact = json!({"organisation_id": organisation.to_string(), "kind": "person", "name": name});
        let made = service.post("/v1/contacts", &operator, &contact).expect(201);
        let _ = service.tell();
        made["id"].clone()
    };
    let _ = made(service.platform.provider, "Not the partner's");
    let own = made(service.platform.introducer, "The partner's");
    for stream in [&mut behind, &mut resumed, &mut fresh] {
        let (id, event, data) = stream.next().expect("a message");
        assert_eq!((data["data"]["id"].clone(), event.as_str()), (own.clone(), "contact.created"));
        assert_eq!(data["sequence"].as_u64(), Some(id));
    }
    service.app.stopping.send_replace(true);
    assert!(stranger.next().is_none(), "a stranger heard of it");
}

#[test]
fn the_ledger_is_followed_by_those_who_may_read_it() {
    let service = site();
    let known = replay(&service, &service.operator(), "&type=ledger_entry.posted");
    let feed = service.follow("/v1/ledger/feed?after_sequence=0", &service.operator(), &[]);
    let told: Vec<Value> = feed.take(known.len()).map(|(_, _, data)| data).collect();
    assert_eq!(told, known);
    let agent = service.token(&[Role::PartnerAgent], Some(service.platform.introducer), None);
    let _ = service.get("/v1/ledger/feed", &agent).problem(403, "insufficient_scope");
    let operator = format!("Bearer {}", service.operator());
    for id in ["99999999", "-1", "x"] {
        let headers = [("authorization", operator.as_str()), ("last-event-id", id)];
        assert_eq!(service.send("GET", "/v1/events/stream", &headers, None).status, 400, "{id}");
    }
}
