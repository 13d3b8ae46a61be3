//! What the tests of payouts have in common.

use std::collections::BTreeSet;

use domain::access::{Actor, Role};
use domain::directory::payee::BankAccountInput;
use domain::directory::{AbaText, PrefixDirectory, sample};
use domain::env::Env;
use domain::kernel::ids::BankAccountId;
use domain::payouts::execute::{self, Execution};
use domain::payouts::{BankAccount, CreateBankAccount, CreateBankAccountInput, PayoutError, PayoutRun};
use domain::payouts::{OnRun, PreviewRun, decide};
use harness::platform::Platform;
use uuid::Uuid;

/// An own account as its bank describes it.
pub fn account(self_balancing: bool) -> BankAccount {
    create(self_balancing).into_account(BankAccountId::new(Uuid::from_u128(1)))
}

pub fn create(self_balancing: bool) -> CreateBankAccount {
    CreateBankAccount::parse(&raw(self_balancing), &PrefixDirectory).expect("a good account")
}

/// The same, unchecked.
pub fn raw(self_balancing: bool) -> CreateBankAccountInput {
    CreateBankAccountInput {
        name: Some("Commission account".into()),
        account: Some(BankAccountInput {
            bsb: Some("062-000".into()),
            account_number: Some("12345678".into()),
            account_name: Some("FLIP 360 PTY LTD".into()),
        }),
        bank_code: Some("CBA".into()),
        user_name: Some("FLIP 360 PTY LTD".into()),
        user_number: Some("301500".into()),
        remitter: Some("FLIP 360".into()),
        description: Some("COMMISSION".into()),
        self_balancing: Some(self_balancing),
        header_date: None,
        item_limit: None,
        settle_after_days: None,
        csv: None,
    }
}

/// A person with a role of the operator.
pub fn person(n: u128, role: Role) -> Actor {
    Actor {
        id: Uuid::from_u128(n),
        roles: BTreeSet::from([role]),
        scopes: role.scopes().iter().copied().collect(),
        organisation: None,
        member: None,
    }
}

/// Three people: one prepares, one approves, one executes.
pub struct People {
    pub finance: Actor,
    pub approver: Actor,
}

pub fn people() -> People {
    People { finance: person(11, Role::Finance), approver: person(12, Role::Approver) }
}

/// The surroundings of somebody.
pub fn as_<'a>(platform: &'a Platform, actor: &'a Actor) -> Env<'a> {
    Env { actor, ..platform.env() }
}

/// Keeps an own account in the database.
pub fn keep(platform: &Platform, actor: &Actor, self_balancing: bool) -> BankAccount {
    let command = create(self_balancing);
    platform
        .store()
        .transaction(|uow| decide::keep_bank_account(uow, &as_(platform, actor), command.clone()))
        .expect("the account is kept")
}

/// Releases what is due and previews a run.
pub fn preview(platform: &Platform, actor: &Actor, account: &BankAccount) -> PayoutRun {
    let env = as_(platform, actor);
    decide::release_due(platform.store(), &env).expect("a release");
    let command = PreviewRun { bank_account: account.id, cut_off_on: None };
    platform.store().transaction(|uow| decide::preview(uow, &env, &command)).expect("a preview")
}

pub fn on(run: &PayoutRun) -> OnRun {
    OnRun { run: run.id, version: None }
}

pub fn propose(platform: &Platform, actor: &Actor, run: &PayoutRun) -> Result<PayoutRun, PayoutError> {
    platform.store().transaction(|uow| decide::propose(uow, &as_(platform, actor), &on(run)))
}

pub fn approve(platform: &Platform, actor: &Actor, run: &PayoutRun) -> Result<PayoutRun, PayoutError> {
    let sha256 = run.content.sha256();
    platform.store().transaction(|uow| decide::approve(uow, &as_(platform, actor), &on(run), sha256))
}

pub fn execute(platform: &Platform, actor: &Actor, run: &PayoutRun) -> Result<Execution, PayoutError> {
    platform.store().transaction(|uow| execute::execute(uow, &as_(platform, actor), &on(run)))
}

/// From preview to approval by two people.
pub fn approved(platform: &Platform, people: &People, account: &BankAccount) -> PayoutRun {
    let run = preview(platform, &people.finance, account);
    let run = propose(platform, &people.finance, &run).expect("proposed");
    approve(platform, &people.approver, &run).expect("approved")
}

/// From preview to execution.
pub fn paid(platform: &Platform, people: &People, account: &BankAccount) -> PayoutRun {
    let run = approved(platform, people, account);
    match execute(platform, &people.finance, &run).expect("an outcome") {
        Execution::Done(run) => run,
        Execution::Voided(_, why) => panic!("voided: {why:?}"),
    }
}

/// The first bank file of a run.
pub fn file(platform: &Platform, run: &PayoutRun) -> Vec<u8> {
    file_at(platform, run, 1).expect("a file")
}

/// A bank file of a run.
pub fn file_at(platform: &Platform, run: &PayoutRun, n: u32) -> Option<Vec<u8>> {
    platform.store().read(&domain::access::Viewer::Everything, |q| q.payouts().find_file(run.id, n)).expect("a look")
}

/// Bank details of a number.
pub fn details(n: u32, title: &str) -> domain::directory::BankDetails {
    sample::bank_details(n, AbaText::parse(title).expect("a title"))
}

/// One record of a bank file as read by its positions alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Detail {
    pub bsb: String,
    pub account: String,
    pub code: String,
    pub cents: i64,
    pub title: String,
    pub reference: String,
}

/// Reads a bank file by the positions of the format and checks what no foreign checker does: line ends,
/// length, characters, zero amounts, sums and count of the trailer.
pub fn read_aba(bytes: &[u8]) -> Vec<Detail> {
    assert_eq!(bytes.len() % 122, 0, "records of 120 bytes and CRLF");
    let records: Vec<&[u8]> = bytes.chunks(122).collect();
    for record in &records {
        assert_eq!(&record[120..], b"\r\n", "CRLF after each record");
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || b" &',-./+$!%()*#=:?[]_^@".contains(b);
        assert!(record[..120].iter().all(allowed), "{:?}", String::from_utf8_lossy(record));
    }
    let text = |record: &[u8], from: usize, to: usize| String::from_utf8(record[from - 1..to].to_vec()).expect("ASCII");
    let number = |record: &[u8], from: usize, to: usize| text(record, from, to).parse::<i64>().expect("digits");
    let (first, rest) = records.split_first().expect("a header");
    let (last, details) = rest.split_last().expect("a trailer");
    assert_eq!((first[0], last[0]), (b'0', b'7'));
    assert_eq!(text(last, 2, 8), "999-999");
    let details: Vec<Detail> = details
        .iter()
        .map(|record| {
            assert_eq!(record[0], b'1');
            assert_eq!(text(record, 113, 120), "00000000");
            Detail {
                bsb: text(record, 2, 8),
                account: text(record, 9, 17).trim_start().to_owned(),
                code: text(record, 19, 20),
                cents: number(record, 21, 30),
                title: text(record, 31, 62).trim_end().to_owned(),
                reference: text(record, 63, 80).trim_end().to_owned(),
            }
        })
        .collect();
    assert!(details.iter().all(|d| d.cents > 0), "no amount of nothing");
    assert!(details.iter().all(|d| !d.reference.starts_with(['0', '-'])));
    let sum = |debit: bool| details.iter().filter(|d| (d.code == "13") == debit).map(|d| d.cents).sum::<i64>();
    let (credits, debits) = (sum(false), sum(true));
    assert_eq!(number(last, 31, 40), credits);
    assert_eq!(number(last, 41, 50), debits);
    assert_eq!(number(last, 21, 30), (credits - debits).abs());
    assert_eq!(number(last, 75, 80), i64::try_from(details.len()).expect("a count"));
    details
}

/// What the `cemtexer` checker says of a file.
pub fn cemtexer(bytes: &[u8], name: &str) -> String {
    let folder = std::env::temp_dir();
    let own = std::process::id();
    let (aba, report) = (folder.join(format!("{name}-{own}.aba")), folder.join(format!("{name}-{own}.txt")));
    std::fs::write(&aba, bytes).expect("the file is written");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let parsed = cemtexer::cemtex::Cemtex::new(&aba).await;
        parsed.validate(report.display().to_string()).await;
    });
    // Its file is written by a background thread of the runtime, which ends with it.
    drop(runtime);
    let said = std::fs::read_to_string(&report).expect("a report");
    for path in [aba, report] {
        std::fs::remove_file(path).expect("the file is removed");
    }
    said
}
