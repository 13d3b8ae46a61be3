//! Typed ids: a type prefix and a UUIDv7, written as TypeIDs (`deal_01k…`).
//!
//! Source: TypeID specification 0.3 (Crockford base32, lower case, 26 characters, the first at most
//! `7`). An id of another type never parses, so a wrong prefix reads as «not found».

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes the 26-character suffix of a TypeID.
#[must_use]
pub fn encode(id: Uuid) -> String {
    let bits = id.as_u128();
    (0..26).map(|i| char::from(ALPHABET[((bits >> (125 - 5 * i)) & 31) as usize])).collect()
}

/// Reads the 26-character suffix of a TypeID; `None` unless it is canonical.
#[must_use]
pub fn decode(suffix: &str) -> Option<Uuid> {
    let bytes = suffix.as_bytes();
    if bytes.len() != 26 || bytes[0] > b'7' {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        bits = (bits << 5) | digit as u128;
    }
    Some(Uuid::from_u128(bits))
}

/// The text is not an id of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that looks like `{prefix}_01k…`")]
pub struct ParseIdError {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

impl crate::fault::Reason for ParseIdError {
    fn code(&self) -> &'static str {
        "invalid_id"
    }
}

/// Declares an id type: a UUIDv7 that prints and parses with its prefix only.
#[macro_export]
macro_rules! typed_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The type prefix, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID that is known to identify this type.
            #[must_use]
            pub const fn new(id: uuid::Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, as storage keeps it.
            #[must_use]
            pub const fn uuid(self) -> uuid::Uuid {
                self.0
            }

            /// Reads `prefix_suffix`.
            ///
            /// # Errors
            /// When the prefix is another one or the suffix is not canonical.
            pub fn parse(text: &str) -> Result<Self, $crate::id::ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then($crate::id::decode)
                    .map(Self)
                    .ok_or($crate::id::ParseIdError { prefix: $prefix })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), $crate::id::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::ParseIdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    typed_id!(
        /// For these tests.
        ThingId,
        "thing"
    );

    #[test]
    fn the_vectors_of_the_specification() {
        let cases = [
            (0_u128, "00000000000000000000000000"),
            (1, "00000000000000000000000001"),
            (10, "0000000000000000000000000a"),
            (16, "0000000000000000000000000g"),
            (32, "00000000000000000000000010"),
            (u128::MAX, "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
        ];
        for (bits, text) in cases {
            assert_eq!(encode(Uuid::from_u128(bits)), text);
            assert_eq!(decode(text), Some(Uuid::from_u128(bits)));
        }
        let spec: Uuid = "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("a UUID");
        assert_eq!(encode(spec), "01h455vb4pex5vsknk084sn02q");
    }

    #[test]
    fn refuses_what_is_not_canonical() {
        for bad in [
            "",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "01H455VB4PEX5VSKNK084SN02Q",
            "01h455vb4pex5vsknk084sn02",
            "01h455vb4pex5vsknk084sn02l",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert!(ThingId::parse("deal_01h455vb4pex5vsknk084sn02q").is_err());
        assert!(ThingId::parse("thing_01h455vb4pex5vsknk084sn02q").is_ok());
    }

    proptest! {
        #[test]
        fn what_is_printed_parses(bits: u128) {
            let id = ThingId::new(Uuid::from_u128(bits));
            prop_assert_eq!(ThingId::parse(&id.to_string()), Ok(id));
            prop_assert_eq!(id.uuid().as_u128(), bits);
            prop_assert!(id.to_string().starts_with(ThingId::PREFIX));
        }
    }
}
