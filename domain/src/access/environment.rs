//! Live or sandbox: the same program with another database, other keys, and tokens and secrets that cannot be
//! taken for those of the other one.

/// Which of the two a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Environment {
    /// Money moves.
    #[default]
    Live,
    /// For those who integrate: nothing that happens here is real.
    Sandbox,
}

impl Environment {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::Sandbox];

    /// As it is configured and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|environment| environment.as_str() == text)
    }

    /// What secrets of API clients begin with: scanners find a leaked one, and people see which it is.
    #[must_use]
    pub const fn secret_prefix(self) -> &'static str {
        match self {
            Self::Live => "flip_sk_",
            Self::Sandbox => "flip_sk_sandbox_",
        }
    }

    /// Whom access tokens of an issuer are for.
    #[must_use]
    pub fn audience(self, issuer: &str) -> String {
        match self {
            Self::Live => issuer.to_owned(),
            Self::Sandbox => format!("{}/sandbox", issuer.trim_end_matches('/')),
        }
    }
}
