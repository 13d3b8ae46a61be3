//! How amounts are spread: a histogram of a fixed size, and what can be read off it.
//!
//! Amounts up to [`EXACT`] either way have a place each; beyond that each doubling is cut into 1,024 places, so that
//! what is read is off by less than 0.1 %. Least and most are exact. Bound: about 1 MB, whatever the number of
//! amounts; two histograms of the same amounts are the same, whatever their order.

/// Amounts up to here are kept exactly.
pub const EXACT: u64 = 2_048;
const SUB_BITS: u32 = 10;
/// Places for magnitudes: the exact ones, then 1,024 for each further doubling of 63 bits.
const PLACES: usize = 2_048 + (63 - 11) * 1_024;

/// A histogram.
#[derive(Debug, Clone)]
pub struct Spread {
    /// Amounts below zero, by magnitude.
    below: Vec<u32>,
    /// Zero and above.
    above: Vec<u32>,
    count: u64,
    least: i64,
    most: i64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { below: Vec::new(), above: Vec::new(), count: 0, least: i64::MAX, most: i64::MIN }
    }
}

/// The place of a magnitude, which is at most 2⁶³ − 1.
const fn place(magnitude: u64) -> usize {
    if magnitude < EXACT {
        return magnitude as usize;
    }
    let octave = 63 - magnitude.leading_zeros();
    let sub = (magnitude >> (octave - SUB_BITS)) - (1 << SUB_BITS);
    EXACT as usize + (octave as usize - 11) * 1_024 + sub as usize
}

/// The least magnitude of a place.
const fn magnitude(place: usize) -> u64 {
    if place < EXACT as usize {
        return place as u64;
    }
    let (octave, sub) = ((place - EXACT as usize) / 1_024 + 11, (place - EXACT as usize) % 1_024);
    ((1 << SUB_BITS) + sub as u64) << (octave as u32 - SUB_BITS)
}

impl Spread {
    /// Takes an amount.
    pub fn take(&mut self, amount: i64) {
        let magnitude = amount.unsigned_abs().min(i64::MAX.unsigned_abs());
        let side = if amount < 0 { &mut self.below } else { &mut self.above };
        if side.is_empty() {
            side.resize(PLACES, 0);
        }
        let count = &mut side[place(magnitude)];
        *count = count.saturating_add(1);
        self.count += 1;
        self.least = self.least.min(amount);
        self.most = self.most.max(amount);
    }

    /// How many were taken.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The amounts at these hundredths of the way from the least to the most (nearest rank); none of nothing.
    #[must_use]
    pub fn at(&self, hundredths: &[u8]) -> Option<Vec<i64>> {
        if self.count == 0 {
            return None;
        }
        let down = self.below.iter().enumerate().rev().map(|(place, n)| (magnitude(place), true, *n));
        let up = self.above.iter().enumerate().map(|(place, n)| (magnitude(place), false, *n));
        let mut places = down.chain(up).filter(|(_, _, n)| *n > 0);
        let (mut seen, mut amount) = (0_u64, self.least);
        let read = hundredths.iter().map(|hundredth| {
            let rank = (self.count * u64::from(*hundredth)).div_ceil(100).clamp(1, self.count);
            while seen < rank {
                let Some((magnitude, is_below, n)) = places.next() else { break };
                seen += u64::from(n);
                let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
                amount = if is_below { -magnitude } else { magnitude };
            }
            match hundredth {
                0 => self.least,
                100.. => self.most,
                _ => amount.clamp(self.least, self.most),
            }
        });
        Some(read.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_amounts_are_read_exactly() {
        let mut spread = Spread::default();
        assert_eq!(spread.at(&[50]), None);
        (-50..=50).for_each(|amount| spread.take(amount));
        assert_eq!(spread.at(&[0, 1, 25, 50, 75, 99, 100]), Some(vec![-50, -49, -25, 0, 25, 49, 50]));
    }

    #[test]
    fn the_ends_of_the_range_have_a_place() {
        let mut spread = Spread::default();
        for amount in [i64::MIN, i64::MAX, 0] {
            spread.take(amount);
        }
        assert_eq!(spread.at(&[0, 50, 100]), Some(vec![i64::MIN, 0, i64::MAX]));
        assert!(place(i64::MAX.unsigned_abs()) < PLACES);
    }

    proptest! {
        #[test]
        fn a_place_begins_within_a_thousandth_below_its_amounts(amount in 0_u64..i64::MAX as u64) {
            let begins = magnitude(place(amount));
            prop_assert!(begins <= amount && u128::from(amount - begins) * 1_000 <= u128::from(amount));
            prop_assert_eq!(place(begins), place(amount));
        }

        #[test]
        fn nearest_ranks_are_those_of_the_sorted_amounts(mut amounts in prop::collection::vec(-2_000_i64..2_000, 1..200), p in 0_u8..=100) {
            let mut spread = Spread::default();
            amounts.iter().for_each(|amount| spread.take(*amount));
            amounts.sort_unstable();
            let rank = (amounts.len() * usize::from(p)).div_ceil(100).max(1);
            prop_assert_eq!(spread.at(&[p]), Some(vec![amounts[rank - 1]]));
        }
    }
}
