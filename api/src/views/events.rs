//! Events, as they go out: the shapes of their data are the schemas that the API document shows.
//!
//! The bytes come from the domain; every event that a test writes is read back as its shape, so that the
//! document cannot say something else.

use domain::events::EventKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::extract::ListQuery;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Events after this sequence number; 0 for all.
    #[param(example = 0)]
    #[serde(default, deserialize_with = "super::safe_integer")]
    pub after_sequence: Option<u64>,
    /// One type, or several with commas between them.
    #[param(example = "deal.settled,deal.reversed")]
    pub r#type: Option<String>,
    /// What happened to this: the id of a deal, an entry, a payout …
    #[param(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub subject_id: Option<String>,
}

impl ListQuery for EventQuery {
    const SORT: &'static str = "sequence";
}

/// What a stream follows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StreamQuery {
    /// Begin after this sequence number; without it, and without `Last-Event-ID`, with what comes next.
    #[param(example = 0)]
    #[serde(default, deserialize_with = "super::safe_integer")]
    pub after_sequence: Option<u64>,
    /// One type, or several with commas between them.
    #[param(example = "deal.settled,deal.reversed")]
    pub r#type: Option<String>,
}

/// From where the ledger is followed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FeedQuery {
    /// Begin after this sequence number; without it, and without `Last-Event-ID`, with what comes next.
    #[param(example = 0)]
    #[serde(default, deserialize_with = "super::safe_integer")]
    pub after_sequence: Option<u64>,
}

/// A type of event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventType)]
pub struct EventTypeView {
    /// Its name.
    #[schema(example = "deal.settled")]
    r#type: &'static str,
    /// When it is sent.
    #[schema(example = "The deal settled.")]
    description: &'static str,
    /// The name of the schema of its `data` in this document.
    #[schema(example = "DealMoved")]
    data_schema: &'static str,
    /// The prefix of `subject_id`.
    #[schema(example = "deal")]
    subject: &'static str,
    /// The scope without which it is not seen.
    #[schema(example = "deals:read")]
    scope: &'static str,
}

impl From<EventKind> for EventTypeView {
    fn from(kind: EventKind) -> Self {
        Self {
            r#type: kind.as_str(),
            description: kind.purpose(),
            data_schema: kind.data(),
            subject: kind.subject_prefix(),
            scope: kind.scope().as_str(),
        }
    }
}

/// The types of event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventTypes)]
pub struct EventTypesView {
    /// Every type that this caller may see.
    pub data: Vec<EventTypeView>,
}

/// What happened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Event)]
#[serde(deny_unknown_fields)]
pub struct EventView<D = serde_json::Value> {
    /// Its id; the same in replay, stream and webhooks.
    #[schema(example = "event_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub id: String,
    /// What happened; new types may appear at any time.
    #[schema(example = "deal.settled")]
    pub r#type: String,
    /// Its place among all events. Never twice, never changed; you see those that concern you.
    #[schema(example = 4711)]
    pub sequence: u64,
    /// When, RFC 3339 UTC.
    #[schema(format = DateTime, example = "2026-11-25T01:02:03.456789Z")]
    pub occurred_at: String,
    /// To what.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub subject_id: String,
    /// The shape depends on `type`, see `GET /v1/event-types`.
    #[schema(value_type = Object, example = json!({"deal_id": "deal_01k0w4q7v8e2rtf3k2m9x5c6dz", "from": "contracted", "to": "settled", "reason": "settlement", "occurred_on": "2026-11-24", "transition": 3}))]
    pub data: D,
}

macro_rules! shapes {
    ($($(#[$what:meta])+ $view:ident as $name:ident { $($(#[$field_meta:meta])+ $field:ident: $type:ty = $example:tt,)* })*) => {
        $(
            $(#[$what])+
            #[derive(Debug, Serialize, Deserialize, ToSchema)]
            #[schema(as = $name)]
            #[serde(deny_unknown_fields)]
            pub struct $view { $($(#[$field_meta])+ #[schema(example = json!($example))] $field: $type,)* }
        )*

        /// The schemas of the data, by name.
        #[must_use]
        pub fn schemas() -> Vec<(&'static str, utoipa::openapi::RefOr<utoipa::openapi::Schema>)> {
            vec![$((stringify!($name), $view::schema())),*]
        }

        /// An example of the data of a shape.
        #[must_use]
        pub fn example(name: &str) -> serde_json::Value {
            match name {
                $(stringify!($name) => serde_json::json!({$(stringify!($field): $example),*}),)*
                _ => serde_json::Value::Null,
            }
        }

        /// Reads the data of an event as the shape that the document shows for its type.
        ///
        /// # Errors
        /// When they are something else.
        pub fn read_as(name: &str, data: &[u8]) -> Result<(), String> {
            match name {
                $(stringify!($name) => serde_json::from_slice::<$view>(data).map(|_| ()).map_err(|e| e.to_string()),)*
                other => Err(format!("there is no shape {other}")),
            }
        }
    };
}

shapes! {
    /// A deal came to another stage.
    DealMovedView as DealMoved {
        /// The deal.
        deal_id: String = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// From where; none for the first.
        from: Option<String> = "contracted",
        /// To where.
        to: String = "settled",
        /// Why.
        reason: String = "settlement",
        /// When it happened, in Sydney.
        occurred_on: String = "2026-11-24",
        /// The number of the move, from 0.
        transition: i32 = 3,
    }
    /// A fact was recorded.
    FactRecordedView as FactRecorded {
        /// The deal.
        deal_id: String = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// `referral`, `contract`, `settlement`, `discharge`, `correction`.
        kind: String = "settlement",
        /// When it happened, in Sydney.
        occurred_on: String = "2026-11-24",
    }
    /// A deal's commission was worked out.
    CommissionCalculatedView as CommissionCalculated {
        /// The deal.
        deal_id: String = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The calculation.
        calculation_id: String = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The agreement.
        agreement_id: String = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The number of its version.
        version: u32 = 1,
    }
    /// A line came about or changed; amounts are minor units of AUD.
    LineChangedView as LineChanged {
        /// The line.
        line_id: String = "line_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The deal.
        deal_id: String = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Who earns; none for the platform.
        member_id: Option<String> = "member_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Who is paid, if anybody yet.
        payee_id: Option<String> = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The component.
        component: String = "upfront",
        /// What was earned in all.
        earned_minor: i64 = 97500,
        /// What was taken back in all.
        clawed_back_minor: i64 = 0,
    }
    /// An entry was posted.
    EntryPostedView as EntryPosted {
        /// The entry.
        entry_id: String = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Its place in the ledger.
        entry_sequence: i64 = 1234,
        /// Its kind.
        kind: String = "accrual",
        /// The deal.
        deal_id: Option<String> = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The payee.
        payee_id: Option<String> = null,
        /// The business date.
        effective_on: String = "2026-11-24",
    }
    /// A handshake got a signature.
    HandshakeSignedView as HandshakeSigned {
        /// The handshake.
        handshake_id: String = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The deal.
        deal_id: String = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// `self`, `custodial` or `attested`.
        assurance: String = "self",
    }
    /// A record was made or changed; ask for it to learn more.
    RecordChangedView as RecordChanged {
        /// Its id.
        #[schema(pattern = "^[a-z_]{1,63}_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
        id: String = "member_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Its version, where it has one.
        version: Option<i32> = 2,
    }
    /// A job ended.
    JobEndedView as JobEnded {
        /// The job.
        job_id: String = "job_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// What it was for.
        kind: String = "deal_import",
        /// `succeeded`, `failed` or `cancelled`.
        state: String = "succeeded",
    }
    /// A payout run moved on.
    RunMovedView as RunMoved {
        /// The run.
        run_id: String = "run_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Where it stands.
        state: String = "approved",
        /// How many payments.
        payouts: u64 = 12,
        /// What they come to, in minor units of AUD.
        total_minor: i64 = 1234500,
        /// Its version.
        version: u32 = 3,
    }
    /// A version of an agreement came to another state.
    AgreementVersionMovedView as AgreementVersionMoved {
        /// The agreement.
        agreement_id: String = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The number of the version.
        number: u32 = 2,
        /// Where it is now.
        state: String = "active",
        /// The hash of what it says.
        content_sha256: String = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        /// Its first day.
        effective_from: String = "2027-01-01",
    }
    /// A payment moved on.
    PayoutMovedView as PayoutMoved {
        /// The payment.
        payout_id: String = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Its run.
        run_id: String = "run_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Who is paid.
        payee_id: String = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// How much, in minor units of AUD.
        amount_minor: i64 = 97500,
        /// What the bank statement shows.
        reference: String = "FLIP360 01K0W4Q7",
    }
    /// A tax paper was issued; amounts are minor units of AUD.
    TaxDocumentIssuedView as TaxDocumentIssued {
        /// The paper.
        tax_document_id: String = "taxdoc_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// `rcti`, `adjustment_note`, `remittance_statement` or `payment_summary`.
        kind: String = "rcti",
        /// Its number.
        number: String = "RCTI-FY27-000001",
        /// For whom.
        payee_id: String = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The payment that it goes with, if any.
        payout_id: Option<String> = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// The day on which it was issued, in Sydney.
        issued_on: String = "2026-11-24",
        /// Without GST.
        net_minor: i64 = 97500,
        /// GST.
        gst_minor: i64 = 9750,
        /// What was withheld.
        withheld_minor: i64 = 0,
        /// The digest of its text.
        sha256: String = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }
    /// Somebody tries a webhook endpoint.
    WebhookTestedView as WebhookTested {
        /// The endpoint.
        endpoint_id: String = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz",
    }
    /// A webhook endpoint gets nothing any more.
    EndpointDisabledView as EndpointDisabled {
        /// The endpoint.
        endpoint_id: String = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// `by_hand`, `gone` or `failing`.
        reason: String = "failing",
    }
    /// The guarantees were checked.
    GuaranteesCheckedView as GuaranteesChecked {
        /// The run.
        guarantee_run_id: String = "grun_01k0w4q7v8e2rtf3k2m9x5c6dz",
        /// Whether all of them hold.
        holds: bool = true,
    }
}
