//! Stripe's own ids. They go into paths of requests unescaped, so nothing but letters and digits gets in.

/// The longest part after the prefix.
const MAX: usize = 64;

fn is_name(prefix: &str, text: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.len() <= MAX && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

macro_rules! names {
    ($(#[doc = $what:literal] $name:ident = $prefix:literal),* $(,)?) => {
        $(
            #[doc = $what]
            #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(String);

            impl $name {
                /// Reads an id; nothing if it has another prefix, or anything but letters and digits after it.
                #[must_use]
                pub fn parse(text: &str) -> Option<Self> {
                    is_name($prefix, text).then(|| Self(text.to_owned()))
                }

                /// As Stripe writes it.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

names! {
    /// An account: `acct_…`.
    AccountName = "acct_",
    /// A transfer: `tr_…`.
    TransferName = "tr_",
    /// A reversal of a transfer: `trr_…`.
    ReversalName = "trr_",
    /// An event: `evt_…`.
    EventName = "evt_",
    /// A movement of a balance: `txn_…`.
    TransactionName = "txn_",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_changes_a_path_is_a_name() {
        assert!(AccountName::parse("acct_1PgafTB7WZ01zgkW").is_some());
        for bad in ["", "acct_", "acct_a/../b", "acct_a?x=1", "acct_a b", "tr_1", "acct_a%2f", "acct_\u{e9}"] {
            assert_eq!(AccountName::parse(bad), None, "{bad}");
        }
        assert_eq!(TransferName::parse(&format!("tr_{}", "a".repeat(65))), None);
    }
}
