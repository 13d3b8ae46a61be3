//! The data of events, one struct a shape. Field order is the order on the wire.
//!
//! Fields are added, never removed or given another meaning. Ids, words, dates, amounts: no person's data.

use jiff::civil::Date;
use serde::Serialize;

use crate::kernel::Digest;
use crate::kernel::ids::{
    AgreementId, CalculationId, DealId, EntryId, HandshakeId, LineId, MemberId, PayeeId, PayoutId, PayoutRunId,
    TaxDocumentId, WebhookEndpointId,
};

/// Data that an event carries; the name is its schema's in the API document.
pub trait EventData: Serialize {
    /// As [`super::EventKind::data`] names it.
    const NAME: &'static str;
}

macro_rules! event_data {
    ($($(#[doc = $what:literal])+ $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)* })*) => {
        $(
            $(#[doc = $what])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
            pub struct $name { $($(#[doc = $field_doc])+ pub $field: $type,)* }

            impl EventData for $name {
                const NAME: &'static str = stringify!($name);
            }
        )*
    };
}

event_data! {
    /// A deal came to another stage.
    DealMoved {
        /// The deal.
        deal_id: DealId,
        /// From where; none for the first.
        from: Option<&'static str>,
        /// To where.
        to: &'static str,
        /// Why.
        reason: &'static str,
        /// When it happened, in Sydney.
        occurred_on: Date,
        /// The number of the move, from 0.
        transition: i32,
    }
    /// A fact was recorded.
    FactRecorded {
        /// The deal.
        deal_id: DealId,
        /// `referral`, `contract`, `settlement` …
        kind: &'static str,
        /// When it happened, in Sydney.
        occurred_on: Date,
    }
    /// A deal's commission was worked out.
    CommissionCalculated {
        /// The deal.
        deal_id: DealId,
        /// The calculation.
        calculation_id: CalculationId,
        /// The agreement.
        agreement_id: AgreementId,
        /// The number of its version.
        version: u32,
    }
    /// A line came about or changed; amounts are minor units of AUD.
    LineChanged {
        /// The line.
        line_id: LineId,
        /// The deal.
        deal_id: DealId,
        /// Who earns; none for the platform.
        member_id: Option<MemberId>,
        /// Who is paid, if anybody yet.
        payee_id: Option<PayeeId>,
        /// The component.
        component: String,
        /// What was earned in all.
        earned_minor: i64,
        /// What was taken back in all.
        clawed_back_minor: i64,
    }
    /// An entry was posted.
    EntryPosted {
        /// The entry.
        entry_id: EntryId,
        /// Its place in the ledger.
        entry_sequence: i64,
        /// Its kind.
        kind: &'static str,
        /// The deal.
        deal_id: Option<DealId>,
        /// The payee.
        payee_id: Option<PayeeId>,
        /// The business date.
        effective_on: Date,
    }
    /// A handshake got a signature.
    HandshakeSigned {
        /// The handshake.
        handshake_id: HandshakeId,
        /// The deal.
        deal_id: DealId,
        /// `self`, `custodial` or `attested`.
        assurance: String,
    }
    /// A record was made or changed; ask for it to learn more.
    RecordChanged {
        /// Its id.
        id: String,
        /// Its version, where it has one.
        version: Option<i32>,
    }
    /// A job ended.
    JobEnded {
        /// The job.
        job_id: crate::kernel::ids::JobId,
        /// What it was for.
        kind: &'static str,
        /// `succeeded`, `failed` or `cancelled`.
        state: &'static str,
    }
    /// A payout run moved on.
    RunMoved {
        /// The run.
        run_id: PayoutRunId,
        /// Where it stands.
        state: &'static str,
        /// How many payments.
        payouts: u64,
        /// What they come to.
        total_minor: i64,
        /// Its version.
        version: u32,
    }
    /// A version of an agreement came to another state.
    AgreementVersionMoved {
        /// The agreement.
        agreement_id: AgreementId,
        /// The number of the version.
        number: u32,
        /// Where it is now.
        state: &'static str,
        /// The hash of what it says.
        content_sha256: Digest,
        /// Its first day.
        effective_from: Date,
    }
    /// A payment moved on.
    PayoutMoved {
        /// The payment.
        payout_id: PayoutId,
        /// Its run.
        run_id: PayoutRunId,
        /// Who is paid.
        payee_id: PayeeId,
        /// How much.
        amount_minor: i64,
        /// What the bank statement shows.
        reference: String,
    }
    /// A tax paper was issued; amounts are minor units of AUD.
    TaxDocumentIssued {
        /// The paper.
        tax_document_id: TaxDocumentId,
        /// `rcti`, `adjustment_note`, `remittance_statement` or `payment_summary`.
        kind: &'static str,
        /// Its number.
        number: String,
        /// For whom.
        payee_id: PayeeId,
        /// The payment that it goes with, if any.
        payout_id: Option<PayoutId>,
        /// The day on which it was issued, in Sydney.
        issued_on: Date,
        /// Without GST.
        net_minor: i64,
        /// GST.
        gst_minor: i64,
        /// What was withheld.
        withheld_minor: i64,
        /// The digest of its text.
        sha256: Digest,
    }
    /// Somebody tries a webhook endpoint.
    WebhookTested {
        /// The endpoint.
        endpoint_id: WebhookEndpointId,
    }
    /// A webhook endpoint gets nothing any more.
    EndpointDisabled {
        /// The endpoint.
        endpoint_id: WebhookEndpointId,
        /// `by_hand`, `gone` or `failing`.
        reason: &'static str,
    }
    /// The guarantees were checked.
    GuaranteesChecked {
        /// The run.
        guarantee_run_id: crate::kernel::ids::GuaranteeRunId,
        /// Whether all of them hold.
        holds: bool,
    }
}
