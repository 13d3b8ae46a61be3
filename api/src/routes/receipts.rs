//! Receipts: what a stranger needs to check offline a handshake, a ledger entry, an approval, a run of the guarantees or
//! a tax paper; as a bundle, or as the proof of its main item in the form that other tools read.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get};
use domain::chain::receipt::{Receipt, ReceiptKind};
use domain::chain::receipts::{self, Wanted, Withheld};
use domain::chain::tlog_proof::TlogProof;
use domain::kernel::Page;
use domain::kernel::ids::{EntryId, HandshakeId, TaxDocumentId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::extract::{Caller, Id, List, Unfiltered};
use crate::http::media::prefers;
use crate::problem::Problem;
use crate::views::PageView;

/// Packs one receipt, as the caller may see it, in the form that it wants.
async fn receipt(app: Data<App>, caller: Caller, wanted: Wanted, request: &HttpRequest) -> Result<Answer, Problem> {
    let found = blocking(move || receipts::find(app.store.as_ref(), &caller.actor, &[wanted])).await??;
    let receipt = found.into_iter().next().unwrap_or(Err(Withheld::NotFound))?;
    if prefers(request.headers(), "text/plain", "application/json") {
        let proof = TlogProof::of(&receipt).ok_or_else(|| Problem::internal(&"a receipt without items"))?;
        return Ok(Answer::text(proof.to_string()));
    }
    let bytes = receipt.to_bytes().map_err(|error| Problem::internal(&error))?;
    Ok(Answer::bytes("application/json", bytes))
}

/// What paths call each kind.
const KINDS: [(&str, ReceiptKind); 6] = [
    ("handshakes", ReceiptKind::Handshake),
    ("entries", ReceiptKind::LedgerEntry),
    ("agreement-approvals", ReceiptKind::AgreementApproval),
    ("payout-approvals", ReceiptKind::PayoutApproval),
    ("guarantee-runs", ReceiptKind::GuaranteeRun),
    ("tax-documents", ReceiptKind::TaxDocument),
];

fn kind_of(name: &str) -> Result<ReceiptKind, Problem> {
    let found = KINDS.iter().find(|(known, _)| *known == name);
    found.map(|(_, kind)| *kind).ok_or_else(Problem::not_found)
}

/// Get the receipt of a handshake
///
/// Canonical JSON: the signed statements, their leaves with inclusion proofs, and the signed checkpoint. Keep it byte for
/// byte; `flip360 verify --trust FILE RECEIPT` checks it offline. `Accept: text/plain` gets the proof of the seal in C2SP's
/// `tlog-proof` form, whose `extra` is the leaf.
#[utoipa::path(operation_id = "get_handshake_receipt", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The handshake", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content((Object = "application/json", example = json!({"kind": "handshake", "type": "flip360_receipt", "v": 1})), (String = "text/plain"))), (status = 409, description = "The log has not signed for it yet, or the handshake is not sealed", content_type = "application/problem+json", body = crate::problem::ProblemView), (status = 410, description = "The signed words were erased with whom they were about", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/handshakes/{id}/receipt")]
async fn get_handshake_receipt(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<HandshakeId>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    receipt(app, caller, Wanted::Handshake(id), &request).await
}

/// Get the receipt of a ledger entry
///
/// Canonical JSON: the exact bytes of the entry, its leaf with an inclusion proof, and the signed checkpoint. `Accept: text/plain`
/// gets the proof in C2SP's `tlog-proof` form, whose `extra` is the leaf.
#[utoipa::path(operation_id = "get_ledger_entry_receipt", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The entry", example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content((Object = "application/json", example = json!({"kind": "ledger_entry", "type": "flip360_receipt", "v": 1})), (String = "text/plain"))), (status = 409, description = "The log has not signed for it yet", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/ledger/entries/{id}/receipt")]
async fn get_ledger_entry_receipt(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<EntryId>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    receipt(app, caller, Wanted::LedgerEntry(id), &request).await
}

/// Get the receipt of a tax paper
///
/// Canonical JSON: the statement of the paper's number, kind and digest, its leaf with an inclusion proof, and the signed
/// checkpoint. It holds no word of the paper: compare `content_sha256` with the SHA-256 of its `text`. Also needs
/// `chain:read`. `Accept: text/plain` gets the proof in C2SP's `tlog-proof` form, whose `extra` is the leaf.
#[utoipa::path(operation_id = "get_tax_document_receipt", tag = "chain", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The paper", example = "taxdoc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content((Object = "application/json", example = json!({"kind": "tax_document", "type": "flip360_receipt", "v": 1})), (String = "text/plain"))), (status = 409, description = "The log has not signed for it yet, or the paper was issued before papers were logged", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/tax-documents/{id}/receipt")]
async fn get_tax_document_receipt(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<TaxDocumentId>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    receipt(app, caller, Wanted::TaxDocument(id), &request).await
}

/// Get a receipt by kind
///
/// Who sees a thing gets its receipt: of `handshakes` and `entries` by their ids, of `agreement-approvals` by the version
/// (`agreement_…-2`; also needs `agreements:read`), of `payout-approvals` by the run (`payouts:read`), of `guarantee-runs` by
/// theirs (`guarantees:read`), of `tax-documents` by theirs (`payouts:read`). `Accept: text/plain` gets the proof of the main item in C2SP's `tlog-proof` form.
#[utoipa::path(operation_id = "get_receipt", tag = "chain", security(("oauth2" = ["chain:read"])), params(("kind" = String, Path, description = "`handshakes`, `entries`, `agreement-approvals`, `payout-approvals`, `guarantee-runs` or `tax-documents`", example = "handshakes"), ("id" = String, Path, description = "The id", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content((Object = "application/json", example = json!({"kind": "handshake", "type": "flip360_receipt", "v": 1})), (String = "text/plain"))), (status = 409, description = "The log has not signed for it yet, the handshake is not sealed, nobody has approved it, or the paper was issued before papers were logged", content_type = "application/problem+json", body = crate::problem::ProblemView), (status = 410, description = "The signed words were erased with whom they were about", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/receipts/{kind}/{id}")]
async fn get_receipt(
    app: Data<App>,
    caller: Caller,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    let (kind, id) = path.into_inner();
    let wanted = Wanted::parse(kind_of(&kind)?, &id).ok_or_else(Problem::not_found)?;
    receipt(app, caller, wanted, &request).await
}

/// One row of a list of receipts.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[schema(as = ListedReceipt)]
struct ListedReceiptView {
    /// What it is a receipt of.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Canonical JSON: keep it byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    receipt: Option<Box<serde_json::value::RawValue>>,
    /// Why there is none yet, or any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<&'static str>,
}

/// List receipts of a kind
///
/// Every receipt that the caller may see, for whoever keeps them all: handshakes and approvals oldest first, entries, runs of
/// the guarantees and tax papers newest first. What has no receipt says why. What is not approved is not among approvals.
#[utoipa::path(operation_id = "list_receipts", tag = "chain", security(("oauth2" = ["chain:read"])), params(("kind" = String, Path, description = "`handshakes`, `entries`, `agreement-approvals`, `payout-approvals`, `guarantee-runs` or `tax-documents`", example = "handshakes"), List<Unfiltered>), responses((status = 200, description = "A page of receipts", body = PageView<ListedReceiptView>)))]
#[get("/receipts/{kind}")]
async fn list_receipts(app: Data<App>, list: List<Unfiltered>, kind: Path<String>) -> Result<Answer, Problem> {
    let kind = kind_of(&kind)?;
    let List { caller, page, cursors, .. } = list;
    let page = blocking(move || {
        let found = receipts::list(app.store.as_ref(), &caller.actor, kind, &page)?;
        let rows =
            found.data.into_iter().map(|(id, receipt)| listed(id, receipt)).collect::<Result<Vec<_>, Problem>>()?;
        Ok::<_, Problem>(Page { data: rows, next: found.next })
    })
    .await??;
    Answer::page(page, &cursors, |row| row)
}

fn listed(id: String, receipt: Result<Receipt, Withheld>) -> Result<ListedReceiptView, Problem> {
    match receipt {
        Ok(receipt) => {
            let bytes = receipt.to_bytes().map_err(|error| Problem::internal(&error))?;
            let text = String::from_utf8(bytes).map_err(|error| Problem::internal(&error))?;
            let raw = serde_json::value::RawValue::from_string(text).map_err(|error| Problem::internal(&error))?;
            Ok(ListedReceiptView { id, receipt: Some(raw), withheld: None })
        }
        Err(withheld) => Ok(ListedReceiptView { id, receipt: None, withheld: Some(Problem::from(withheld).code) }),
    }
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_receipts)
        .service(get_handshake_receipt)
        .service(get_ledger_entry_receipt)
        .service(get_tax_document_receipt)
        .service(get_receipt);
}
