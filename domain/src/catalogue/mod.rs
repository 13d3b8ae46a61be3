//! What can be sold: verticals and their products.
//!
//! 18 verticals ship, with the codes `V01` … `V18`; the operator may add others, up to `V99`. The id of a
//! vertical follows from its code, so that every installation names the same vertical by the same id.

pub mod error;
pub mod guardrail;
pub mod product;
pub mod reference;
pub mod repository;
pub mod service;
pub mod vertical;

use crate::kernel::fault::Reason;
use crate::kernel::ids::{ProductId, VerticalId};

/// The code of a vertical: `V01` … `V99`; the first 18 ship.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerticalCode(u8);

/// The text is not `V01` … `V99`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a vertical from V01 to V99")]
pub struct ParseVerticalCodeError;

impl Reason for ParseVerticalCodeError {
    fn code(&self) -> &'static str {
        "invalid_vertical_code"
    }
}

impl VerticalCode {
    /// Residential mortgages.
    pub const V01: Self = Self(1);
    /// The largest number.
    pub const LAST: u8 = 99;

    /// Reads `V01` … `V99`.
    ///
    /// # Errors
    /// Anything else, lower case included.
    pub fn parse(text: &str) -> Result<Self, ParseVerticalCodeError> {
        match text.as_bytes() {
            [b'V', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Self::try_new((tens - b'0') * 10 + (ones - b'0')),
            _ => Err(ParseVerticalCodeError),
        }
    }

    /// The vertical of a number.
    ///
    /// # Errors
    /// Outside 1 to [`Self::LAST`].
    pub const fn try_new(number: u8) -> Result<Self, ParseVerticalCodeError> {
        if number >= 1 && number <= Self::LAST { Ok(Self(number)) } else { Err(ParseVerticalCodeError) }
    }

    /// `V01` … `V99`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        const CODES: [[u8; 3]; VerticalCode::LAST as usize + 1] = {
            let mut codes = [*b"V00"; VerticalCode::LAST as usize + 1];
            let mut number = 0;
            while number < codes.len() {
                codes[number] = [b'V', b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
                number += 1;
            }
            codes
        };
        std::str::from_utf8(&CODES[usize::from(self.0)]).unwrap_or_default()
    }

    /// 1 to [`Self::LAST`].
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl std::fmt::Display for VerticalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for VerticalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for VerticalCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for VerticalCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The code of a product: 1 to 40 of `A`–`Z`, `0`–`9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ProductCode(String);

/// The text is not a product code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a product code of 1 to 40 capital letters, digits and hyphens")]
pub struct ParseProductCodeError;

impl Reason for ParseProductCodeError {
    fn code(&self) -> &'static str {
        "invalid_product_code"
    }
}

impl ProductCode {
    /// Reads a product code.
    ///
    /// # Errors
    /// When it is empty, longer than 40 bytes or holds another character.
    pub fn parse(text: &str) -> Result<Self, ParseProductCodeError> {
        let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if plain && (1..=40).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(ParseProductCodeError) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ProductCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ProductCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A market in which something is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertical {
    /// Follows from the code.
    pub id: VerticalId,
    /// `V01` … `V99`.
    pub code: VerticalCode,
    /// For a person.
    pub name: String,
    /// What is sold in it, for a person.
    pub description: Option<String>,
    /// Rises with each change.
    pub version: i32,
}

/// What a deal is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Fixed for reference data.
    pub id: ProductId,
    /// The vertical that sells it.
    pub vertical: VerticalCode,
    /// Unique over all verticals.
    pub code: ProductCode,
    /// For a person.
    pub name: String,
    /// Rises with each change.
    pub version: i32,
}
