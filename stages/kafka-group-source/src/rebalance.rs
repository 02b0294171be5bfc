//! The order in which a change of the assignment is carried out.
//!
//! librdkafka asks for one change at a time, and waits for the answer: an assignment is answered once the starts of its
//! partitions are known, a revocation once what is in flight is settled or the patience has ended.
//!
//! Invariant: every change that was asked for is answered, in order, once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a revocation waits for what is in flight.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// What the group asks of this member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// To read these partitions too.
    Assign(Vec<i32>),
    /// To give these partitions up in order.
    Revoke(Vec<i32>),
    /// To forget these partitions: somebody else may have them already.
    Lose(Vec<i32>),
}

/// What has to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Todo {
    /// Find the starts of these partitions, then call [`Rebalance::answered`].
    Resolve(Vec<i32>),
    /// Hand out nothing more of these partitions.
    Stop(Vec<i32>),
    /// Give these partitions up, after committing what is done if `commit`.
    Release {
        partitions: Vec<i32>,
        commit: bool,
        took: Duration,
    },
}

/// The changes that wait and the one that is carried out.
#[derive(Debug, Default)]
pub(crate) struct Rebalance {
    waiting: VecDeque<Change>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    change: Change,
    since: Instant,
    begun: bool,
}

impl Rebalance {
    /// Takes a change that the group asks for.
    pub(crate) fn push(&mut self, change: Change, now: Instant) {
        let change = Current {
            change,
            since: now,
            begun: false,
        };
        match self.current {
            None => self.current = Some(change),
            Some(_) => self.waiting.push_back(change.change),
        }
    }

    /// What to do now; `settled` tells whether nothing of a partition is in flight.
    pub(crate) fn next(&mut self, now: Instant, settled: impl Fn(i32) -> bool) -> Option<Todo> {
        let current = self.current.as_mut()?;
        let begins = !std::mem::replace(&mut current.begun, true);
        let took = now.saturating_duration_since(current.since);
        let (partitions, commit) = match &current.change {
            Change::Assign(partitions) => return begins.then(|| Todo::Resolve(partitions.clone())),
            Change::Revoke(partitions) if begins => return Some(Todo::Stop(partitions.clone())),
            Change::Revoke(partitions)
                if took < PATIENCE && !partitions.iter().all(|&partition| settled(partition)) =>
            {
                return None;
            }
            Change::Revoke(partitions) => (partitions.clone(), true),
            Change::Lose(partitions) => (partitions.clone(), false),
        };
        self.advance(now);
        Some(Todo::Release {
            partitions,
            commit,
            took,
        })
    }

    /// Says that the current assignment was answered, and how long that took; `None` if there is none.
    pub(crate) fn answered(&mut self, now: Instant) -> Option<Duration> {
        let current = self.current.as_ref()?;
        let took = now.saturating_duration_since(current.since);
        matches!(current.change, Change::Assign(_)).then(|| {
            self.advance(now);
            took
        })
    }

    fn advance(&mut self, now: Instant) {
        self.current = self.waiting.pop_front().map(|change| Current {
            change,
            since: now,
            begun: false,
        });
    }

    /// When [`next`](Self::next) has to be asked again even if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let current = self.current.as_ref()?;
        matches!(current.change, Change::Revoke(_)).then(|| current.since + PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    fn pending(change: Change) -> (Rebalance, Instant) {
        let now = Instant::now();
        let mut rebalance = Rebalance::default();
        rebalance.push(change, now);
        (rebalance, now)
    }

    #[test]
    fn an_assignment_is_resolved_once_and_then_answered() {
        let (mut rebalance, now) = pending(Change::Assign(vec![1, 2]));
        assert_eq!(
            rebalance.next(now, |_| true),
            Some(Todo::Resolve(vec![1, 2]))
        );
        assert_eq!(rebalance.next(now, |_| true), None);
        assert_eq!(rebalance.answered(now + MOMENT), Some(MOMENT));
        assert_eq!(rebalance.answered(now), None);
    }

    #[test]
    fn a_revocation_waits_for_what_is_in_flight() {
        let (mut rebalance, now) = pending(Change::Revoke(vec![1, 2]));
        assert_eq!(rebalance.next(now, |_| true), Some(Todo::Stop(vec![1, 2])));
        assert_eq!(
            rebalance.next(now + MOMENT, |partition| partition == 1),
            None
        );
        let release = Todo::Release {
            partitions: vec![1, 2],
            commit: true,
            took: 2 * MOMENT,
        };
        assert_eq!(rebalance.next(now + 2 * MOMENT, |_| true), Some(release));
        assert_eq!(rebalance.next(now + PATIENCE, |_| true), None);
    }

    #[test]
    fn a_revocation_ends_when_the_patience_ends() {
        let (mut rebalance, now) = pending(Change::Revoke(vec![1]));
        assert_eq!(rebalance.next(now, |_| false), Some(Todo::Stop(vec![1])));
        assert_eq!(rebalance.deadline(), Some(now + PATIENCE));
        assert_eq!(rebalance.next(now + PATIENCE - MOMENT, |_| false), None);
        let release = Todo::Release {
            partitions: vec![1],
            commit: true,
            took: PATIENCE,
        };
        assert_eq!(rebalance.next(now + PATIENCE, |_| false), Some(release));
    }

    #[test]
    fn what_is_lost_is_released_at_once_without_a_commit() {
        let (mut rebalance, now) = pending(Change::Lose(vec![1]));
        let release = Todo::Release {
            partitions: vec![1],
            commit: false,
            took: Duration::ZERO,
        };
        assert_eq!(rebalance.next(now, |_| false), Some(release));
    }

    #[test]
    fn changes_are_carried_out_in_order() {
        let (mut rebalance, now) = pending(Change::Assign(vec![1]));
        rebalance.push(Change::Lose(vec![1]), now);
        assert_eq!(rebalance.next(now, |_| true), Some(Todo::Resolve(vec![1])));
        assert_eq!(rebalance.next(now, |_| true), None);
        assert!(rebalance.answered(now).is_some());
        assert!(matches!(
            rebalance.next(now, |_| true),
            Some(Todo::Release { commit: false, .. })
        ));
        assert_eq!(rebalance.next(now, |_| true), None);
    }
}
