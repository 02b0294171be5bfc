//! The offsets of a batch: ascending, and nearly always without holes.

/// Offsets by index.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    first: i64,
    len: u32,
    /// All offsets, once there was a hole.
    holed: Vec<i64>,
}

impl Offsets {
    /// Adds an offset, which must be beyond the last one.
    pub(crate) fn push(&mut self, offset: i64) {
        if self.len == 0 {
            self.first = offset;
        } else if self.holed.is_empty() && offset != self.first + i64::from(self.len) {
            self.holed = (0..self.len).map(|index| self.get(index)).collect();
        }
        self.len += 1;
        if !self.holed.is_empty() {
            self.holed.push(offset);
        }
    }

    /// Number of offsets.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The offset at an index below `len`.
    pub(crate) fn get(&self, index: u32) -> i64 {
        self.holed
            .get(index as usize)
            .copied()
            .unwrap_or(self.first + i64::from(index))
    }

    /// The last offset; one before the first if there are none.
    pub(crate) fn last(&self) -> i64 {
        self.holed
            .last()
            .copied()
            .unwrap_or(self.first + i64::from(self.len) - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_kept_with_their_holes() {
        for list in [&[7][..], &[7, 8, 9], &[7, 9], &[7, 8, 11, 12, 20]] {
            let mut offsets = Offsets::default();
            list.iter().for_each(|&offset| offsets.push(offset));
            let kept: Vec<i64> = (0..offsets.len()).map(|index| offsets.get(index)).collect();
            assert_eq!(kept, list);
            assert_eq!(offsets.last(), list[list.len() - 1]);
        }
    }

    #[test]
    fn a_run_without_holes_needs_no_memory() {
        let mut offsets = Offsets::default();
        (100..4196).for_each(|offset| offsets.push(offset));
        assert_eq!((offsets.len(), offsets.holed.capacity()), (4096, 0));
    }
}
