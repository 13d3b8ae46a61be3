//! The key policy against points that are known to be bad: the encodings of small order (canonical and
//! not), points of mixed order, and what is no point at all.
//!
//! Sources: Chalkias, Garillot, Nikolaenko, «Taming the many EdDSAs» (2020), tables 1 and 2, and its
//! test vectors; RFC 8032 section 7.1 for good keys.

use domain::chain::key::{KeyError, PublicKey};

fn parse(hexadecimal: &str) -> Result<PublicKey, KeyError> {
    PublicKey::parse(&hex::decode(hexadecimal).map_err(|_| KeyError::Malformed)?)
}

#[test]
fn the_keys_of_the_rfc_are_good() {
    for good in [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    ] {
        assert!(parse(good).is_ok(), "{good}");
    }
    // RFC 8037, appendix A.3: the thumbprint of the first.
    let kid = parse("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").map(|key| key.kid());
    assert_eq!(kid.as_deref(), Ok("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
}

#[test]
fn every_point_of_small_order_is_refused() {
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    ] {
        assert_eq!(parse(weak), Err(KeyError::Weak), "{weak}");
    }
}

#[test]
fn every_other_encoding_of_a_point_is_refused() {
    for other in [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // No point at all.
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        assert_eq!(parse(other), Err(KeyError::NotCanonical), "{other}");
    }
}

#[test]
fn points_of_mixed_order_are_refused() {
    for mixed in [
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
    ] {
        assert_eq!(parse(mixed), Err(KeyError::MixedOrder), "{mixed}");
    }
}

#[test]
fn what_has_another_length_is_no_key() {
    for text in ["", "00", &"00".repeat(31), &"00".repeat(33)] {
        assert_eq!(parse(text), Err(KeyError::Malformed));
    }
}
