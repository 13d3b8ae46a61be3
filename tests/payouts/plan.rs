//! The plan of a run under properties: nothing lost, nothing twice, nobody paid who may not be.

use std::collections::BTreeMap;

use domain::agreements::model::{ComponentKey, FundingRule, Role};
use domain::directory::{GstTimeline, Rail, sample};
use domain::kernel::Instant;
use domain::kernel::ids::{CalculationId, DealId, LineId, MemberId, OrganisationId, PayeeId, PayoutRunId};
use domain::ledger::line::{Buckets, CommissionLine};
use domain::payouts::content::{FrozenContent, Skip, SkippedPayee};
use domain::payouts::plan::{Discrepancy, PlanInput, discrepancies, plan};
use domain::payouts::recovery::Terms;
use domain::payouts::repository::{PayeeStanding, StandingBank, StandingStripe};
use domain::payouts::stripe::AccountName;
use domain::payouts::{BankAccount, RunContent};
use domain::tax::TaxFacts;
use harness::platform::CountingIds;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use uuid::Uuid;

use crate::world::{account, details};

pub const CUT_OFF: Date = date(2026, 11, 25);

pub fn now() -> Instant {
    Instant::new("2026-11-25T00:00:00Z".parse().expect("a time"))
}

pub fn payee(n: u128) -> PayeeId {
    PayeeId::new(Uuid::from_u128(1_000 + n))
}

pub fn standing(n: u128) -> PayeeStanding {
    let number = u32::try_from(n).expect("small");
    PayeeStanding {
        id: payee(n),
        organisation: OrganisationId::new(Uuid::from_u128(9)),
        abn: Some(sample::abn(number)),
        gst: GstTimeline::default(),
        rail: Rail::Aba,
        minimum_minor: 0,
        bank: Some(StandingBank {
            id: Uuid::from_u128(2_000 + n),
            salt: Uuid::from_u128(3_000 + n),
            usable_from: now(),
            is_blocked: false,
            details: details(number, "A NAME"),
        }),
        stripe: None,
        recovery: Terms::default(),
    }
}

fn stripe(payable: bool) -> StandingStripe {
    StandingStripe { account: AccountName::parse("acct_1").expect("a name"), payable, reversal_open: false }
}

pub fn line(n: u128, of: u128, available_minor: i64, recoverable_minor: i64, payable_on: Date) -> CommissionLine {
    CommissionLine {
        id: LineId::new(Uuid::from_u128(n)),
        deal: DealId::new(Uuid::from_u128(n)),
        component: ComponentKey::parse("upfront").expect("a component"),
        role: Role::Member,
        member: Some(MemberId::new(Uuid::from_u128(of))),
        payee: Some(payee(of)),
        period: None,
        funding_rule: FundingRule::OnExpiry,
        payable_on,
        earned_minor: 0,
        clawed_back_minor: 0,
        gst_minor: 0,
        buckets: Buckets { available_minor, recoverable_minor, ..Buckets::default() },
        calculation: CalculationId::new(Uuid::from_u128(1)),
        visible_to: Vec::new(),
    }
}

pub fn planned(account: &BankAccount, standings: &[PayeeStanding], lines: &[CommissionLine]) -> RunContent {
    plan(&input(account, standings, lines), &CountingIds::default())
}

pub fn input<'a>(
    account: &'a BankAccount,
    standings: &'a [PayeeStanding],
    lines: &'a [CommissionLine],
) -> PlanInput<'a> {
    let run = PayoutRunId::new(Uuid::from_u128(5));
    static NO_TAX: std::sync::LazyLock<TaxFacts> = std::sync::LazyLock::new(TaxFacts::default);
    PlanInput { run, account, cut_off_on: CUT_OFF, now: now(), standings, lines, tax: &NO_TAX }
}

fn skipped(standing: PayeeStanding, lines: &[CommissionLine]) -> Vec<Skip> {
    let content = planned(&account(false), &[standing], lines);
    assert_eq!((content.payouts.len(), content.total.0), (0, 0));
    content.skipped.iter().map(|s| s.code).collect()
}

#[test]
fn who_may_not_be_paid_is_left_out_and_told_why() {
    let lines = [line(1, 1, 5_000, 0, CUT_OFF)];
    let later = Instant::new("2026-11-25T00:00:01Z".parse().expect("a time"));
    let mut cooling = standing(1);
    cooling.bank.as_mut().expect("details").usable_from = later;
    // Tax leaves a line out that is worth something: its table is in `domain/src/tax/decide_tests.rs`.
    let earned = [CommissionLine { earned_minor: 5_000, ..line(1, 1, 5_000, 0, CUT_OFF) }];
    let registered = |on| GstTimeline::restore([(on, true)]);
    let standing_of = |on| PayeeStanding { gst: registered(on), ..standing(1) };
    assert_eq!(skipped(standing_of(CUT_OFF), &earned), [Skip::RctiAgreementMissing]);
    let by_stripe = |stripe| PayeeStanding { rail: Rail::Stripe, bank: None, stripe, ..standing(1) };
    assert_eq!(skipped(by_stripe(None), &lines), [Skip::StripeAccountMissing]);
    assert_eq!(skipped(by_stripe(Some(stripe(false))), &lines), [Skip::StripeAccountRestricted]);
    assert_eq!(planned(&account(false), &[by_stripe(Some(stripe(true)))], &lines).total.0, 5_000);
    assert_eq!(skipped(PayeeStanding { bank: None, ..standing(1) }, &lines), [Skip::NoBankDetails]);
    assert_eq!(skipped(cooling, &lines), [Skip::BankDetailsCoolingOff]);
    let mut blocked = standing(1);
    blocked.bank.as_mut().expect("details").is_blocked = true;
    assert_eq!(skipped(blocked, &lines), [Skip::BankDetailsBlocked]);
    assert_eq!(skipped(PayeeStanding { minimum_minor: 5_001, ..standing(1) }, &lines), [Skip::BelowMinimum]);
    assert_eq!(
        skipped(standing(1), &[line(1, 1, 5_000, 0, CUT_OFF), line(2, 1, 0, 5_000, CUT_OFF)]),
        [Skip::NothingNet]
    );
    assert_eq!(skipped(standing(1), &[line(1, 1, 10_000_000_000, 0, CUT_OFF)]), [Skip::AmountTooLarge]);
    assert_eq!(skipped(standing(1), &[line(1, 1, 5_000, 0, date(2026, 11, 26))]), []);
    // On the very day before, and at the very minimum, it is paid.
    let tomorrow = GstTimeline::restore([(date(2026, 11, 26), true)]);
    let good = PayeeStanding { gst: tomorrow, minimum_minor: 5_000, ..standing(1) };
    assert_eq!(planned(&account(false), &[good], &lines).total.0, 5_000);
}

#[test]
fn nobody_is_left_out_because_a_file_is_full() {
    let standings = [standing(1), standing(2), standing(3)];
    let lines =
        [line(1, 1, 9_999_999_999, 0, CUT_OFF), line(2, 2, 9_999_999_999, 0, CUT_OFF), line(3, 3, 1, 0, CUT_OFF)];
    let content = planned(&BankAccount { item_limit: 2, ..account(true) }, &standings, &lines);
    assert_eq!((content.payouts.len(), content.skipped.len(), content.total.0), (3, 0, 19_999_999_999));
    let old = r#"{"code":"file_full","gross":"1","payee":"payee_01h455vb4pex5vsknk084sn02q","recoverable":"0"}"#;
    let old: SkippedPayee = serde_json::from_str(old).expect("what was written before still reads");
    assert_eq!(old.code, Skip::FileFull);
}

#[test]
fn clawbacks_are_taken_from_the_oldest_lines_first() {
    let lines = [
        line(1, 1, 700, 0, date(2026, 3, 1)),
        line(2, 1, 500, 0, date(2026, 2, 1)),
        line(3, 1, 0, 600, date(2026, 1, 1)),
    ];
    let content = planned(&account(false), &[standing(1)], &lines);
    let [payout] = content.payouts.as_slice() else { panic!("one payout") };
    assert_eq!((payout.gross.0, payout.recovered.0, payout.net.0), (1_200, 600, 600));
    let shares: Vec<(u128, i64, i64)> =
        payout.lines.iter().map(|s| (s.line.uuid().as_u128(), s.sent.0, s.set_off.0)).collect();
    assert_eq!(shares, [(2, 0, 500), (1, 600, 100)]);
    assert!(payout.reference.as_str().starts_with("FLIP-") && payout.reference.as_str().len() == 17);
}

#[test]
fn every_way_in_which_an_approval_goes_stale_is_noticed() {
    let (own, standings) = (account(false), [standing(1)]);
    let lines = [line(1, 1, 700, 0, CUT_OFF), line(2, 1, 0, 200, CUT_OFF)];
    let content = planned(&own, &standings, &lines);
    let found = |standings: &[PayeeStanding], lines: &[CommissionLine]| {
        discrepancies(&content.payouts, &input(&own, standings, lines))
    };
    assert_eq!(found(&standings, &lines), []);
    // More than was approved lies there: what was approved is still right.
    assert_eq!(found(&standings, &[line(1, 1, 900, 0, CUT_OFF), lines[1].clone(), line(7, 1, 50, 0, CUT_OFF)]), []);
    let less = [line(1, 1, 699, 0, CUT_OFF), lines[1].clone()];
    let told = Discrepancy::LessAvailable { line: lines[0].id, available_minor: 699, wanted_minor: 700 };
    assert_eq!(found(&standings, &less), [told]);
    let more_back = [lines[0].clone(), line(2, 1, 0, 201, CUT_OFF)];
    let told = Discrepancy::OtherRecovery { payee: payee(1), recoverable_minor: 201, approved_minor: 200 };
    assert_eq!(found(&standings, &more_back), [told]);
    let mut moved = standing(1);
    moved.bank.as_mut().expect("details").details = details(77, "A NAME");
    assert_eq!(found(&[moved], &lines), [Discrepancy::BankDetailsChanged(payee(1))]);
    // Without an ABN tax is withheld of more than $75.
    let worth = [CommissionLine { earned_minor: 10_000, ..line(1, 1, 10_000, 0, CUT_OFF) }];
    let content = planned(&own, &standings, &worth);
    let without = [PayeeStanding { abn: None, ..standing(1) }];
    assert_eq!(discrepancies(&content.payouts, &input(&own, &without, &worth)), [Discrepancy::TaxChanged(payee(1))]);
}

#[test]
fn the_content_tells_no_account_and_no_name() {
    let content = planned(&account(false), &[standing(1)], &[line(1, 1, 700, 0, CUT_OFF)]);
    let frozen = FrozenContent::freeze(content).expect("frozen");
    let text = String::from_utf8(frozen.bytes().to_vec()).expect("JSON");
    assert!(!text.contains("A NAME") && !text.contains(details(1, "A NAME").account.as_str()), "{text}");
    assert_eq!(FrozenContent::restore(frozen.bytes().to_vec()).expect("restored"), frozen);
    let spaced = text.replacen(':', ": ", 1);
    assert!(FrozenContent::restore(spaced.into_bytes()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every cent that is available is paid, set off, or left out with a reason.
    #[test]
    fn nothing_is_lost_and_nothing_is_paid_twice(
        raw in prop::collection::vec((0_u128..6, 0_i64..90_000, 0_i64..40_000, 0_i8..4), 0..40),
    ) {
        let lines: Vec<CommissionLine> = raw.iter().zip(1_u128..)
            .map(|((of, available, recoverable, day), n)| line(n, *of, *available, *recoverable, date(2026, 11, 23 + day)))
            .collect();
        let standings: Vec<PayeeStanding> = (0..6).map(standing).collect();
        let content = planned(&account(true), &standings, &lines);
        let mut owed: BTreeMap<PayeeId, (i64, i64)> = BTreeMap::new();
        for line in &lines {
            let (gross, back) = owed.entry(line.payee.expect("a payee")).or_default();
            *gross += if line.payable_on <= CUT_OFF { line.buckets.available_minor } else { 0 };
            *back += line.buckets.recoverable_minor;
        }
        let mut seen = 0;
        for (id, (gross, back)) in owed {
            let paid: Vec<_> = content.payouts.iter().filter(|p| p.payee == id).collect();
            let left: Vec<_> = content.skipped.iter().filter(|s| s.payee == id).collect();
            match (gross, gross > back) {
                (0, _) => prop_assert!(paid.is_empty() && left.is_empty()),
                (_, false) => prop_assert_eq!((paid.len(), left.len(), left[0].gross.0), (0, 1, gross)),
                (_, true) => {
                    prop_assert_eq!((paid.len(), left.len()), (1, 0));
                    let p = paid[0];
                    prop_assert_eq!((p.gross.0, p.recovered.0, p.net.0), (gross, back, gross - back));
                    prop_assert_eq!(p.lines.iter().map(|l| l.sent.0).sum::<i64>(), p.net.0);
                    prop_assert_eq!(p.lines.iter().map(|l| l.set_off.0).sum::<i64>(), back);
                    prop_assert_eq!(p.settled.iter().map(|s| s.amount.0).sum::<i64>(), back);
                    prop_assert!(p.lines.iter().all(|l| l.sent.0 >= 0 && l.set_off.0 >= 0 && l.sent.0 + l.set_off.0 > 0));
                    seen += p.net.0;
                }
            }
        }
        prop_assert_eq!(content.total.0, seen);
        prop_assert!(discrepancies(&content.payouts, &input(&account(true), &standings, &lines)).is_empty());
    }
}
