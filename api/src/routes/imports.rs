//! Imports of deals: the file streams in, a job records it.
//!
//! Bounds: the body is kept piece by piece while it comes, so memory stays flat; at most
//! [`LARGEST_FILE`] bytes.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, get, post};
use domain::deals::import::file::{ImportFormat, ImportState, RowOutcome};
use domain::deals::import::receive::{self, BeginImport, Chunk, ReceiveError, ReceivedFile, Upload};
use domain::deals::import::repository::ImportFilter;
use domain::kernel::Digest;
use domain::kernel::ids::{DealImportId, OrganisationId};
use domain::store::StoreError;
use futures_util::StreamExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Command, Filter, Id, List, body, query};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::imports::{CreateImportQuery, ImportQuery, ImportRowQuery, ImportView, RowView};
use crate::views::jobs::JobView;

/// The largest file, in bytes.
pub const LARGEST_FILE: u64 = 2 * 1024 * 1024 * 1024;
/// The header that carries the declaration.
const DECLARATION: &str = "Flip360-Declaration";

/// Import deals
///
/// Takes an export of an introducer, as CSV or as NDJSON (one JSON object a line, its members named as the columns and holding the texts of
/// a CSV; amounts are texts such as `"650000.00"`). The header line of a CSV must be `external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on`, then any of
/// `premium`, `fee`, `salary`, `rent`, `margin` (amounts), `units`, `connections`, `kilowatts`, `policies`, `travellers` (whole numbers).
/// The body is the file; it may be large. The last valid row of each `external_ref` counts, faulty rows are refused with line, column and code and the rest is
/// imported, and the same file again changes nothing. The introducer's key answers for the file: `Flip360-Declaration` is the compact JWS of its import declaration.
#[utoipa::path(operation_id = "create_deal_import", tag = "deals", security(("oauth2" = ["deals:write"])), params(CreateImportQuery, ("Flip360-Declaration" = String, Header, description = "The signed declaration (compact JWS) for exactly this file.", example = "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiLi4uIn0.eyJmaWxlX3NoYTI1NiI6Ii4uLiJ9.c2lnbmF0dXJl")), request_body(content((String = "text/csv"), (String = "application/x-ndjson")), description = "The file"), responses((status = 202, description = "The job that imports it", body = JobView)))]
#[post("/deals/imports")]
async fn create_deal_import(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    Filter(asked): Filter<CreateImportQuery>,
    payload: Payload,
) -> Result<Answer, Problem> {
    let claim = caller.claim(body::key(&request)?);
    let declaration = declaration(&request)?;
    let format = format_of(&request)?;
    let command = whose(&caller, &asked, format)?;
    let (beginning, actor) = (app.clone(), caller.actor.clone());
    let import =
        blocking(move || beginning.store.transaction(|uow| receive::begin(uow, &beginning.env(&actor), &command)))
            .await??;
    let pieces = Pieces { app: app.clone(), import: Some(import.id) };
    let outcome = match stream(&app, import.id, payload).await {
        Ok(file) => {
            let fingerprint = fingerprint(&request, format, &declaration, &file);
            let body = Received { import: import.id, file, declaration };
            let fields = [("file_sha256".to_owned(), body.file.sha256.to_string().into())].into_iter().collect();
            enqueue(&app, Command { caller, claim, fingerprint, fields, body }).await
        }
        Err(problem) => Err(problem),
    };
    // A refusal, an answer that was given before, a broken stream: then the pieces are of no use.
    pieces.put_away(outcome.is_ok()).await?;
    outcome
}

/// A file that is here, and who answers for it.
struct Received {
    import: DealImportId,
    file: ReceivedFile,
    declaration: String,
}

async fn enqueue(app: &Data<App>, command: Command<Received>) -> Result<Answer, Problem> {
    let answer = once(
        app,
        command,
        |uow, env, body: &Received| receive::received_declared(uow, env, body.import, body.file, &body.declaration),
        |(import, job)| {
            let answer = Answer::accepted(format!("/v1/jobs/{}", job.id), import.id.uuid(), &JobView::from(job))?;
            Ok(answer.naming(&import.id))
        },
    )
    .await?;
    app.work.ring();
    Ok(answer)
}

/// The pieces of a file that is coming in. They are put away when the request ends, and also when the client
/// goes away and nobody is left to end it.
struct Pieces {
    app: Data<App>,
    import: Option<DealImportId>,
}

impl Pieces {
    /// Puts the pieces away, unless the import has taken them. An answered request whose upload still stands
    /// was answered before.
    async fn put_away(mut self, answered: bool) -> Result<(), Problem> {
        let Some(import) = self.import.take() else { return Ok(()) };
        let app = self.app.clone();
        blocking(move || if answered { repeated(&app, import) } else { abandoned(&app, import) })
            .await?
            .map_err(Problem::from)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if let Some(import) = self.import.take() {
            let app = self.app.clone();
            actix_web::rt::task::spawn_blocking(move || {
                if let Err(error) = abandoned(&app, import) {
                    tracing::warn!(%error, "an upload that broke off is left for the sweep");
                }
            });
        }
    }
}

fn repeated(app: &App, import: DealImportId) -> Result<(), StoreError> {
    app.store.transaction(|uow| receive::repeated(uow, import))
}

fn abandoned(app: &App, import: DealImportId) -> Result<(), StoreError> {
    let service = domain::access::Actor::service();
    app.store.transaction(|uow| receive::abandoned(uow, &app.env(&service), import))
}

fn declaration(request: &HttpRequest) -> Result<String, Problem> {
    let header = request.headers().get(DECLARATION).and_then(|header| header.to_str().ok());
    header.map(str::to_owned).ok_or_else(|| {
        let detail = "send the declaration that the importing organisation's key signed for this file";
        Problem::malformed_at("#Flip360-Declaration", "declaration_missing", detail)
    })
}

/// How the file is written, as its media type says.
fn format_of(request: &HttpRequest) -> Result<ImportFormat, Problem> {
    let header = |name| request.headers().get(name).and_then(|h| h.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    let media = header(CONTENT_TYPE);
    let encoding = header(CONTENT_ENCODING);
    let format = match media.split(';').next().map(str::trim) {
        Some("text/csv") => Some(ImportFormat::Csv),
        Some("application/x-ndjson") => Some(ImportFormat::Ndjson),
        _ => None,
    };
    let plain = matches!(encoding.as_str(), "" | "identity");
    let Some(format) = format.filter(|_| plain) else {
        let detail =
            "send the file as it is, with `Content-Type: text/csv` or `application/x-ndjson` and no content encoding";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    };
    let declared = header(CONTENT_LENGTH).parse::<u64>();
    if declared.is_ok_and(|length| length > LARGEST_FILE) { Err(too_large()) } else { Ok(format) }
}

fn too_large() -> Problem {
    let detail = format!("a file has at most {LARGEST_FILE} bytes; split it");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn whose(caller: &Caller, asked: &CreateImportQuery, format: ImportFormat) -> Result<BeginImport, Problem> {
    let organisation = |name, text: Option<&str>| query::filter(name, text, OrganisationId::parse);
    let missing = |name: &str| Problem::malformed_at(name, "required", "this parameter is required");
    let provider = organisation("provider_id", asked.provider_id.as_deref())?;
    let own = organisation("organisation_id", asked.organisation_id.as_deref())?.or(caller.actor.organisation);
    Ok(BeginImport {
        organisation: own.ok_or_else(|| missing("#organisation_id"))?,
        provider: provider.ok_or_else(|| missing("#provider_id"))?,
        format,
    })
}

/// Keeps the body piece by piece.
async fn stream(app: &Data<App>, import: DealImportId, mut payload: Payload) -> Result<ReceivedFile, Problem> {
    let mut upload = Upload::default();
    let mut bytes: u64 = 0;
    loop {
        let deadline = tokio::time::Instant::now() + body::PATIENCE;
        let Some(part) = body::arriving(deadline, payload.next()).await? else { break };
        let part = part.map_err(|error| Problem::malformed("unreadable_body", error.to_string()))?;
        bytes += part.len() as u64;
        if bytes > LARGEST_FILE {
            return Err(too_large());
        }
        for chunk in upload.feed(&part) {
            keep(app, import, chunk).await?;
        }
    }
    let (last, file) = upload.finish();
    if let Some(chunk) = last {
        keep(app, import, chunk).await?;
    }
    Ok(file)
}

async fn keep(app: &Data<App>, import: DealImportId, chunk: Chunk) -> Result<(), Problem> {
    let app = app.clone();
    let kept = blocking(move || app.store.transaction(|uow| receive::append(uow, import, &chunk))).await?;
    kept.map_err(|error: ReceiveError| error.into())
}

/// What an idempotency key stands for: method, address, format, declaration and the file's digest.
fn fingerprint(request: &HttpRequest, format: ImportFormat, declaration: &str, file: &ReceivedFile) -> Digest {
    let address = request.uri().path_and_query().map_or("", |p| p.as_str());
    Digest::of_parts(&[
        request.method().as_str().as_bytes(),
        b"\0",
        address.as_bytes(),
        b"\0",
        format.as_str().as_bytes(),
        b"\0",
        declaration.as_bytes(),
        b"\0",
        file.sha256.bytes(),
    ])
}

/// List imports
///
/// Newest first.
#[utoipa::path(operation_id = "list_deal_imports", tag = "deals", security(("oauth2" = ["deals:read"])), params(List<ImportQuery>), responses((status = 200, description = "A page of imports", body = PageView<ImportView>)))]
#[get("/deals/imports")]
async fn list_deal_imports(app: Data<App>, list: List<ImportQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let state = |text: &str| ImportState::parse(text).ok_or("no such status");
    let filter = ImportFilter {
        state: query::filter("status", asked.status.as_deref(), state)?,
        organisation: query::filter("organisation_id", asked.organisation_id.as_deref(), OrganisationId::parse)?,
        provider: query::filter("provider_id", asked.provider_id.as_deref(), OrganisationId::parse)?,
    };
    let page = read(&app, &caller, move |queries| queries.imports().list(&filter, &page)).await?;
    Answer::page(page, &cursors, ImportView::from)
}

/// Get an import
///
/// What became of the file and of its rows.
#[utoipa::path(operation_id = "get_deal_import", tag = "deals", security(("oauth2" = ["deals:read"])), params(("id" = String, Path, description = "The import", example = "import_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The import", body = ImportView)))]
#[get("/deals/imports/{id}")]
async fn get_deal_import(app: Data<App>, caller: Caller, Id(id): Id<DealImportId>) -> Result<Answer, Problem> {
    let import = read(&app, &caller, move |queries| queries.imports().find(id)).await?;
    Answer::ok(&ImportView::from(import.ok_or_else(Problem::not_found)?))
}

/// List the rows of an import
///
/// In the order of the file's lines; `?outcome=refused` are those to mend, each with line, column and code.
#[utoipa::path(operation_id = "list_deal_import_rows", tag = "deals", security(("oauth2" = ["deals:read"])), params(("id" = String, Path, description = "The import", example = "import_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<ImportRowQuery>), responses((status = 200, description = "A page of rows", body = PageView<RowView>)))]
#[get("/deals/imports/{id}/rows")]
async fn list_deal_import_rows(
    app: Data<App>,
    list: List<ImportRowQuery>,
    Id(id): Id<DealImportId>,
) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let outcome =
        query::filter("outcome", asked.outcome.as_deref(), |text| RowOutcome::parse(text).ok_or("no such outcome"))?;
    let rows = read(&app, &caller, move |queries| {
        let known = queries.imports().find(id)?.is_some();
        known.then(|| queries.imports().list_rows(id, outcome, &page)).transpose()
    })
    .await?;
    Answer::page(rows.ok_or_else(Problem::not_found)?, &cursors, RowView::from)
}

/// Routes below `/v1`, before those of deals: `imports` is no deal's id.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(create_deal_import)
        .service(list_deal_imports)
        .service(list_deal_import_rows)
        .service(get_deal_import);
}
