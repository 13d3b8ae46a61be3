//! The bank files of a run: split by what the bank takes, each payout in one, made again byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use domain::directory::BankDetails;
use domain::kernel::Cents;
use domain::kernel::ids::BankAccountId;
use domain::payouts::aba::MAX_TOTAL_MINOR;
use domain::payouts::bank_file::{self, BankFile};
use domain::payouts::content::{BankDetailsRef, ContentType, PlannedPayout, RunContent, VERSION};
use domain::payouts::{BankAccount, decide};
use harness::platform::{CountingIds, Platform};
use jiff::civil::date;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use uuid::Uuid;

use crate::runs::with_deals;
use crate::world::{account, as_, cemtexer, details, file_at, paid, people, read_aba};

/// A content that pays these cents, by bank file or (`true`) by Stripe.
fn content(amounts: &[(i64, bool)]) -> RunContent {
    let payouts: Vec<PlannedPayout> =
        amounts.iter().zip(1_u128..).map(|((cents, stripe), n)| payout(n, *cents, *stripe)).collect();
    RunContent {
        bank_account: BankAccountId::new(Uuid::from_u128(1)),
        currency: domain::kernel::Currency::Aud,
        cut_off_on: date(2026, 11, 25),
        total: Cents(payouts.iter().map(|p| p.net.0).sum()),
        payouts,
        run: domain::kernel::ids::PayoutRunId::new(Uuid::from_u128(5)),
        skipped: Vec::new(),
        r#type: ContentType::PayoutRun,
        v: VERSION,
    }
}

fn payout(n: u128, cents: i64, stripe: bool) -> PlannedPayout {
    let number = u32::try_from(n).expect("small");
    let bank = BankDetailsRef::new(Uuid::from_u128(n), Uuid::from_u128(n), &details(number, "A NAME"));
    PlannedPayout {
        bank_details: (!stripe).then_some(bank),
        gross: Cents(cents),
        gst: Cents(0),
        id: domain::kernel::ids::PayoutId::new(Uuid::from_u128(100 + n)),
        lines: Vec::new(),
        net: Cents(cents),
        payee: domain::kernel::ids::PayeeId::new(Uuid::from_u128(n)),
        recovered: Cents(0),
        reference: domain::payouts::aba::LodgementReference::parse(&format!("FLIP-{n:012}")).expect("a reference"),
        retry_of: None,
        settled: Vec::new(),
        stripe_account: stripe.then(|| format!("acct_{n}")),
        withheld: Cents(0),
    }
}

fn of(content: &RunContent) -> BTreeMap<Uuid, BankDetails> {
    (1..=u128::try_from(content.payouts.len()).expect("small"))
        .map(|n| (Uuid::from_u128(n), details(u32::try_from(n).expect("small"), "A NAME")))
        .collect()
}

fn made(own: &BankAccount, content: &RunContent) -> Vec<BankFile> {
    bank_file::make(own, date(2026, 11, 25), content, &of(content), &CountingIds::default()).expect("files")
}

#[test]
fn a_run_is_split_where_the_bank_or_the_totals_want_it() {
    let counts = |own: &BankAccount, amounts: &[(i64, bool)]| -> Vec<u32> {
        made(own, &content(amounts)).iter().map(|file| file.about.payouts).collect()
    };
    let three = [(10, false), (20, false), (30, false)];
    assert_eq!(counts(&account(false), &three), [3]);
    assert_eq!(counts(&BankAccount { item_limit: 2, ..account(false) }, &three), [2, 1]);
    assert_eq!(counts(&BankAccount { item_limit: 2, ..account(true) }, &three), [1, 1, 1]);
    assert_eq!(
        counts(&account(true), &[(MAX_TOTAL_MINOR, false), (1, false), (MAX_TOTAL_MINOR - 1, false), (1, false)]),
        [1, 2, 1]
    );
    // What goes by Stripe is in no file, and does not count.
    assert_eq!(
        counts(&BankAccount { item_limit: 2, ..account(false) }, &[(1, false), (MAX_TOTAL_MINOR, true), (2, false)]),
        [2]
    );
    assert_eq!(counts(&account(true), &[(1, true)]), [0_u32; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Each payout by bank file is in exactly one file, in order; files keep to the bank's limits and are never
    /// split sooner than they must be.
    #[test]
    fn every_payout_is_in_one_file(
        amounts in prop::collection::vec((1_i64..=MAX_TOTAL_MINOR, prop::bool::weighted(0.2)), 0..40),
        small in prop::collection::vec((1_i64..=900_000, prop::bool::weighted(0.2)), 0..60),
        item_limit in 2_u32..9,
        balanced: bool,
    ) {
        let own = BankAccount { item_limit, ..account(balanced) };
        let content = content(&[amounts, small].concat());
        let files = made(&own, &content);
        prop_assert!(files == made(&own, &content), "the same again");
        let held: Vec<_> = files.iter().flat_map(|file| file.payouts.clone()).collect();
        let wanted: Vec<_> = content.payouts.iter().filter(|p| p.stripe_account.is_none()).collect();
        prop_assert_eq!(held, wanted.iter().map(|p| p.id).collect::<Vec<_>>());
        let mut paid = wanted.iter();
        let mut credits_of = Vec::new();
        for file in &files {
            let read = read_aba(&file.bytes);
            prop_assert!(read.len() <= usize::try_from(item_limit).expect("small"));
            let credits: Vec<i64> = read.iter().filter(|d| d.code == "50").map(|d| d.cents).collect();
            for cents in &credits {
                prop_assert_eq!(Some(*cents), paid.next().map(|p| p.net.0));
            }
            prop_assert_eq!(credits.iter().sum::<i64>(), file.about.total_minor);
            credits_of.push((credits, read.len()));
        }
        for pair in credits_of.windows(2) {
            let (before, lines) = &pair[0];
            let next = pair[1].0[0];
            prop_assert!(*lines == usize::try_from(item_limit).expect("small") || before.iter().sum::<i64>() + next > MAX_TOTAL_MINOR);
        }
    }
}

/// At least 200 files of random runs, split as their banks want it, plain and self-balancing: the checker that nobody
/// here wrote finds nothing in any, and neither do our own checks of what it does not look at.
#[test]
fn cemtexer_finds_nothing_in_200_files_of_random_runs() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let amounts = prop::collection::vec((1_i64..=40_000_000, prop::bool::weighted(0.1)), 1..120);
    let runs = (amounts, 2_u32..40, any::<bool>(), "[A-Z][A-Z0-9 &'.,/+$!%()*#=:?_^@-]{0,30}");
    let mut checked = 0;
    while checked < 200 {
        let (amounts, item_limit, balanced, title) = runs.new_tree(&mut runner).expect("a run").current();
        let own = BankAccount { item_limit, ..account(balanced) };
        let content = content(&amounts);
        let titled = |(id, details): (Uuid, BankDetails)| {
            let title = domain::directory::AbaText::parse(&title).unwrap_or(details.title.clone());
            (id, BankDetails { title, ..details })
        };
        let details = of(&content).into_iter().map(titled).collect();
        let files =
            bank_file::make(&own, date(2026, 11, 25), &content, &details, &CountingIds::default()).expect("files");
        for file in files {
            assert_eq!(cemtexer(&file.bytes, "random-run"), "No errors detected");
            let read = read_aba(&file.bytes);
            assert_eq!(read.iter().filter(|d| d.code == "50").map(|d| d.cents).sum::<i64>(), file.about.total_minor);
            checked += 1;
        }
    }
}

/// An own account whose bank takes two lines a file.
pub fn narrow(platform: &Platform, people: &crate::world::People) -> BankAccount {
    let raw = domain::payouts::CreateBankAccountInput { item_limit: Some(2), ..crate::world::raw(false) };
    let command =
        domain::payouts::CreateBankAccount::parse(&raw, &domain::directory::PrefixDirectory).expect("an account");
    platform
        .store()
        .transaction(|uow| decide::keep_bank_account(uow, &as_(platform, &people.finance), command.clone()))
        .expect("kept")
}

#[test]
fn a_large_run_has_several_files_and_each_is_made_again_from_what_was_approved() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", ""), ("C-3", "M002", ""), ("C-4", "M003", "")]);
    let people = people();
    let own = narrow(&platform, &people);
    let run = paid(&platform, &people, &own);
    let payouts = run.content.content().payouts.len();
    assert!(payouts >= 5 && run.files().len() == payouts.div_ceil(2), "{payouts} in {:?}", run.files());
    let mut credited = Vec::new();
    for (file, n) in run.files().iter().zip(1..) {
        let bytes = file_at(&platform, &run, n).expect("a file");
        assert_eq!((file.n, file.sha256), (n, domain::kernel::Digest::of(&bytes)));
        assert_eq!(cemtexer(&bytes, &format!("part-{n}")), "No errors detected");
        credited.extend(read_aba(&bytes).into_iter().map(|d| d.reference));
    }
    assert_eq!(file_at(&platform, &run, u32::try_from(run.files().len() + 1).expect("small")), None);
    let unique: BTreeSet<&String> = credited.iter().collect();
    assert_eq!((unique.len(), credited.len()), (payouts, payouts));
    assert_eq!(run.files().iter().map(|file| file.total_minor).sum::<i64>(), run.content.content().total.0);
    // From the frozen content, the details that it names and the date in the header: the same bytes.
    let named = domain::payouts::content::FrozenContent::restore(run.content.bytes().to_vec()).expect("the content");
    let payees: Vec<_> = named.content().payouts.iter().map(|p| p.payee).collect();
    let standings = platform.store().transaction(|uow| uow.payouts().lock_standings(&payees)).expect("payees");
    let details = standings.into_iter().filter_map(|s| s.bank).map(|bank| (bank.id, bank.details)).collect();
    let again = bank_file::make(&own, run.files()[0].dated_on, named.content(), &details, &CountingIds::default())
        .expect("files");
    for file in again {
        assert_eq!(Some(file.bytes), file_at(&platform, &run, file.about.n));
    }
    // The database itself keeps a payout out of a second file, and a file as it is.
    let refusal = platform.refusal_of(
        "insert into bank_file_payout (payout_id, file_id) select payout_id, (select id from bank_file order by n desc limit 1) from bank_file_payout i join bank_file f on f.id = i.file_id where f.n = 1 limit 1",
    );
    assert!(refusal.expect("a refusal").contains("bank_file_payout_once"));
    for sql in ["update bank_file set n = 9", "delete from bank_file_payout", "truncate bank_file cascade"] {
        assert!(platform.refusal_of(sql).is_some(), "{sql}");
    }
}
