//! Made-up but well-formed numbers for demonstrations: the exports carry no ABN and no bank details.
//!
//! Deterministic in the counter and distinct for every counter below the stated bound. They may
//! coincide with a real number; nothing is ever sent to them.

use super::aba_text::AbaText;
use super::bank::{AccountNumber, BankDetails, Bsb};
use super::number::Abn;

/// Branches that every directory knows: Commonwealth, ANZ, Suncorp.
pub const BSBS: [Bsb; 3] =
    [Bsb::from_digits([0, 6, 2, 0, 0, 0]), Bsb::from_digits([0, 1, 3, 0, 0, 6]), Bsb::from_digits([4, 8, 4, 7, 9, 9])];

/// The checksum-valid ABN of a counter; distinct below 400,000,000.
#[must_use]
pub fn abn(counter: u32) -> Abn {
    Abn::with_body(600_000_000 + counter % 400_000_000)
}

/// The account of a counter: nine digits, distinct below 900,000,000.
#[must_use]
pub fn account(counter: u32) -> AccountNumber {
    AccountNumber::from_counter(100_000_000 + counter % 900_000_000)
}

/// Bank details of a counter under an account title.
#[must_use]
pub fn bank_details(counter: u32, title: AbaText<32>) -> BankDetails {
    BankDetails { bsb: BSBS[counter as usize % BSBS.len()], account: account(counter), title }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn literal_examples() {
        assert_eq!(BSBS.map(|b| b.to_string()), ["062-000", "013-006", "484-799"]);
        assert_eq!(account(0).to_string(), "100000000");
        assert_eq!(account(41).to_string(), "100000041");
    }

    #[test]
    fn every_number_is_valid_and_its_own() {
        let mut seen = HashSet::new();
        for counter in 0..5_000 {
            let abn = abn(counter);
            assert_eq!(Abn::parse(&abn.to_string()), Ok(abn));
            assert_eq!(AccountNumber::parse(&account(counter).to_string()), Ok(account(counter)));
            assert!(seen.insert((abn, account(counter))));
        }
    }
}
