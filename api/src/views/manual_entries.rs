//! What people write into the ledger by hand, as it goes out.

use domain::kernel::Fault;
use domain::ledger::book::party_text;
use domain::ledger::manual::content::{EntryContent, PostingContent};
use domain::ledger::manual::{Item, ManualState, Proposal, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::MoneyView;
use crate::extract::ListQuery;
use crate::problem::FieldErrorView;

/// The floor of an own account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountFloor)]
pub struct FloorView {
    /// The account.
    #[schema(example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub account_id: String,
    /// The balance never gets below.
    pub floor: MoneyView,
}

/// Which proposals.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ManualQuery {
    /// `proposed`, `posted`, `rejected`.
    #[param(example = "proposed")]
    pub state: Option<String>,
}

impl ListQuery for ManualQuery {}

/// The entries of a proposal have no filters of their own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemQuery {}

impl ListQuery for ItemQuery {
    const SORT: &'static str = "n";
    const DATED: bool = false;
}

impl IntoParams for ItemQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// What somebody wrote by hand, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManualEntry)]
pub struct ManualEntryView {
    /// Its id.
    #[schema(example = "manual_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `entry`, `batch`, `reversal`.
    #[schema(example = "batch")]
    kind: &'static str,
    /// `atomic`, `per_item`.
    #[schema(example = "atomic")]
    mode: &'static str,
    /// `proposed`, `posted`, `rejected`.
    #[schema(example = "proposed")]
    state: &'static str,
    /// What is approved: the digest of its canonical content.
    content_sha256: String,
    /// Entries that it posts.
    #[schema(example = 1)]
    entries: u32,
    /// Entries that were not taken.
    #[schema(example = 0)]
    refused: u32,
    /// The sum of all debits.
    debit: MoneyView,
    /// Why it was proposed.
    #[schema(example = "Bank fees of November")]
    reason: String,
    /// Who proposed it.
    proposed_by_id: String,
    /// When.
    #[schema(example = "2026-11-25T02:00:00Z")]
    proposed_at: String,
    /// Who approved or rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by_id: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-25T03:00:00Z")]
    decided_at: Option<String>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_because: Option<String>,
}

impl From<&Proposal> for ManualEntryView {
    fn from(proposal: &Proposal) -> Self {
        let (decided, because) = match &proposal.state {
            ManualState::Proposed => (None, None),
            ManualState::Posted(act) => (Some(act), None),
            ManualState::Rejected(act, because) => (Some(act), because.as_ref()),
        };
        Self {
            id: proposal.id.to_string(),
            kind: proposal.kind.as_str(),
            mode: proposal.mode.as_str(),
            state: proposal.state.code(),
            content_sha256: proposal.content_sha256.to_string(),
            entries: proposal.entries,
            refused: proposal.refused,
            debit: MoneyView::aud(proposal.debit_minor),
            reason: proposal.reason.clone(),
            proposed_by_id: proposal.proposed.by.to_string(),
            proposed_at: proposal.proposed.at.to_string(),
            decided_by_id: decided.map(|act| act.by.to_string()),
            decided_at: decided.map(|act| act.at.to_string()),
            rejected_because: because.map(|because| because.as_str().to_owned()),
        }
    }
}

/// One side of a proposed entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProposedPosting)]
pub struct ProposedPostingView {
    /// The account's kind.
    #[schema(example = "cash")]
    account_kind: String,
    /// Its provider or own bank account.
    #[serde(skip_serializing_if = "Option::is_none")]
    party_id: Option<String>,
    /// Its vertical.
    #[serde(skip_serializing_if = "Option::is_none")]
    vertical_id: Option<String>,
    /// How much; debit is positive.
    amount: MoneyView,
}

impl From<&PostingContent> for ProposedPostingView {
    fn from(posting: &PostingContent) -> Self {
        Self {
            account_kind: posting.kind.clone(),
            party_id: posting.account().as_ref().and_then(party_text),
            vertical_id: posting.vertical.map(|id| id.to_string()),
            amount: MoneyView::aud(posting.amount.0),
        }
    }
}

/// What became of one entry of a proposal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManualItem)]
pub struct ManualItemView {
    /// Its place among what was asked for, from 0.
    #[schema(example = 0)]
    n: u32,
    /// `proposed`, `posted`, `rejected`, `refused`.
    #[schema(example = "posted")]
    outcome: &'static str,
    /// The entry, under the id that it has once it is posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    entry_id: Option<String>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The business date.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_on: Option<String>,
    /// What it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses_id: Option<String>,
    /// Its sides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    postings: Vec<ProposedPostingView>,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FieldErrorView>,
}

impl ManualItemView {
    /// An item of a proposal that stands so.
    #[must_use]
    pub fn new(item: &Item, state: &'static str) -> Self {
        match item {
            Item::Taken { n, entry } => Self::taken(*n, entry, state),
            Item::Refused(refusal) => Self::refused(refusal),
        }
    }

    fn taken(n: u32, entry: &EntryContent, outcome: &'static str) -> Self {
        Self {
            n,
            outcome,
            entry_id: Some(entry.id.to_string()),
            kind: Some(entry.kind.clone()),
            effective_on: Some(entry.effective_on.to_string()),
            reverses_id: entry.reverses.map(|id| id.to_string()),
            postings: entry.postings.iter().map(Into::into).collect(),
            error: None,
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let Fault { pointer, code, detail } = refusal.fault.clone();
        Self {
            n: refusal.n,
            outcome: "refused",
            entry_id: None,
            kind: None,
            effective_on: None,
            reverses_id: None,
            postings: Vec::new(),
            error: Some(FieldErrorView { pointer, code: code.to_owned(), detail }),
        }
    }
}

/// What became of one entry of a batch when it was proposed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchOutcome)]
pub struct BatchOutcomeView {
    /// Its place, from 0.
    #[schema(example = 0)]
    n: u32,
    /// `proposed`, `refused`.
    #[schema(example = "proposed")]
    outcome: &'static str,
    /// The id that it has once it is posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    entry_id: Option<String>,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FieldErrorView>,
}

/// A proposed batch, each entry with its own outcome.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManualBatch)]
pub struct ManualBatchView {
    /// The proposal.
    proposal: ManualEntryView,
    /// In the order in which they were asked for.
    outcomes: Vec<BatchOutcomeView>,
}

impl ManualBatchView {
    /// A batch just proposed.
    #[must_use]
    pub fn new(proposal: &Proposal, taken: &[EntryContent], refused: Vec<Refusal>) -> Self {
        let mut outcomes: Vec<BatchOutcomeView> = taken
            .iter()
            .map(|entry| BatchOutcomeView {
                n: entry.n,
                outcome: "proposed",
                entry_id: Some(entry.id.to_string()),
                error: None,
            })
            .collect();
        outcomes.extend(refused.into_iter().map(|Refusal { n, fault }| {
            let Fault { pointer, code, detail } = fault;
            let error = Some(FieldErrorView { pointer, code: code.to_owned(), detail });
            BatchOutcomeView { n, outcome: "refused", entry_id: None, error }
        }));
        outcomes.sort_unstable_by_key(|outcome| outcome.n);
        Self { proposal: ManualEntryView::from(proposal), outcomes }
    }
}
