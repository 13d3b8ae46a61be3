//! What came back is sent again: by a new payout that names the old one, in a run of its own that two people decide on,
//! once.

use domain::payouts::execute::Execution;
use domain::payouts::retry::{self, Retried};
use domain::payouts::run::TransitionError;
use domain::payouts::{PayoutError, PayoutRun, Skip};
use harness::bounced;
use harness::platform::Platform;

use crate::returns::send;
use crate::runs::{import, with_deals};
use crate::world::{People, approve, as_, execute, file, keep, paid, people, preview, propose};

fn again(
    platform: &Platform,
    people: &People,
    payout: domain::kernel::ids::PayoutId,
) -> Result<PayoutRun, PayoutError> {
    let retried = platform.store().transaction(|uow| retry::retry(uow, &as_(platform, &people.finance), payout))?;
    match retried {
        Retried::Run(run) => Ok(*run),
        Retried::Resent(payout) => panic!("{payout} goes by bank file"),
    }
}

/// M016's $780 came back with this code.
fn bounced(code: char) -> (Platform, People, PayoutRun, domain::kernel::ids::PayoutId) {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = paid(&platform, &people, &account);
    let payments = bounced::payments(&file(&platform, &run));
    let dear = payments.iter().find(|p| p[20..30].ends_with("78000")).expect("the payment");
    let _ = send(&platform, &people, &[bounced::record(dear, code)]);
    let payout = run.content.content().payouts.iter().find(|p| p.net.0 == 78_000).expect("the payout").id;
    (platform, people, run, payout)
}

fn decided(platform: &Platform, people: &People, run: &PayoutRun) -> Execution {
    let run = propose(platform, &people.finance, run).expect("proposed");
    let run = approve(platform, &people.approver, &run).expect("approved");
    execute(platform, &people.finance, &run).expect("an outcome")
}

#[test]
fn it_needs_two_people_and_pays_what_came_back_by_a_payout_that_says_so() {
    let (platform, people, first, payout) = bounced('6');
    let other = first.content.content().payouts.iter().find(|p| p.id != payout).expect("the other").id;
    let wrong = again(&platform, &people, other).err();
    assert_eq!(wrong, Some(TransitionError::WrongState { from: "in_transit", to: "retried" }.into()));
    let nobody = domain::kernel::ids::PayoutId::new(uuid::Uuid::from_u128(404));
    assert_eq!(again(&platform, &people, nobody).err(), Some(PayoutError::PayoutNotFound));
    // More lies there by now: it is left to an ordinary run.
    import(&platform, &[("C-2", "M016", "")]);
    domain::payouts::decide::release_due(platform.store(), &as_(&platform, &people.finance)).expect("released");
    let run = again(&platform, &people, payout).expect("a run");
    let content = run.content.content();
    assert_eq!((content.payouts.len(), content.total.0, content.payouts[0].retry_of), (1, 78_000, Some(payout)));
    assert!(execute(&platform, &people.finance, &run).is_err());
    let Execution::Done(run) = decided(&platform, &people, &run) else { panic!("voided") };
    assert_eq!(run.files().len(), 1);
    let linked = format!("select count(*) from payout where retry_of = '{}' and state = 'in_transit'", payout.uuid());
    assert_eq!(platform.number(&linked), 1);
    assert_eq!(again(&platform, &people, payout).err(), Some(PayoutError::Retried));
    // What is sent again may come back again, and be sent again.
    let payments = bounced::payments(&file(&platform, &run));
    let _ = send(&platform, &people, &[bounced::record(&payments[0], '6')]);
    let second = run.content.content().payouts[0].id;
    let third = again(&platform, &people, second).expect("a run");
    assert_eq!(third.content.content().payouts[0].retry_of, Some(second));
}

#[test]
fn blocked_details_are_not_tried_again() {
    let (platform, people, _, payout) = bounced('3');
    assert_eq!(again(&platform, &people, payout).err(), Some(PayoutError::NotPayable(Skip::BankDetailsBlocked)));
}

#[test]
fn of_two_retries_and_an_ordinary_run_over_the_same_money_one_pays() {
    let (platform, people, first, payout) = bounced('6');
    let account = platform
        .store()
        .transaction(|uow| uow.payouts().find_bank_account(first.bank_account))
        .expect("a look")
        .expect("the account");
    let runs = [
        again(&platform, &people, payout).expect("a run"),
        again(&platform, &people, payout).expect("another"),
        preview(&platform, &people.finance, &account),
    ];
    let approved: Vec<PayoutRun> = runs
        .iter()
        .map(|run| {
            let run = propose(&platform, &people.finance, run).expect("proposed");
            approve(&platform, &people.approver, &run).expect("approved")
        })
        .collect();
    let outcomes: Vec<Execution> = std::thread::scope(|scope| {
        let (platform, people) = (&platform, &people);
        let threads: Vec<_> = approved
            .iter()
            .map(|run| scope.spawn(move || execute(platform, &people.finance, run).expect("an outcome")))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|o| matches!(o, Execution::Done(_))).count(), 1, "{outcomes:?}");
    for outcome in &outcomes {
        if let Execution::Voided(run, _) = outcome {
            assert!(run.content.content().payouts.is_empty());
        }
    }
    assert_eq!(platform.number("select count(*) from payout where state = 'in_transit' and amount_minor = 78000"), 1);
    assert!(again(&platform, &people, payout).is_err());
}

#[test]
fn what_an_ordinary_run_has_paid_meanwhile_is_not_paid_again() {
    let (platform, people, _, payout) = bounced('6');
    import(&platform, &[("C-2", "M016", "")]);
    let account = keep_second(&platform, &people);
    // The ordinary run pays C-2 and what came back; then nothing is left to be retried.
    let run = preview(&platform, &people.finance, &account);
    assert!(matches!(decided(&platform, &people, &run), Execution::Done(_)));
    assert_eq!(again(&platform, &people, payout).err(), Some(TransitionError::NothingToPay.into()));
}

fn keep_second(platform: &Platform, people: &People) -> domain::payouts::BankAccount {
    let mut raw = crate::world::raw(false);
    raw.account.as_mut().expect("details").account_number = Some("87654321".into());
    let command =
        domain::payouts::CreateBankAccount::parse(&raw, &domain::directory::PrefixDirectory).expect("an account");
    platform
        .store()
        .transaction(|uow| {
            domain::payouts::decide::keep_bank_account(uow, &as_(platform, &people.finance), command.clone())
        })
        .expect("kept")
}
