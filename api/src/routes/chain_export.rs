//! The export of the log for auditors: what its leaves commit to.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use domain::chain::export::{self, At};
use futures_util::stream;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::{App, read};
use crate::extract::Caller;
use crate::problem::Problem;

type Written = (Bytes, Option<At>);

/// The next lines, and where the export stands then.
async fn piece(app: &Data<App>, caller: &Caller, at: At) -> Result<Option<Written>, Problem> {
    let found = read(app, caller, move |queries| export::piece(queries.chain(), at)).await?;
    Ok(found.map(|(bytes, next)| (Bytes::from(bytes), next)))
}

type Rest = Option<(Data<App>, Caller, Written)>;

/// Hands out what was read and reads on.
async fn follow(rest: Rest) -> Option<(std::io::Result<Bytes>, Rest)> {
    let (app, caller, (bytes, next)) = rest?;
    let Some(at) = next else { return Some((Ok(bytes), None)) };
    match piece(&app, &caller, at).await {
        Ok(written) => Some((Ok(bytes), written.map(|written| (app, caller, written)))),
        Err(problem) => Some((Err(std::io::Error::other(problem.to_string())), None)),
    }
}

/// Export the log for an audit
///
/// JSON by lines, streamed: the newest signed checkpoint, each leaf with the exact bytes that it commits to (statements as
/// they were signed, entries of the ledger byte for byte), then whatever has no leaf, and a last line that tells how many
/// leaves there were. What is erased is said to be. `flip360 audit --trust FILE --mirror URL --export FILE` compares all of
/// it with the public log. For those who see everything: it holds what partners signed.
#[utoipa::path(operation_id = "export_log", tag = "chain", security(("oauth2" = ["chain:export"])), responses((status = 200, description = "The lines", content_type = "application/x-ndjson", body = String, example = json!("{\"line\":\"head\",\"log\":\"flip360.example/log\",\"size\":0,\"type\":\"flip360_export\",\"v\":1}\n")), (status = 404, description = "Nothing was signed yet", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/chain/export")]
async fn export_log(app: Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    export::whole(&caller.actor)?;
    let head = piece(&app, &caller, At::Head).await?.ok_or_else(Problem::not_found)?;
    let pieces = stream::unfold(Some((app, caller, head)), follow);
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(pieces))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(export_log);
}
