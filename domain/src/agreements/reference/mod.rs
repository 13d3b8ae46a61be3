//! The default agreements that ship with the platform: one for each vertical, with the tables that they name.
//!
//! What ships never changes: a change is a new version under the next number, so nothing that was calculated
//! changes. V01 has two: version 1 is upfront only, version 2 brings trail. What each says in words, with worked
//! examples, stands in `docs/default-agreements.md`, whose tables are tests. Rates are realistic in kind, not
//! anybody's price list.

use uuid::Uuid;

use super::model::{LookupTable, ParseContentError, ParseTableError, VersionContent};
use super::version::{GoverningVersion, TableVersion};
use crate::kernel::ids::{AgreementId, LookupTableId};
use crate::kernel::jcs::JcsError;

const AGREEMENT_BASE: u128 = 0x0198_0000_0000_7000_8002_0000_0000_0000;
const TABLE_BASE: u128 = 0x0198_0000_0000_7000_8003_0000_0000_0000;

/// The default agreement of residential mortgages.
pub const V01_AGREEMENT: AgreementId = agreement(1);
/// Its name.
pub const V01_NAME: &str = "Residential mortgages, default agreement";
/// The fees of permanent placements by salary.
pub const RECRUITMENT_FEES: LookupTableId = table(16, 1);

/// The default agreement of the vertical with this number.
const fn agreement(vertical: u8) -> AgreementId {
    AgreementId::new(Uuid::from_u128(AGREEMENT_BASE | vertical as u128))
}

/// A table of a vertical, by its place among them.
const fn table(vertical: u8, place: u16) -> LookupTableId {
    LookupTableId::new(Uuid::from_u128(TABLE_BASE | (vertical as u128) << 16 | place as u128))
}

struct Source {
    agreement: AgreementId,
    number: u32,
    name: &'static str,
    json: &'static [u8],
}

const fn shipped(vertical: u8, number: u32, name: &'static str, json: &'static [u8]) -> Source {
    Source { agreement: agreement(vertical), number, name, json }
}

/// By vertical, then by number. Only ever appended to.
const SOURCES: [Source; 19] = [
    shipped(1, 1, V01_NAME, include_bytes!("v01.json")),
    shipped(1, 2, V01_NAME, include_bytes!("v01_2.json")),
    shipped(2, 1, "Commercial lending, default agreement", include_bytes!("v02.json")),
    shipped(3, 1, "Asset finance, default agreement", include_bytes!("v03.json")),
    shipped(4, 1, "Personal lending, default agreement", include_bytes!("v04.json")),
    shipped(5, 1, "Life and risk insurance, default agreement", include_bytes!("v05.json")),
    shipped(6, 1, "General insurance, default agreement", include_bytes!("v06.json")),
    shipped(7, 1, "Health insurance, default agreement", include_bytes!("v07.json")),
    shipped(8, 1, "Property sales, default agreement", include_bytes!("v08.json")),
    shipped(9, 1, "Property management, default agreement", include_bytes!("v09.json")),
    shipped(10, 1, "Buyers' advocacy, default agreement", include_bytes!("v10.json")),
    shipped(11, 1, "Conveyancing and legal, default agreement", include_bytes!("v11.json")),
    shipped(12, 1, "Accounting and tax, default agreement", include_bytes!("v12.json")),
    shipped(13, 1, "Financial planning, default agreement", include_bytes!("v13.json")),
    shipped(14, 1, "Energy and solar, default agreement", include_bytes!("v14.json")),
    shipped(15, 1, "Telecommunications, default agreement", include_bytes!("v15.json")),
    shipped(16, 1, "Recruitment, default agreement", include_bytes!("v16.json")),
    shipped(17, 1, "Automotive, default agreement", include_bytes!("v17.json")),
    shipped(18, 1, "Travel, default agreement", include_bytes!("v18.json")),
];

const TABLES: [(LookupTableId, u32, &str, &[u8]); 1] =
    [(RECRUITMENT_FEES, 1, "Recruitment fees by salary", include_bytes!("tables/recruitment_fees.json"))];

/// A version that ships, and what its agreement is called.
#[derive(Debug, Clone)]
pub struct Shipped {
    /// What people call the agreement.
    pub name: &'static str,
    /// The version, with the tables that it names.
    pub version: GoverningVersion,
}

/// A version of a lookup table that ships, and what the table is called.
#[derive(Debug, Clone)]
pub struct ShippedTable {
    /// What people call the table.
    pub name: &'static str,
    /// The version.
    pub version: TableVersion,
}

/// The shipped JSON does not read; found by a test long before a user could.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not the content of a version.
    #[error(transparent)]
    Content(#[from] ParseContentError),
    /// Not the content of a table.
    #[error(transparent)]
    Table(#[from] ParseTableError),
    /// No canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

/// Version 1 of the default agreement of V01.
///
/// # Errors
/// Never, as long as the tests pass.
pub fn v01() -> Result<GoverningVersion, ReferenceError> {
    read(&SOURCES[0], &[])
}

/// Every version that ships, by vertical, then by number.
///
/// # Errors
/// Never, as long as the tests pass.
pub fn all() -> Result<Vec<Shipped>, ReferenceError> {
    let tables: Vec<TableVersion> = tables()?.into_iter().map(|shipped| shipped.version).collect();
    SOURCES.iter().map(|source| Ok(Shipped { name: source.name, version: read(source, &tables)? })).collect()
}

/// Every version of a lookup table that ships.
///
/// # Errors
/// Never, as long as the tests pass.
pub fn tables() -> Result<Vec<ShippedTable>, ReferenceError> {
    let read = |(id, number, name, json): &(LookupTableId, u32, &'static str, &[u8])| {
        let version = TableVersion::try_new(*id, *number, LookupTable::parse(json)?)?;
        Ok(ShippedTable { name, version })
    };
    TABLES.iter().map(read).collect()
}

fn read(source: &Source, tables: &[TableVersion]) -> Result<GoverningVersion, ReferenceError> {
    let content = VersionContent::parse(source.json)?;
    let named = content.tables();
    let named = tables.iter().filter(|table| named.iter().any(|named| table.is(named))).cloned().collect();
    Ok(GoverningVersion::with_tables(source.agreement, source.number, content, named)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::agreements::check;
    use crate::catalogue::reference::verticals;

    #[test]
    fn what_ships_never_changes() {
        // sha256 of the canonical JSON, worked out with Python (json.dumps with sorted keys, hashlib).
        let expected: [(u8, u32, &str); 19] = [
            (1, 1, "0412461b81a669ef1a27e3e5bb282c418ac6b740cbee975718b0f2c5afb5a190"),
            (1, 2, "3dc62588fd9e8e06f61d11d2c9c06bf9afb2a0312da08902b5dbf676e6bcf027"),
            (2, 1, "736716cc7a85004884e03f187a2a05fa3094f7e1e4d02941e105f91d0a746c0f"),
            (3, 1, "d5b0c92d01ab392fddc5a9ab0c0c8b52459d8276d164a788daa8241ee8f69546"),
            (4, 1, "2f1bbb67eabbbc1f7fd7875da1a736075a6db359511fbf312cde3d164972d5b7"),
            (5, 1, "1f745363341b793e072df99862ce61ad2f5e979c2a145d04425a9344daaeb818"),
            (6, 1, "7242e1e6729173d106db56654ce5be6083c726bbedc0a4a9d45176a059ad4e03"),
            (7, 1, "c1dad1249690f000f75e4d06922b2b19ac8e3a16718018de983092347302d0a5"),
            (8, 1, "ecb01706246f38bd76a46baff66f81bbf9015d593096e0ed45e6c5be41d316ca"),
            (9, 1, "4fc456e7f6910e1aa2a42d33c8a8d7f96efaa33e6db969d4c0d3072a9b40ce80"),
            (10, 1, "d57bf212c4066a0dd8a14c435219d07139ff67d9c27a39d64bd97b12f83b0cb9"),
            (11, 1, "91644fe390f3e67caa47a0f5eaee727261d650357f52480a678a14a54c4456f6"),
            (12, 1, "da16aa5333724ae06ca05c1b8d6454b82815ea020e6fb67e84d46e5a68c708e1"),
            (13, 1, "065cb6cd7b56f5855c0e0f9e79fa5403fb1a4f744f705e91bcbddbb82cacfbe4"),
            (14, 1, "cfa75662764298ca95a44c771b38e565ac06bbfbc3862deddb59473b2f7e5d98"),
            (15, 1, "7be2813b64aced642b63a4a403f7dcd51fd90ddf9f13483b41ff906441117eae"),
            (16, 1, "8cd3308fcd78ca1062c29b62a7b3221b5d649fc0a0ae6b536b684c447b9f87d0"),
            (17, 1, "2108d42ee4616607f4ac36ae9f4b5b1bf5c7f80ff4b24cab89174de1c0dcb8c8"),
            (18, 1, "6365e943d7454a896d9489fecd832ac05fde67099fafb20f03b7cbe90571c457"),
        ];
        let shipped = all().expect("the reference");
        assert_eq!(shipped.len(), expected.len());
        for ((vertical, number, hash), Shipped { version, .. }) in expected.into_iter().zip(&shipped) {
            let found = (version.content().vertical.number(), version.number(), version.content_hash().to_string());
            assert_eq!(found, (vertical, number, hash.to_owned()));
            assert_eq!(version.agreement(), agreement(vertical));
        }
        assert_eq!(V01_AGREEMENT.uuid().to_string(), "01980000-0000-7000-8002-000000000001");
        let tables = tables().expect("the tables");
        assert_eq!(tables.len(), 1);
        assert_eq!(tables[0].version.id.uuid().to_string(), "01980000-0000-7000-8003-000000100001");
        assert_eq!(
            tables[0].version.content_hash.to_string(),
            "0d434a0b403b1a45ef3a4d2a1c6210b641c23215213724b25a4ba2cf120d6457"
        );
    }

    #[test]
    fn each_vertical_has_one_that_makes_sense_and_carries_the_tables_that_it_names() {
        let shipped = all().expect("the reference");
        let verticals: BTreeSet<u8> = verticals().iter().map(|vertical| vertical.code.number()).collect();
        let found: BTreeSet<u8> = shipped.iter().map(|s| s.version.content().vertical.number()).collect();
        assert_eq!(found, verticals);
        for Shipped { name, version } in &shipped {
            assert_eq!(version.plan().err(), None, "{name}");
            assert_eq!(version.tables().len(), version.content().tables().len(), "{name}");
            let bytes = version.content().canonical_bytes().expect("canonical");
            assert_eq!(VersionContent::parse(&bytes).as_ref(), Ok(version.content()), "{name}");
        }
        for table in tables().expect("the tables") {
            assert_eq!(check::check_table(&table.version.table), [], "{}", table.name);
        }
    }

    #[test]
    fn what_is_written_reads_back_and_unknown_fields_are_refused() {
        let v01 = v01().expect("the reference");
        let bytes = v01.content().canonical_bytes().expect("canonical");
        assert_eq!(VersionContent::parse(&bytes).as_ref(), Ok(v01.content()));
        let text = String::from_utf8(bytes).expect("UTF-8");
        for (from, to) in [
            ("\"of\":[]", "\"of\":[],\"x\":1"),
            ("\"event\":\"settled\"", "\"event\":\"settled\",\"x\":1"),
            ("\"vertical\":\"V01\"", "\"vertical\":\"V01\",\"x\":1"),
            ("\"rate\":\"0.0065\"", "\"rate\":0.0065"),
            ("\"role\":\"member\"", "\"role\":\"upline_0\""),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(VersionContent::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
        }
    }
}
