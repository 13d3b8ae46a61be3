//! Pages out of the binary that fetch nothing: each made once, with its digest as `ETag` and its own policy.
//!
//! They are no operations of the API, so the API document does not list them.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use actix_web::{HttpResponse, Resource, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::kernel::Digest;

use crate::problem::Problem;

/// A page.
pub struct Page {
    html: String,
    etag: String,
    policy: String,
}

impl Page {
    /// A page under a policy (CSP 3).
    #[must_use]
    pub fn new(html: String, policy: String) -> Self {
        Self { etag: format!("\"{}\"", Digest::of(html.as_bytes())), html, policy }
    }
}

/// How a policy names a style or script of the page's own: by its digest.
#[must_use]
pub fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Digest::of(text.as_bytes()).bytes()))
}

async fn other_method() -> Result<HttpResponse, Problem> {
    Err(Problem::other_method("GET, HEAD".to_owned()))
}

/// The route of a page.
#[must_use]
pub fn resource(path: &str, page: &'static LazyLock<Page>) -> Resource {
    let show = move || async move {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((CONTENT_SECURITY_POLICY, page.policy.as_str()))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .insert_header((ETAG, page.etag.as_str()))
            .body(page.html.as_str())
    };
    web::resource(path).route(web::get().to(show)).default_service(web::to(other_method))
}
