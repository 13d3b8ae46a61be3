//! The public log, exactly as C2SP `tlog-tiles` has it, and proofs out of it. No login.
//!
//! Tiles never change and may be cached for ever, the checkpoint for a second; both have an `ETag`. Hash tiles and
//! proofs of a size that this process knows are answered from its memory; the checkpoint, leaves and the newest size
//! come from the store, so that what another process signed is seen at once.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use domain::access::Viewer;
use domain::chain::encoding::b64url;
use domain::chain::mirror::{self, LiveLog};
use domain::chain::proofs;
use domain::chain::tile::{Tile, TileKind};
use domain::kernel::{Digest, Faults};
use domain::store::{Queries, StoreError};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::extract::Filter;
use crate::problem::Problem;
use crate::views::log::{ChainKeysView, ConsistencyProofView, ConsistencyQuery, InclusionProofView, InclusionQuery};

const FOREVER: &str = "public, max-age=31536000, immutable";
/// Whoever asks again within a second need not be answered.
const A_SECOND: &str = "public, max-age=1";

/// A file of the log; its `ETag` is a digest of its bytes.
fn file(content_type: &str, cached: &str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, cached))
        .insert_header((ETAG, format!("\"{}\"", b64url(Digest::of(&bytes).bytes()))))
        .body(bytes)
}

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
    Ok(file("text/plain; charset=utf-8", A_SECOND, note.note.into_bytes()))
}

/// Get a tile
///
/// C2SP tlog-tiles: `<L>/<N>` and `<L>/<N>.p/<W>` hold hashes, `entries/<N>` and `entries/<N>.p/<W>` the leaves themselves.
/// Indexes are written in groups of three digits: `x001/x234/067`.
#[utoipa::path(operation_id = "get_tile", tag = "chain", params(("path" = String, Path, description = "Level and index", example = "0/x001/234")), responses((status = 200, description = "Hashes of 32 bytes, or leaves each after its length in two bytes", content_type = "application/octet-stream", body = Vec<u8>)))]
#[get("/tile/{path:.*}")]
async fn get_tile(app: Data<App>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let tile = Tile::parse(&format!("tile/{path}")).map_err(|_| Problem::not_found())?;
    let bytes = match app.log_memory.rows().tile(tile) {
        Ok(known) => Some(known),
        Err(_) => stored(&app, tile).await?,
    };
    Ok(file("application/octet-stream", FOREVER, bytes.ok_or_else(Problem::not_found)?))
}

/// A tile that this process does not know, or not yet.
async fn stored(app: &Data<App>, tile: Tile) -> Result<Option<Vec<u8>>, Problem> {
    let asked = app.clone();
    look(app, move |queries| {
        let chain = queries.chain();
        let remembered = match tile.kind() {
            TileKind::Hashes(_) => mirror::remembered(&asked.log_memory, chain, tile)?,
            TileKind::Entries => None,
        };
        match remembered {
            Some(bytes) => Ok(Some(bytes)),
            // What is stored is shown as it is: who audits it says what is wrong with it.
            None => LiveLog::new(chain).tile(tile).map_err(|error| StoreError::Failed(error.to_string())),
        }
    })
    .await
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
    let known = query.size.and_then(|size| proofs::inclusion_known(&app.log_memory, query.index, size));
    let proof = match known {
        Some(proof) => proof,
        None => {
            let asked = app.clone();
            look(&app, move |queries| proofs::inclusion(&asked.log_memory, queries.chain(), query.index, query.size))
                .await?
                .map_err(out_of_range)?
        }
    };
    Answer::ok(&InclusionProofView::from(proof))
}

/// Prove that one size of the log extends another
///
/// The hashes that show a smaller published log to be the beginning of a larger one (RFC 9162, 2.1.4).
#[utoipa::path(operation_id = "prove_consistency", tag = "chain", params(ConsistencyQuery), responses((status = 200, description = "The proof", body = ConsistencyProofView)))]
#[get("/chain/proofs/consistency")]
async fn prove_consistency(app: Data<App>, Filter(query): Filter<ConsistencyQuery>) -> Result<Answer, Problem> {
    let known = query.to.and_then(|to| proofs::consistency_known(&app.log_memory, query.from, to));
    let proof = match known {
        Some(proof) => proof,
        None => {
            let asked = app.clone();
            look(&app, move |queries| proofs::consistency(&asked.log_memory, queries.chain(), query.from, query.to))
                .await?
                .map_err(out_of_range)?
        }
    };
    Answer::ok(&ConsistencyProofView::from(proof))
}

/// Routes outside of `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(get_checkpoint).service(get_tile);
}

/// Routes below `/v1`.
pub fn register_v1(config: &mut ServiceConfig) {
    config.service(get_chain_keys).service(prove_inclusion).service(prove_consistency);
}
