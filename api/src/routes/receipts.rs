//! Receipts: what a stranger needs to check a handshake or a ledger entry offline.

use std::str::FromStr;

use actix_web::get;
use actix_web::web::{Data, Path};
use domain::chain::receipt::{Receipt, ReceiptKind};
use domain::chain::receipts::{self, Wanted, Withheld};
use domain::kernel::Page;
use domain::kernel::ids::{EntryId, HandshakeId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::extract::{Caller, Id, List, Unfiltered};
use crate::problem::Problem;
use crate::views::PageView;

/// Packs one receipt, as the caller may see it.
async fn receipt(app: Data<App>, caller: Caller, wanted: Wanted) -> Result<Answer, Problem> {
    let found = blocking(move || receipts::find(app.store.as_ref(), &caller.actor, &[wanted])).await??;
    let receipt = found.into_iter().next().unwrap_or(Err(Withheld::NotFound))?;
    let bytes = receipt.to_bytes().map_err(|error| Problem::internal(&error))?;
    Ok(Answer::bytes("application/json", bytes))
}

/// Get the receipt of a handshake
///
/// Canonical JSON: the signed statements, their leaves with inclusion proofs, and the signed checkpoint. Keep it byte for
/// byte; `flip360 verify --trust FILE RECEIPT` checks it offline.
#[utoipa::path(operation_id = "get_handshake_receipt", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The handshake", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content_type = "application/json", body = Object, example = json!({"kind": "handshake", "type": "flip360_receipt", "v": 1})), (status = 409, description = "The log has not signed for it yet, or the handshake is not sealed", content_type = "application/problem+json", body = crate::problem::ProblemView), (status = 410, description = "The signed words were erased with whom they were about", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/handshakes/{id}/receipt")]
async fn get_handshake_receipt(app: Data<App>, caller: Caller, Id(id): Id<HandshakeId>) -> Result<Answer, Problem> {
    receipt(app, caller, Wanted::Handshake(id)).await
}

/// Get the receipt of a ledger entry
///
/// Canonical JSON: the exact bytes of the entry, its leaf with an inclusion proof, and the signed checkpoint.
#[utoipa::path(operation_id = "get_ledger_entry_receipt", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The entry", example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content_type = "application/json", body = Object, example = json!({"kind": "ledger_entry", "type": "flip360_receipt", "v": 1})), (status = 409, description = "The log has not signed for it yet", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/ledger/entries/{id}/receipt")]
async fn get_ledger_entry_receipt(app: Data<App>, caller: Caller, Id(id): Id<EntryId>) -> Result<Answer, Problem> {
    receipt(app, caller, Wanted::LedgerEntry(id)).await
}

/// Get a receipt by kind
///
/// The same receipts by one path: `handshakes` and `entries`.
#[utoipa::path(operation_id = "get_receipt", tag = "chain", security(("oauth2" = ["chain:read"])), params(("kind" = String, Path, description = "`handshakes` or `entries`", example = "handshakes"), ("id" = String, Path, description = "The id", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The receipt", content_type = "application/json", body = Object, example = json!({"kind": "handshake", "type": "flip360_receipt", "v": 1})), (status = 409, description = "The log has not signed for it yet, or the handshake is not sealed", content_type = "application/problem+json", body = crate::problem::ProblemView), (status = 410, description = "The signed words were erased with whom they were about", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/receipts/{kind}/{id}")]
async fn get_receipt(app: Data<App>, caller: Caller, path: Path<(String, String)>) -> Result<Answer, Problem> {
    let (kind, id) = path.into_inner();
    let wanted = match kind.as_str() {
        "handshakes" => HandshakeId::from_str(&id).map(Wanted::Handshake),
        "entries" => EntryId::from_str(&id).map(Wanted::LedgerEntry),
        _ => return Err(Problem::not_found()),
    };
    receipt(app, caller, wanted.map_err(|_| Problem::not_found())?).await
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
/// Every receipt that the caller may see, for whoever keeps them all: handshakes oldest first, entries newest first. What
/// has no receipt says why.
#[utoipa::path(operation_id = "list_receipts", tag = "chain", security(("oauth2" = ["chain:read"])), params(("kind" = String, Path, description = "`handshakes` or `entries`", example = "handshakes"), List<Unfiltered>), responses((status = 200, description = "A page of receipts", body = PageView<ListedReceiptView>)))]
#[get("/receipts/{kind}")]
async fn list_receipts(app: Data<App>, list: List<Unfiltered>, kind: Path<String>) -> Result<Answer, Problem> {
    let kind = match kind.as_str() {
        "handshakes" => ReceiptKind::Handshake,
        "entries" => ReceiptKind::LedgerEntry,
        _ => return Err(Problem::not_found()),
    };
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
    config.service(list_receipts).service(get_handshake_receipt).service(get_ledger_entry_receipt).service(get_receipt);
}
