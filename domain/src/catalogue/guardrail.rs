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

const fn law(code: &'static str, statement: &'static str, source: &'static str) -> Guardrail {
    Guardrail { code, basis: Basis::Law, statement, source, limit: None }
}

const fn policy(code: &'static str, statement: &'static str, source: &'static str) -> Guardrail {
    Guardrail { code, basis: Basis::Policy, statement, source, limit: None }
}

const fn at(limit: Limit, guardrail: Guardrail) -> Guardrail {
    Guardrail { limit: Some(limit), ..guardrail }
}

/// The programme's own bound where the law sets none.
const fn clawback_months(months: u16, statement: &'static str) -> Guardrail {
    at(Limit::Months(months), policy("clawback_months_at_most", statement, PLATFORM))
}

const PLATFORM: &str = "Flip 360, rules of the programme";
const CREDIT: &str = "National Consumer Credit Protection Act 2009, Part 3-5A, and the regulations made for it";
const ASSESSMENT: &str = "National Consumer Credit Protection Act 2009, Part 3-1";
const FLEX: &str = "ASIC Credit (Flexible Credit Cost Arrangements) Instrument 2017/780";
const LIFE: &str = "ASIC Corporations (Life Insurance Commissions) Instrument 2017/510";
const CONSENT: &str = "Corporations Act 2001, section 963BB";
const CONFLICTED: &str = "Corporations Act 2001, Part 7.7A, Division 4";
const MISLEADING: &str = "Australian Securities and Investments Commission Act 2001, section 12DA";
const HEALTH: &str = "Private Health Insurance Act 2007, section 55-5";
const AGENTS: &str = "Estate agents Acts of the states, such as the Estate Agents Act 1980 (Vic)";
const SECRET: &str = "Secret commissions law of the states, such as the Crimes Act 1900 (NSW), Part 4A";
const SOLICITORS: &str = "Legal Profession Uniform Law Australian Solicitors' Conduct Rules 2015, rule 12.4.4";
const INJURY: &str = "Personal Injuries Proceedings and Other Legislation Amendment Act 2022 (Qld)";
const TAX_AGENTS: &str = "Tax Agent Services Act 2009, section 30-10, item 5";
const ACCOUNTANTS: &str = "APES 110 Code of Ethics for Professional Accountants, section 330";
const UNSOLICITED: &str =
    "Australian Consumer Law (Competition and Consumer Act 2010, Schedule 2), Part 3-2, Division 2";
const SINGLE_PRICE: &str = "Australian Consumer Law (Competition and Consumer Act 2010, Schedule 2), section 48";
const NEW_ENERGY: &str = "New Energy Tech Consumer Code";
const TELCO: &str =
    "Telecommunications Consumer Protections Code, registered under the Telecommunications Act 1997, Part 6";
const JOB_SEEKERS: &str = "Employment agents Acts of the states, such as the Private Employment Agents Act 2005 (Qld)";
const LABOUR_HIRE: &str =
    "Labour hire Acts of Victoria (2018), Queensland (2017), South Australia (2017) and the ACT (2020)";
const MOTOR: &str = "Motor dealers Acts of the states, such as the Motor Dealers and Repairers Act 2013 (NSW)";
const TRAVEL: &str = "Australian Travel Accreditation Scheme (ATAS), its charter and code of conduct";

const CONSENT_AND_DISCLOSURE: Guardrail = policy(
    "consent_and_disclosure",
    "Nothing accrues before the handshake holds the client's consent and the disclosure to them.",
    PLATFORM,
);
const NO_FLEX: Guardrail = law(
    "no_flexible_credit_cost",
    "On consumer credit other than home loans no commission depends on a rate of interest that the introducer had a hand in.",
    FLEX,
);
const LICENSED_AGENTS: Guardrail =
    law("licensed_participants_only", "No share goes to a person without the licence that the state asks for.", AGENTS);
const COOLING_OFF: Guardrail = law(
    "cooling_off_first",
    "After an unsolicited approach nothing is paid before the ten business days of cooling-off are over.",
    UNSOLICITED,
);

/// What holds in every vertical.
const EVERYWHERE: [Guardrail; 1] = [CONSENT_AND_DISCLOSURE];

const MORTGAGES: [Guardrail; 2] = [
    at(
        Limit::Months(24),
        law("clawback_months_at_most", "Commission is taken back for at most 24 months after settlement.", CREDIT),
    ),
    law("no_volume_or_campaign_benefits", "No benefit depends on volume or on a campaign.", CREDIT),
];

const COMMERCIAL_LENDING: [Guardrail; 2] = [
    clawback_months(24, "Commission is taken back for at most 24 months after settlement."),
    law("no_misleading_conduct", "Nobody is misled about who pays whom for the introduction.", MISLEADING),
];

const ASSET_FINANCE: [Guardrail; 2] =
    [clawback_months(12, "Commission is taken back for at most 12 months after settlement."), NO_FLEX];

const PERSONAL_LENDING: [Guardrail; 3] = [
    clawback_months(12, "Commission is taken back for at most 12 months after settlement."),
    NO_FLEX,
    law(
        "assessed_as_not_unsuitable",
        "Nobody who assists with credit earns by a loan that was not assessed as not unsuitable first.",
        ASSESSMENT,
    ),
];

const LIFE_INSURANCE: [Guardrail; 4] = [
    at(
        Limit::Share("0.6"),
        law("upfront_share_at_most", "At most 60 % of the first year's premium is paid upfront.", LIFE),
    ),
    at(
        Limit::Share("0.2"),
        law("ongoing_share_at_most", "At most 20 % of the premium is paid in each later year.", LIFE),
    ),
    at(
        Limit::Share("1"),
        law(
            "clawback_share_first_year",
            "All of the upfront commission is taken back when the policy ends in its first year.",
            LIFE,
        ),
    ),
    at(
        Limit::Share("0.6"),
        law(
            "clawback_share_second_year",
            "60 % of the upfront commission is taken back when the policy ends in its second year.",
            LIFE,
        ),
    ),
];

const GENERAL_INSURANCE: [Guardrail; 2] = [
    clawback_months(12, "Commission is taken back only while premium is refunded: at most 12 months after the start."),
    law(
        "consent_to_insurance_commission",
        "Where personal advice is given, a retail client has agreed to the commission before the cover is sold.",
        CONSENT,
    ),
];

const HEALTH_INSURANCE: [Guardrail; 2] = [
    clawback_months(12, "Commission is taken back for at most 12 months after the start."),
    law(
        "community_rating",
        "Nothing that is earned turns on the health, the age or the claims of who is insured: insurers may not tell people apart by them.",
        HEALTH,
    ),
];

const PROPERTY_SALES: [Guardrail; 1] = [LICENSED_AGENTS];

const PROPERTY_MANAGEMENT: [Guardrail; 2] = [
    LICENSED_AGENTS,
    policy("nothing_from_the_renter", "The fee comes out of the manager's own, never from the renter.", PLATFORM),
];

const BUYERS_ADVOCACY: [Guardrail; 2] = [
    LICENSED_AGENTS,
    law("no_secret_commission", "The advocate takes nothing from the seller's side behind the buyer's back.", SECRET),
];

const LEGAL: [Guardrail; 3] = [
    law(
        "referral_fee_disclosed_first",
        "The client is told of the referral fee before the solicitor acts.",
        SOLICITORS,
    ),
    law("no_fee_for_injury_claims", "Nobody is paid for bringing in a personal injury claim.", INJURY),
    policy("flat_fee_only", "The fee is the same whatever the matter costs and however it ends.", PLATFORM),
];

const ACCOUNTING: [Guardrail; 2] = [
    law("conflicts_managed", "The tax agent manages the conflict of interest that a referral fee makes.", TAX_AGENTS),
    policy("referral_fee_disclosed", "The client is told of the referral fee in writing.", ACCOUNTANTS),
];

const FINANCIAL_PLANNING: [Guardrail; 2] = [
    law(
        "no_volume_or_campaign_benefits",
        "No benefit depends on volume, on the products recommended or on the amounts invested.",
        CONFLICTED,
    ),
    policy("flat_fee_only", "A referral earns a flat fee for the work, whatever is recommended.", PLATFORM),
];

const ENERGY: [Guardrail; 3] = [
    clawback_months(12, "Commission is taken back for at most 12 months after the installation."),
    COOLING_OFF,
    policy("approved_sellers", "Systems are sold by sellers who have signed up to the industry's code.", NEW_ENERGY),
];

const TELECOMMUNICATIONS: [Guardrail; 3] = [
    clawback_months(24, "Commission is taken back for at most 24 months after the connection."),
    COOLING_OFF,
    law(
        "responsible_selling",
        "Incentives do not reward selling a service that the customer does not need or cannot pay for.",
        TELCO,
    ),
];

const RECRUITMENT: [Guardrail; 3] = [
    clawback_months(6, "The guarantee of a placement lasts at most 6 months."),
    law("no_fee_from_job_seekers", "No part of a fee comes from the person who looks for work.", JOB_SEEKERS),
    law(
        "licensed_labour_hire",
        "Labour hire is referred to licensed providers only, where the law licenses them.",
        LABOUR_HIRE,
    ),
];

const AUTOMOTIVE: [Guardrail; 3] = [
    clawback_months(6, "Commission is taken back for at most 6 months after the sale."),
    law("licensed_dealers_only", "Vehicles are sold by dealers who are licensed in their state.", MOTOR),
    NO_FLEX,
];

const TRAVELLING: [Guardrail; 2] = [
    law("one_full_price", "The traveller sees one full price; the fee is not added to it afterwards.", SINGLE_PRICE),
    policy("accredited_agencies", "Trips are sold by accredited agencies.", TRAVEL),
];

/// What every agreement of a vertical must keep to: its own guardrails first, then those of all.
#[must_use]
pub fn of(vertical: VerticalCode) -> Vec<Guardrail> {
    let own: &[Guardrail] = match vertical.number() {
        1 => &MORTGAGES,
        2 => &COMMERCIAL_LENDING,
        3 => &ASSET_FINANCE,
        4 => &PERSONAL_LENDING,
        5 => &LIFE_INSURANCE,
        6 => &GENERAL_INSURANCE,
        7 => &HEALTH_INSURANCE,
        8 => &PROPERTY_SALES,
        9 => &PROPERTY_MANAGEMENT,
        10 => &BUYERS_ADVOCACY,
        11 => &LEGAL,
        12 => &ACCOUNTING,
        13 => &FINANCIAL_PLANNING,
        14 => &ENERGY,
        15 => &TELECOMMUNICATIONS,
        16 => &RECRUITMENT,
        17 => &AUTOMOTIVE,
        18 => &TRAVELLING,
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
            let own = if vertical.number() <= 18 { 2 } else { 1 };
            assert!(found.len() >= own, "{vertical} has rules of its own");
            for Guardrail { code, basis, statement, source, .. } in found {
                assert!(statement.ends_with('.') && !source.ends_with('.'), "{vertical} {code}");
                // Law is never the programme's own.
                assert!(basis == Basis::Policy || source != PLATFORM, "{vertical} {code}");
            }
        }
    }

    #[test]
    fn shares_are_exact_fractions_of_at_most_one() {
        for number in 1..=18 {
            for guardrail in VerticalCode::try_new(number).map(of).unwrap_or_default() {
                if let Some(Limit::Share(text)) = guardrail.limit {
                    assert!(Rate::parse(text).is_ok_and(|rate| rate <= Rate::WHOLE), "{text}");
                }
            }
        }
    }
}
