//! What happened to a deal, who takes part in it, and what it earns, as it goes out.

use domain::agreements::model::{FundingRule, Role};
use domain::deals::lookup::{Commission, Event, FoundCalculation, Happened, Participant, Party};
use domain::kernel::ids::{DealImportId, MemberId, PayeeId};
use domain::ledger::line::CommissionLine;
use serde::Serialize;
use utoipa::ToSchema;

use super::MoneyView;
use super::deals::{AgreementRefView, month};

/// Something that happened to a deal. Which fields it has follows from `type`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = DealEvent)]
pub struct EventView {
    /// `transition`, `fact`, `statement`.
    #[schema(example = "transition")]
    r#type: &'static str,
    /// When it happened.
    #[schema(example = "2026-09-10")]
    occurred_on: Option<String>,
    /// When we learned of it.
    #[schema(example = "2026-11-25T02:00:00Z")]
    known_at: String,
    /// A transition: from where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "contracted")]
    from: Option<&'static str>,
    /// A transition: to where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "settled")]
    to: Option<&'static str>,
    /// A transition: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "settlement")]
    reason: Option<String>,
    /// A transition: the user or API client that told us, when it is one whom you may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<String>,
    /// A fact (`referral`, `contract`, `settlement`, `discharge`, `milestone`, `balance`, `correction`) or statement (`offer`, `accept`, `seal`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "settlement")]
    kind: Option<String>,
    /// A fact: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    fact_id: Option<String>,
    /// A fact: what was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    body: Option<serde_json::Value>,
    /// A fact: who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_id: Option<String>,
    /// A fact: in which import.
    #[serde(skip_serializing_if = "Option::is_none")]
    import_id: Option<String>,
    /// A statement: its handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake_id: Option<String>,
    /// A statement: the key that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// A statement: `self`, `custodial`, `attested`.
    #[serde(skip_serializing_if = "Option::is_none")]
    assurance: Option<String>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let view = Self {
            occurred_on: event.occurred_on.map(|on| on.to_string()),
            known_at: event.known_at.to_string(),
            ..Self::default()
        };
        match event.happened {
            Happened::Moved { from, to, reason, actor } => Self {
                r#type: "transition",
                from: from.map(|stage| stage.as_str()),
                to: Some(to.as_str()),
                reason: Some(reason),
                actor_id: actor.map(|actor| actor.to_string()),
                ..view
            },
            Happened::Said { id, kind, body, source, import } => Self {
                r#type: "fact",
                kind: Some(kind),
                fact_id: Some(super::deals::fact_id(id)),
                body: serde_json::from_slice(&body).ok(),
                source_id: Some(source.to_string()),
                import_id: import.as_ref().map(DealImportId::to_string),
                ..view
            },
            Happened::Stated { handshake, kind, kid, assurance } => Self {
                r#type: "statement",
                kind: Some(kind),
                handshake_id: Some(handshake.to_string()),
                kid: Some(kid),
                assurance: Some(assurance),
                ..view
            },
        }
    }
}

/// The whole history of a deal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealTimeline)]
pub struct TimelineView {
    /// In the order in which we learned of it.
    pub data: Vec<EventView>,
}

/// Somebody who takes part in a deal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealParticipant)]
pub struct ParticipantView {
    /// `provider`, `introducer`, `member`, `upline`, `participant`, `client`.
    #[schema(example = "member")]
    role: &'static str,
    /// How far above the member an upline stood, or the place among the other participants, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    level: Option<u8>,
    /// Who: an organisation, a member or a contact.
    #[schema(
        pattern = "^(org|member|contact)_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz"
    )]
    id: String,
    /// Their name, as far as you may see it and it is not erased.
    #[schema(example = "Zoë O'Brien")]
    name: Option<String>,
}

impl From<Participant> for ParticipantView {
    fn from(participant: Participant) -> Self {
        let id = match participant.party {
            Party::Organisation(id) => id.to_string(),
            Party::Member(id) => id.to_string(),
            Party::Contact(id) => id.to_string(),
        };
        Self { role: participant.role, level: participant.level, id, name: participant.name }
    }
}

/// Everybody who takes part in a deal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealParticipants)]
pub struct ParticipantsView {
    /// Provider, introducer, member, uplines from the direct one up, participants, client.
    pub data: Vec<ParticipantView>,
}

/// What one participant earns on a deal by one component, and where it lies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommissionLine)]
pub struct LineView {
    /// Its id.
    #[schema(example = "line_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The component of the agreement.
    #[schema(example = "upfront")]
    component: String,
    /// `member`, `upline`, `participant`, `platform`.
    #[schema(example = "member")]
    role: &'static str,
    /// How far above the member an upline stood, or the place among the other participants, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    level: Option<u8>,
    /// The month of a trail that it is of; absent for the deal itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-07")]
    period: Option<String>,
    /// `on_expiry`: it may be paid when its hold has passed; `on_receipt`: not before the provider has paid for it.
    #[schema(value_type = String, example = "on_expiry")]
    funding_rule: FundingRule,
    /// Who earns; null for the platform.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: Option<String>,
    /// Who is paid; null while nobody can be.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: Option<String>,
    /// From when it may be paid.
    #[schema(example = "2026-09-20")]
    payable_on: String,
    /// Earned, ex-GST.
    earned: MoneyView,
    /// Taken back.
    clawed_back: MoneyView,
    /// Earned, and nobody to pay.
    suspense: MoneyView,
    /// On hold.
    accrued: MoneyView,
    /// In dispute.
    held: MoneyView,
    /// May be paid.
    available: MoneyView,
    /// Sent, not confirmed.
    in_transit: MoneyView,
    /// Paid.
    paid: MoneyView,
    /// To be got back.
    recoverable: MoneyView,
    /// The calculation that it stands on.
    #[schema(example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    calculation_id: String,
}

impl From<CommissionLine> for LineView {
    fn from(line: CommissionLine) -> Self {
        let (role, level) = match line.role {
            Role::Member => ("member", None),
            Role::Upline(level) => ("upline", Some(level)),
            Role::Participant(n) => ("participant", Some(n)),
            Role::Platform => ("platform", None),
        };
        let buckets = line.buckets;
        Self {
            id: line.id.to_string(),
            component: line.component.as_str().to_owned(),
            role,
            level,
            period: line.period.map(month),
            funding_rule: line.funding_rule,
            member_id: line.member.as_ref().map(MemberId::to_string),
            payee_id: line.payee.as_ref().map(PayeeId::to_string),
            payable_on: line.payable_on.to_string(),
            earned: MoneyView::aud(line.earned_minor),
            clawed_back: MoneyView::aud(line.clawed_back_minor),
            suspense: MoneyView::aud(buckets.suspense_minor),
            accrued: MoneyView::aud(buckets.accrued_minor),
            held: MoneyView::aud(buckets.held_minor),
            available: MoneyView::aud(buckets.available_minor),
            in_transit: MoneyView::aud(buckets.in_transit_minor),
            paid: MoneyView::aud(buckets.paid_minor),
            recoverable: MoneyView::aud(buckets.recoverable_minor),
            calculation_id: line.calculation.to_string(),
        }
    }
}

/// A calculation, by its digests: run again, it gives the same bytes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalculationRef)]
pub struct CalculationRefView {
    /// Its id.
    #[schema(example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The version that governed.
    agreement: AgreementRefView,
    /// The month of a trail that it is of; absent for the deal itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-07")]
    period: Option<String>,
    /// The engine.
    #[schema(example = 1)]
    engine: u16,
    /// SHA-256 of its input.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    input_sha256: String,
    /// SHA-256 of its output.
    #[schema(example = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752")]
    output_sha256: String,
    /// Up to when facts were known.
    #[schema(example = "2026-11-25T02:00:00Z")]
    known_at: String,
}

impl From<FoundCalculation> for CalculationRefView {
    fn from(found: FoundCalculation) -> Self {
        let (id, version) = found.version;
        Self {
            id: found.id.to_string(),
            agreement: AgreementRefView { id: id.to_string(), version },
            period: found.period.map(month),
            engine: found.engine,
            input_sha256: found.input_sha256.to_string(),
            output_sha256: found.output_sha256.to_string(),
            known_at: found.known_at.to_string(),
        }
    }
}

/// What a deal earns, and on which calculations that stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealCommission)]
pub struct CommissionView {
    /// The lines that concern you.
    lines: Vec<LineView>,
    /// Oldest first.
    calculations: Vec<CalculationRefView>,
}

impl From<Commission> for CommissionView {
    fn from(commission: Commission) -> Self {
        Self {
            lines: commission.lines.into_iter().map(LineView::from).collect(),
            calculations: commission.calculations.into_iter().map(CalculationRefView::from).collect(),
        }
    }
}
