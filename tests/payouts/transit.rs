//! A payee's account changes while a payment to the old one is on its way.

use domain::access::Role;
use domain::kernel::Instant;
use harness::bounced;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{World, busy, text};
use crate::world::{Detail, read_aba};

const M016: &str =
    "select p.payee_id as id from member_payee p join member m on m.id = p.member_id where m.member_ref = 'M016'";
const NEW: &str = "87654321";

fn payee(world: &World) -> String {
    domain::kernel::ids::PayeeId::new(world.service.platform.ids_of(M016)[0]).to_string()
}

/// The payee's organisation names another account, and a second person types it again.
fn change_account(world: &World) {
    let path = format!("/v1/payees/{}/bank-details", payee(world));
    let account = json!({"bsb": "062-000", "account_number": NEW, "account_name": "Member M016"});
    let change = world.service.post(&path, &world.service.partner(), &account).expect(201);
    let again = json!({"bank_change_id": change["id"], "bsb": "062000", "account_number": NEW});
    let _ = world.service.post(&format!("{path}/approve"), &world.approver, &again).expect(200);
}

/// What a bank file pays to M016.
fn credit(world: &World, run: &Value) -> Detail {
    let file = world.service.get(&world.path(run, "/aba"), &world.finance);
    read_aba(&file.body).into_iter().find(|detail| detail.title == "Member M016").expect("a payment")
}

fn skipped(world: &World, token: &str) -> Vec<String> {
    let account = world.service.get("/v1/bank-accounts", token).expect(200)["data"][0]["id"].clone();
    let run = world.service.post("/v1/payout-runs", token, &json!({"bank_account_id": account})).expect(201);
    let content = world.service.get(&world.path(&run, "/content"), token).expect(200);
    let ours = payee(world);
    let all = content["skipped"].as_array().expect("a list").clone();
    all.iter().filter(|skip| skip["payee"] == ours.as_str()).map(|skip| text(skip, "code")).collect()
}

#[test]
fn the_payment_keeps_its_way_and_its_return_blocks_the_account_that_it_had_gone_to() {
    let mut world = busy();
    let run = world.approved();
    let run = world.act(&run, "execute", &world.finance, &json!({})).expect(200);
    let (sent, before) = (credit(&world, &run), world.service.get(&world.path(&run, "/aba"), &world.finance).body);
    change_account(&world);
    // The file is what it was, and so is what the payout says of where it goes.
    assert_eq!(world.service.get(&world.path(&run, "/aba"), &world.finance).body, before);
    let old = "select bank_details_id as id from payout where amount_minor = 78000 and payee_id =";
    let old = world.service.platform.ids_of(&format!("{old} ({M016})"));
    // The old account is closed: the money comes back, and that account is the one that is blocked.
    let payments = bounced::payments(&before);
    let payment = payments.iter().find(|p| p.contains("Member M016")).expect("the payment");
    let returned = bounced::file(&[bounced::record(payment, '3')], "231126");
    let taken = world.service.upload("/v1/bank-returns", &world.finance, "text/plain", returned.as_bytes()).expect(201);
    assert_eq!((&taken["matched"], taken["matched_total"]["amount"].as_i64()), (&json!(1), Some(78_000)), "{taken}");
    assert_eq!(world.service.platform.ids_of("select bank_details_id as id from bank_details_block"), old);
    // Nothing goes to the new account before it has cooled off, and then all of it.
    assert_eq!(skipped(&world, &world.finance), ["bank_details_cooling_off"]);
    world.service.clock.set(Instant::new("2026-11-26T02:00:00Z".parse().expect("a time")));
    world.finance = world.service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
    world.approver = world.service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    let run = world.approved();
    let run = world.act(&run, "execute", &world.finance, &json!({})).expect(200);
    let again = credit(&world, &run);
    assert_eq!((again.account.as_str(), again.cents), (NEW, 78_000));
    assert_eq!((sent.cents, sent.account == again.account), (78_000, false));
}

#[test]
fn what_was_approved_for_the_old_account_is_void() {
    let world = busy();
    let run = world.approved();
    change_account(&world);
    let _ = world.act(&run, "execute", &world.finance, &json!({})).problem(409, "approval_void");
    assert_eq!(world.service.platform.number("select count(*) from payout"), 0);
}
