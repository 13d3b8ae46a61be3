//! Short texts that people type: names, references, addresses.
//!
//! Invariants: trimmed, not empty, bounded in characters, free of NUL, control characters, line
//! separators and invisible direction marks (they forge what a reader sees).

use crate::kernel::fault::Reason;

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but blanks.
    #[error("must not be empty")]
    Empty,
    /// Longer than the value allows, in characters.
    #[error("must be at most {max} characters")]
    TooLong {
        /// The most characters allowed.
        max: usize,
    },
    /// NUL, a control character, a line separator or an invisible direction mark.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// A reference holds something other than letters, digits and `. _ - / : #`.
    #[error("only letters, digits and . _ - / : # are allowed")]
    NotAReference,
    /// Not an e-mail address.
    #[error("expected an e-mail address such as name@example.com")]
    NotAnEmail,
    /// Not a telephone number.
    #[error("expected a telephone number such as +61 2 9000 0000")]
    NotAPhone,
}

impl Reason for TextError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter => "control_character",
            Self::NotAReference => "invalid_reference",
            Self::NotAnEmail => "invalid_email",
            Self::NotAPhone => "invalid_phone",
        }
    }
}

/// Trims and checks a text against a bound in characters.
pub(crate) fn bounded(text: &str, max: usize) -> Result<&str, TextError> {
    if text.chars().any(is_hidden) {
        return Err(TextError::ControlCharacter);
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > max { Err(TextError::TooLong { max }) } else { Ok(text) }
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

fn any(_: &str) -> Result<(), TextError> {
    Ok(())
}

fn reference(text: &str) -> Result<(), TextError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:#".contains(c);
    if text.chars().all(allowed) { Ok(()) } else { Err(TextError::NotAReference) }
}

/// Light on purpose: one `@`, something before it, a dotted host after it, no blanks. Delivery proves the rest.
fn email(text: &str) -> Result<(), TextError> {
    let (local, host) = text.split_once('@').ok_or(TextError::NotAnEmail)?;
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let blank = |c: char| c.is_whitespace() || "<>()[],;:\"\\".contains(c);
    let local_ok = !local.is_empty() && local.len() <= 64 && !local.chars().any(blank);
    if local_ok && host.contains('.') && host.split('.').all(label) { Ok(()) } else { Err(TextError::NotAnEmail) }
}

fn phone(text: &str) -> Result<(), TextError> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let allowed =
        text.chars().enumerate().all(|(i, c)| c.is_ascii_digit() || " -()".contains(c) || (c == '+' && i == 0));
    if allowed && (6..=15).contains(&digits) { Ok(()) } else { Err(TextError::NotAPhone) }
}

/// Declares a text value with its bound and rule.
macro_rules! text_value {
    ($(#[$meta:meta])* $name:ident, $max:literal, $rule:path) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The most characters.
            pub const MAX: usize = $max;

            /// Trims and checks.
            ///
            /// # Errors
            /// See [`TextError`].
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let text = bounded(text, $max)?;
                $rule(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The text.
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

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_value!(/// The registered name of an organisation or payee.
    LegalName, 200, any);
text_value!(/// The name of a person, as one text: names do not divide reliably into first and last.
    PersonName, 200, any);
text_value!(/// A free label that groups records, such as the name of a cohort.
    ClusterText, 100, any);
text_value!(/// What a product is called.
    ProductName, 200, any);
text_value!(/// What something is, in a few sentences.
    Description, 500, any);
text_value!(/// Why somebody decided so, in their words.
    Grounds, 500, any);
text_value!(/// Where a deed is recorded, as whoever keeps it calls it.
    DeedReference, 200, any);
text_value!(/// What an outside system calls a record; visible ASCII, compared byte by byte.
    ExternalRef, 64, reference);
text_value!(/// What a partner calls its member, unique within the organisation.
    MemberRef, 64, reference);
text_value!(/// An e-mail address.
    Email, 254, email);
text_value!(/// A telephone number, as written.
    Phone, 32, phone);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidden_characters_are_refused_everywhere() {
        for bad in ["a\0b", "a\nb", "\ttab", "a\u{7f}", "a\u{85}", "a\u{202e}b", "a\u{200b}b", "\u{feff}a", "a\u{2028}"]
        {
            assert_eq!(LegalName::parse(bad), Err(TextError::ControlCharacter), "{bad:?}");
            assert_eq!(Email::parse(bad), Err(TextError::ControlCharacter), "{bad:?}");
        }
    }

    #[test]
    fn names_keep_their_letters_and_lose_their_edges() {
        assert_eq!(PersonName::parse("  Zoë O’Brien ").map(|n| n.to_string()), Ok("Zoë O’Brien".to_owned()));
        assert_eq!(PersonName::parse("李 明").map(|n| n.to_string()), Ok("李 明".to_owned()));
        assert_eq!(LegalName::parse("   "), Err(TextError::Empty));
        assert!(LegalName::parse(&"é".repeat(200)).is_ok());
        assert_eq!(LegalName::parse(&"é".repeat(201)), Err(TextError::TooLong { max: 200 }));
    }

    #[test]
    fn references_are_plain() {
        assert!(MemberRef::parse("M001").is_ok());
        assert!(ExternalRef::parse("LN-2026/07:0001#a_b.c").is_ok());
        for bad in ["M 001", "M,1", "é", "a=b", "\"a\""] {
            assert_eq!(MemberRef::parse(bad), Err(TextError::NotAReference), "{bad}");
        }
    }

    #[test]
    fn addresses_look_like_addresses() {
        for good in ["a@b.co", "first.last+tag@mail.example.com.au", "zoë@exämple.com"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "@b.co", "a@", "a@b", "a@b.", "a@.b", "a b@c.de", "a@b@c.de", "<a@b.co>", "a@-b.co"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        for (good, ok) in [("+61 2 9000 0000", true), ("0400 000 000", true), ("12345", false), ("1+2345678", false)] {
            assert_eq!(Phone::parse(good).is_ok(), ok, "{good}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_once_parses_the_same_again(text in ".{0,220}") {
            if let Ok(name) = LegalName::parse(&text) {
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert_eq!(LegalName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
