//! Two people, and two processes, decide on one run at the same moment: one approval counts, one execution moves money.

use std::sync::Barrier;

use domain::access::Role;
use domain::chain::leaf::LeafKind;
use harness::neighbour::Neighbour;
use harness::server::Reply;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{World, busy, text};

/// Moments at which the two may meet.
const ROUNDS: u32 = 6;

/// A request, sent to the service or to its neighbour.
struct Asked<'a> {
    next_door: bool,
    path: String,
    token: &'a str,
    key: String,
    version: Option<&'a str>,
    body: Value,
}

/// Sends all of them at the same moment.
fn at_once(world: &World, neighbour: &Neighbour, asked: &[Asked<'_>]) -> Vec<Reply> {
    let together = Barrier::new(asked.len());
    let send = |asked: &Asked<'_>| {
        let authorization = format!("Bearer {}", asked.token);
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("idempotency-key", asked.key.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend(asked.version.map(|version| ("if-match", version)));
        let body = asked.body.to_string();
        together.wait();
        if asked.next_door {
            neighbour.send("POST", &asked.path, &headers, body.as_bytes())
        } else {
            world.service.send("POST", &asked.path, &headers, Some(body.as_bytes()))
        }
    };
    std::thread::scope(|scope| {
        let (send, threads) = (&send, asked.iter());
        let threads: Vec<_> = threads.map(|asked| scope.spawn(move || send(asked))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    })
}

fn proposed(world: &World) -> Value {
    let run = world.preview();
    world.act(&run, "propose", &world.finance, &json!({})).expect(200)
}

fn approvers(world: &World, n: u128) -> Vec<(Uuid, String)> {
    let ids = (0..n).map(|n| Uuid::from_u128(0x0a99 + n));
    ids.map(|id| (id, world.service.token_of(id, &[Role::Approver], None, None))).collect()
}

fn number(world: &World, sql: &str) -> i64 {
    world.service.platform.number(sql)
}

/// One approval: one step, one event, one leaf, under the name of whoever was told that it counts.
fn approved_once(world: &World, by: Uuid) {
    assert_eq!(number(world, "select count(*) from payout_run_step where step = 'approved'"), 1);
    assert_eq!(number(world, "select count(*) from outbox where type = 'payout_run.approved'"), 1);
    world.service.sequence();
    let leaves = format!("select count(*) from chain_leaf where kind = '{}'", LeafKind::PayoutApproval.as_str());
    assert_eq!(number(world, &leaves), 1);
    let theirs = format!("select count(*) from payout_run where state = 'approved' and approved_by = '{by}'");
    assert_eq!(number(world, &theirs), 1);
    let answered = "select count(*) from audit_record where action = 'approve_payout_run' and refused is null";
    assert_eq!(number(world, answered), 1);
}

#[test]
fn of_two_approvers_at_once_one_counts() {
    for round in 0..ROUNDS {
        let world = busy();
        let neighbour = Neighbour::of(&world.service);
        let run = proposed(&world);
        let approvers = approvers(&world, 2);
        let asked: Vec<Asked<'_>> = approvers
            .iter()
            .zip([false, true])
            .map(|((_, token), next_door)| Asked {
                // Two processes, and two requests of one process.
                next_door: next_door && round % 2 == 0,
                path: world.path(&run, "/approve"),
                token,
                key: "approve".into(),
                version: None,
                body: json!({"content_sha256": run["content_sha256"]}),
            })
            .collect();
        let replies = at_once(&world, &neighbour, &asked);
        let won: Vec<usize> = (0..2).filter(|n| replies[*n].status == 200).collect();
        let [winner] = won.as_slice() else { panic!("{won:?}") };
        let _ = replies[1 - winner].problem(409, "wrong_state");
        approved_once(&world, approvers[*winner].0);
        // Each key keeps the answer that it had.
        let again = at_once(&world, &neighbour, &asked);
        assert!(again.iter().zip(&replies).all(|(now, then)| (now.status, &now.body) == (then.status, &then.body)));
        approved_once(&world, approvers[*winner].0);
        let _ = world.act(&run, "execute", &world.finance, &json!({})).expect(200);
    }
}

#[test]
fn of_twenty_who_approve_what_they_have_seen_one_counts_and_the_others_are_stale() {
    let world = busy();
    let neighbour = Neighbour::of(&world.service);
    let run = proposed(&world);
    let approvers = approvers(&world, 20);
    let asked: Vec<Asked<'_>> = approvers
        .iter()
        .enumerate()
        .map(|(n, (_, token))| Asked {
            next_door: n % 2 == 1,
            path: world.path(&run, "/approve"),
            token,
            key: format!("approve-{n}"),
            version: Some("\"2\""),
            body: json!({"content_sha256": run["content_sha256"]}),
        })
        .collect();
    let replies = at_once(&world, &neighbour, &asked);
    let won: Vec<usize> = (0..20).filter(|n| replies[*n].status == 200).collect();
    let [winner] = won.as_slice() else { panic!("{won:?}") };
    for (_, reply) in replies.iter().enumerate().filter(|(n, _)| n != winner) {
        let _ = reply.problem(412, "stale");
    }
    approved_once(&world, approvers[*winner].0);
}

#[test]
fn an_approval_and_a_rejection_at_once_end_as_one_of_them() {
    for _ in 0..ROUNDS {
        let world = busy();
        let neighbour = Neighbour::of(&world.service);
        let run = proposed(&world);
        let approvers = approvers(&world, 2);
        let acts = [
            ("approve", json!({"content_sha256": run["content_sha256"]})),
            ("reject", json!({"reason": "The wrong month"})),
        ];
        let asked: Vec<Asked<'_>> = acts
            .iter()
            .zip(&approvers)
            .zip([false, true])
            .map(|(((act, body), (_, token)), next_door)| Asked {
                next_door,
                path: world.path(&run, &format!("/{act}")),
                token,
                key: (*act).into(),
                version: None,
                body: body.clone(),
            })
            .collect();
        let replies = at_once(&world, &neighbour, &asked);
        let state = text(&world.service.get(&world.path(&run, ""), &world.finance).expect(200), "state");
        world.service.sequence();
        let leaves = format!("select count(*) from chain_leaf where kind = '{}'", LeafKind::PayoutApproval.as_str());
        match replies.iter().map(|reply| reply.status).collect::<Vec<_>>().as_slice() {
            [200, 409] => assert_eq!((state.as_str(), number(&world, &leaves)), ("approved", 1)),
            [409, 200] => assert_eq!((state.as_str(), number(&world, &leaves)), ("rejected", 0)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn executed_by_two_processes_at_once_it_is_executed_once() {
    for round in 0..ROUNDS {
        let world = busy();
        let neighbour = Neighbour::of(&world.service);
        let run = world.approved();
        let asked: Vec<Asked<'_>> = (0..8)
            .map(|n| Asked {
                next_door: n % 2 == 1,
                path: world.path(&run, "/execute"),
                token: &world.finance,
                // Each with a key of its own, and all under one.
                key: if round % 2 == 0 { format!("execute-{n}") } else { "execute".into() },
                version: None,
                body: json!({}),
            })
            .collect();
        let replies = at_once(&world, &neighbour, &asked);
        let bodies: Vec<&[u8]> = replies.iter().filter(|r| r.status == 200).map(|r| r.body.as_slice()).collect();
        assert!(!bodies.is_empty() && bodies.iter().all(|body| *body == bodies[0]));
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            let _ = reply.problem(409, "idempotency_key_in_flight");
        }
        assert!(round % 2 == 1 || bodies.len() == 8);
        let payouts = run["payouts"].as_i64().expect("a count");
        let counted = [
            ("select count(*) from payout_run_step where step = 'executed'", 1),
            ("select count(*) from outbox where type = 'payout_run.executed'", 1),
            ("select count(*) from bank_file", 1),
            ("select count(*) from payout", payouts),
            ("select count(distinct payee_id) from payout", payouts),
            ("select count(*) from bank_file_payout", payouts),
            ("select count(*) from ledger_entry where kind = 'payout_initiated'", payouts),
        ];
        for (sql, expected) in counted {
            assert_eq!(number(&world, sql), expected, "{sql}");
        }
        let sent = run["total"]["amount"].as_i64().expect("an amount");
        assert_eq!(number(&world, "select sum(amount_minor) from payout"), sent);
    }
}
