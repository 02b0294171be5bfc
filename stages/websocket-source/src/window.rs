//! Which messages were seen before.
//!
//! Remembers a bounded number of ids, by a 64-bit hash with a key of its own: that two of a million ids share one is less
//! likely than one in 10^7, and nobody outside can make them.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, Hash, RandomState};

/// The ids seen last.
#[derive(Debug)]
pub(crate) struct Window {
    hasher: RandomState,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
    most: usize,
}

impl Window {
    /// Remembers the last `most` ids.
    pub(crate) fn new(most: usize) -> Self {
        Window {
            hasher: RandomState::new(),
            seen: HashSet::new(),
            order: VecDeque::new(),
            most,
        }
    }

    /// Notes an id; false if it is among the last ones.
    pub(crate) fn is_new(&mut self, id: impl Hash) -> bool {
        let hash = self.hasher.hash_one(id);
        if !self.seen.insert(hash) {
            return false;
        }
        if self.order.len() == self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_is_new_unless_it_is_among_the_last_ones(ids in prop::collection::vec(0_u8..20, 0..300), most in 1_usize..12) {
            let mut window = Window::new(most);
            let mut model: VecDeque<u8> = VecDeque::new();
            for id in ids {
                let new = !model.contains(&id);
                prop_assert_eq!(window.is_new(id), new);
                if new {
                    model.push_back(id);
                    if model.len() > most { model.pop_front(); }
                }
            }
            prop_assert_eq!(window.seen.len(), window.order.len());
        }
    }
}
