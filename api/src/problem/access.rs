//! Reasons of access.

use domain::access::MissingScope;

use super::Problem;

impl From<MissingScope> for Problem {
    fn from(missing: MissingScope) -> Self {
        let challenge = format!("Bearer realm=\"flip360\", error=\"insufficient_scope\", scope=\"{}\"", missing.0);
        Self::forbidden(missing.to_string()).with_header("WWW-Authenticate", challenge)
    }
}
