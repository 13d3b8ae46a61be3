//! Facts and decisions: the same commission as by import, each command its own outcome, batches as if
//! each had come alone.

use domain::deals::advance::AdvanceDealError;
use domain::deals::deal::Stage;
use domain::deals::step::{Correction, Decision, DecisionReason, Step, StepError};
use domain::kernel::Money;
use domain::kernel::ids::{DealId, OrganisationId};
use harness::platform::Platform;
use serde_json::Value;

use super::{EXAMPLE, EXAMPLE_EXPECTED, EXAMPLE_MEMBERS, day, deal, facts_of, file, partner, settlement, step, take};

fn decision(to: Stage) -> Step {
    Step::Decision(Decision { to, on: None, reason: None })
}

/// A platform with so many referrals `R-0`, `R-1` … of member M016.
fn referrals(count: usize) -> (Platform, Vec<DealId>) {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let rows: Vec<String> = (0..count).map(|n| format!("R-{n},M016,Ann,FIXED-3Y,2026-01-01,,,,,")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let report = platform.import(&file(&rows));
    assert_eq!(report.created, count as u64);
    let deals = (0..count).map(|n| deal(&platform, &format!("R-{n}"))).collect();
    (platform, deals)
}

#[test]
fn facts_come_to_the_cent_to_what_the_export_comes_to() {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let all = facts_of(EXAMPLE);
    let rows: Vec<String> = all
        .iter()
        .map(|(reference, member, product, facts)| {
            format!("{reference},{member},Ann,{product},{},,,,,", facts.referred_on)
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let _ = platform.import(&file(&rows));
    let expected: Value = serde_json::from_str(EXAMPLE_EXPECTED).expect("JSON");
    let known = |reference: &str| {
        platform.number(&format!("select count(*) from deal where external_ref = '{reference}'")) == 1
    };
    let deals: Vec<_> =
        all.iter().filter(|(reference, ..)| known(reference)).map(|d| (deal(&platform, &d.0), d.3)).collect();
    let pick: [&dyn Fn(&domain::agreements::facts::DealFacts) -> Option<Step>; 3] =
        [&|f| f.contracted_on.map(|on| Step::Contract { on }), &|f| f.settlement.map(Step::Settlement), &|f| {
            f.discharged_on.map(|on| Step::Discharge { on })
        }];
    for pick in pick {
        let commands: Vec<_> =
            deals.iter().filter_map(|(deal, facts)| pick(facts).map(|step| (&platform.actor, *deal, step))).collect();
        assert!(take(&platform, &commands).iter().all(Result::is_ok));
    }
    for (name, member) in expected["members"].as_object().expect("members") {
        let figure = |column: &str| {
            platform.number(&format!(
                "select coalesce(sum({column}), 0) from commission_line l join member m on m.id = l.member_id where m.member_ref = '{name}'"
            ))
        };
        let wanted = (member["earned"].as_i64().expect("earned"), member["clawed_back"].as_i64().expect("clawed back"));
        assert_eq!((figure("earned_minor"), figure("clawed_back_minor")), wanted, "{name}");
    }
    for (stage, count) in expected["stages"].as_object().expect("stages") {
        let found = platform.number(&format!("select count(*) from deal where stage = '{stage}'"));
        assert_eq!(found, count.as_i64().expect("a count"), "{stage}");
    }
}

#[test]
fn each_command_of_a_batch_has_its_own_actor_and_its_own_outcome() {
    let (platform, deals) = referrals(4);
    let (provider, introducer) = (partner(platform.provider), partner(platform.introducer));
    let stranger = partner(OrganisationId::new(uuid::Uuid::from_u128(77)));
    let mut reader = partner(platform.provider);
    reader.scopes.clear();
    let settle = Step::Settlement(settlement("2026-02-01", 10_000_000));
    let command = |actor, deal, step| (actor, deal, step);
    let outcomes = take(
        &platform,
        &[
            command(&provider, deals[0], settle.clone()),
            command(&stranger, deals[1], settle.clone()),
            command(&reader, deals[1], settle.clone()),
            command(&introducer, deals[0], settle.clone()),
            command(&provider, deals[0], Step::Settlement(settlement("2026-02-01", 10_000_001))),
            command(&provider, DealId::new(uuid::Uuid::from_u128(5)), settle),
            command(&introducer, deals[2], decision(Stage::Accepted)),
            command(&provider, deals[2], decision(Stage::Accepted)),
            command(&provider, deals[3], Step::Discharge { on: day("2026-02-02") }),
            command(&introducer, deals[2], decision(Stage::InProgress)),
        ],
    );
    assert!(outcomes[0].as_ref().is_ok_and(|a| a.deal.stage == Stage::Settled && a.calculation.is_some()));
    assert_eq!(outcomes[1], Err(AdvanceDealError::NotFound));
    assert!(matches!(outcomes[2], Err(AdvanceDealError::MissingScope(_))));
    assert!(
        outcomes[3].as_ref().is_ok_and(|a| a.fact.is_none() && a.calculation.is_none() && a.transitions.is_empty())
    );
    assert_eq!(outcomes[4], Err(StepError::KnownOtherwise("settlement").into()));
    assert_eq!(outcomes[5], Err(AdvanceDealError::NotFound));
    assert_eq!(outcomes[6], Err(AdvanceDealError::ProviderOnly));
    assert!(outcomes[7].as_ref().is_ok_and(|a| a.deal.stage == Stage::Accepted));
    assert_eq!(outcomes[8], Err(StepError::NotSettled.into()));
    assert!(outcomes[9].as_ref().is_ok_and(|a| a.deal.stage == Stage::InProgress));
    assert_eq!(platform.number("select count(*) from deal_fact where kind = 'settlement'"), 1);
    assert_eq!(platform.number("select count(*) from ledger_entry where kind = 'accrual'"), 1);
    // 0.65 % of $100,000.00, of which the member has 60 %.
    assert_eq!(platform.number("select earned_minor from commission_line where role = 'member'"), 39_000);
    let actors = platform.number(&format!(
        "select count(*) from deal_transition where actor_id = '{}' and to_stage in ('settled', 'accepted')",
        provider.id
    ));
    assert_eq!(actors, 2);
}

#[test]
fn nothing_is_earned_without_a_sealed_handshake() {
    let (platform, deals) = referrals(1);
    let unsealed = DealId::new(uuid::Uuid::from_u128(0xdea1));
    let copy = format!(
        "insert into deal (id, provider_id, introducer_id, member_id, client_id, product_id, vertical_id, stage, source_organisation_id, external_ref, referred_on, visible_to, created_at, updated_at)
         select '{id}', provider_id, introducer_id, member_id, client_id, product_id, vertical_id, stage, source_organisation_id, 'UNSEALED', referred_on, visible_to, created_at, updated_at from deal where id = '{from}';
         insert into deal_transition select '{id}', n, from_stage, to_stage, reason, occurred_on, known_at, actor_id from deal_transition where deal_id = '{from}';
         insert into outbox (event_id, type, subject_id, data, visible_to, occurred_at)
         select gen_random_uuid(), type, '{id}', data, visible_to, occurred_at from outbox where subject_id = '{from}' and type <> 'deal.fact_recorded'",
        id = unsealed.uuid(),
        from = deals[0].uuid()
    );
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), &copy).expect("an unsealed deal");
    let settle = Step::Settlement(settlement("2026-02-01", 10_000_000));
    assert_eq!(step(&platform, unsealed, settle), Err(AdvanceDealError::NotSealed));
    let contracted = step(&platform, unsealed, Step::Contract { on: day("2026-01-15") }).expect("a contract");
    assert_eq!((contracted.deal.stage, contracted.calculation), (Stage::Contracted, None));
    assert_eq!(platform.number("select count(*) from commission_line"), 0);
}

#[test]
fn every_contradiction_is_told_at_once_and_nothing_is_kept() {
    let (platform, deals) = referrals(1);
    let facts = || platform.number("select count(*) from deal_fact");
    let before = facts();
    let wrong = Correction {
        referred_on: Some(day("2026-03-01")),
        contracted_on: Some(day("2026-02-01")),
        settlement: Some(domain::agreements::facts::Settlement::of(day("2026-01-01"), Money::aud(-2), Money::aud(-1))),
        discharged_on: Some(day("2025-12-31")),
    };
    let Err(AdvanceDealError::Step(StepError::Faults(faults))) = step(&platform, deals[0], Step::Correction(wrong))
    else {
        panic!("a contradiction was taken");
    };
    let found: Vec<(&str, &str)> = faults.0.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
    assert_eq!(
        found,
        [
            ("/contracted_on", "date_out_of_order"),
            ("/settlement/on", "date_out_of_order"),
            ("/discharged_on", "date_out_of_order"),
            ("/settlement/amount", "negative_amount"),
            ("/settlement/offset", "negative_amount"),
            ("/settlement/offset", "offset_exceeds_amount"),
        ]
    );
    for amount in [i64::MAX, 9_007_199_254_740_992] {
        let settle = Step::Settlement(settlement("2026-02-01", amount));
        assert_eq!(step(&platform, deals[0], settle), Err(AdvanceDealError::OutOfRange), "{amount}");
    }
    assert_eq!(facts(), before);
}

#[test]
fn people_decide_only_what_the_stage_allows_and_facts_decide_the_rest() {
    use Stage::{Accepted, Contracted, Declined, InProgress, Lost, Referred, Reversed, Settled, Withdrawn};
    let allowed = |from: Stage, to: Stage| match from {
        Referred => matches!(to, Accepted | Declined | Withdrawn | Lost),
        Accepted => matches!(to, InProgress | Withdrawn | Lost),
        InProgress | Contracted => matches!(to, Withdrawn | Lost),
        Settled | Reversed | Declined | Withdrawn | Lost => false,
    };
    for from in Stage::ALL {
        for to in Stage::ALL {
            assert_eq!(from.may_become(to), allowed(from, to), "{from:?} {to:?}");
        }
    }
    let (platform, deals) = referrals(1);
    let lost = Step::Decision(Decision { to: Lost, on: None, reason: Some(DecisionReason::Competitor) });
    let moved = step(&platform, deals[0], lost).expect("lost");
    assert_eq!(moved.transitions[0].reason, "competitor");
    let settle = Step::Settlement(settlement("2026-02-01", 10_000_000));
    assert_eq!(step(&platform, deals[0], settle), Err(StepError::Closed(Lost).into()));
    // A later export that says no more than a contract does not undo the decision; a settlement does.
    let row = |rest: &str| file(&[&format!("R-0,M016,Ann,FIXED-3Y,2026-01-01,{rest}")]);
    let _ = platform.import(&row("2026-01-10,,,,"));
    assert_eq!(platform.number("select count(*) from deal where stage = 'lost'"), 1);
    let _ = platform.import(&row("2026-01-10,2026-02-01,100000.00,,"));
    assert_eq!(platform.number("select count(*) from deal where stage = 'settled'"), 1);
}

#[test]
fn an_accepted_deal_stays_accepted_when_the_export_is_sent_again() {
    let (platform, deals) = referrals(1);
    step(&platform, deals[0], decision(Stage::Accepted)).expect("accepted");
    let again = platform.import(&file(&["R-0,M016,Anna,FIXED-3Y,2026-01-01,,,,,"]));
    assert_eq!(again.corrected, 1);
    assert_eq!(platform.number("select count(*) from deal where stage = 'accepted'"), 1);
}

#[test]
fn a_correction_takes_back_what_should_not_have_been() {
    let (platform, deals) = referrals(1);
    step(&platform, deals[0], Step::Settlement(settlement("2026-02-01", 10_000_000))).expect("settled");
    let nothing = Correction { referred_on: None, contracted_on: None, settlement: None, discharged_on: None };
    let undone = step(&platform, deals[0], Step::Correction(nothing)).expect("corrected");
    assert_eq!(undone.deal.stage, Stage::Referred);
    assert_eq!(undone.transitions[0].reason, "correction");
    assert_eq!(platform.number("select sum(earned_minor) from commission_line"), 0);
    step(&platform, deals[0], Step::Settlement(settlement("2026-02-03", 20_000_000))).expect("settled again");
    assert_eq!(platform.number("select earned_minor from commission_line where role = 'member'"), 78_000);
}

/// Small numbers that look random and are the same in each run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn step(&mut self) -> Step {
        let on = |n: u64| day(&format!("2026-0{}-1{}", 2 + n % 4, n % 3));
        let settled = settlement(&format!("2026-03-1{}", self.below(2)), 10_000_000 + self.below(3) as i64);
        match self.below(8) {
            0 => Step::Contract { on: on(self.below(2)) },
            1 | 2 => Step::Settlement(settled),
            3 => Step::Discharge { on: on(self.below(6)) },
            4 => Step::Correction(Correction {
                referred_on: None,
                contracted_on: None,
                settlement: (self.below(2) == 0).then_some(settled),
                discharged_on: None,
            }),
            5 => decision(Stage::Accepted),
            6 => decision(Stage::InProgress),
            _ => decision(Stage::Lost),
        }
    }
}

/// What a deal has come to, whatever its ids.
fn state(platform: &Platform) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let sql = "select concat_ws(' ', d.external_ref, d.stage, d.contracted_on, d.settled_on, d.settled_minor, d.discharged_on,
        (select string_agg(concat_ws('/', t.n, t.from_stage, t.to_stage, t.reason, t.occurred_on), ' ' order by n) from deal_transition t where t.deal_id = d.id),
        (select string_agg(concat_ws('/', l.role, l.level, l.earned_minor, l.clawed_back_minor, l.accrued_minor, l.recoverable_minor), ' ' order by role, level) from commission_line l where l.deal_id = d.id),
        (select string_agg(f.kind, ' ' order by f.id) from deal_fact f where f.deal_id = d.id)) as line from deal d order by d.external_ref";
    let rows: Vec<Row> = diesel::RunQueryDsl::load(diesel::sql_query(sql), &mut platform.owner()).expect("the state");
    rows.into_iter().map(|row| row.line).collect()
}

#[test]
fn a_batch_comes_to_what_its_commands_come_to_one_by_one() {
    for seed in 1..=6_u64 {
        let mut draws = Draws(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let steps: Vec<(usize, Step)> = (0..40).map(|_| (draws.below(5) as usize, draws.step())).collect();
        let (singly, ones) = referrals(5);
        let (batched, many) = referrals(5);
        let alone: Vec<bool> = steps.iter().map(|(at, s)| step(&singly, ones[*at], s.clone()).is_ok()).collect();
        let mut together = Vec::new();
        let mut rest = steps.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(1 + draws.below(12) as usize));
            let commands: Vec<_> = now.iter().map(|(at, s)| (&batched.actor, many[*at], s.clone())).collect();
            together.extend(take(&batched, &commands).iter().map(Result::is_ok));
            rest = later;
        }
        assert_eq!(alone, together, "seed {seed}");
        assert!(alone.iter().any(|ok| *ok) && alone.iter().any(|ok| !*ok), "seed {seed} tells nothing");
        assert_eq!(state(&singly), state(&batched), "seed {seed}");
    }
}
