//! Payout runs.

use domain::payouts::RunSummary;
use domain::payouts::bank_file::RunFile;
use domain::payouts::run::{Act, RunState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::MoneyView;

/// A request to work out whom a run would pay.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewPayoutRun, example = json!({"bank_account_id": "bank_01k0w4q7v8e2rtf3k2m9x5c6dz", "cut_off_on": "2026-11-25"}))]
pub struct PreviewRunRequest {
    /// From which of our accounts.
    #[schema(required = true, nullable = false)]
    pub bank_account_id: Option<String>,
    /// What may be paid on or before this date; today (Sydney) if absent, never later.
    pub cut_off_on: Option<String>,
}

/// A request to approve a run: names what the approver saw.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApprovePayoutRun, example = json!({"content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct ApproveRunRequest {
    /// The run's `content_sha256`.
    #[schema(required = true, nullable = false)]
    pub content_sha256: Option<String>,
}

/// A request to reject or cancel a run.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecidePayoutRun, example = json!({"reason": "The wrong month"}))]
pub struct DecideRunRequest {
    /// Why.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
}

/// Who did something to a run, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutRunAct)]
pub struct ActView {
    /// The UUID of the user or API client.
    #[schema(example = "0199c0de-0000-7000-8000-000000000001")]
    by: String,
    /// When.
    #[schema(example = "2026-11-25T02:00:00Z")]
    at: String,
}

impl From<Act> for ActView {
    fn from(act: Act) -> Self {
        Self { by: act.by.to_string(), at: act.at.to_string() }
    }
}

/// A bank file of an executed run.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BankFile)]
pub struct BankFileView {
    /// Its id.
    #[schema(example = "bankfile_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its place among the files of the run, from 1: `?file=` of the run's `aba`.
    #[schema(example = 1)]
    n: u32,
    /// What it pays in all.
    total: MoneyView,
    /// How many payouts it holds.
    #[schema(example = 37)]
    payouts: u32,
    /// SHA-256 of its bytes: its identity.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// The date in its header.
    #[schema(example = "2026-11-25")]
    dated_on: String,
}

impl From<&RunFile> for BankFileView {
    fn from(file: &RunFile) -> Self {
        Self {
            id: file.id.to_string(),
            n: file.n,
            total: MoneyView::aud(file.total_minor),
            payouts: file.payouts,
            sha256: file.sha256.to_string(),
            dated_on: file.dated_on.to_string(),
        }
    }
}

fn only(files: &[BankFileView]) -> Option<BankFileView> {
    match files {
        [file] => Some(file.clone()),
        _ => None,
    }
}

/// The bank files of an executed run, where there are several.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankFiles)]
pub struct BankFilesView {
    /// The files, by their places.
    data: Vec<BankFileView>,
}

impl From<&[RunFile]> for BankFilesView {
    fn from(files: &[RunFile]) -> Self {
        Self { data: files.iter().map(BankFileView::from).collect() }
    }
}

/// A payout run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutRun)]
pub struct PayoutRunView {
    /// Its id.
    #[schema(example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `previewed`, `proposed`, `approved`, `executed`, `rejected`, `cancelled`.
    #[schema(example = "previewed")]
    state: &'static str,
    /// From which account.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_account_id: String,
    /// What may be paid on or before this date.
    #[schema(example = "2026-11-25")]
    cut_off_on: String,
    /// SHA-256 of the bytes of `GET /v1/payout-runs/{id}/content`, which say what the run does: what is approved.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// What is paid in all.
    total: MoneyView,
    /// How many payees are paid.
    #[schema(example = 37)]
    payouts: usize,
    /// How many payees with something available are left out.
    #[schema(example = 3)]
    skipped: usize,
    /// Who made the preview.
    created: ActView,
    /// Who proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed: Option<ActView>,
    /// Who approved, while that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<ActView>,
    /// Who executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    executed: Option<ActView>,
    /// The bank file, once executed, if there is exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<BankFileView>,
    /// Its bank files, once executed: none if nothing of it goes by bank file, several if it is too large for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<BankFileView>>,
    /// Why it came back to `previewed`, if an approval became void.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided_reason: Option<String>,
}

impl From<&RunSummary> for PayoutRunView {
    fn from(run: &RunSummary) -> Self {
        let (executed, files) = match &run.state {
            RunState::Executed { executed, files, .. } => {
                let files: Vec<BankFileView> = files.iter().map(BankFileView::from).collect();
                (Some((*executed).into()), Some(files))
            }
            _ => (None, None),
        };
        let voided_reason = match &run.state {
            RunState::Previewed { voided } => voided.clone(),
            _ => None,
        };
        Self {
            id: run.id.to_string(),
            state: run.state.code(),
            bank_account_id: run.bank_account.to_string(),
            cut_off_on: run.cut_off_on.to_string(),
            content_sha256: run.content_sha256.to_string(),
            total: MoneyView::aud(run.total_minor),
            payouts: run.payouts,
            skipped: run.skipped,
            created: run.created.into(),
            proposed: run.state.proposed().map(Into::into),
            approved: run.state.approved().map(Into::into),
            executed,
            file: files.as_deref().and_then(only),
            files,
            voided_reason,
        }
    }
}
