//! The public log, exactly as C2SP `tlog-tiles` has it, and proofs out of it. No login.
//!
//! Tiles never change and may be cached for ever; the checkpoint is always the newest.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use domain::access::Viewer;
use domain::chain::mirror::{LiveLog, LogFiles as _};
use domain::chain::proofs;
use domain::chain::tile::Tile;
use domain::kernel::Faults;
use domain::store::{Queries, StoreError};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::extract::Filter;
use crate::problem::Problem;
use crate::views::log::{ChainKeysView, ConsistencyProofView, ConsistencyQuery, InclusionProofView, InclusionQuery};

const FOREVER: &str = "public, max-age=31536000, immutable";

/// Looks at the log at one moment, as nobody in particular.
async fn look<R: Send + 'static>(
    app: &Data<App>,
    mut work: impl FnMut(&mut dyn Queries) -> Result<R, StoreError> + Send + 'static,
) -> Result<R, Problem> {
    let app = app.clone();
    let nobody = Viewer::Parties(Vec::new());
    Ok(blocking(move || app.store.read_snapshot(&nobody, |queries| work(queries))).await??)
}

fn out_of_range(faults: Faults) -> Problem {
    Problem { errors: faults.0, ..Problem::malformed("out_of_range", "the log does not have that") }
}

/// Get the newest checkpoint
///
/// A C2SP signed note: the name of the log, the number of its leaves, its root, the signature of the log's key, and the
/// cosignatures of its witnesses. Where a quorum of them is asked for, this is the newest checkpoint that has it.
#[utoipa::path(operation_id = "get_checkpoint", tag = "chain", responses((status = 200, description = "The signed note", content_type = "text/plain", body = String), (status = 404, description = "Nothing was signed yet", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[get("/checkpoint")]
async fn get_checkpoint(app: Data<App>) -> Result<HttpResponse, Problem> {
    let note = look(&app, |queries| queries.chain().find_newest_note()).await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(note.note))
}

/// Get a tile
///
/// C2SP tlog-tiles: `<L>/<N>` and `<L>/<N>.p/<W>` hold hashes, `entries/<N>` and `entries/<N>.p/<W>` the leaves themselves.
/// Indexes are written in groups of three digits: `x001/x234/067`.
#[utoipa::path(operation_id = "get_tile", tag = "chain", params(("path" = String, Path, description = "Level and index", example = "0/x001/234")), responses((status = 200, description = "Hashes of 32 bytes, or leaves each after its length in two bytes", content_type = "application/octet-stream", body = Vec<u8>)))]
#[get("/tile/{path:.*}")]
async fn get_tile(app: Data<App>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let path = format!("tile/{path}");
    Tile::parse(&path).map_err(|_| Problem::not_found())?;
    let bytes = look(&app, move |queries| {
        LiveLog::new(queries.chain()).read(&path).map_err(|error| StoreError::Failed(error.to_string()))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CACHE_CONTROL, FOREVER))
        .body(bytes.await?.ok_or_else(Problem::not_found)?))
}

/// Get the keys of the log
///
/// Saved as a file this is what `flip360 verify --trust` reads. Compare it with what you were given by another way: a
/// receipt proves nothing to somebody who takes the keys from its sender. The witnesses that it names are those that this
/// service asks; which of them you trust, and how many you want, is yours to change in your copy.
#[utoipa::path(operation_id = "get_chain_keys", tag = "chain", responses((status = 200, description = "The keys", body = ChainKeysView)))]
#[get("/chain/keys")]
async fn get_chain_keys(app: Data<App>) -> Result<Answer, Problem> {
    let trust = app.witnessed_trust().map_err(|error| Problem::internal(&error))?;
    Answer::ok(&ChainKeysView::from(&trust))
}

/// Prove that a leaf is in the log
///
/// The hashes beside the way from a leaf to the root of a published size (RFC 9162, 2.1.3).
#[utoipa::path(operation_id = "prove_inclusion", tag = "chain", params(InclusionQuery), responses((status = 200, description = "The proof", body = InclusionProofView)))]
#[get("/chain/proofs/inclusion")]
async fn prove_inclusion(app: Data<App>, Filter(query): Filter<InclusionQuery>) -> Result<Answer, Problem> {
    let proof = look(&app, move |queries| proofs::inclusion(queries.chain(), query.index, query.size)).await?;
    Answer::ok(&InclusionProofView::from(proof.map_err(out_of_range)?))
}

/// Prove that one size of the log extends another
///
/// The hashes that show a smaller published log to be the beginning of a larger one (RFC 9162, 2.1.4).
#[utoipa::path(operation_id = "prove_consistency", tag = "chain", params(ConsistencyQuery), responses((status = 200, description = "The proof", body = ConsistencyProofView)))]
#[get("/chain/proofs/consistency")]
async fn prove_consistency(app: Data<App>, Filter(query): Filter<ConsistencyQuery>) -> Result<Answer, Problem> {
    let proof = look(&app, move |queries| proofs::consistency(queries.chain(), query.from, query.to)).await?;
    Answer::ok(&ConsistencyProofView::from(proof.map_err(out_of_range)?))
}

/// Routes outside of `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(get_checkpoint).service(get_tile);
}

/// Routes below `/v1`.
pub fn register_v1(config: &mut ServiceConfig) {
    config.service(get_chain_keys).service(prove_inclusion).service(prove_consistency);
}
