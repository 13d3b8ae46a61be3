//! Accounts stay on their side: whoever writes, the database refuses.

use domain::kernel::ids::BankAccountId;
use serde_json::{Value, json};

use crate::world::{World, alone, entry, side, text};

const ON: &str = "2026-11-20";

/// Posts one cent between two accounts around the service, in the shape that the service writes: a pending leaf, an
/// entry that follows, two postings that sum to zero and go on from the ones before, balances and head.
fn around(debit: &str, credit: &str, cents: i64, balances: bool) -> String {
    let account = |kind: &str| {
        format!(
            "(select b.account_id from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = '{kind}' order by 1 limit 1)"
        )
    };
    let (debit, credit) = (account(debit), account(credit));
    let update = if balances {
        "update ledger_balance b set balance_minor = p.balance_after_minor, account_seq = p.account_seq
           from ledger_posting p where p.account_id = b.account_id and p.entry_seq = (select max(seq) from ledger_entry);"
    } else {
        ""
    };
    format!(
        "begin;
         insert into chain_pending (source_id, kind, lane, n, leaf, created_at)
           values ('00000000-0000-7000-8000-000000000001', 'ledger_entry', sha256('lane'), 0, 'leaf', now());
         insert into ledger_entry (seq, id, kind, source_id, effective_on, recorded_at, canonical, sha256, previous_sha256, visible_to)
           select h.last_seq + 1, '00000000-0000-7000-8000-000000000001', 'adjustment', '00000000-0000-7000-8000-000000000002',
             '2026-11-20', now(), 'c', sha256('c'), h.last_sha256, '{{}}' from ledger_head h;
         insert into ledger_posting (entry_seq, n, account_id, amount_minor, account_seq, balance_after_minor)
           select (select max(seq) from ledger_entry), v.n, v.account_id, v.amount, b.account_seq + 1, b.balance_minor + v.amount
           from (values (0, {debit}, {cents}::bigint), (1, {credit}, -{cents}::bigint)) v (n, account_id, amount) join ledger_balance b using (account_id);
         {update}
         rollback;"
    )
}

#[test]
fn no_account_of_a_payee_gets_on_its_wrong_side_around_the_service() {
    let world = World::with_deals(&[("C-1", "")]);
    let platform = &world.service.platform;
    // More is taken out of what is on hold than lies there.
    let owed = world.count("select max(-balance_minor) from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = 'payee_accrued'");
    assert!(owed > 0);
    for balances in [true, false] {
        let refused = platform.refusal_of(&around("payee_accrued", "commission_expense", 1_000_000_000, balances));
        assert!(refused.as_deref().is_some_and(|why| why.contains("wrong side")), "{refused:?}");
    }
    // The other way round nothing is wrong with it.
    assert_eq!(platform.refusal_of(&around("commission_expense", "payee_accrued", 1, true)), None);
    // What is posted goes on from what was, and a balance is what was posted.
    let loose = around("commission_expense", "payee_accrued", 1, false)
        .replace("b.balance_minor + v.amount", "b.balance_minor");
    assert!(platform.refusal_of(&loose).is_some_and(|why| why.contains("does not go on")));
    let skipped =
        around("commission_expense", "payee_accrued", 1, false).replace("b.account_seq + 1", "b.account_seq + 2");
    assert!(platform.refusal_of(&skipped).is_some_and(|why| why.contains("does not go on")));
    let moved = platform.refusal_of("update ledger_balance set balance_minor = balance_minor - 1");
    assert!(moved.is_some_and(|why| why.contains("last posting")));
    for forbidden in [
        "update ledger_balance set most_minor = null",
        "update ledger_balance set least_minor = 0",
        "insert into ledger_balance (account_id, balance_minor) select id, 5 from ledger_account limit 1",
    ] {
        assert!(platform.refusal_of(forbidden).is_some_and(|why| why.contains("permission denied")), "{forbidden}");
    }
}

#[test]
fn bounds_follow_from_the_kind_of_account() {
    let world = World::with_deals(&[("C-1", "2026-06-01")]);
    let bounded = "select count(*) from ledger_balance b join ledger_account a on a.id = b.account_id
      where (b.most_minor is not distinct from 0) <> (a.kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit', 'member_suspense'))
         or (b.least_minor is not distinct from 0) <> (a.kind = 'clawback_recoverable')";
    assert_eq!(world.count(bounded), 0);
    assert!(world.count("select count(*) from ledger_balance where most_minor = 0") > 0);
}

#[test]
fn an_own_account_keeps_its_floor() {
    let world = World::new();
    let _ = world.posted(&alone("opening", ON, &[world.cash(10_000), side("opening_balance", -10_000)]));
    let accounts = world.service.get("/v1/ledger/accounts?kind=cash", &world.finance).expect(200);
    let account = text(&accounts["data"][0], "id");
    let floor = |account: &str, cents: i64| {
        let body = json!({"floor": {"amount": cents, "currency": "AUD"}});
        world.service.post(&format!("/v1/ledger/accounts/{account}/floor"), &world.approver, &body)
    };
    let _ = floor(&account, 10_001).problem(409, "account_floor");
    assert_eq!(floor(&account, -5_000).expect(200)["floor"]["amount"], -5_000);
    let equity = world.service.get("/v1/ledger/accounts?kind=opening_balance", &world.finance).expect(200);
    let _ = floor(&text(&equity["data"][0], "id"), 0).problem(409, "account_floor");
    let pay = |cents: i64| entry("fee", ON, &[side("rail_fees", cents), world.cash(-cents)]);
    // 10,000 + 5,000 below zero: the third does not fit, the fourth does.
    let rows: [Value; 4] = [pay(8_000), pay(6_000), pay(2_000), pay(1_000)];
    let strict = world.batch("atomic", &rows).expect(201);
    let _ = world.approve(&strict["proposal"]).problem(409, "account_floor");
    assert_eq!(world.count("select count(*) from ledger_entry"), 1, "nothing of it was posted");
    let loose = world.batch("per_item", &rows).expect(201);
    let posted = world.approve(&loose["proposal"]).expect(200);
    assert_eq!(posted["refused"], 1);
    let items = world.items(&loose["proposal"]);
    assert_eq!(items[2]["error"]["code"], "account_floor");
    let cash =
        "select balance_minor from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = 'cash'";
    assert_eq!(world.count(cash), -5_000);
    let bank = BankAccountId::parse(&world.bank).expect("an id").uuid();
    assert_eq!(world.count(&format!("select count(*) from ledger_account where party_id = '{bank}'")), 1);
    let refused = world.service.platform.refusal_of(&around("rail_fees", "cash", 1, false));
    assert!(refused.is_some_and(|why| why.contains("wrong side")));
}
