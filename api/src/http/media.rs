//! In what form an answer is wanted (`Accept`, RFC 9110, 12.5.1): an operation that has no such form is not
//! begun, and answers 406.
//!
//! Problems are `application/problem+json` whatever is accepted: a refusal that nobody may read helps nobody.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::app::App;
use crate::problem::Problem;

/// Refuses what cannot be answered as it is wanted.
///
/// # Errors
/// Those of what is behind it.
pub async fn acceptable(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match unacceptable(&request) {
        Some(problem) => Ok(request.error_response(problem)),
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

fn unacceptable(request: &ServiceRequest) -> Option<Problem> {
    let wanted = wanted(request.headers());
    if wanted.is_empty() || wanted.iter().all(|range| range.r#type == "*" && range.subtype == "*" && range.weight > 0) {
        return None;
    }
    let app = request.app_data::<Data<App>>()?;
    let operation = app.policy.of_path(request.method().as_str(), request.path())?;
    let served = &operation.answers;
    if served.is_empty() || served.iter().any(|media| accepts(&wanted, media)) {
        return None;
    }
    let detail = format!("this is answered as {} only", served.join(" or "));
    Some(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail))
}

/// Whether the first of two media types is wanted rather than the second, which is what is served when both are as good.
#[must_use]
pub fn prefers(headers: &HeaderMap, first: &str, second: &str) -> bool {
    let wanted = wanted(headers);
    weight(&wanted, first) > weight(&wanted, second)
}

/// One media range of `Accept`; the weight in thousandths.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    r#type: String,
    subtype: String,
    weight: u16,
}

/// What is wanted; what cannot be read is wanted by nobody.
fn wanted(headers: &HeaderMap) -> Vec<Range> {
    let values = headers.get_all(ACCEPT).map(|value| value.to_str().unwrap_or("unreadable/unreadable"));
    values.flat_map(|value| value.split(',')).filter(|range| !range.trim().is_empty()).map(range).collect()
}

fn range(text: &str) -> Range {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let (r#type, subtype) = media.split_once('/').unwrap_or((&media, ""));
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight = weight.map_or(1_000, |text| (text.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0) * 1_000.0) as u16);
    Range { r#type: r#type.to_owned(), subtype: subtype.to_owned(), weight }
}

/// Whether a media type is wanted: the range that fits it most closely decides.
fn accepts(wanted: &[Range], media: &str) -> bool {
    weight(wanted, media) > 0
}

/// How much a media type is wanted, in thousandths.
fn weight(wanted: &[Range], media: &str) -> u16 {
    let (r#type, subtype) = media.split_once('/').unwrap_or((media, ""));
    let fits = |range: &&Range| match (range.r#type.as_str(), range.subtype.as_str()) {
        ("*", "*") => true,
        (t, "*") => t == r#type,
        (t, s) => t == r#type && s == subtype,
    };
    let closeness = |range: &&Range| (range.r#type != "*", range.subtype != "*");
    wanted.iter().filter(fits).max_by_key(closeness).map_or(0, |range| range.weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_that_fits_most_closely_decides() {
        let accept = |text: &str, media: &str| {
            let ranges: Vec<Range> = text.split(',').map(range).collect();
            accepts(&ranges, media)
        };
        for text in [
            "application/json",
            "APPLICATION/JSON",
            "application/*",
            "text/html, application/json;q=0.1",
            "application/json; charset=utf-8",
        ] {
            assert!(accept(text, "application/json"), "{text}");
        }
        for text in [
            "text/html",
            "application/json;q=0",
            "application/*;q=1, application/json;q=0.000",
            "json",
            "application/jsonx",
            "text/*",
        ] {
            assert!(!accept(text, "application/json"), "{text}");
        }
        assert!(!accept("*/*, text/csv;q=0", "text/csv") && accept("*/*, text/csv;q=0", "text/plain"));
    }
}
