//! Counts what is still owed for each message of a batch that has several obligations.

use parking_lot::Mutex;
use std::ops::Range;

/// How many obligations each message has left.
///
/// Every obligation reports each of its messages once ([`super::Once`] sees to it), so counting down is enough, and exactly
/// one report finds a message's count at one: that report's caller, and nobody else, tells upstream. The lock is held for
/// the counting alone, never while anybody is told.
#[derive(Debug)]
pub(crate) struct Tally {
    left: Mutex<Left>,
}

#[derive(Debug)]
enum Left {
    /// Every message has the same number left: all reports so far were about whole batches.
    Same { each: u16, len: u32 },
    /// Per message.
    Each(Box<[u16]>),
}

impl Tally {
    /// The same number of obligations, at least one, for each of `len` messages.
    pub(crate) fn same(each: u16, len: u32) -> Self {
        Tally {
            left: Mutex::new(Left::Same { each, len }),
        }
    }

    /// A number of obligations for each message; those that have none are never reported.
    pub(crate) fn each(counts: Box<[u16]>) -> Self {
        Tally {
            left: Mutex::new(Left::Each(counts)),
        }
    }

    /// Takes one obligation off each message of a range. Answers with the runs of messages that have none left.
    pub(crate) fn report(&self, range: Range<u32>) -> Vec<Range<u32>> {
        let mut left = self.left.lock();
        if let Left::Same { each, len } = &mut *left {
            if range == (0..*len) {
                *each -= 1;
                return if *each == 0 { vec![range] } else { Vec::new() };
            }
            *left = Left::Each(vec![*each; *len as usize].into());
        }
        count_down(&mut left, range)
    }

    /// As [`Tally::report`], for messages one by one in ascending order; one may come several times.
    pub(crate) fn report_each(&self, messages: impl Iterator<Item = u32>) -> Vec<Range<u32>> {
        let mut left = self.left.lock();
        if let Left::Same { each, len } = &*left {
            *left = Left::Each(vec![*each; *len as usize].into());
        }
        count_down(&mut left, messages)
    }
}

fn count_down(left: &mut Left, messages: impl Iterator<Item = u32>) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    let Left::Each(counts) = left else {
        return runs;
    };
    for message in messages {
        let count = &mut counts[message as usize];
        *count -= 1;
        if *count > 0 {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.end == message => run.end += 1,
            _ => runs.push(message..message + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_reports_complete_with_the_last_one() {
        let tally = Tally::same(3, 10);
        assert!(tally.report(0..10).is_empty());
        assert!(tally.report(0..10).is_empty());
        assert_eq!(tally.report(0..10), vec![0..10]);
    }

    #[test]
    fn message_reported_several_times_completes_once() {
        let tally = Tally::each([2, 1, 3].into());
        assert_eq!(tally.report_each([0, 0, 1, 2].into_iter()), vec![0..2]);
        assert_eq!(tally.report_each([2, 2].into_iter()), vec![2..3]);
    }

    proptest! {
        #[test]
        fn each_message_completes_exactly_once_however_reports_interleave(
            len in 1_u32..300,
            consumers in 1_u16..4,
            cuts in prop::collection::vec(prop::collection::vec(0.0_f64..1.0, 0..6), 4),
            order in any::<u64>(),
        ) {
            let tally = Tally::same(consumers, len);
            let mut reports = Vec::new();
            for cuts in &cuts[..consumers as usize] {
                let mut at: Vec<u32> = cuts.iter().map(|cut| (cut * f64::from(len)) as u32).collect();
                at.extend([0, len]);
                at.sort_unstable();
                reports.extend(at.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| pair[0]..pair[1]));
            }
            let len_reports = reports.len();
            reports.rotate_left(order as usize % len_reports);
            if order % 2 == 0 { reports.reverse(); }
            let mut completed = vec![0; len as usize];
            for report in reports {
                tally.report(report).into_iter().flatten().for_each(|i| completed[i as usize] += 1);
            }
            prop_assert!(completed.iter().all(|times| *times == 1));
        }
    }
}
