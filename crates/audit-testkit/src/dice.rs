//! Numbers drawn from a seed: the same ones whenever it is the same.

/// Draws numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that a seed decides.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, by splitmix64.
    pub fn seed(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        let numbers = most.wrapping_sub(least).saturating_add(1);
        least.wrapping_add(self.seed().checked_rem(numbers).unwrap_or_default())
    }

    /// An index of a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        let last = u64::try_from(length.saturating_sub(1)).unwrap_or(u64::MAX);
        usize::try_from(self.between(0, last)).unwrap_or_default()
    }

    /// Whether something happens that does once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.between(1, times) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_and_both_ends_are_drawn() {
        let drawn = |seed| {
            let mut dice = Dice::new(seed);
            (0..100).map(|_| dice.between(3, 5)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let range = (drawn(7).into_iter().min(), drawn(7).into_iter().max());
        assert_eq!(range, (Some(3), Some(5)));
        assert_eq!(Dice::new(1).index(1), 0);
    }
}
