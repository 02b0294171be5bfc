//! The first word about each message of a delivery counts, every later one is ignored.
//!
//! A whole delivery settled by one call, which is the normal case, costs one compare-and-swap. The first call about a part
//! makes a bitset, and from then on every call sets bits: only the bits that a call turned from 0 to 1 are its own, so two
//! threads that settle overlapping ranges at the same moment share the messages between them and neither counts one twice.
//!
//! The state only moves `OPEN → WHOLE` or `OPEN → PARTS`, so a call that loses the race for `WHOLE` finds `PARTS` (and takes
//! what is left there) or `WHOLE` (and has nothing to say).

use pipeline_abi::PL_BATCH_MAX;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const OPEN: u32 = 0;
const WHOLE: u32 = 1;
const PARTS: u32 = 2;
const WORDS: usize = PL_BATCH_MAX as usize / 64;

type Bits = Box<[AtomicU64; WORDS]>;

/// Settle-once accounting of one delivery of up to `PL_BATCH_MAX` messages.
#[derive(Debug, Default)]
pub(crate) struct Once {
    /// Number of messages.
    len: AtomicU32,
    state: AtomicU32,
    /// Messages settled in parts; meaningful in state `PARTS`.
    parts: AtomicU32,
    /// Made by the first partial settle and kept when the delivery is used again.
    bits: OnceLock<Bits>,
}

impl Once {
    /// Starts over with `len` unsettled messages. The caller knows that nobody settles now; others may still look.
    pub(crate) fn reset(&self, len: u32) {
        if self.state.load(Ordering::Relaxed) == PARTS {
            self.parts.store(0, Ordering::Relaxed);
            for word in self.bits.get().into_iter().flat_map(|bits| bits.iter()) {
                word.store(0, Ordering::Relaxed);
            }
        }
        self.len.store(len, Ordering::Relaxed);
        self.state.store(OPEN, Ordering::Release);
    }

    /// Settles `range` as far as nobody did before, calls `mine` with each contiguous run that this call settled, and says
    /// how many messages that were. The range is not empty and inside.
    pub(crate) fn claim(&self, range: Range<u32>, mine: impl FnMut(Range<u32>)) -> u32 {
        let len = self.len.load(Ordering::Relaxed);
        debug_assert!(range.start < range.end && range.end <= len);
        if range.len() as u32 == len {
            self.claim_whole(len, mine)
        } else {
            self.claim_part(range, mine)
        }
    }

    /// Whether every message was settled.
    pub(crate) fn is_settled(&self) -> bool {
        match self.state.load(Ordering::Acquire) {
            OPEN => false,
            WHOLE => true,
            _ => self.parts.load(Ordering::Acquire) == self.len.load(Ordering::Relaxed),
        }
    }

    fn claim_whole(&self, len: u32, mut mine: impl FnMut(Range<u32>)) -> u32 {
        match self
            .state
            .compare_exchange(OPEN, WHOLE, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => {
                mine(0..len);
                len
            }
            Err(PARTS) => self.set_bits(0..len, mine),
            Err(_) => 0,
        }
    }

    fn claim_part(&self, range: Range<u32>, mine: impl FnMut(Range<u32>)) -> u32 {
        if self.state.load(Ordering::Acquire) == OPEN {
            self.bits.get_or_init(new_bits);
            // Losing this race to another partial settle is fine; to a whole one means that nothing is left.
            let _ = self
                .state
                .compare_exchange(OPEN, PARTS, Ordering::AcqRel, Ordering::Acquire);
        }
        if self.state.load(Ordering::Acquire) == PARTS {
            self.set_bits(range, mine)
        } else {
            0
        }
    }

    fn set_bits(&self, range: Range<u32>, mut mine: impl FnMut(Range<u32>)) -> u32 {
        let bits = self.bits.get_or_init(new_bits);
        let mut claimed = 0;
        let mut run = range.start..range.start;
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min((at / 64 + 1) * 64);
            let mask = mask(at % 64, end - at);
            let new = mask & !bits[(at / 64) as usize].fetch_or(mask, Ordering::AcqRel);
            claimed += new.count_ones();
            for (from, to) in runs(new) {
                let (from, to) = (at / 64 * 64 + from, at / 64 * 64 + to);
                if run.end == from {
                    run.end = to;
                } else {
                    flush(&run, &mut mine);
                    run = from..to;
                }
            }
            at = end;
        }
        // Counted before it is told: whoever is told the last run may look at `is_settled`.
        self.parts.fetch_add(claimed, Ordering::AcqRel);
        flush(&run, &mut mine);
        claimed
    }
}

fn flush(run: &Range<u32>, mine: &mut impl FnMut(Range<u32>)) {
    if !run.is_empty() {
        mine(run.clone());
    }
}

fn new_bits() -> Bits {
    Box::new([const { AtomicU64::new(0) }; WORDS])
}

/// `count` (1 to 64) ones from bit `first` on.
fn mask(first: u32, count: u32) -> u64 {
    (u64::MAX >> (64 - count)) << first
}

/// The contiguous runs of ones in a word, as `[from, to)`.
fn runs(mut word: u64) -> impl Iterator<Item = (u32, u32)> {
    let mut base = 0;
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let from = word.trailing_zeros();
        let len = (word >> from).trailing_ones();
        let run = (base + from, base + from + len);
        base += from + len;
        word = word.checked_shr(from + len).unwrap_or(0);
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn once(len: u32) -> Once {
        let once = Once::default();
        once.reset(len);
        once
    }

    fn claim(once: &Once, range: Range<u32>) -> Vec<Range<u32>> {
        let mut runs = Vec::new();
        let claimed = once.claim(range, |run| runs.push(run));
        assert_eq!(
            claimed,
            runs.iter().map(|run| run.len() as u32).sum::<u32>()
        );
        runs
    }

    #[test]
    fn whole_delivery_is_claimed_once() {
        let once = once(9);
        assert_eq!(claim(&once, 0..9), vec![0..9]);
        assert!(once.is_settled());
        assert!(claim(&once, 0..9).is_empty());
        assert!(claim(&once, 3..4).is_empty());
    }

    #[test]
    fn whole_after_parts_takes_what_is_left() {
        let once = once(200);
        assert_eq!(claim(&once, 60..70), vec![60..70]);
        assert_eq!(claim(&once, 0..200), vec![0..60, 70..200]);
        assert!(once.is_settled());
    }

    #[test]
    fn reset_forgets_every_bit() {
        let once = once(128);
        claim(&once, 0..64);
        once.reset(128);
        assert!(!once.is_settled());
        assert_eq!(claim(&once, 0..65), vec![0..65]);
    }

    #[test]
    fn threads_share_overlapping_ranges_without_loss_or_double() {
        for _ in 0..200 {
            let once = once(150);
            let claimed: u32 = std::thread::scope(|scope| {
                let ranges = [0..100, 50..150, 0..150, 149..150];
                let threads = ranges.map(|range| scope.spawn(|| once.claim(range, |_| ())));
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .sum()
            });
            assert_eq!(claimed, 150);
            assert!(once.is_settled());
        }
    }

    proptest! {
        #[test]
        fn every_message_is_claimed_by_the_first_range_that_covers_it(
            len in 1_u32..=PL_BATCH_MAX,
            cuts in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 1..40),
        ) {
            let once = once(len);
            let mut model = vec![false; len as usize];
            for (a, b) in cuts {
                let (a, b) = ((a * f64::from(len)) as u32, (b * f64::from(len)) as u32);
                let range = a.min(b)..a.max(b) + 1;
                let expected: Vec<u32> = range.clone().filter(|i| !model[*i as usize]).collect();
                let claimed: Vec<u32> = claim(&once, range.clone()).into_iter().flatten().collect();
                prop_assert_eq!(claimed, expected);
                range.for_each(|i| model[i as usize] = true);
                prop_assert_eq!(once.is_settled(), model.iter().all(|settled| *settled));
            }
        }
    }
}
