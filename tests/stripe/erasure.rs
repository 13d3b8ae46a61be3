//! A payee is erased: what Stripe told of the person goes, and nothing that it tells later is kept.

use domain::kernel::Digest;
use serde_json::{Value, json};

use crate::world::{EARNED, World};

/// The five years of the tax law, and a leap day.
const FIVE_YEARS: i64 = (5 * 365 + 2) * 86_400;
const NAMED: &str = "select count(*) from stripe_event where position('Quillon' in encode(body, 'escape')) > 0";
const TOLD: &str = "select count(*) from stripe_event where account is not null and erased_sha256 is null";

/// What Stripe tells of an account, with the person behind it.
fn of_the_person(world: &World, id: &str) -> Value {
    let account = world.double.newest_account();
    let seconds = world.now().timestamp().as_second();
    json!({"id": id, "object": "event", "type": "account.updated", "account": account, "created": seconds, "livemode": false,
        "data": {"object": {"id": account, "object": "account", "email": "quillon@example.com",
            "individual": {"first_name": "Quillon", "last_name": "Brabazon", "dob": {"year": 1970}}}}})
}

fn erase(world: &World) -> u16 {
    let member = crate::world::MEMBER;
    let contact =
        world.service.platform.ids_of(&format!("select contact_id as id from member where member_ref = '{member}'"))[0];
    let contact = domain::kernel::ids::ContactId::new(contact);
    let (path, token) = (format!("/v1/contacts/{contact}"), format!("Bearer {}", world.admin()));
    let etag = world.service.get(&path, &world.admin()).header("etag").expect("an ETag").to_owned();
    world.service.send("DELETE", &path, &[("authorization", &token), ("if-match", &etag)], None).status
}

#[test]
fn what_stripe_told_of_somebody_who_is_erased_goes_and_does_not_come_back() {
    let world = World::ready();
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    let event = of_the_person(&world, "evt_person");
    world.tell(std::slice::from_ref(&event));
    let account = world.double.newest_account();
    world.wait(1);
    world.tell(&world.double.set_account(&account, "inactive", false, Some("rejected.fraud")));
    assert_eq!(world.number(NAMED), 1);
    let (told, others) = (world.number(TOLD), world.number("select count(*) from stripe_event where account is null"));
    assert!(told > 1 && others > 0);
    // As long as the law has the payee kept, it is.
    assert_eq!(erase(&world), 204);
    assert_eq!((world.number(NAMED), world.number(TOLD)), (1, told));
    let refused = "update stripe_event set body = '', erased_sha256 = sha256(body)";
    assert!(world.service.platform.refusal_of(refused).is_some());
    world.wait(FIVE_YEARS);
    assert_eq!(erase(&world), 204);
    assert_eq!((world.number(NAMED), world.number(TOLD)), (0, 0));
    let digest = Digest::of(event.to_string().as_bytes());
    let kept = format!(
        "select count(*) from stripe_event where id = 'evt_person' and erased_sha256 = '\\x{digest}' and body = ''"
    );
    assert_eq!(world.number(&kept), 1, "the digest of what it was");
    let reasons = "select count(*) from stripe_account where disabled_reason is not null";
    assert_eq!(world.number(reasons), 0);
    // What it told of money is no person's.
    assert_eq!(world.number("select count(*) from stripe_event where account is null and body <> ''"), others);
    // What it tells later is taken, and not kept.
    world.tell(&[of_the_person(&world, "evt_later")]);
    world.tell(&world.double.set_account(&account, "inactive", false, Some("rejected.fraud")));
    assert_eq!((world.number(NAMED), world.number(TOLD), world.number(reasons)), (0, 0, 0));
    assert_eq!(world.number("select count(*) from stripe_event_work where state = 'waiting'"), 0);
    let _ = world.onboard().problem(409, "payee_erased");
    let path = |of: &str| format!("/v1/payees/{}/{of}", world.payee);
    let fact = json!({"registered": false, "from_on": "2026-07-01"});
    let _ = world.service.post(&path("gst-status"), &world.admin(), &fact).problem(409, "payee_erased");
    let fact = json!({"reason": "private_or_hobby", "from_on": "2026-07-01"});
    let _ = world.service.post(&path("withholding"), &world.admin(), &fact).problem(409, "payee_erased");
    assert_eq!(world.number("select sum(amount_minor) from payout where rail = 'stripe'"), EARNED);
}

#[test]
fn nobody_blanks_an_event_but_an_erasure_and_even_that_nothing_else() {
    use diesel::connection::SimpleConnection as _;
    let world = World::ready();
    let mut owner = world.service.platform.owner();
    let refused = |owner: &mut diesel::PgConnection, sql: &str| {
        let refused = owner.batch_execute(sql).expect_err(sql).to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    };
    for table in ["stripe_event", "bank_return", "bank_document", "bank_statement_line"] {
        let column = if table == "stripe_event" { "type" } else { "erased_at" };
        refused(&mut owner, &format!("update {table} set {column} = {column}"));
    }
    let erasure = "begin; insert into chain_erasure (id, contact_id, leaf_count, commitments_sha256, report, erased_by, erased_at)
        select gen_random_uuid(), id, 0, sha256(''), '{}', id, now() from contact limit 1;";
    refused(
        &mut owner,
        &format!("{erasure} update stripe_event set type = 'account.forged' where account is not null"),
    );
    owner.batch_execute("rollback").expect("rolled back");
    refused(&mut owner, &format!("{erasure} delete from stripe_event"));
    owner.batch_execute("rollback").expect("rolled back");
}
