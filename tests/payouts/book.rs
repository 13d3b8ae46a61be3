//! The ledger read back: balances in both times, entries, exports that another program accepts.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use domain::access::Viewer;
use domain::kernel::{Instant, PageRequest};
use domain::ledger::account::AccountKind;
use domain::ledger::book::{AccountFilter, AccrualBy, AsOf, EntryFilter, EntryRecord};
use domain::ledger::entry::EntryKind;
use domain::ledger::journal::JournalFormat;
use harness::platform::Platform;
use jiff::civil::date;

use crate::runs::{import, with_deals};
use crate::world::{keep, paid, people};

/// Two runs, a clawback of paid money, a recovery.
fn busy() -> Platform {
    let mut platform = with_deals(&[("C-1", "M016", ""), ("C-9", "M001", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    platform.now = Instant::new("2026-11-24T12:00:00Z".parse().expect("a time"));
    import(&platform, &[("C-1", "M016", "2026-06-01"), ("C-2", "M016", ""), ("C-3", "M016", "")]);
    let _ = paid(&platform, &people, &account);
    platform
}

fn entries(platform: &Platform, viewer: &Viewer) -> Vec<EntryRecord> {
    let mut all: Vec<EntryRecord> = Vec::new();
    loop {
        let last = all.last().map_or(0, |e| e.seq);
        let batch = platform.store().read(viewer, |q| q.book().entries_after(last, 3)).expect("entries");
        if batch.is_empty() {
            return all;
        }
        all.extend(batch);
    }
}

fn export(platform: &Platform, format: JournalFormat) -> String {
    let mut text = format.head().to_owned();
    text.extend(entries(platform, &Viewer::Everything).iter().map(|entry| format.write(entry)));
    text
}

/// Cents per account of a journal, read by the format's own rules: an entry begins in the first column,
/// its postings are indented, two blanks end an account's name.
fn read_journal(text: &str) -> (usize, BTreeMap<String, i64>) {
    let (mut count, mut open) = (0, None);
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    for line in text.lines() {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            assert_eq!(open.replace(0), None);
            count += 1;
        } else if let Some(posting) = line.strip_prefix("    ") {
            let posting = posting.split(';').next().expect("a posting");
            let (name, amount) = posting.split_once("  ").expect("two blanks");
            let amount = amount.trim().strip_suffix(" AUD").expect("a currency");
            let cents: i64 = amount.replace('.', "").parse().expect("a number with two decimals");
            assert!(amount.len() - amount.find('.').expect("a point") == 3);
            *balances.entry(name.trim().to_owned()).or_default() += cents;
            open = Some(open.expect("an entry") + cents);
        } else if line.is_empty() {
            assert!(matches!(open.take(), None | Some(0)), "an entry does not balance");
        }
    }
    balances.retain(|_, cents| *cents != 0);
    (count, balances)
}

#[test]
fn the_journal_balances_and_hledger_says_the_same() {
    let platform = busy();
    let text = export(&platform, JournalFormat::Hledger);
    let (count, balances) = read_journal(&text);
    assert_eq!(i64::try_from(count).expect("a count"), platform.number("select count(*) from ledger_entry"));
    assert_eq!(balances.values().sum::<i64>(), 0);
    let of = |kind: &str| balances.iter().filter(|(name, _)| name.contains(kind)).map(|(_, c)| c).sum::<i64>();
    assert_eq!(-of(":payee_in_transit:"), platform.number("select sum(amount_minor) from payout"));
    assert_eq!(of(":clawback_recoverable:"), 0);
    let Ok(mut child) = Command::new("hledger")
        .args(["-f", "-", "balance", "--flat", "--no-total", "-O", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    else {
        eprintln!("hledger is not on the path: the journal was read by the parser above only");
        return;
    };
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("hledger reads");
    let output = child.wait_with_output().expect("hledger ends");
    assert!(output.status.success());
    let said: BTreeMap<String, i64> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .skip(1)
        .map(|line| {
            let (name, amount) = line.trim_matches('"').split_once("\",\"").expect("two columns");
            let amount = amount.trim_end_matches(" AUD").replace(['.', ','], "");
            (name.to_owned(), amount.parse().expect("a number"))
        })
        .collect();
    assert_eq!(said, balances);
}

#[test]
fn csv_and_ndjson_hold_the_same_postings() {
    let platform = busy();
    let postings = platform.number("select count(*) from ledger_posting");
    let csv = export(&platform, JournalFormat::Csv);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert_eq!(i64::try_from(rows.len()).expect("a count"), postings + 1);
    let place = rows[0].iter().position(|name| *name == "amount").expect("a column");
    assert_eq!(rows[1..].iter().map(|row| row[place].parse::<i64>().expect("cents")).sum::<i64>(), 0);
    let mut seen = 0;
    for line in export(&platform, JournalFormat::Ndjson).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let amounts: Vec<i64> = entry["postings"]
            .as_array()
            .expect("postings")
            .iter()
            .map(|p| p["amount"].as_i64().expect("cents"))
            .collect();
        assert_eq!(amounts.iter().sum::<i64>(), 0);
        seen += i64::try_from(amounts.len()).expect("a count");
    }
    assert_eq!(seen, postings);
}

#[test]
fn balances_of_any_past_moment() {
    let platform = busy();
    let trial = |as_of: AsOf| {
        let rows = platform.store().read(&Viewer::Everything, |q| q.book().trial_balance(as_of)).expect("a balance");
        assert_eq!(rows.iter().map(|r| r.debit_minor - r.credit_minor).sum::<i64>(), 0);
        rows.into_iter().map(|r| (r.kind, r.debit_minor - r.credit_minor)).collect::<BTreeMap<_, _>>()
    };
    let at = |text: &str| Some(Instant::new(text.parse().expect("a time")));
    // M016 and its upline M004 by one deal each, M001 and, if it has one, its upline.
    let first =
        -trial(AsOf { recorded_at: at("2026-11-23T12:00:00Z"), effective_on: None })[&AccountKind::PayeeInTransit];
    let both = -trial(AsOf::default())[&AccountKind::PayeeInTransit];
    assert_eq!(both - first, 91_000);
    assert!(trial(AsOf { recorded_at: at("2026-11-23T11:59:59Z"), effective_on: None }).is_empty());
    // By business date nothing had been paid out in May, but all deals had settled.
    let may = trial(AsOf { recorded_at: None, effective_on: Some(date(2026, 5, 31)) });
    assert!(!may.contains_key(&AccountKind::PayeeInTransit) && !may.contains_key(&AccountKind::ClawbackRecoverable));
    let filter = AccountFilter { kind: Some(AccountKind::PayeeInTransit), ..AccountFilter::default() };
    let page = PageRequest::first();
    let accounts =
        platform.store().read(&Viewer::Everything, |q| q.book().list_accounts(&filter, &page)).expect("accounts");
    assert_eq!(accounts.data.iter().map(|a| -a.balance_minor).sum::<i64>(), both);
    for account in &accounts.data {
        let find = |as_of| {
            platform
                .store()
                .read(&Viewer::Everything, |q| q.book().find_account(account.id, as_of))
                .expect("a look")
                .expect("it")
        };
        assert_eq!(find(AsOf::default()), *account);
        assert_eq!(find(AsOf { recorded_at: at("2026-11-23T11:59:59Z"), effective_on: None }).balance_minor, 0);
        let postings = platform
            .store()
            .read(&Viewer::Everything, |q| q.book().account_postings(account.id, &page))
            .expect("postings");
        assert_eq!(postings.data.first().map(|p| p.balance_after_minor), Some(account.balance_minor));
        assert_eq!(postings.data.iter().map(|p| p.amount_minor).sum::<i64>(), account.balance_minor);
    }
}

#[test]
fn entries_are_found_by_what_they_are_about() {
    let platform = busy();
    let find = |filter: EntryFilter| {
        let page = PageRequest::of(200);
        platform.store().read(&Viewer::Everything, |q| q.book().list_entries(&filter, &page)).expect("entries").data
    };
    let all = find(EntryFilter::default());
    assert_eq!(i64::try_from(all.len()).expect("a count"), platform.number("select count(*) from ledger_entry"));
    assert!(all.windows(2).all(|pair| pair[0].seq == pair[1].seq + 1 && pair[0].previous_sha256 == pair[1].sha256));
    let recoveries = find(EntryFilter { kind: Some(EntryKind::ClawbackRecovery), ..EntryFilter::default() });
    assert_eq!(recoveries.len(), 2);
    let payout = recoveries[0].source;
    let of_payout = find(EntryFilter { source: Some(payout), ..EntryFilter::default() });
    assert_eq!(
        of_payout.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(),
        ["payout_initiated", "clawback_recovery"]
    );
    let of_payee = find(EntryFilter { payee: recoveries[0].payee, ..EntryFilter::default() });
    assert_eq!(of_payee.len(), 3);
    let dated = EntryFilter {
        effective_from: Some(date(2026, 6, 1)),
        effective_to: Some(date(2026, 6, 1)),
        ..EntryFilter::default()
    };
    assert_eq!(find(dated).iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(), ["clawback"]);
    let one = platform.store().read(&Viewer::Everything, |q| q.book().find_entry(all[3].id)).expect("a look");
    assert_eq!(one.as_ref(), Some(&all[3]));
    // A partner sees its payees' side of an entry, and not what the provider owes.
    let own = platform
        .store()
        .read(&Viewer::Parties(vec![platform.introducer.uuid()]), |q| q.book().find_entry(recoveries[0].id))
        .expect("a look")
        .expect("it");
    assert_eq!(own.postings, recoveries[0].postings);
    let none = platform
        .store()
        .read(&Viewer::Parties(vec![platform.provider.uuid()]), |q| q.book().find_entry(recoveries[0].id))
        .expect("a look");
    assert_eq!(none, None);
    for entry in entries(&platform, &Viewer::Parties(vec![platform.introducer.uuid()])) {
        assert!(entry.postings.iter().all(|p| p.key.kind != AccountKind::ProviderReceivable));
    }
}

#[test]
fn accruals_sum_to_the_same_whatever_they_are_summed_by() {
    let platform = busy();
    let of = |by| platform.store().read(&Viewer::Everything, |q| q.book().accruals(by)).expect("sums");
    let sums = |by| of(by).iter().fold((0, 0), |(e, c), row| (e + row.earned_minor, c + row.clawed_back_minor));
    let vertical = of(AccrualBy::Vertical);
    assert_eq!(vertical.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["V01"]);
    assert_eq!(sums(AccrualBy::Vertical).0, platform.number("select sum(earned_minor) from commission_line"));
    for by in [AccrualBy::Cohort, AccrualBy::Partner, AccrualBy::Product] {
        assert_eq!(sums(by), sums(AccrualBy::Vertical));
    }
    assert!(of(AccrualBy::Partner)[0].key.starts_with("org_"));
}
