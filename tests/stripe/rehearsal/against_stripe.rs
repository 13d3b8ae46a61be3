//! The steps that need nothing but Stripe, against Stripe itself in test mode.

use std::sync::Arc;

use domain::kernel::id::IdSource as _;
use domain::kernel::ids::{PayeeId, PayoutId, PayoutRunId};
use domain::payouts::stripe::AccountName;
use domain::payouts::stripe::rail::{NewTransfer, RailError, ReturnPages, StripeRail};
use integrations::ids::SystemIds;
use integrations::stripe::{PATIENCE, Stripe, StripeConfig};

use crate::Step;

/// What the transfers of the rehearsal are over, in cents.
const CENTS: i64 = 100;

fn transfer(to: &AccountName) -> NewTransfer {
    let payout = PayoutId::new(SystemIds.next());
    let run = PayoutRunId::new(SystemIds.next());
    NewTransfer { key: payout.to_string(), amount_minor: CENTS, destination: to.clone(), run, payout }
}

/// Every step.
pub fn steps(key: &str) -> Vec<Step> {
    let url = std::env::var("FLIP360_STRIPE_URL").unwrap_or_else(|_| "https://api.stripe.com".to_owned());
    let config = StripeConfig { url, key: key.parse().expect("a test-mode key"), patience: PATIENCE };
    let stripe = Arc::new(Stripe::new(config).expect("a client"));
    let enabled = std::env::var("FLIP360_STRIPE_REHEARSAL_ACCOUNT").ok().and_then(|text| AccountName::parse(&text));
    let with_account = {
        let (stripe, enabled) = (Arc::clone(&stripe), enabled);
        move |work: fn(&Stripe, &AccountName) -> String| -> Box<dyn Fn() -> Result<String, String>> {
            let (stripe, enabled) = (Arc::clone(&stripe), enabled.clone());
            Box::new(move || {
                let account = enabled.as_ref().ok_or("set FLIP360_STRIPE_REHEARSAL_ACCOUNT")?;
                let held = stripe.balance().expect("a balance").available_minor;
                if held < CENTS {
                    return Err(format!("the balance holds {held} cents, {CENTS} are needed"));
                }
                Ok(work(&stripe, account))
            })
        }
    };
    let (onboarding, balance, book) = (Arc::clone(&stripe), Arc::clone(&stripe), Arc::clone(&stripe));
    vec![
        ("an account is made, and made once under its key", Box::new(move || Ok(onboard(&onboarding)))),
        (
            "the balance",
            Box::new(move || Ok(format!("{} cents", balance.balance().expect("a balance").available_minor))),
        ),
        (
            "Stripe's book is read",
            Box::new(move || {
                Ok(format!("{} movements", book.list_balance_transactions(None).expect("the book").len()))
            }),
        ),
        ("a transfer, its replay, its look-up", with_account(replayed)),
        ("the same key with another body is no refusal", with_account(other_body)),
        ("more than the balance holds is told from a refusal", with_account(poor)),
        ("a reversal in part, then in full", with_account(reversed)),
    ]
}

fn onboard(stripe: &Stripe) -> String {
    let payee = PayeeId::new(SystemIds.next());
    let first = stripe.create_account(payee).expect("an account");
    assert_eq!(stripe.create_account(payee).expect("the account").account, first.account);
    let page = "https://example.com/stripe".to_owned();
    let pages = ReturnPages { refresh_url: page.clone(), return_url: page };
    let link = stripe.create_account_link(&first.account, &pages).expect("a link");
    assert!(link.url.starts_with("https://"));
    first.account.to_string()
}

fn replayed(stripe: &Stripe, account: &AccountName) -> String {
    let asked = transfer(account);
    let first = stripe.create_transfer(&asked).expect("a transfer");
    assert_eq!(stripe.create_transfer(&asked).expect("its replay").id, first.id);
    assert_eq!(stripe.find_transfer(&asked).expect("a look-up").map(|found| found.id), Some(first.id.clone()));
    first.id.to_string()
}

fn other_body(stripe: &Stripe, account: &AccountName) -> String {
    let asked = transfer(account);
    let _ = stripe.create_transfer(&asked).expect("a transfer");
    let other = NewTransfer { amount_minor: CENTS + 1, ..asked };
    match stripe.create_transfer(&other) {
        Err(RailError::Unknown(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn poor(stripe: &Stripe, account: &AccountName) -> String {
    let asked = NewTransfer { amount_minor: 99_999_999, ..transfer(account) };
    match stripe.create_transfer(&asked) {
        Err(RailError::InsufficientFunds(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn reversed(stripe: &Stripe, account: &AccountName) -> String {
    let asked = transfer(account);
    let made = stripe.create_transfer(&asked).expect("a transfer");
    let part = stripe.reverse_transfer(&format!("{}-part", asked.key), &made.id, 40).expect("a reversal");
    let rest = stripe.reverse_transfer(&format!("{}-rest", asked.key), &made.id, CENTS - 40).expect("the rest");
    let found = stripe.find_transfer(&asked).expect("a look-up").expect("the transfer");
    assert_eq!(found.reversed_minor, CENTS);
    format!("{}, {}", part.id, rest.id)
}
