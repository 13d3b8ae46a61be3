//! The 18 verticals and the products that ship with the platform.
//!
//! Ids are fixed: a UUIDv7 pattern whose time is that of the first release's design and whose last
//! digits are the number of the vertical, or vertical and product. They never change or move.

use uuid::Uuid;

use super::{Product, ProductCode, Vertical, VerticalCode};
use crate::kernel::ids::{ProductId, VerticalId};

const VERTICAL_BASE: u128 = 0x0198_0000_0000_7000_8000_0000_0000_0000;
const PRODUCT_BASE: u128 = 0x0198_0000_0000_7000_8001_0000_0000_0000;

type ReferenceProduct = (&'static str, &'static str);

/// Name and products of V01, V02, … in order. Only ever appended to: places are part of the ids.
const CATALOGUE: [(&str, &[ReferenceProduct]); 18] = [
    (
        "Residential mortgages",
        &[
            ("VARIABLE-OO", "Variable-rate home loan, owner-occupied"),
            ("FIXED-3Y", "Fixed-rate home loan, three years"),
        ],
    ),
    (
        "Commercial lending",
        &[("COMMERCIAL-PROPERTY", "Commercial property loan"), ("BUSINESS-OVERDRAFT", "Business overdraft")],
    ),
    ("Asset finance", &[("CHATTEL-MORTGAGE", "Chattel mortgage, vehicles and equipment")]),
    ("Personal lending", &[("PERSONAL-UNSECURED", "Unsecured personal loan")]),
    (
        "Life and risk insurance",
        &[("TERM-LIFE", "Term life and TPD cover"), ("INCOME-PROTECTION", "Income protection cover")],
    ),
    (
        "General insurance",
        &[("HOME-CONTENTS", "Home and contents insurance"), ("MOTOR", "Comprehensive motor insurance")],
    ),
    ("Health insurance", &[("HOSPITAL-EXTRAS", "Private hospital and extras cover")]),
    ("Property sales", &[("RESIDENTIAL-SALE", "Residential sale listing")]),
    ("Property management", &[("RENTAL-MANAGEMENT", "Residential rental management")]),
    ("Buyers' advocacy", &[("BUYERS-ENGAGEMENT", "Buyers' agent, full search and negotiation")]),
    ("Conveyancing and legal", &[("CONVEYANCE", "Residential conveyance")]),
    ("Accounting and tax", &[("TAX-COMPLIANCE", "Business tax compliance package")]),
    ("Financial planning", &[("STATEMENT-OF-ADVICE", "Statement of advice and implementation")]),
    (
        "Energy and solar",
        &[("SOLAR-BATTERY", "Rooftop solar and battery"), ("ENERGY-PLAN", "Electricity and gas plan")],
    ),
    ("Telecommunications", &[("NBN-PLAN", "NBN broadband plan"), ("MOBILE-PLAN", "Mobile plan")]),
    ("Recruitment", &[("PERMANENT-PLACEMENT", "Permanent placement")]),
    ("Automotive", &[("NEW-VEHICLE", "New vehicle sale")]),
    ("Travel", &[("HOLIDAY-PACKAGE", "Holiday package")]),
];

fn codes() -> impl Iterator<Item = VerticalCode> {
    (1..=18_u8).filter_map(|number| VerticalCode::try_new(number).ok())
}

/// The id of a vertical, which follows from its code.
#[must_use]
pub const fn vertical_id(code: VerticalCode) -> VerticalId {
    VerticalId::new(Uuid::from_u128(VERTICAL_BASE | code.number() as u128))
}

/// The code of the vertical with this id; none when no vertical can have it.
#[must_use]
pub fn vertical_code(id: VerticalId) -> Option<VerticalCode> {
    let number = u8::try_from(id.uuid().as_u128() ^ VERTICAL_BASE).ok()?;
    VerticalCode::try_new(number).ok()
}

/// The 18 verticals that ship, in the order of their codes.
#[must_use]
pub fn verticals() -> Vec<Vertical> {
    codes()
        .zip(CATALOGUE)
        .map(|(code, (name, _))| Vertical {
            id: vertical_id(code),
            code,
            name: name.to_owned(),
            description: None,
            version: 1,
        })
        .collect()
}

/// All products that ship, by vertical.
#[must_use]
pub fn products() -> Vec<Product> {
    let mut products = Vec::new();
    for (vertical, (_, list)) in codes().zip(CATALOGUE) {
        for (place, (code, name)) in (1_u128..).zip(list) {
            let id = ProductId::new(Uuid::from_u128(PRODUCT_BASE | (u128::from(vertical.number()) << 16) | place));
            // The literals above all parse; the test below counts them.
            if let Ok(code) = ProductCode::parse(code) {
                products.push(Product { id, vertical, code, name: (*name).to_owned(), version: 1 });
            }
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_vertical_ships_with_a_product_and_no_id_or_code_twice() {
        let (verticals, products) = (verticals(), products());
        assert_eq!(verticals.len(), 18);
        assert_eq!(products.len(), CATALOGUE.iter().map(|(_, list)| list.len()).sum::<usize>());
        for vertical in &verticals {
            assert!(products.iter().any(|p| p.vertical == vertical.code), "{}", vertical.code);
        }
        let ids: BTreeSet<_> = products.iter().map(|p| p.id).collect();
        let codes: BTreeSet<_> = products.iter().map(|p| p.code.clone()).collect();
        assert_eq!((ids.len(), codes.len()), (products.len(), products.len()));
        let of_v01: Vec<_> =
            products.iter().filter(|p| p.vertical == VerticalCode::V01).map(|p| p.code.as_str()).collect();
        assert_eq!(of_v01, ["VARIABLE-OO", "FIXED-3Y"]);
    }

    #[test]
    fn ids_never_move() {
        assert_eq!(verticals()[17].id.uuid().to_string(), "01980000-0000-7000-8000-000000000012");
        let added = VerticalCode::parse("V99").map(|code| (vertical_id(code).uuid().to_string(), code));
        assert_eq!(added.as_ref().map(|a| a.0.as_str()), Ok("01980000-0000-7000-8000-000000000063"));
        for vertical in verticals() {
            assert_eq!(vertical_code(vertical.id), Some(vertical.code));
        }
        for other in [VERTICAL_BASE, VERTICAL_BASE | 100, VERTICAL_BASE | 0x101, PRODUCT_BASE | 1, 0] {
            assert_eq!(vertical_code(VerticalId::new(Uuid::from_u128(other))), None);
        }
        assert_eq!(products()[1].id.uuid().to_string(), "01980000-0000-7000-8001-000000010002");
    }

    #[test]
    fn codes_parse_strictly() {
        assert_eq!(VerticalCode::parse("V18").map(VerticalCode::number), Ok(18));
        assert_eq!(VerticalCode::parse("V99").map(VerticalCode::number), Ok(99));
        for bad in ["", "V00", "V1", "V100", "v01", "V001", "V 1", "W01"] {
            assert!(VerticalCode::parse(bad).is_err(), "{bad}");
        }
    }
}
