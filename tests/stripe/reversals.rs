//! Transfers that are reversed: the cents are where they were before, or make up for what was to be got back.

use serde_json::Value;

use crate::world::{EARNED, World, by_file, import, row, text};

fn paid(world: &World) -> String {
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    text(&world.double.transfers()[0], "id")
}

fn sum(world: &World, bucket: &str) -> i64 {
    world.number(&format!("select coalesce(sum({bucket}), 0) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'"))
}

#[test]
fn a_reversal_in_full_is_a_payout_that_came_back() {
    let world = World::ready();
    let transfer = paid(&world);
    let event = world.double.reverse(&transfer, EARNED);
    world.tell(&[event.clone(), event]);
    assert_eq!(world.state(), "returned");
    assert_eq!((sum(&world, "available_minor"), sum(&world, "paid_minor")), (EARNED, 0));
    world.is_whole();
    // It may be paid again.
    import(&world.service.platform, &by_file("F-1"));
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.payouts().len(), 2);
    assert_eq!(world.state(), "settled");
    world.is_whole();
}

#[test]
fn a_reversal_in_part_restores_as_much_in_any_order_of_the_events() {
    let orders: [&[usize]; 6] = [&[0, 1, 2], &[2, 1, 0], &[1, 2, 0], &[0, 2, 1], &[2, 0, 1], &[1, 0, 2]];
    for order in orders {
        let world = World::ready();
        let transfer = paid(&world);
        let events: Vec<Value> = [100, 250, 50].map(|cents| world.double.reverse(&transfer, cents)).to_vec();
        for &n in order {
            world.tell(&events[n..=n]);
        }
        assert_eq!(sum(&world, "available_minor"), 400, "{order:?}");
        assert_eq!((sum(&world, "paid_minor"), world.state().as_str()), (EARNED - 400, "settled"), "{order:?}");
        world.is_whole();
        // What is left may come back too.
        let rest = world.double.reverse(&transfer, EARNED - 400);
        world.tell(&[rest]);
        assert_eq!((sum(&world, "available_minor"), sum(&world, "paid_minor")), (EARNED, 0), "{order:?}");
        world.is_whole();
    }
}

#[test]
fn a_reversal_makes_up_for_what_was_to_be_got_back_first() {
    let world = World::ready();
    let transfer = paid(&world);
    // The loan is discharged within the months of the clawback: what was paid is to be got back.
    import(&world.service.platform, &row("C-1", "200000.00", "2026-05-01"));
    let owed = sum(&world, "recoverable_minor");
    assert!(owed > 0, "a clawback of what was paid");
    let half = owed / 2;
    let first = world.double.reverse(&transfer, half);
    world.tell(&[first]);
    assert_eq!((sum(&world, "recoverable_minor"), sum(&world, "available_minor")), (owed - half, 0));
    world.is_whole();
    let more = (owed - half) + 11.min(EARNED - owed);
    let second = world.double.reverse(&transfer, more);
    world.tell(&[second]);
    assert_eq!(sum(&world, "recoverable_minor"), 0);
    assert_eq!(sum(&world, "available_minor"), 11.min(EARNED - owed));
    world.is_whole();
}

#[test]
fn what_a_payees_bank_does_posts_nothing() {
    let world = World::ready();
    let _ = paid(&world);
    let entries = world.number("select count(*) from ledger_entry");
    let account = world.double.newest_account();
    let events: Vec<Value> = ["payout.created", "payout.paid", "payout.failed", "payout.canceled", "payout.updated"]
        .map(|kind| world.double.payout_event(kind, &account))
        .to_vec();
    world.tell(&events);
    assert_eq!(world.number("select count(*) from ledger_entry"), entries);
    assert_eq!(world.state(), "settled", "paid, then failed, between the payee's account at Stripe and its bank");
    assert_eq!(world.number("select count(*) from stripe_event where type like 'payout.%'"), 5);
    world.is_whole();
}

#[test]
fn a_transfer_that_only_calls_itself_ours_changes_nothing() {
    let world = World::ready();
    let _ = paid(&world);
    let payout = text(&world.payouts()[0], "id");
    let account = world.double.newest_account();
    let entries = world.number("select count(*) from ledger_entry");
    let forged = |amount: i64, destination: &str| {
        serde_json::json!({"object": "transfer", "id": "tr_Other", "amount": amount, "amount_reversed": 0, "currency": "aud",
            "destination": destination, "created": 1_795_435_200, "metadata": {"payout": payout}})
    };
    // Another amount, another account, a second transfer beside the first.
    for object in [forged(EARNED - 1, &account), forged(EARNED, "acct_Other"), forged(EARNED, &account)] {
        let event = world.double.tell("transfer.created", object);
        world.tell(&[event]);
    }
    assert_eq!(world.number("select count(*) from stripe_event_work where state = 'contradicts'"), 3);
    assert_eq!(world.number("select count(*) from ledger_entry"), entries);
    assert_eq!(world.state(), "settled");
    world.is_whole();
}
