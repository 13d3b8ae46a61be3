//! Splitting an amount without losing a cent.
//!
//! Largest remainder (Hamilton), ties to the earlier participant; the parts always sum to the whole,
//! and a negative amount splits as the mirror of the positive one.

use super::money::{Money, MoneyError};

/// Shares an amount in proportion to the weights, in their order.
///
/// # Errors
/// [`MoneyError::OutOfRange`] when there is no weight, all are zero, or their sum leaves 64 bits.
pub fn largest_remainder(whole: Money, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
    let total = weights.iter().try_fold(0_u64, |sum, w| sum.checked_add(*w)).filter(|t| *t > 0);
    let total = u128::from(total.ok_or(MoneyError::OutOfRange)?);
    let magnitude = u128::from(whole.minor().unsigned_abs());
    let mut parts: Vec<u128> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    for (place, weight) in weights.iter().enumerate() {
        let product = magnitude * u128::from(*weight);
        parts.push(product / total);
        remainders.push((product % total, place));
    }
    let missing = magnitude - parts.iter().sum::<u128>();
    remainders.sort_by_key(|(remainder, place)| (std::cmp::Reverse(*remainder), *place));
    for (_, place) in remainders.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[place] += 1;
    }
    parts
        .into_iter()
        .map(|part| {
            let part = i64::try_from(part).map_err(|_| MoneyError::OutOfRange)?;
            Ok(Money::new(if whole.minor() < 0 { -part } else { part }, whole.currency()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(whole: i64, weights: &[u64]) -> Vec<i64> {
        let parts = largest_remainder(Money::aud(whole), weights).expect("a split");
        parts.into_iter().map(Money::minor).collect()
    }

    #[test]
    fn the_examples_of_the_payouts_document() {
        assert_eq!(cents(100_003, &[50, 30, 20]), [50_001, 30_001, 20_001]);
        assert_eq!(cents(5, &[3, 7]), [2, 3]);
        assert_eq!(cents(10_000, &[1, 1, 1]), [3_334, 3_333, 3_333]);
        assert_eq!(cents(-10_000, &[1, 1, 1]), [-3_334, -3_333, -3_333]);
    }

    proptest! {
        #[test]
        fn the_parts_sum_to_the_whole_and_none_is_a_cent_off(
            whole in -1_000_000_000_000_i64..1_000_000_000_000,
            weights in proptest::collection::vec(0_u64..1_000_000, 1..12),
        ) {
            let total: u64 = weights.iter().sum();
            prop_assume!(total > 0);
            let parts = cents(whole, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), whole);
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(whole) * i128::from(*weight);
                prop_assert!((i128::from(*part) * i128::from(total) - exact).abs() < i128::from(total));
            }
        }
    }
}
