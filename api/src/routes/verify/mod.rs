//! `GET /verify`: a page that judges receipts in the browser, out of the binary and in one piece.
//!
//! Invariants: what a visitor drops is sent nowhere (the policy, in the header and in the page itself, allows no
//! connection, and the WebAssembly in it imports nothing); the page saved to a file works the same. The judge is the
//! crate `verifier`, built by `scripts/wasm.sh` and committed; a test holds it against the sources.

use std::sync::LazyLock;

use actix_web::Resource;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::kernel::Digest;

use super::page::{Page, resource as served, source};

const VERIFIER: &[u8] = include_bytes!("../../../../verifier/wasm/verifier.wasm");
const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page, made once.
static PAGE: LazyLock<Page> = LazyLock::new(made);

fn made() -> Page {
    let policy = format!(
        "default-src 'none'; script-src {} 'wasm-unsafe-eval'; style-src {}; base-uri 'none'; form-action 'none'",
        source(SCRIPT),
        source(STYLE)
    );
    let build = Digest::of(VERIFIER).to_string();
    // The WebAssembly last: it is long, and nothing in it is to be replaced.
    let html = [("{policy}", policy.as_str()), ("{style}", STYLE), ("{script}", SCRIPT), ("{build}", &build)]
        .into_iter()
        .fold(HTML.to_owned(), |page, (name, text)| page.replacen(name, text, 1))
        .replacen("{wasm}", &STANDARD.encode(VERIFIER), 1);
    // A page in a file has no frame around it; the directive counts in a header only.
    Page::new(html, format!("{policy}; frame-ancestors 'none'"))
}

/// The page's route.
#[must_use]
pub fn resource() -> Resource {
    served("/verify", &PAGE)
}
