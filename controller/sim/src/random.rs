//! The plant's random numbers: `SplitMix64` (Steele, Lea, Flood 2014), which passes the usual batteries,
//! is the same on every machine, and needs one word of state.

/// A stream of random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// The stream of a device: streams of the same seed with different names are independent, so that
    /// one more device does not change what the others do.
    pub fn new(seed: u64, name: &str) -> Self {
        // FNV-1a of the name; the first draw mixes it thoroughly.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut mixed = Self(seed);
        Self(mixed.next_u64() ^ hash)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Evenly between two bounds.
    pub fn between(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Around 0 with this standard deviation, roughly normal: the sum of four even draws.
    pub fn noise(&mut self, deviation: f64) -> f64 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit() - 2.0;
        // The sum of four draws has a variance of 4/12.
        sum * deviation * 1.732_050_807_568_877_2
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        // The reference implementation with the seed 1234567.
        let mut random = Random(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_differ_by_name_and_seed_and_repeat() {
        let first = |seed, name| Random::new(seed, name).next_u64();
        assert_eq!(first(1, "oven"), first(1, "oven"));
        assert_ne!(first(1, "oven"), first(1, "hob"));
        assert_ne!(first(1, "oven"), first(2, "oven"));
    }

    #[test]
    fn noise_has_the_spread_it_is_asked_for() {
        let mut random = Random::new(3, "noise");
        let draws: Vec<f64> = (0..20_000).map(|_| random.noise(2.0)).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.05, "{mean}");
        assert!((variance - 4.0).abs() < 0.2, "{variance}");
    }
}
