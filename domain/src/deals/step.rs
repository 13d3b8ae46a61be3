//! One step of a deal that is known: a fact with a date, a correction of the facts, or a decision.
//!
//! A fact that is known already changes nothing when it is said again, and is refused when it says
//! something else: that takes a correction. One of the deal's own facts names every one of them anew; a milestone and
//! the balance of a month are corrected one by one, by saying so.

use jiff::civil::Date;
use serde::Serialize;

use super::deal::{Deal, Stage};
use crate::agreements::facts::{DealFacts, Measures, Milestones, Period, Settlement};
use crate::agreements::model::ComponentKey;
use crate::kernel::{Faults, Money};

/// The largest balance, in minor units: what JSON carries exactly (RFC 8259, 6).
const LARGEST_BALANCE: i64 = 9_007_199_254_740_991;

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The contract is made.
    Contract {
        /// When.
        on: Date,
    },
    /// It settles.
    Settlement(Settlement),
    /// It unwinds.
    Discharge {
        /// When.
        on: Date,
    },
    /// The facts were something else.
    Correction(Correction),
    /// A milestone is reached.
    Milestone(Reached),
    /// The balance at the end of a month.
    Balance(Balance),
    /// Somebody decides.
    Decision(Decision),
}

/// The facts as they should have been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The day of referral; none = as it was.
    pub referred_on: Option<Date>,
    /// The day of contract; none = there is none.
    pub contracted_on: Option<Date>,
    /// The settlement; none = there is none.
    pub settlement: Option<Settlement>,
    /// The day on which it unwound; none = it did not.
    pub discharged_on: Option<Date>,
}

/// A milestone of a deal; its JSON is what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Its name, as agreements call it.
    pub name: ComponentKey,
    /// When; none = it was not, which only a correction says.
    pub on: Option<Date>,
    /// Whether it may differ from what is known.
    #[serde(skip_serializing_if = "is_first")]
    pub correction: bool,
}

/// The balance that a trail is reckoned on; its JSON is what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The month, and the balance at its end.
    #[serde(flatten)]
    pub period: Period,
    /// Whether it may differ from what is known.
    #[serde(skip_serializing_if = "is_first")]
    pub correction: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
const fn is_first(correction: &bool) -> bool {
    !*correction
}

impl Step {
    /// Refuses what is said to have happened later than today: facts are of the past.
    ///
    /// # Errors
    /// Each date that lies after today.
    pub fn not_after(&self, today: Date) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for (pointer, on) in self.dates() {
            if on.is_some_and(|on| on > today) {
                faults.push(pointer, "in_future", format!("must not be later than today, {today}"));
            }
        }
        faults.check()
    }

    fn dates(&self) -> Vec<(&'static str, Option<Date>)> {
        match self {
            Self::Contract { on } | Self::Discharge { on } => vec![("/on", Some(*on))],
            Self::Settlement(settlement) => vec![("/on", Some(settlement.on))],
            Self::Decision(decision) => vec![("/on", decision.on)],
            Self::Milestone(reached) => vec![("/on", reached.on)],
            Self::Balance(balance) => vec![("/month", Some(balance.period.ends_on()))],
            Self::Correction(correction) => vec![
                ("/referred_on", correction.referred_on),
                ("/contracted_on", correction.contracted_on),
                ("/settlement/on", correction.settlement.map(|settlement| settlement.on)),
                ("/discharged_on", correction.discharged_on),
            ],
        }
    }
}

/// A move that somebody decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// To where.
    pub to: Stage,
    /// When it was decided; none = today.
    pub on: Option<Date>,
    /// Why.
    pub reason: Option<DecisionReason>,
}

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// Why somebody decided so. A list, not free text: free text would carry personal data into a table
        /// that is never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DecisionReason { $($(#[$meta])* $name,)* }

        impl DecisionReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// The client does not want it any more.
    ClientChangedMind = "client_changed_mind",
    /// The client went elsewhere.
    Competitor = "competitor",
    /// The client cannot be reached.
    NoContact = "no_contact",
    /// The provider's assessment said no.
    NotApproved = "not_approved",
    /// Outside of what the provider sells.
    OutOfPolicy = "out_of_policy",
    /// Papers are missing.
    DocumentsMissing = "documents_missing",
    /// The client was known already.
    Duplicate = "duplicate",
    /// Something else.
    Other = "other",
}

impl DecisionReason {
    /// Reads a reason's text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The deal has ended without settling.
    #[error("the deal is {}", .0.as_str())]
    Closed(Stage),
    /// The stage does not allow it.
    #[error("a deal that is {} cannot become {}", from.as_str(), to.as_str())]
    NotAllowed {
        /// Where it stands.
        from: Stage,
        /// Where it was to go.
        to: Stage,
    },
    /// The fact is known, and was something else.
    #[error("the deal's {0} is known and differs; send a correction")]
    KnownOtherwise(&'static str),
    /// Only what settled can unwind.
    #[error("a deal that has not settled cannot be discharged")]
    NotSettled,
    /// Dates out of order, amounts that cannot be.
    #[error("the facts contradict each other")]
    Faults(Faults),
}

impl Step {
    /// The kind of fact that it is kept as; a decision is none.
    #[must_use]
    pub const fn fact_kind(&self) -> Option<&'static str> {
        match self {
            Self::Contract { .. } => Some("contract"),
            Self::Settlement(_) => Some("settlement"),
            Self::Discharge { .. } => Some("discharge"),
            Self::Correction(_) => Some("correction"),
            Self::Milestone(_) => Some("milestone"),
            Self::Balance(_) => Some("balance"),
            Self::Decision(_) => None,
        }
    }

    /// What the deal's facts are after it.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn facts_after(&self, deal: &Deal) -> Result<DealFacts, StepError> {
        let mut facts = deal.facts;
        match *self {
            Self::Decision(_) | Self::Milestone(_) | Self::Balance(_) => {}
            Self::Contract { on } => facts.contracted_on = Some(learned(deal, facts.contracted_on, on, "contract")?),
            Self::Settlement(said) => {
                facts.settlement = Some(learned(deal, facts.settlement, said, "settlement")?);
            }
            Self::Discharge { on } => {
                if facts.settlement.is_none() {
                    return Err(StepError::NotSettled);
                }
                facts.discharged_on = Some(learned(deal, facts.discharged_on, on, "discharge")?);
            }
            Self::Correction(right) => {
                facts = DealFacts {
                    referred_on: right.referred_on.unwrap_or(facts.referred_on),
                    contracted_on: right.contracted_on,
                    settlement: right.settlement,
                    discharged_on: right.discharged_on,
                };
            }
        }
        self.check(&facts)?;
        Ok(facts)
    }

    /// The milestones after it.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn milestones_after(&self, deal: &Deal) -> Result<Milestones, StepError> {
        let mut milestones = deal.milestones.clone();
        let Self::Milestone(reached) = self else { return Ok(milestones) };
        let before = reached.on.filter(|on| *on < deal.facts.referred_on);
        if let Some(on) = before {
            return Err(out_of_order("/on", on, deal.facts.referred_on));
        }
        let known = milestones.get(&reached.name).copied().filter(|_| !reached.correction);
        match reached.on {
            Some(on) => {
                milestones.insert(reached.name.clone(), learned(deal, known, on, "milestone")?);
            }
            None => {
                milestones.remove(&reached.name);
            }
        }
        Ok(milestones)
    }

    /// The balance that is new or another one, of a month whose balance was `known`.
    ///
    /// # Errors
    /// See [`StepError`].
    pub fn balance_after(&self, deal: &Deal, known: Option<Money>) -> Result<Option<Period>, StepError> {
        let Self::Balance(Balance { period, correction }) = *self else { return Ok(None) };
        if period.ends_on() < deal.facts.referred_on {
            return Err(out_of_order("/month", period.ends_on(), deal.facts.referred_on));
        }
        let mut faults = Faults::default();
        if period.balance < Money::ZERO {
            faults.push("/balance", "negative_amount", "must not be negative");
        } else if period.balance.minor() > LARGEST_BALANCE {
            faults.push("/balance", "amount_out_of_range", "is more than can be worked with");
        }
        faults.check().map_err(StepError::Faults)?;
        learned(deal, known.filter(|_| !correction), period.balance, "balance")?;
        Ok(Some(period).filter(|said| known != Some(said.balance)))
    }

    /// Every contradiction at once, at the field that the step gave.
    fn check(&self, facts: &DealFacts) -> Result<(), StepError> {
        let mut faults = Faults::default();
        let settled_on = facts.settlement.map(|s| s.on);
        let dates = [
            (self.pointer("contracted_on"), facts.contracted_on),
            (self.pointer("settled_on"), settled_on),
            (self.pointer("discharged_on"), facts.discharged_on),
        ];
        let mut latest = facts.referred_on;
        for (pointer, on) in dates {
            if let Some(on) = on {
                if on < latest {
                    faults.push(pointer, "date_out_of_order", format!("{on} is before {latest}"));
                }
                latest = on;
            }
        }
        if let Some(settlement) = &facts.settlement {
            let at = if matches!(self, Self::Correction(_)) { "/settlement" } else { "" };
            check_settlement(settlement, at, &mut faults);
        } else if facts.discharged_on.is_some() {
            let detail = "a discharge needs a settlement";
            faults.push(self.pointer("discharged_on"), "discharge_without_settlement", detail);
        }
        faults.check().map_err(StepError::Faults)
    }

    /// Where a request gives a value: a correction names every fact, the others give one.
    fn pointer(&self, field: &str) -> &'static str {
        match (self, field) {
            (Self::Correction(_), "contracted_on") => "/contracted_on",
            (Self::Correction(_), "settled_on") => "/settlement/on",
            (Self::Correction(_), "discharged_on") => "/discharged_on",
            _ => "/on",
        }
    }
}

/// Notes what cannot be of a settlement whose fields stand below `at`: nothing is negative, and an offset account holds
/// no more than what settled.
pub fn check_settlement(settlement: &Settlement, at: &str, faults: &mut Faults) {
    for (field, money) in [("amount", settlement.amount), ("offset", settlement.offset)] {
        if money < Money::ZERO {
            faults.push(format!("{at}/{field}"), "negative_amount", "must not be negative");
        }
    }
    let told = &settlement.measures;
    for (name, amount) in Measures::AMOUNTS.into_iter().zip(told.amounts()) {
        if amount.is_some_and(|amount| amount < Money::ZERO) {
            faults.push(format!("{at}/measures/{name}"), "negative_amount", "must not be negative");
        }
    }
    for (name, count) in Measures::COUNTS.into_iter().zip(told.counts()) {
        if count.is_some_and(|count| count < 0) {
            faults.push(format!("{at}/measures/{name}"), "negative_count", "must not be negative");
        }
    }
    if settlement.offset > settlement.amount {
        faults.push(format!("{at}/offset"), "offset_exceeds_amount", "the offset is larger than the settled amount");
    }
}

fn out_of_order(pointer: &str, on: Date, earliest: Date) -> StepError {
    let mut faults = Faults::default();
    faults.push(pointer, "date_out_of_order", format!("{on} is before {earliest}"));
    StepError::Faults(faults)
}

fn learned<T: PartialEq>(deal: &Deal, known: Option<T>, said: T, what: &'static str) -> Result<T, StepError> {
    match known {
        Some(known) if known != said => Err(StepError::KnownOtherwise(what)),
        Some(known) => Ok(known),
        None if deal.stage.is_closed() => Err(StepError::Closed(deal.stage)),
        None => Ok(said),
    }
}
