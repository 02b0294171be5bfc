//! Which messages of one batch are settled.

use std::ops::Range;

/// Which messages of a batch are settled: a prefix, which is nearly always all there is, and bits behind it.
#[derive(Debug)]
pub(crate) struct Settled {
    len: u32,
    prefix: u32,
    count: u32,
    /// One bit a message, made when the first one out of order is settled.
    bits: Vec<u64>,
}

impl Settled {
    /// Nothing of a batch of `len` messages is settled.
    pub(crate) fn new(len: u32) -> Self {
        Settled {
            len,
            prefix: 0,
            count: 0,
            bits: Vec::new(),
        }
    }

    /// How many messages at the beginning are settled without a gap.
    pub(crate) fn prefix(&self) -> u32 {
        self.prefix
    }

    /// Whether all messages are settled.
    pub(crate) fn is_complete(&self) -> bool {
        self.count == self.len
    }

    /// Adds a range and tells how many of it are new.
    pub(crate) fn add(&mut self, range: Range<u32>) -> u32 {
        let range = range.start.max(self.prefix)..range.end.min(self.len);
        if range.is_empty() {
            return 0;
        }
        let before = self.count;
        if range.start == self.prefix && self.bits.is_empty() {
            self.prefix = range.end;
            self.count = range.end;
        } else {
            self.add_bits(range);
        }
        self.count - before
    }

    fn add_bits(&mut self, range: Range<u32>) {
        if self.bits.is_empty() {
            self.bits = vec![0; self.len.div_ceil(64) as usize];
        }
        for index in range {
            let word = &mut self.bits[index as usize / 64];
            let bit = 1 << (index % 64);
            self.count += u32::from(*word & bit == 0);
            *word |= bit;
        }
        while self.prefix < self.len
            && self.bits[self.prefix as usize / 64] & (1 << (self.prefix % 64)) != 0
        {
            self.prefix += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_in_order_need_no_bits() {
        let mut settled = Settled::new(4096);
        assert_eq!(
            (settled.add(0..1000), settled.add(1000..4096)),
            (1000, 3096)
        );
        assert!(settled.is_complete() && settled.bits.is_empty());
    }

    #[test]
    fn ranges_out_of_order_count_once() {
        let mut settled = Settled::new(200);
        assert_eq!((settled.add(63..130), settled.prefix()), (67, 0));
        assert_eq!((settled.add(60..140), settled.prefix()), (13, 0));
        assert_eq!((settled.add(0..61), settled.prefix()), (60, 140));
        assert_eq!((settled.add(0..300), settled.prefix()), (60, 200));
        assert!(settled.is_complete());
    }
}
