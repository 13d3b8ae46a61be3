//! The double itself: what it refuses, and that its answers are Stripe's.

use std::time::Duration;

use domain::kernel::ids::{PayeeId, PayoutId, PayoutRunId};
use domain::payouts::stripe::rail::{NewTransfer, RailError, ReturnPages, StripeRail};
use harness::stripe::{Double, KEY};
use serde_json::Value;
use uuid::Uuid;

const NOW: i64 = 1_795_435_200;

fn raw(double: &Double, method: &str, path: &str, key: Option<&str>, body: &str) -> (u16, Option<String>, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", double.url));
    request = request.header("authorization", format!("Bearer {KEY}"));
    request = request.header("content-type", "application/x-www-form-urlencoded");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let mut answer = agent.run(request.body(body.to_owned()).expect("a request")).expect("an answer");
    let replayed = answer.headers().get("idempotent-replayed").map(|v| v.to_str().expect("a text").to_owned());
    let body = answer.body_mut().read_to_string().expect("a body");
    (answer.status().as_u16(), replayed, serde_json::from_str(&body).expect("JSON"))
}

fn transfer(n: u128, amount_minor: i64, destination: &str) -> NewTransfer {
    NewTransfer {
        key: format!("key-{n}"),
        amount_minor,
        destination: domain::payouts::stripe::AccountName::parse(destination).expect("a name"),
        run: PayoutRunId::new(Uuid::from_u128(1)),
        payout: PayoutId::new(Uuid::from_u128(n)),
    }
}

#[test]
fn every_operation_is_asked_and_answered_as_the_specification_says() {
    let double = Double::start(NOW);
    let stripe = double.client(Duration::from_secs(5));
    let made = stripe.create_account(PayeeId::new(Uuid::from_u128(5))).expect("an account");
    let pages = ReturnPages { refresh_url: "https://a.example/x".into(), return_url: "https://a.example/y".into() };
    let link = stripe.create_account_link(&made.account, &pages).expect("a link");
    assert!(link.url.starts_with("https://connect.stripe.com/"));
    let _ = double.set_account(made.account.as_str(), "active", true, None);
    let seen = stripe.find_account(&made.account).expect("the account");
    assert!(seen.payouts_enabled);
    let _ = double.top_up(1_000);
    assert_eq!(stripe.balance().expect("a balance").available_minor, 1_000);
    let asked = transfer(1, 700, made.account.as_str());
    assert_eq!(stripe.find_transfer(&asked), Ok(None));
    let sent = stripe.create_transfer(&asked).expect("a transfer");
    assert_eq!(stripe.find_transfer(&asked), Ok(Some(sent.clone())));
    assert_eq!(stripe.find_transfer(&transfer(2, 700, made.account.as_str())), Ok(None), "another payout");
    let reversal = stripe.reverse_transfer("r", &sent.id, 200).expect("a reversal");
    assert_eq!((reversal.amount_minor, reversal.key.as_deref()), (200, Some("r")));
    assert_eq!(stripe.list_reversals(&sent.id), Ok(vec![reversal]));
    let book = stripe.list_balance_transactions(None).expect("the book");
    let nets: Vec<i64> = book.iter().map(|movement| movement.net_minor).collect();
    assert_eq!(nets, [200, -700, 1_000]);
    assert_eq!(stripe.list_balance_transactions(Some(&book[1].id)).expect("the rest").len(), 1);
    assert_eq!(double.violations(), Vec::<String>::new());
    for event in double.events() {
        assert_eq!(double.spec().object("event", &event), Vec::<String>::new());
    }
}

#[test]
fn what_the_specification_does_not_know_is_refused() {
    let double = Double::start(NOW);
    let refused = |method, path: &str, body: &str| {
        let (status, _, answer) = raw(&double, method, path, None, body);
        assert_eq!(status, 400, "{path} {body}: {answer}");
        answer["error"]["param"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(refused("POST", "/v1/transfers", "currency=aud&destination=acct_1&amuont=5"), "amuont");
    assert_eq!(refused("POST", "/v1/transfers", "currency=aud&amount=5"), "destination");
    assert_eq!(refused("POST", "/v1/transfers", "currency=aud&destination=acct_1&amount=5.5"), "amount");
    assert_eq!(refused("POST", "/v1/accounts", "type=expres"), "type");
    assert_eq!(
        refused("POST", "/v1/accounts", "capabilities[transfers][wanted]=true"),
        "capabilities[transfers][wanted]"
    );
    assert_eq!(refused("GET", "/v1/transfers?group=1", ""), "group");
    assert_eq!(raw(&double, "POST", "/v1/nothing", None, "").0, 404);
}

#[test]
fn a_key_has_one_answer_a_refusal_too_and_another_body_none() {
    let double = Double::start(NOW);
    let stripe = double.client(Duration::from_secs(5));
    let account = stripe.create_account(PayeeId::new(Uuid::from_u128(5))).expect("an account").account;
    let _ = double.set_account(account.as_str(), "active", true, None);
    let body = format!("amount=500&currency=aud&destination={account}");
    let (status, replayed, poor) = raw(&double, "POST", "/v1/transfers", Some("k"), &body);
    assert_eq!((status, replayed, poor["error"]["code"].as_str()), (400, None, Some("balance_insufficient")));
    let _ = double.top_up(500);
    // Stripe keeps the first answer of a key, whatever it was.
    let (status, replayed, again) = raw(&double, "POST", "/v1/transfers", Some("k"), &body);
    assert_eq!((status, replayed.as_deref(), again), (400, Some("true"), poor));
    let (status, _, made) = raw(&double, "POST", "/v1/transfers", Some("k-1"), &body);
    assert_eq!(status, 200);
    let (_, replayed, same) = raw(&double, "POST", "/v1/transfers", Some("k-1"), &body);
    assert_eq!((replayed.as_deref(), same), (Some("true"), made));
    let other = format!("amount=501&currency=aud&destination={account}");
    let (status, _, refused) = raw(&double, "POST", "/v1/transfers", Some("k-1"), &other);
    assert_eq!((status, refused["error"]["type"].as_str()), (400, Some("idempotency_error")));
    let asked = NewTransfer { key: "k-1".into(), ..transfer(1, 501, account.as_str()) };
    assert!(matches!(stripe.create_transfer(&asked), Err(RailError::Unknown(_))), "never taken for a refusal");
    assert_eq!(double.transfers().len(), 1);
}
