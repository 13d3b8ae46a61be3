//! Cursors of pages: opaque to callers, the key of the last row to us, marked so that nobody can make one.
//!
//! A cursor serves the list that gave it, asked in the same way: the same path, filters and order, by the same
//! party. Anything else is 400 `invalid_cursor`, so that no cursor carries a key from one tenant's list into
//! another's.

use actix_web::HttpRequest;
use actix_web::web::Data;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::Viewer;
use domain::kernel::Digest;

use crate::app::App;
use crate::problem::Problem;

/// Writes and reads the cursors of one list as one caller asks for it.
#[derive(Clone)]
pub struct Cursors {
    app: Data<App>,
    about: Digest,
}

impl Cursors {
    /// Of a list (its operation and path), asked with these parameters, by whoever sees so.
    #[must_use]
    pub fn new(app: Data<App>, list: [&str; 2], viewer: &Viewer, parameters: &[(String, String)]) -> Self {
        let mut parts: Vec<Vec<u8>> = list.iter().map(|part| part.as_bytes().to_vec()).collect();
        match viewer {
            Viewer::Everything => parts.push(b"everything".to_vec()),
            Viewer::Parties(parties) => {
                parts.push(b"parties".to_vec());
                parts.push(parties.iter().flat_map(|party| *party.as_bytes()).collect());
            }
        }
        let mut parameters: Vec<_> = parameters.iter().collect();
        parameters.sort();
        parts.extend(
            parameters.into_iter().flat_map(|(name, value)| [name, value]).map(|text| text.as_bytes().to_vec()),
        );
        // Each part after its length: no two lists of parts read alike.
        let framed: Vec<u8> =
            parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes(), part.as_slice()].concat()).collect();
        Self { app, about: Digest::of(&framed) }
    }

    /// A key as callers see it.
    #[must_use]
    pub fn write(&self, key: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.app.cursor_key.mark(&self.about, key))
    }

    /// The key that a caller was given.
    ///
    /// # Errors
    /// 400 when this list has not given it, asked in this way, to this party.
    pub fn read(&self, text: &str) -> Result<Vec<u8>, Problem> {
        let marked = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let key = self.app.cursor_key.read(&self.about, &marked).map(<[u8]>::to_vec);
        key.ok_or_else(|| {
            let detail = "use the `next_cursor` of the page before, with the same filters and the same order";
            Problem::malformed_at("#cursor", "invalid_cursor", detail)
        })
    }
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
