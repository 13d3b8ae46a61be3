//! Text that a bank file can carry.
//!
//! Invariants: characters of the Direct Entry set only (`A-Z a-z 0-9`, space and
//! `& ' , - . / + $ ! % ( ) * # = : ? [ ] _ ^ @`), no outer blanks, never empty, at most `MAX` bytes.
//! Latin letters with marks and typographic signs are transliterated; what has no safe form is refused when
//! it is saved, never when the file is made. Nothing is cut to fit. Source: AusPayNet BECS procedures,
//! appendix on file format, as laid down in the payouts document.

use crate::kernel::fault::Reason;

/// Why a text cannot stand in a bank file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AbaTextError {
    /// Nothing but blanks.
    #[error("must not be empty")]
    Empty,
    /// Too long after transliteration.
    #[error("a bank file carries at most {max} characters here; this is {length}")]
    TooLong {
        /// The most bytes.
        max: usize,
        /// What it would take.
        length: usize,
    },
    /// No safe form in the bank's character set.
    #[error("banks do not accept the character «{}» here; write the name as the bank has it", .0.escape_debug())]
    Untranslatable(char),
}

impl Reason for AbaTextError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long_for_bank_file",
            Self::Untranslatable(_) => "not_in_bank_character_set",
        }
    }
}

/// Is this byte in the Direct Entry character set?
#[must_use]
pub const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b' ' | b'&'
                | b'\''
                | b','
                | b'-'
                | b'.'
                | b'/'
                | b'+'
                | b'$'
                | b'!'
                | b'%'
                | b'('
                | b')'
                | b'*'
                | b'#'
                | b'='
                | b':'
                | b'?'
                | b'['
                | b']'
                | b'_'
                | b'^'
                | b'@'
        )
}

/// The plain form of a character outside the set; one row per plain form.
const PLAIN: &[(&str, &str)] = &[
    ("ÀÁÂÃÄÅĀĂĄ", "A"),
    ("àáâãäåāăąª", "a"),
    ("Æ", "AE"),
    ("æ", "ae"),
    ("ÇĆĈĊČ", "C"),
    ("çćĉċč", "c"),
    ("ÐĎĐ", "D"),
    ("ðďđ", "d"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("èéêëēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ĤĦ", "H"),
    ("ĥħ", "h"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ìíîïĩīĭįı", "i"),
    ("Ĵ", "J"),
    ("ĵ", "j"),
    ("Ķ", "K"),
    ("ķ", "k"),
    ("ĹĻĽŁ", "L"),
    ("ĺļľł", "l"),
    ("ÑŃŅŇ", "N"),
    ("ñńņň", "n"),
    ("ÒÓÔÕÖØŌŎŐ", "O"),
    ("òóôõöøōŏőº", "o"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("ŔŖŘ", "R"),
    ("ŕŗř", "r"),
    ("ŚŜŞŠȘ", "S"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ẞ", "SS"),
    ("ŢŤȚ", "T"),
    ("ţťț", "t"),
    ("Þ", "Th"),
    ("þ", "th"),
    ("ÙÚÛÜŨŪŬŮŰŲ", "U"),
    ("ùúûüũūŭůűų", "u"),
    ("Ŵ", "W"),
    ("ŵ", "w"),
    ("ÝŶŸ", "Y"),
    ("ýŷÿ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
    ("’‘‛ʼ`´′", "'"),
    ("‐‑‒–—−", "-"),
    ("\u{a0}\u{202f}", " "),
    ("…", "..."),
    ("\u{300}\u{301}\u{302}\u{303}\u{304}\u{306}\u{307}\u{308}\u{30a}\u{30b}\u{30c}\u{327}\u{328}", ""),
];

/// The text in the bank's character set.
///
/// # Errors
/// [`AbaTextError::Untranslatable`] with the first character that has no safe form.
fn transliterate(text: &str) -> Result<String, AbaTextError> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if u8::try_from(c).is_ok_and(is_allowed) {
            plain.push(c);
        } else {
            let row = PLAIN.iter().find(|(from, _)| from.contains(c));
            plain.push_str(row.ok_or(AbaTextError::Untranslatable(c))?.1);
        }
    }
    Ok(plain)
}

/// A text of at most `MAX` bytes that a bank file can carry as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct AbaText<const MAX: usize>(String);

impl<const MAX: usize> AbaText<MAX> {
    /// Transliterates, trims and checks.
    ///
    /// # Errors
    /// See [`AbaTextError`].
    pub fn parse(text: &str) -> Result<Self, AbaTextError> {
        let plain = transliterate(text)?;
        let plain = plain.trim_matches(' ');
        if plain.is_empty() {
            return Err(AbaTextError::Empty);
        }
        if plain.len() > MAX {
            return Err(AbaTextError::TooLong { max: MAX, length: plain.len() });
        }
        Ok(Self(plain.to_owned()))
    }

    /// A text that is known to fit.
    pub(crate) const fn ascii(text: String) -> Self {
        Self(text)
    }

    /// The text, ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> std::fmt::Display for AbaText<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, const MAX: usize> serde::Deserialize<'de> for AbaText<MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Title = AbaText<32>;

    #[test]
    fn transliterates_what_is_safe() {
        for (from, to) in [
            ("José Núñez", "Jose Nunez"),
            ("Zoë O’Brien", "Zoe O'Brien"),
            ("Groß & Söhne", "Gross & Sohne"),
            ("Łukasz Ćwik", "Lukasz Cwik"),
            ("Cafe\u{301} – Sydney", "Cafe - Sydney"),
            ("  A [1] ^@_?:=  ", "A [1] ^@_?:="),
        ] {
            assert_eq!(Title::parse(from).map(|t| t.to_string()), Ok(to.to_owned()), "{from}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for (text, c) in
            [("李 明", '李'), ("A\0B", '\0'), ("A;B", ';'), ("A\nB", '\n'), ("Иван", 'И'), ("€", '€'), ("A\"B", '"')]
        {
            assert_eq!(Title::parse(text), Err(AbaTextError::Untranslatable(c)), "{text:?}");
        }
        assert_eq!(Title::parse(" "), Err(AbaTextError::Empty));
        assert_eq!(Title::parse("\u{301}"), Err(AbaTextError::Empty));
        assert!(Title::parse(&"x".repeat(32)).is_ok());
        assert_eq!(Title::parse(&"ß".repeat(17)), Err(AbaTextError::TooLong { max: 32, length: 34 }));
    }

    #[test]
    fn the_set_is_as_large_as_the_document_says() {
        let allowed = (0_u8..=255).filter(|b| is_allowed(*b)).count();
        assert_eq!(allowed, 26 + 26 + 10 + 23);
    }

    proptest! {
        #[test]
        fn whatever_parses_is_plain_and_stable(text in "[ -~àéßŁ’–李]{0,40}") {
            if let Ok(title) = Title::parse(&text) {
                prop_assert!(title.as_str().bytes().all(is_allowed));
                prop_assert!(title.as_str().len() <= 32 && title.as_str().trim() == title.as_str());
                prop_assert_eq!(Title::parse(title.as_str()), Ok(title));
            }
        }
    }
}
