//! What is wrong with a version, or worth knowing before somebody approves it.

use serde::Serialize;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The version cannot be proposed.
    Error,
    /// The approver must acknowledge it.
    Warning,
}

impl Severity {
    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave.
    pub severity: Severity,
    /// Stable, `snake_case`.
    pub code: &'static str,
    /// A JSON pointer (RFC 6901) into the content.
    pub pointer: String,
    /// Why, for a person.
    pub message: String,
    /// A made-up deal that shows it; absent when the content alone does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<serde_json::Value>,
}

impl Finding {
    /// An error that the content alone shows.
    #[must_use]
    pub const fn error(code: &'static str, pointer: String, message: String) -> Self {
        Self { severity: Severity::Error, code, pointer, message, example: None }
    }

    /// A warning that the content alone shows.
    #[must_use]
    pub const fn warning(code: &'static str, pointer: String, message: String) -> Self {
        Self { severity: Severity::Warning, code, pointer, message, example: None }
    }
}
