//! Draws of chance that come out the same on any machine: SplitMix64.
//!
//! Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014), with the constants of
//! Vigna's reference code; the test holds it against that code's figures. Every deal has a stream of its own, begun
//! from the seed and what the deal is called, so that a draw never depends on order, threads or what came before.
//! Not for secrets.

use crate::kernel::rate::WHOLE_PPM;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of draws.
#[derive(Debug, Clone)]
pub struct Draws(u64);

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Draws {
    /// The stream of a seed.
    #[cfg(test)]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of one thing under a seed: each part of its name is mixed in.
    #[must_use]
    pub fn of(seed: u64, name: &[u64]) -> Self {
        Self(name.iter().fold(mixed(seed ^ GOLDEN), |state, part| mixed(state.wrapping_add(GOLDEN) ^ mixed(*part))))
    }

    /// The next 64 bits.
    pub const fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// A number below `bound`; 0 when that is 0. The bias is below `bound` in 2⁶⁴.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_bits() as u128 * bound as u128) >> 64) as u64
    }

    /// Whether something happens that happens so many times in a million.
    pub fn happens(&mut self, ppm: i64) -> bool {
        self.below(WHOLE_PPM.unsigned_abs()) < u64::try_from(ppm).unwrap_or(0)
    }

    /// How often something occurs that occurs so many times in a million on average: its whole part always, one
    /// more by chance.
    pub fn times(&mut self, ppm: i64) -> u32 {
        let (whole, rest) = (ppm.max(0) / WHOLE_PPM, ppm.max(0) % WHOLE_PPM);
        u32::try_from(whole).unwrap_or(u32::MAX).saturating_add(u32::from(self.happens(rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_the_reference_code() {
        // splitmix64.c of Vigna, seed 1234567: the first five outputs, as Rosetta Code lists them too.
        let mut draws = Draws::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| draws.next_bits()), expected);
    }

    #[test]
    fn chances_are_kept_about_as_often_as_they_say() {
        let mut draws = Draws::of(7, &[1, 2]);
        let kept = (0..100_000).filter(|_| draws.happens(250_000)).count();
        // Six standard deviations of a binomial of 100,000 at a quarter are 822.
        assert!((24_178..=25_822).contains(&kept), "{kept}");
        assert_eq!((draws.happens(0), draws.happens(1_000_000)), (false, true));
        let times: u32 = (0..10_000).map(|_| draws.times(2_500_000)).sum();
        assert!((24_700..=25_300).contains(&times), "{times}");
    }

    #[test]
    fn every_name_and_seed_has_its_own_stream() {
        let first = |seed, name: &[u64]| Draws::of(seed, name).next_bits();
        let all = [first(1, &[1]), first(2, &[1]), first(1, &[2]), first(1, &[1, 0]), first(1, &[0, 1])];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert_eq!(first(1, &[1, 2]), first(1, &[1, 2]));
    }
}
