//! Currencies of amounts.

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency. Only AUD is traded today; the type keeps amounts from mixing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Currency {
    /// Australian dollar, minor unit: cent.
    #[default]
    #[serde(rename = "AUD")]
    Aud,
}

impl Currency {
    /// The ISO 4217 letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Aud => "AUD",
        }
    }
}
