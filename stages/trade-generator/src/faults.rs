//! Faults on demand: messages left out, messages sent twice.

use crate::random::Random;

/// How often a message is sent.
#[derive(Debug)]
pub(crate) struct Faults {
    random: Random,
    gaps: f64,
    duplicates: f64,
    /// Messages left out.
    pub(crate) withheld: u64,
    /// Messages sent twice.
    pub(crate) repeated: u64,
}

impl Faults {
    /// Shares of messages left out and sent twice. The trades themselves are the same with and without faults.
    pub(crate) fn new(seed: u64, gaps: f64, duplicates: f64) -> Self {
        Faults {
            random: Random::new(seed, 1),
            gaps,
            duplicates,
            withheld: 0,
            repeated: 0,
        }
    }

    /// How often the next message is sent: 0, 1 or 2 times.
    pub(crate) fn copies(&mut self) -> u32 {
        if self.random.chance(self.gaps) {
            self.withheld += 1;
            0
        } else if self.random.chance(self.duplicates) {
            self.repeated += 1;
            2
        } else {
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_faults_everything_is_sent_once() {
        let mut faults = Faults::new(1, 0.0, 0.0);
        assert!((0..1000).all(|_| faults.copies() == 1));
    }

    #[test]
    fn faults_are_counted_and_the_same_for_the_same_seed() {
        let (mut one, mut other) = (Faults::new(9, 0.1, 0.2), Faults::new(9, 0.1, 0.2));
        let copies: Vec<_> = (0..1000).map(|_| one.copies()).collect();
        assert!(copies.iter().all(|copies| *copies == other.copies()));
        assert_eq!(
            one.withheld,
            copies.iter().filter(|copies| **copies == 0).count() as u64
        );
        assert_eq!(
            one.repeated,
            copies.iter().filter(|copies| **copies == 2).count() as u64
        );
        assert!(one.withheld > 50 && one.repeated > 100);
    }
}
