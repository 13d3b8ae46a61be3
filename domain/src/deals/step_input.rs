//! Requests to record a fact or a decision, unchecked; reading them finds every fault at once.

use jiff::civil::Date;

use super::deal::Stage;
use super::step::{Balance, Correction, Decision, DecisionReason, Reached, Step};
use crate::agreements::facts::{Measures, Period, Settlement};
use crate::agreements::model::ComponentKey;
use crate::kernel::fault::Reason;
use crate::kernel::{Faults, Money};

/// An amount, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoneyInput {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A settlement, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettlementInput {
    /// `/on`
    pub on: Option<String>,
    /// `/amount`
    pub amount: Option<MoneyInput>,
    /// `/offset`; none = nothing.
    pub offset: Option<MoneyInput>,
    /// `/measures`; none = nothing is told.
    pub measures: Option<MeasuresInput>,
}

/// Further amounts and counts, unchecked, in the order of [`Measures::AMOUNTS`] and [`Measures::COUNTS`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeasuresInput {
    /// `/premium`, `/fee`, `/salary`, `/rent`, `/margin`
    pub amounts: [Option<MoneyInput>; 5],
    /// `/units`, `/connections`, `/kilowatts`, `/policies`, `/travellers`
    pub counts: [Option<i64>; 5],
}

/// A fact, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactInput {
    /// `/kind`: `contract`, `settlement`, `discharge`, `milestone`, `balance`, `correction`.
    pub kind: Option<String>,
    /// `/on`, `/amount`, `/offset`, `/measures`: a single fact.
    pub single: SettlementInput,
    /// `/referred_on`: a correction.
    pub referred_on: Option<String>,
    /// `/contracted_on`: a correction.
    pub contracted_on: Option<String>,
    /// `/settlement`: a correction.
    pub settlement: Option<SettlementInput>,
    /// `/discharged_on`: a correction.
    pub discharged_on: Option<String>,
    /// `/name`: a milestone.
    pub name: Option<String>,
    /// `/month`: a balance.
    pub month: Option<String>,
    /// `/balance`: a balance.
    pub balance: Option<MoneyInput>,
    /// `/correction`: whether a milestone or a balance may differ from what is known.
    pub correction: Option<bool>,
}

/// A decision, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionInput {
    /// `/to`: `accepted`, `in_progress`, `contracted`, `declined`, `withdrawn`, `lost`.
    pub to: Option<String>,
    /// `/on`
    pub on: Option<String>,
    /// `/reason`
    pub reason: Option<String>,
}

impl Step {
    /// Reads a fact.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse_fact(raw: &FactInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let step = match raw.kind.as_deref() {
            Some("contract") => on(&mut faults, raw).map(|on| Self::Contract { on }),
            Some("discharge") => on(&mut faults, raw).map(|on| Self::Discharge { on }),
            Some("settlement") => {
                no_correction(&mut faults, raw);
                no_trail(&mut faults, raw);
                settlement(&mut faults, "", &raw.single).map(Self::Settlement)
            }
            Some("correction") => correction(&mut faults, raw).map(Self::Correction),
            Some("milestone") => milestone(&mut faults, raw).map(Self::Milestone),
            Some("balance") => balance(&mut faults, raw).map(Self::Balance),
            Some(_) => {
                let detail = "expected one of: contract, settlement, discharge, milestone, balance, correction";
                faults.push("/kind", "unknown_value", detail);
                None
            }
            None => {
                required(&mut faults, "/kind");
                None
            }
        };
        step.filter(|_| faults.0.is_empty()).ok_or(faults)
    }

    /// Reads a decision. A contract has a date of its own and is a fact, however it is told.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse_decision(raw: &DecisionInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let on = raw.on.as_deref().and_then(|text| date(&mut faults, "/on", text));
        let reason = raw.reason.as_deref().and_then(|text| {
            let reason = DecisionReason::parse(text);
            if reason.is_none() {
                let known: Vec<&str> = DecisionReason::ALL.iter().map(|reason| reason.as_str()).collect();
                faults.push("/reason", "unknown_value", format!("expected one of: {}", known.join(", ")));
            }
            reason
        });
        let step = match raw.to.as_deref().map(Stage::parse) {
            Some(Some(Stage::Contracted)) => {
                if raw.on.is_none() {
                    required(&mut faults, "/on");
                }
                on.map(|on| Self::Contract { on })
            }
            Some(Some(
                to @ (Stage::Accepted | Stage::InProgress | Stage::Declined | Stage::Withdrawn | Stage::Lost),
            )) => Some(Self::Decision(Decision { to, on, reason })),
            Some(_) => {
                let detail = "expected one of: accepted, in_progress, contracted, declined, withdrawn, lost; what settles or unwinds is a fact";
                faults.push("/to", "unknown_value", detail);
                None
            }
            None => {
                required(&mut faults, "/to");
                None
            }
        };
        step.filter(|_| faults.0.is_empty()).ok_or(faults)
    }
}

fn required(faults: &mut Faults, pointer: impl Into<String>) {
    faults.push(pointer, "required", "this field is required");
}

fn unexpected(faults: &mut Faults, pointer: &str, given: bool) {
    if given {
        faults.push(pointer, "unexpected", "this kind of fact has no such field");
    }
}

fn date(faults: &mut Faults, pointer: &str, text: &str) -> Option<Date> {
    // Parsing alone would take other ISO forms; writing it back takes only YYYY-MM-DD.
    let parsed = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    if parsed.is_none() {
        faults.push(pointer, "invalid_date", "expected a date of the calendar, YYYY-MM-DD");
    }
    parsed
}

/// An amount in Australian dollars.
pub fn money(faults: &mut Faults, pointer: &str, raw: &MoneyInput) -> Option<Money> {
    if raw.currency == "AUD" {
        return Some(Money::aud(raw.amount));
    }
    faults.push(format!("{pointer}/currency"), "unknown_value", "expected AUD");
    None
}

/// The day of a fact that has nothing else.
fn on(faults: &mut Faults, raw: &FactInput) -> Option<Date> {
    no_correction(faults, raw);
    no_amounts(faults, raw);
    no_trail(faults, raw);
    match &raw.single.on {
        Some(text) => date(faults, "/on", text),
        None => {
            required(faults, "/on");
            None
        }
    }
}

fn no_correction(faults: &mut Faults, raw: &FactInput) {
    unexpected(faults, "/referred_on", raw.referred_on.is_some());
    unexpected(faults, "/contracted_on", raw.contracted_on.is_some());
    unexpected(faults, "/settlement", raw.settlement.is_some());
    unexpected(faults, "/discharged_on", raw.discharged_on.is_some());
}

fn no_amounts(faults: &mut Faults, raw: &FactInput) {
    unexpected(faults, "/amount", raw.single.amount.is_some());
    unexpected(faults, "/offset", raw.single.offset.is_some());
    unexpected(faults, "/measures", raw.single.measures.is_some());
}

/// What only milestones and balances have.
fn no_trail(faults: &mut Faults, raw: &FactInput) {
    unexpected(faults, "/name", raw.name.is_some());
    unexpected(faults, "/month", raw.month.is_some());
    unexpected(faults, "/balance", raw.balance.is_some());
    unexpected(faults, "/correction", raw.correction.is_some());
}

fn milestone(faults: &mut Faults, raw: &FactInput) -> Option<Reached> {
    no_correction(faults, raw);
    no_amounts(faults, raw);
    unexpected(faults, "/month", raw.month.is_some());
    unexpected(faults, "/balance", raw.balance.is_some());
    let name = match raw.name.as_deref().map(ComponentKey::parse) {
        Some(Ok(name)) => Some(name),
        Some(Err(error)) => {
            faults.push("/name", error.code(), error.to_string());
            None
        }
        None => {
            required(faults, "/name");
            None
        }
    };
    let correction = raw.correction.unwrap_or(false);
    let on = match &raw.single.on {
        Some(text) => date(faults, "/on", text).map(Some),
        // It was not reached after all.
        None if correction => Some(None),
        None => {
            required(faults, "/on");
            None
        }
    };
    Some(Reached { name: name?, on: on?, correction })
}

fn balance(faults: &mut Faults, raw: &FactInput) -> Option<Balance> {
    no_correction(faults, raw);
    no_amounts(faults, raw);
    unexpected(faults, "/on", raw.single.on.is_some());
    unexpected(faults, "/name", raw.name.is_some());
    let month = match raw.month.as_deref() {
        Some(text) => month(faults, "/month", text),
        None => {
            required(faults, "/month");
            None
        }
    };
    let balance = match &raw.balance {
        Some(raw) => money(faults, "/balance", raw),
        None => {
            required(faults, "/balance");
            None
        }
    };
    let period = Period { month: month?, balance: balance? };
    Some(Balance { period, correction: raw.correction.unwrap_or(false) })
}

/// The first day of a month that is written YYYY-MM.
pub fn month(faults: &mut Faults, pointer: &str, text: &str) -> Option<Date> {
    let first = format!("{text}-01");
    let parsed = first.parse::<Date>().ok().filter(|date| date.to_string() == first);
    if parsed.is_none() {
        faults.push(pointer, "invalid_month", "expected a month of the calendar, YYYY-MM");
    }
    parsed
}

fn measures(faults: &mut Faults, at: &str, raw: &MeasuresInput) -> Option<Measures> {
    let mut amounts = [None; 5];
    let before = faults.0.len();
    for ((name, raw), amount) in Measures::AMOUNTS.into_iter().zip(&raw.amounts).zip(&mut amounts) {
        *amount = raw.as_ref().and_then(|raw| money(faults, &format!("{at}/{name}"), raw));
    }
    (faults.0.len() == before).then(|| Measures::of(amounts, raw.counts))
}

/// A settlement whose fields stand below `at`.
pub fn settlement(faults: &mut Faults, at: &str, raw: &SettlementInput) -> Option<Settlement> {
    let on = match &raw.on {
        Some(text) => date(faults, &format!("{at}/on"), text),
        None => {
            required(faults, format!("{at}/on"));
            None
        }
    };
    let amount = match &raw.amount {
        Some(raw) => money(faults, &format!("{at}/amount"), raw),
        None => {
            required(faults, format!("{at}/amount"));
            None
        }
    };
    let offset = raw.offset.as_ref().map_or(Some(Money::ZERO), |raw| money(faults, &format!("{at}/offset"), raw));
    let measures = match &raw.measures {
        Some(raw) => measures(faults, &format!("{at}/measures"), raw),
        None => Some(Measures::NONE),
    };
    Some(Settlement { measures: measures?, ..Settlement::of(on?, amount?, offset?) })
}

fn correction(faults: &mut Faults, raw: &FactInput) -> Option<Correction> {
    unexpected(faults, "/on", raw.single.on.is_some());
    no_amounts(faults, raw);
    no_trail(faults, raw);
    let mut day = |pointer, text: &Option<String>| match text {
        Some(text) => date(faults, pointer, text).map(Some),
        None => Some(None),
    };
    let referred_on = day("/referred_on", &raw.referred_on);
    let contracted_on = day("/contracted_on", &raw.contracted_on);
    let discharged_on = day("/discharged_on", &raw.discharged_on);
    let settlement = match &raw.settlement {
        Some(raw) => settlement(faults, "/settlement", raw).map(Some),
        None => Some(None),
    };
    Some(Correction {
        referred_on: referred_on?,
        contracted_on: contracted_on?,
        settlement: settlement?,
        discharged_on: discharged_on?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(step: Result<Step, Faults>) -> Vec<(String, &'static str)> {
        step.expect_err("faults").0.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn every_fault_of_a_fact_is_told_at_once() {
        let at = |pairs: &[(&str, &'static str)]| pairs.iter().map(|(p, c)| ((*p).to_owned(), *c)).collect::<Vec<_>>();
        assert_eq!(told(Step::parse_fact(&FactInput::default())), at(&[("/kind", "required")]));
        let wrong = FactInput {
            kind: Some("settlement".into()),
            single: SettlementInput {
                on: Some("2026-02-30".into()),
                amount: None,
                offset: Some(MoneyInput { amount: 1, currency: "USD".into() }),
                measures: None,
            },
            discharged_on: Some("2026-01-01".into()),
            ..FactInput::default()
        };
        let found = at(&[
            ("/discharged_on", "unexpected"),
            ("/on", "invalid_date"),
            ("/amount", "required"),
            ("/offset/currency", "unknown_value"),
        ]);
        assert_eq!(told(Step::parse_fact(&wrong)), found);
        let correction = FactInput {
            kind: Some("correction".into()),
            single: SettlementInput { on: Some("2026-01-01".into()), ..SettlementInput::default() },
            referred_on: Some("20260101".into()),
            settlement: Some(SettlementInput::default()),
            ..FactInput::default()
        };
        let found = at(&[
            ("/on", "unexpected"),
            ("/referred_on", "invalid_date"),
            ("/settlement/on", "required"),
            ("/settlement/amount", "required"),
        ]);
        assert_eq!(told(Step::parse_fact(&correction)), found);
    }

    #[test]
    fn a_decision_names_a_stage_that_people_decide_on() {
        let decision = |to: &str, on: Option<&str>, reason: Option<&str>| {
            Step::parse_decision(&DecisionInput {
                to: Some(to.into()),
                on: on.map(Into::into),
                reason: reason.map(Into::into),
            })
        };
        for to in ["referred", "settled", "reversed", "accept", ""] {
            assert_eq!(told(decision(to, None, None)), [("/to".to_owned(), "unknown_value")], "{to}");
        }
        assert_eq!(told(decision("contracted", None, None)), [("/on".to_owned(), "required")]);
        assert!(matches!(decision("contracted", Some("2026-01-01"), None), Ok(Step::Contract { .. })));
        let wrong = told(decision("lost", Some("x"), Some("because")));
        assert_eq!(wrong, [("/on".to_owned(), "invalid_date"), ("/reason".to_owned(), "unknown_value")]);
        assert!(decision("lost", None, Some("competitor")).is_ok());
    }
}
