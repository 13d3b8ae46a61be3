//! Whose eyes see what: the sentences of the domain about partners, members, investors and auditors, each a test.
//!
//! The second partner's deals show all of it: a deal that is settled and paid, whose member has an upline of its own.

use domain::access::Role;
use domain::kernel::ids::{DealId, MemberId, PayeeId};
use harness::partners::{Asker, Site};
use harness::server::Service;
use serde_json::{Value, json};
use uuid::Uuid;

/// The ids in a list, page after page.
fn listed(service: &Service, path: &str, token: &str) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), String::new());
    let mark = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = service.get(&format!("{path}{mark}limit=200{next}"), token).expect(200);
        ids.extend(
            page["data"].as_array().expect("a list").iter().map(|row| row["id"].as_str().expect("an id").to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return ids,
        }
    }
}

fn the(site: &Site, sql: &str) -> Uuid {
    let sql = sql.replace("$org", &format!("'{}'", site.theirs.introducer.uuid()));
    site.service.platform.ids_of(&sql).into_iter().next().unwrap_or_else(|| panic!("nothing: {sql}"))
}

/// What a list shows, as bare ids.
fn seen(service: &Service, path: &str, token: &str) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = listed(service, path, token)
        .iter()
        .map(|id| domain::kernel::id::decode(id.rsplit_once('_').expect("a prefix").1).expect("an id"))
        .collect();
    ids.sort_unstable();
    ids
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

#[test]
fn a_deal_has_a_provider_and_an_introducer_and_both_see_it() {
    let site = Site::open();
    let theirs = &site.theirs;
    let deals = format!("select id from deal where introducer_id = '{}'", theirs.introducer.uuid());
    let deals = sorted(site.service.platform.ids_of(&deals));
    for partner in [theirs.introducer, theirs.provider] {
        for role in [Role::PartnerAdmin, Role::PartnerAgent] {
            let token = site.service.token(&[role], Some(partner), None);
            assert_eq!(seen(&site.service, "/v1/deals", &token), deals, "{role:?}");
        }
    }
}

#[test]
fn each_sees_only_lines_where_its_members_are_payees() {
    let site = Site::open();
    let path = format!("/v1/deals/{}/commission", site.theirs.ids["deal"]);
    let lines = |token: &str| -> Vec<Value> {
        site.service.get(&path, token).expect(200)["lines"].as_array().expect("lines").clone()
    };
    let everything = lines(&site.service.operator());
    let roles = |lines: &[Value]| -> Vec<String> {
        let mut roles: Vec<String> =
            lines.iter().map(|line| line["role"].as_str().expect("a role").to_owned()).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    };
    assert_eq!(roles(&everything), ["member", "platform", "upline"], "the deal pays everybody");
    let token = |organisation| site.service.token(&[Role::PartnerAdmin], Some(organisation), None);
    assert_eq!(
        roles(&lines(&token(site.theirs.introducer))),
        ["member", "upline"],
        "the platform's own is nobody else's"
    );
    assert_eq!(roles(&lines(&token(site.theirs.provider))), Vec::<String>::new(), "no line of it pays the provider");
}

#[test]
fn a_member_sees_their_own() {
    let site = Site::open();
    let (service, theirs) = (&site.service, &site.theirs);
    let member = theirs.member;
    let token = service.token(&[Role::Member], Some(theirs.introducer), Some(member));
    let own = |sql: &str| sorted(service.platform.ids_of(&sql.replace("$member", &format!("'{}'", member.uuid()))));
    assert_eq!(seen(service, "/v1/deals", &token), own("select id from deal where member_id = $member"));
    let path = format!("/v1/deals/{}/commission", theirs.ids["deal"]);
    let lines = service.get(&path, &token).expect(200)["lines"].as_array().expect("lines").clone();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["role"] == "member"), "{lines:?}");
    let accounts =
        "select a.id from ledger_account a join member_payee p on p.payee_id = a.party_id where p.member_id = $member
      union select id from ledger_account where party_id = $member";
    assert_eq!(seen(service, "/v1/ledger/accounts", &token), own(accounts));
    let payouts =
        "select p.id from payout p join member_payee m on m.payee_id = p.payee_id where m.member_id = $member";
    assert_eq!(seen(service, "/v1/payouts", &token), own(payouts));
    // What they brought in is theirs; whom they brought in is not.
    let upline = the(&site, "select id from member where organisation_id = $org and member_ref = 'T1'");
    let upline = service.token(&[Role::Member], Some(theirs.introducer), Some(MemberId::new(upline)));
    assert!(
        !seen(service, "/v1/deals", &upline)
            .contains(&the(&site, "select id from deal where introducer_id = $org and external_ref = 'TWO-1'"))
    );
    let statement = format!("/v1/statements?member_id={member}");
    let _ = service.get(&statement, &upline).problem(404, "not_found");
    assert!(!service.get(&statement, &token).expect(200)["data"].as_array().expect("lines").is_empty());
}

#[test]
fn a_payee_of_several_members_is_none_of_theirs() {
    let site = Site::open();
    let (service, theirs) = (&site.service, &site.theirs);
    let payee = PayeeId::parse(&theirs.ids["payee"]).expect("an id");
    let other = the(&site, "select id from member where organisation_id = $org and member_ref = 'T3'");
    let token = service.token(&[Role::Member], Some(theirs.introducer), Some(theirs.member));
    let accounts = format!("/v1/ledger/accounts?party_id={payee}");
    assert!(!seen(service, &accounts, &token).is_empty(), "while it is the member's alone");
    let shared = domain::directory::PayeeMapping {
        member: MemberId::new(other),
        payee,
        from_on: "2026-11-01".parse().expect("a date"),
    };
    let platform = &service.platform;
    platform
        .store()
        .transaction(|uow| uow.directory().append_payee_mappings(&[shared], platform.now))
        .expect("it is kept");
    assert_eq!(seen(service, &accounts, &token), Vec::<Uuid>::new());
    let mut eyes = crate::eyes::Eyes::of(platform, Some(&[theirs.member.uuid()]));
    assert_eq!(eyes.rows("payee_bank_details"), Vec::<String>::new(), "nor its bank details");
    let partner = service.token(&[Role::PartnerAdmin], Some(theirs.introducer), None);
    assert!(!seen(service, &accounts, &partner).is_empty(), "its organisation still sees it");
}

#[test]
fn investors_see_aggregates_only_never_a_person() {
    let site = Site::open();
    let token = site.token(Asker::Has(Role::Investor)).expect("a token");
    let run = site.service.get(&format!("/v1/guarantee-runs/{}", site.ours.ids["grun"]), &token);
    let said = [run, site.service.get("/v1/guarantees", &token), site.service.get("/v1/guarantee-runs", &token)];
    for reply in said {
        assert_eq!(reply.status, 200);
        let body = String::from_utf8_lossy(&reply.body);
        for id in site.ours.own.iter().chain(&site.theirs.own) {
            assert!(!body.contains(id.as_str()), "{body:.500}");
        }
    }
    for path in
        ["/v1/deals", "/v1/members", "/v1/contacts", "/v1/ledger/entries", "/v1/payouts", "/v1/events", "/v1/jobs"]
    {
        let _ = site.service.get(path, &token).problem(403, "insufficient_scope");
    }
}

#[test]
fn an_auditor_reads_everything_and_writes_nothing() {
    let site = Site::open();
    let token = site.token(Asker::Has(Role::Auditor)).expect("a token");
    for partner in [&site.ours, &site.theirs] {
        for (path, prefix) in [
            ("deals", "deal"),
            ("payouts", "payout"),
            ("ledger/entries", "entry"),
            ("handshakes", "handshake"),
            ("jobs", "job"),
            ("webhook-endpoints", "endpoint"),
        ] {
            let _ = site.service.get(&format!("/v1/{path}/{}", partner.ids[prefix]), &token).expect(200);
        }
    }
    let deal = DealId::parse(&site.theirs.ids["deal"]).expect("an id");
    let asking = harness::asking::Asking::of(&site);
    let may = ["create_calculation", "reproduce_calculation", "lint_agreement_version", "change_password"];
    for operation in site.service.app.policy.operations().iter().filter(|o| o.method != "GET" && !o.scopes.is_empty()) {
        if may.contains(&operation.id) {
            continue;
        }
        let (asked, reply) = asking.ask(operation, &site.theirs.ids, Some(&token));
        assert_eq!(reply.status, 403, "{asked}");
    }
    let moved = json!({"to": "lost", "reason": "competitor"});
    let _ =
        site.service.post(&format!("/v1/deals/{deal}/transitions"), &token, &moved).problem(403, "insufficient_scope");
}
