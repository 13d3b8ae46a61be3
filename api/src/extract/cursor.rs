//! Cursors of pages: opaque to callers, the key of the last row to us.

use actix_web::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::kernel::PageRequest;

use crate::problem::Problem;

/// Rows on a page when the caller does not say.
const DEFAULT_LIMIT: u16 = 50;
/// Rows on a page at most.
const MAX_LIMIT: u16 = 200;

/// A key as callers see it.
#[must_use]
pub fn write(key: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// Which page the query parameters `limit` and `cursor` ask for.
///
/// # Errors
/// 400 when the limit is out of range or the cursor is not one of ours.
pub fn page_request(limit: Option<u16>, cursor: Option<&str>) -> Result<PageRequest, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::malformed_at("#limit", "limit_out_of_range", format!("limit is 1 to {MAX_LIMIT}")));
    }
    let bad = |_| Problem::malformed_at("#cursor", "invalid_cursor", "use the `next_cursor` of the page before");
    let after = cursor.map(|text| URL_SAFE_NO_PAD.decode(text)).transpose().map_err(bad)?;
    Ok(PageRequest { limit, after })
}

/// The address of the next page: this request with another cursor.
#[must_use]
pub fn next_page(request: &HttpRequest, cursor: &str) -> String {
    let kept = request.query_string().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let mut query: Vec<&str> = kept.collect();
    let own = format!("cursor={cursor}");
    query.push(&own);
    format!("{}?{}", request.path(), query.join("&"))
}
