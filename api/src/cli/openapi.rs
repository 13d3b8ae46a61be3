//! `flip360 openapi`.

use std::io::Write;
use std::process::ExitCode;

use super::CommandError;

/// Prints the API document.
///
/// # Errors
/// When standard output cannot be written.
pub fn run() -> Result<ExitCode, CommandError> {
    let document = crate::openapi::bytes(&crate::openapi::document());
    let written = std::io::stdout().write_all(&document);
    written.map_err(|cause| CommandError::File { doing: "writing the document".to_owned(), cause })?;
    Ok(ExitCode::SUCCESS)
}
