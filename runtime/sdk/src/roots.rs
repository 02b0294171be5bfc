//! Which messages begin a trace.
//!
//! Decided where a message enters the system, once: whoever gets it later keeps to the trace's `sampled` flag.

/// Picks the messages that begin a trace: a share of all, and some each second whatever the share is.
///
/// A message that is not picked costs a subtraction and two comparisons.
#[derive(Debug)]
pub struct Roots {
    ratio: f64,
    every_ns: i64,
    /// Messages to pass before the share picks the next one.
    skip: u64,
    /// When a message is picked whatever the share is.
    due_ns: i64,
}

impl Roots {
    pub(crate) fn new(ratio: f64, per_second: f64) -> Self {
        // Also what is not a number is no share at all.
        let ratio = if ratio > 0.0 { ratio.min(1.0) } else { 0.0 };
        let every_ns = if per_second > 0.0 {
            (1e9 / per_second) as i64
        } else {
            i64::MAX
        };
        Roots {
            ratio,
            every_ns,
            skip: distance(ratio),
            due_ns: if per_second > 0.0 { 0 } else { i64::MAX },
        }
    }

    /// Whether a message that enters the system now begins a trace.
    pub fn pick(&mut self, now_ns: i64) -> bool {
        if self.skip > 0 && now_ns < self.due_ns {
            self.skip -= 1;
            return false;
        }
        if self.skip == 0 {
            self.skip = distance(self.ratio);
        }
        self.due_ns = now_ns.saturating_add(self.every_ns);
        true
    }
}

/// Messages until the next one of a random share: geometrically distributed.
fn distance(ratio: f64) -> u64 {
    if ratio >= 1.0 {
        return 0;
    }
    if ratio <= 0.0 {
        return u64::MAX;
    }
    // In (0, 1], so that the logarithm is finite; a float that is too large becomes the largest integer.
    let random = 1.0 - fastrand::f64();
    (random.ln() / (1.0 - ratio).ln()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(roots: &mut Roots, messages: i64, ns_apart: i64) -> usize {
        (0..messages)
            .filter(|index| roots.pick(index * ns_apart))
            .count()
    }

    #[test]
    fn all_or_none_are_picked_when_asked_for() {
        assert_eq!(picked(&mut Roots::new(1.0, 0.0), 1000, 1), 1000);
        assert_eq!(picked(&mut Roots::new(0.0, 0.0), 1000, 1), 0);
        assert_eq!(picked(&mut Roots::new(f64::NAN, f64::NAN), 1000, 1), 0);
    }

    #[test]
    fn a_share_is_kept() {
        let count = picked(&mut Roots::new(0.1, 0.0), 100_000, 1);
        assert!((9_000..11_000).contains(&count), "{count}");
    }

    #[test]
    fn some_are_picked_each_second_whatever_the_share_is() {
        let mut roots = Roots::new(0.0, 2.0);
        assert_eq!(picked(&mut roots, 10_000, 1_000_000), 20);
    }
}
