//! `GET /verify`: a page that judges receipts in the browser, out of the binary and in one piece.
//!
//! Invariants: what a visitor drops is sent nowhere (the policy, in the header and in the page itself, allows no
//! connection, and the WebAssembly in it imports nothing); the page saved to a file works the same. The judge is the
//! crate `verifier`, built by `scripts/wasm.sh` and committed; a test holds it against the sources.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use actix_web::{HttpResponse, Resource, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::kernel::Digest;

use crate::problem::Problem;

const VERIFIER: &[u8] = include_bytes!("../../../../verifier/wasm/verifier.wasm");
const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page, made once.
static PAGE: LazyLock<Page> = LazyLock::new(Page::new);

struct Page {
    html: String,
    etag: String,
    policy: String,
}

impl Page {
    fn new() -> Self {
        let digest = |text: &str| STANDARD.encode(Digest::of(text.as_bytes()).bytes());
        let (script, style) = (digest(SCRIPT), digest(STYLE));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{script}' 'wasm-unsafe-eval'; style-src 'sha256-{style}'; \
             base-uri 'none'; form-action 'none'"
        );
        let build = Digest::of(VERIFIER).to_string();
        // The WebAssembly last: it is long, and nothing in it is to be replaced.
        let html = [("{policy}", policy.as_str()), ("{style}", STYLE), ("{script}", SCRIPT), ("{build}", &build)]
            .into_iter()
            .fold(HTML.to_owned(), |page, (name, text)| page.replacen(name, text, 1))
            .replacen("{wasm}", &STANDARD.encode(VERIFIER), 1);
        // A page in a file has no frame around it; the directive counts in a header only.
        let policy = format!("{policy}; frame-ancestors 'none'");
        Self { etag: format!("\"{}\"", Digest::of(html.as_bytes())), policy, html }
    }
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, PAGE.policy.as_str()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((ETAG, PAGE.etag.as_str()))
        .body(PAGE.html.as_str())
}

async fn other_method() -> Result<HttpResponse, Problem> {
    let allow = "GET, HEAD";
    let detail = format!("this path answers {allow}");
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).with_header("Allow", allow))
}

/// The page's route. It is no operation of the API, so the API document does not list it.
#[must_use]
pub fn resource() -> Resource {
    web::resource("/verify").route(web::get().to(page)).default_service(web::to(other_method))
}
