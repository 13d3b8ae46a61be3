//! A payout run over many payees: how long preview, bank files and execution take, and the memory that they need.
//!
//! `payout-bench [PAYEES] [ITEMS]`: on a durable cluster of its own (fsync on), so many members with a payee each and one
//! settled deal each, of which the hold has expired (100,000 unless said otherwise), paid from an account whose bank
//! takes ITEMS lines a file (20,000). Prints the time of each step, of the making of the bank files alone, and the most
//! memory that the process had after it. The harness then checks its promises over all of it. It ends by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant as Tick;

use domain::access::{Actor, Role};
use domain::directory::payee::BankAccountInput;
use domain::env::Env;
use domain::payouts::execute::{self, Execution};
use domain::payouts::{CreateBankAccount, CreateBankAccountInput, OnRun, PreviewRun, bank_file, decide};
use harness::platform::{CountingIds, Platform};
use persistence::cluster::{Cluster, ClusterConfig};
use uuid::Uuid;

const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let argument = |n| std::env::args().nth(n).and_then(|text| text.parse::<u32>().ok());
    let (payees, items) = (argument(1).unwrap_or(100_000), argument(2).unwrap_or(20_000));
    let directory = std::env::temp_dir().join(format!("flip360-payouts-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let platform = Platform::of(cluster.connection(), "payouts");
    filled(&platform, payees);
    // As autovacuum would have it a minute later.
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), "vacuum analyze").expect("vacuum");
    println!("step | seconds | peak MiB");
    let (one, other) = (person(11, Role::Finance), person(12, Role::Approver));
    let (finance, approver) = (Env { actor: &one, ..platform.env() }, Env { actor: &other, ..platform.env() });
    let store = platform.store();
    let raw = own_account(i64::from(items));
    let account = CreateBankAccount::parse(&raw, &domain::directory::PrefixDirectory).expect("an account");
    let account = store
        .transaction(|uow| decide::keep_bank_account(uow, &finance, account.clone()))
        .expect("the account is kept");
    timed("release of what has come off hold", || decide::release_due(store, &finance).expect("released"));
    let preview = PreviewRun { bank_account: account.id, cut_off_on: None };
    let run =
        timed("preview", || store.transaction(|uow| decide::preview(uow, &finance, &preview)).expect("a preview"));
    let on = OnRun { run: run.id, version: None };
    let sha256 = run.content.sha256();
    let _ = timed("propose", || store.transaction(|uow| decide::propose(uow, &finance, &on)).expect("proposed"));
    let _ =
        timed("approve", || store.transaction(|uow| decide::approve(uow, &approver, &on, sha256)).expect("approved"));
    let content = run.content.content();
    let named: Vec<_> = content.payouts.iter().map(|payout| payout.payee).collect();
    let standings = store.transaction(|uow| uow.payouts().lock_standings(&named)).expect("the payees");
    let details: BTreeMap<_, _> = standings.into_iter().filter_map(|s| s.bank).map(|b| (b.id, b.details)).collect();
    let dated = platform.now.sydney_date();
    let files = timed("bank files", || {
        bank_file::make(&account, dated, content, &details, &CountingIds::default()).expect("files")
    });
    let done = timed("execute", || store.transaction(|uow| execute::execute(uow, &finance, &on)).expect("an outcome"));
    let Execution::Done(done) = done else { return eprintln!("the approval was void") };
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    println!("{} payouts in {} files of {} bytes in all", content.payouts.len(), done.files().len(), bytes);
    assert!(done.files().iter().zip(&files).all(|(kept, made)| kept.sha256 == made.about.sha256), "the same bytes");
    // The harness's promises are queries over all of it.
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), "analyze").expect("analyze");
    drop(platform);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}

fn person(n: u128, role: Role) -> Actor {
    let scopes = role.scopes().iter().copied().collect();
    Actor { id: Uuid::from_u128(n), roles: BTreeSet::from([role]), scopes, organisation: None, member: None }
}

fn own_account(items: i64) -> CreateBankAccountInput {
    let text = |text: &str| Some(text.to_owned());
    CreateBankAccountInput {
        name: text("Commission account"),
        account: Some(BankAccountInput {
            bsb: text("062-000"),
            account_number: text("12345678"),
            account_name: text("FLIP 360 PTY LTD"),
        }),
        bank_code: text("CBA"),
        user_name: text("FLIP 360 PTY LTD"),
        user_number: text("301500"),
        remitter: text("FLIP 360"),
        description: text("COMMISSION"),
        self_balancing: Some(true),
        item_limit: Some(items),
        ..CreateBankAccountInput::default()
    }
}

fn filled(platform: &Platform, payees: u32) {
    let members = (0..payees).map(|n| format!("B{n:06},\n"));
    platform.onboard(&std::iter::once("member_ref,upline\n".to_owned()).chain(members).collect::<String>());
    let deals = (0..payees).map(|n| {
        let dollars = 100_000 + n % 400_000;
        format!("P-{n},B{n:06},Client {n},FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,{dollars}.00,0.00,\n")
    });
    eprintln!("importing {payees} settled deals");
    let _ = platform.import(std::iter::once(format!("{HEADER}\n")).chain(deals).collect::<String>().as_bytes());
}

fn timed<R>(step: &str, work: impl FnOnce() -> R) -> R {
    let begun = Tick::now();
    let done = work();
    println!("{step} | {:.2} | {}", begun.elapsed().as_secs_f64(), peak_kib() / 1024);
    done
}

/// The most memory that this process ever had, as Linux tells it; 0 elsewhere.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
