//! Loans of one provider, statements about them, and what stands in the books; looked at behind the store's back.

use std::collections::BTreeMap;

use diesel::RunQueryDsl;
use domain::access::Actor;
use domain::agreements::facts::Period;
use domain::agreements::{GoverningVersion, VersionContent};
use domain::deals::advance::{AdvanceDeal, advance};
use domain::deals::import::COLUMNS;
use domain::deals::step::{Balance, Step};
use domain::directory::PrefixDirectory;
use domain::directory::payee::BankAccountInput;
use domain::env::Asked;
use domain::kernel::Money;
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::{AgreementId, BankAccountId, DealId, ProviderStatementId};
use domain::payouts::{CreateBankAccount, CreateBankAccountInput, decide};
use domain::provider_statements::ReconciliationError;
use domain::provider_statements::import::{self, ImportStatement};
use domain::provider_statements::mapping_input::{self, SaveMapping, StatementMappingInput};
use harness::platform::Platform;
use jiff::civil::Date;
use serde_json::{Value, json};

/// $600,000.00: half a percent up front is $3,000.00.
pub const LOAN: &str = "600000.00";
pub const UPFRONT: i64 = 300_000;

pub fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

/// 0.5 % up front on expiry (taken back in full within a year), 0.12 % of the balance a year once the provider has paid.
fn lending() -> Value {
    let component = |key: &str, trigger: Value, rate: Value, hold: Value, clawback: Value| {
        json!({
            "key": key, "name": key, "trigger": trigger, "predicate": {"op": "all", "of": []}, "rate": rate,
            "split": [
                {"role": "member", "share": "0.6"},
                {"role": "upline_1", "share": "0.1", "absent_to": "platform"},
                {"role": "platform", "share": "0.3"}
            ],
            "hold": hold, "clawback": clawback, "combine": {"group": key, "mode": "sum"}
        })
    };
    let upfront = json!({"kind": "percent", "of": "settled_amount", "rate": "0.005"});
    let trail = json!({"kind": "trail", "annual_rate": "0.0012", "periods_per_year": 12});
    let settled = json!({"kind": "deal_event", "event": "settled"});
    let year = json!({"kind": "step", "steps": [{"before_months": 12, "fraction": "1"}]});
    let mut trailing = component(
        "trail",
        json!({"kind": "trail"}),
        trail,
        json!({"days": 5, "funding_rule": "on_receipt"}),
        Value::Null,
    );
    trailing.as_object_mut().expect("an object").remove("clawback");
    json!({
        "vertical": "V02", "governing_date": "settled", "effective_from": "2020-01-01",
        "components": [
            trailing,
            component("upfront", settled, upfront, json!({"days": 10, "funding_rule": "on_expiry"}), year),
        ]
    })
}

/// A platform with an own bank account and the members A1 and, below it, A2.
pub struct World {
    pub platform: Platform,
    pub bank: BankAccountId,
}

impl World {
    pub fn new() -> Self {
        let platform = Platform::new();
        platform.onboard("member_ref,upline_ref\nA1,\nA2,A1\n");
        let content = VersionContent::parse(lending().to_string().as_bytes()).expect("the content of a version");
        let version = GoverningVersion::try_new(AgreementId::new(platform.ids.next()), 90, content).expect("canonical");
        let shipped = platform.store().transaction(|uow| uow.agreements().ship("Of a test", &version, platform.now));
        shipped.expect("the version is kept");
        let text = |text: &str| Some(text.to_owned());
        let raw = CreateBankAccountInput {
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
            ..CreateBankAccountInput::default()
        };
        let command = CreateBankAccount::parse(&raw, &PrefixDirectory).expect("a good account");
        let kept = platform
            .store()
            .transaction(|uow| decide::keep_bank_account(uow, &platform.env(), command.clone()))
            .expect("the account is kept");
        Self { bank: kept.id, platform }
    }

    /// Loans: reference, settled on, discharged on; each over $600,000.00.
    pub fn loans(&self, loans: &[(&str, &str, &str)]) {
        let row = |(reference, settled, discharged): &(&str, &str, &str)| {
            format!("{reference},A2,Ann,COMMERCIAL-PROPERTY,2025-12-01,,{settled},{LOAN},,{discharged}\n")
        };
        let text = format!("{}\n{}", COLUMNS.join(","), loans.iter().map(row).collect::<String>());
        let report = self.platform.import(text.as_bytes());
        assert!(report.refused.is_empty(), "{report:?}");
    }

    pub fn deal(&self, reference: &str) -> DealId {
        let sql = format!("select id from deal where external_ref = '{reference}'");
        DealId::new(self.platform.ids_of(&sql)[0])
    }

    pub fn step(&self, deal: DealId, step: Step) {
        let command = AdvanceDeal { deal, step };
        let asked = [Asked { actor: &self.platform.actor, command: &command }];
        let taken = self.platform.store().transaction(|uow| advance(uow, &self.platform.env(), &asked));
        let _ = taken.expect("the store answers").remove(0).expect("the step is taken");
    }

    /// The balance of a month; a trail of a ten-thousandth of it.
    pub fn balance(&self, reference: &str, month: &str, cents: i64) {
        let period = Period { month: day(&format!("{month}-01")), balance: Money::aud(cents) };
        self.step(self.deal(reference), Step::Balance(Balance { period, correction: false }));
    }

    /// How the provider's files read: Loan, Type, Paid, Date.
    pub fn map(&self, gst: &str) {
        let text = |text: &str| Some(text.to_owned());
        let words = |word: &str| Some(vec![word.to_owned()]);
        let raw = StatementMappingInput {
            reference_column: text("Loan"),
            amount_column: text("Paid"),
            gst: text(gst),
            date_column: text("Date"),
            date_format: text("DD/MM/YYYY"),
            kind_column: text("Type"),
            upfront_words: words("Upfront"),
            trail_words: words("Trail"),
            clawback_words: words("Clawback"),
            sample: text("Loan,Type,Paid,Date\nLN-1,Upfront,1.00,05/08/2026\n"),
            ..StatementMappingInput::default()
        };
        let save = SaveMapping::parse(&raw).expect("a good mapping");
        let seen = self.platform.number("select coalesce(max(version), 0) from statement_mapping");
        let seen = i32::try_from(seen).expect("small");
        let provider = self.platform.provider;
        let saved = self
            .platform
            .store()
            .transaction(|uow| mapping_input::save(uow, &self.platform.env(), provider, seen, &save));
        let _ = saved.expect("the mapping is saved");
    }

    /// Imports a statement without working on it.
    pub fn send(
        &self,
        file: &str,
        total_minor: i64,
        (from, to): (&str, &str),
    ) -> Result<ProviderStatementId, ReconciliationError> {
        let command = ImportStatement {
            provider: self.platform.provider,
            bank_account: self.bank,
            period_from: day(from),
            period_to: day(to),
            paid_on: day("2026-11-20").min(self.platform.now.sydney_date()),
            payment_reference: "BANK COMM".to_owned(),
            total_minor,
            bytes: file.as_bytes().to_vec(),
        };
        let taken = self.platform.store().transaction(|uow| import::import(uow, &self.platform.env(), &command));
        taken.map(|(statement, _)| statement.id)
    }

    /// Imports a statement over lines (reference, type, cents as they stand in the file, date) and works on it.
    pub fn state(&self, lines: &[Line], total_minor: i64, period: (&str, &str)) -> ProviderStatementId {
        let id = self.send(&file(lines), total_minor, period).expect("the statement is taken");
        self.platform.work();
        let state = self.texts(&format!(
            "select concat_ws(' ', state, fault_detail) as line from provider_statement where id = '{}'",
            id.uuid()
        ));
        assert_eq!(state, ["posted"]);
        id
    }

    /// Matches a statement again.
    pub fn again(&self, id: ProviderStatementId) {
        let again = self.platform.store().transaction(|uow| import::match_again(uow, &self.platform.env(), id));
        let _ = again.expect("it is matched again");
        self.platform.work();
    }

    /// The balance of a kind of account.
    pub fn balance_of(&self, kind: &str) -> i64 {
        self.platform.number(&format!(
            "select coalesce(sum(balance_minor), 0) from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = '{kind}'"
        ))
    }

    /// The balance of every kind of account that has one.
    pub fn books(&self) -> BTreeMap<String, i64> {
        let lines = self.texts(
            "select a.kind || ' ' || sum(balance_minor) as line from ledger_balance b join ledger_account a on a.id = b.account_id group by a.kind having sum(balance_minor) <> 0",
        );
        let pair =
            |line: &String| line.rsplit_once(' ').map(|(kind, sum)| (kind.to_owned(), sum.parse().expect("a sum")));
        lines.iter().filter_map(pair).collect()
    }

    /// Exceptions that are not resolved: kind, what of, difference; sorted.
    pub fn exceptions(&self) -> Vec<String> {
        let mut found = self.texts(
            "select concat_ws(' ', e.kind, coalesce(l.reference, d.external_ref), to_char(e.period, 'YYYY-MM'), e.received_minor - e.expected_minor) as line
             from provider_exception e left join deal d on d.id = e.deal_id left join provider_statement_line l on l.id = e.line_id
             where e.status <> 'resolved'",
        );
        found.sort();
        found
    }

    /// Results of the lines of a statement, in their order.
    pub fn results(&self, id: ProviderStatementId) -> Vec<String> {
        self.texts(&format!(
            "select result || ' ' || unapplied_minor as line from provider_line_result r where statement_id = '{}' order by r.line",
            id.uuid()
        ))
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            line: String,
        }
        let rows: Vec<Row> = diesel::sql_query(sql).load(&mut self.platform.owner()).expect("rows");
        rows.into_iter().map(|row| row.line).collect()
    }

    /// An actor with a role of the operator.
    pub fn person(&self, n: u128, role: domain::access::Role) -> Actor {
        let scopes = role.scopes().iter().copied().collect();
        Actor { id: uuid::Uuid::from_u128(n), roles: [role].into(), scopes, organisation: None, member: None }
    }
}

/// Reference, type, cents as they stand in the file, date.
pub type Line = (String, &'static str, i64, &'static str);

pub fn line(reference: &str, kind: &'static str, cents: i64, on: &'static str) -> Line {
    (reference.to_owned(), kind, cents, on)
}

/// A file with a header and these lines.
pub fn file(lines: &[Line]) -> String {
    let mut text = "Loan,Type,Paid,Date\n".to_owned();
    for (reference, kind, cents, on) in lines {
        let sign = if *cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        text.push_str(&format!("{reference},{kind},{sign}{}.{:02},{on}\n", cents / 100, cents % 100));
    }
    text
}
