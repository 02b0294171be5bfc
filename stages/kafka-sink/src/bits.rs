//! A set of indices, given out as runs.

use std::ops::Range;

/// One bit an index.
#[derive(Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// Makes the set empty, with room for indices below `len`.
    pub(crate) fn clear(&mut self, len: usize) {
        self.0.clear();
        self.0.resize(len.div_ceil(64), 0);
    }

    /// Adds an index.
    pub(crate) fn set(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Takes all indices out, as ascending runs that do not touch.
    pub(crate) fn take_runs(&mut self) -> Vec<Range<u32>> {
        let mut runs: Vec<Range<u32>> = Vec::new();
        for (index, word) in self.0.iter_mut().enumerate() {
            let base = index as u32 * 64;
            let mut bits = std::mem::take(word);
            while bits != 0 {
                let start = bits.trailing_zeros();
                let len = (bits >> start).trailing_ones();
                match runs.last_mut() {
                    Some(last) if last.end == base + start => last.end += len,
                    _ => runs.push(base + start..base + start + len),
                }
                // A shift by 64 would be an overflow.
                bits &= u64::MAX.checked_shl(start + len).unwrap_or(0);
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cross_words_and_are_taken_once() {
        let mut bits = Bits::default();
        bits.clear(200);
        (0..3)
            .chain(63..65)
            .chain(120..200)
            .for_each(|index| bits.set(index));
        assert_eq!(bits.take_runs(), [0..3, 63..65, 120..200]);
        assert_eq!(bits.take_runs(), []);
    }
}
