//! Guardrails: law and policy that every agreement of a vertical must keep to.
//!
//! They are part of the release, as what the law asks is not the operator's to change; each names its source.
//! What a guardrail limits is a number of months or an exact share of one. Sources: the catalogue section of
//! the domain document; each guardrail names its own.

use super::VerticalCode;

/// Where a guardrail comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The law of Australia or of its states.
    Law,
    /// The platform's own rule.
    Policy,
}

impl Basis {
    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Policy => "policy",
        }
    }
}

/// A number that a guardrail sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Whole months since settlement.
    Months(u16),
    /// A share of the first year's premium or of the commission, as an exact decimal fraction.
    Share(&'static str),
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guardrail {
    /// Stable.
    pub code: &'static str,
    /// Where it comes from.
    pub basis: Basis,
    /// What it asks, for a person.
    pub statement: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// The number that it sets, if it sets one.
    pub limit: Option<Limit>,
}

const CREDIT: &str = "National Consumer Credit Protection Act 2009, Part 3-5A, and the regulations made for it";
const LIFE: &str = "ASIC Corporations (Life Insurance Commissions) Instrument 2017/510";
const AGENTS: &str = "Estate agents Acts of the states, such as the Estate Agents Act 1980 (Vic)";
const PLATFORM: &str = "Flip 360, rules of the programme";

/// What holds in every vertical.
const EVERYWHERE: [Guardrail; 1] = [Guardrail {
    code: "consent_and_disclosure",
    basis: Basis::Policy,
    statement: "Nothing accrues before the handshake holds the client's consent and the disclosure to them.",
    source: PLATFORM,
    limit: None,
}];

const MORTGAGES: [Guardrail; 2] = [
    Guardrail {
        code: "clawback_months_at_most",
        basis: Basis::Law,
        statement: "Commission is taken back for at most 24 months after settlement.",
        source: CREDIT,
        limit: Some(Limit::Months(24)),
    },
    Guardrail {
        code: "no_volume_or_campaign_benefits",
        basis: Basis::Law,
        statement: "No benefit depends on volume or on a campaign.",
        source: CREDIT,
        limit: None,
    },
];

const LIFE_INSURANCE: [Guardrail; 4] = [
    Guardrail {
        code: "upfront_share_at_most",
        basis: Basis::Law,
        statement: "At most 60 % of the first year's premium is paid upfront.",
        source: LIFE,
        limit: Some(Limit::Share("0.6")),
    },
    Guardrail {
        code: "ongoing_share_at_most",
        basis: Basis::Law,
        statement: "At most 20 % of the premium is paid in each later year.",
        source: LIFE,
        limit: Some(Limit::Share("0.2")),
    },
    Guardrail {
        code: "clawback_share_first_year",
        basis: Basis::Law,
        statement: "All of the upfront commission is taken back when the policy ends in its first year.",
        source: LIFE,
        limit: Some(Limit::Share("1")),
    },
    Guardrail {
        code: "clawback_share_second_year",
        basis: Basis::Law,
        statement: "60 % of the upfront commission is taken back when the policy ends in its second year.",
        source: LIFE,
        limit: Some(Limit::Share("0.6")),
    },
];

const PROPERTY_SALES: [Guardrail; 1] = [Guardrail {
    code: "licensed_participants_only",
    basis: Basis::Law,
    statement: "No share goes to a person without the licence that the state asks for.",
    source: AGENTS,
    limit: None,
}];

/// What every agreement of a vertical must keep to: its own guardrails first, then those of all.
#[must_use]
pub fn of(vertical: VerticalCode) -> Vec<Guardrail> {
    let own: &[Guardrail] = match vertical.number() {
        1 => &MORTGAGES,
        5 => &LIFE_INSURANCE,
        8 => &PROPERTY_SALES,
        _ => &[],
    };
    own.iter().chain(&EVERYWHERE).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernel::Rate;

    #[test]
    fn every_vertical_has_those_of_all_and_no_code_twice() {
        for vertical in (1..=VerticalCode::LAST).filter_map(|n| VerticalCode::try_new(n).ok()) {
            let found = of(vertical);
            assert_eq!(found.last().map(|g| g.code), Some("consent_and_disclosure"), "{vertical}");
            assert_eq!(found.iter().map(|g| g.code).collect::<BTreeSet<_>>().len(), found.len(), "{vertical}");
        }
    }

    #[test]
    fn shares_are_exact_fractions_of_at_most_one() {
        for number in [1, 5, 8] {
            for guardrail in VerticalCode::try_new(number).map(of).unwrap_or_default() {
                if let Some(Limit::Share(text)) = guardrail.limit {
                    assert!(Rate::parse(text).is_ok_and(|rate| rate <= Rate::WHOLE), "{text}");
                }
            }
        }
    }
}
