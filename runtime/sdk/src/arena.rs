//! Memory of one batch: a bump allocator whose blocks never move, so that messages can point into it while it is filled.
//!
//! Invariant: what [`Arena::bytes`] and [`Arena::slice`] returned stays at its address until `reset` or drop.

use std::ptr;

const CHUNK_WORDS: usize = 8 * 1024; // 64 KiB
const KEPT_CHUNKS: usize = 16; // 1 MiB stays with a pooled batch, more is given back

#[derive(Default)]
pub(crate) struct Arena {
    /// Words, not bytes: every block is aligned to 8.
    chunks: Vec<Vec<u64>>,
    current: usize,
    used_words: usize,
}

impl Arena {
    /// Copies bytes into the arena.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> *const u8 {
        let block = self.block(bytes.len().div_ceil(8)).cast::<u8>();
        // SAFETY: the block has room for `bytes`, which is memory of someone else.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len()) };
        block
    }

    /// Copies plain values of alignment 8 or less into the arena.
    pub(crate) fn slice<T: Copy>(&mut self, values: &[T]) -> *const T {
        self.fill(values.len(), |index, _| values[index])
    }

    /// Room for `len` plain values of alignment 8 or less, each made by `make`, which may use the arena itself.
    pub(crate) fn fill<T: Copy>(
        &mut self,
        len: usize,
        mut make: impl FnMut(usize, &mut Arena) -> T,
    ) -> *const T {
        const { assert!(align_of::<T>() <= 8) };
        let block = self.block((len * size_of::<T>()).div_ceil(8)).cast::<T>();
        for index in 0..len {
            let value = make(index, self);
            // SAFETY: the block is aligned to 8 and has room for `len` values; blocks do not move.
            unsafe { block.add(index).write(value) };
        }
        block
    }

    /// Forgets all blocks; their memory is used again.
    pub(crate) fn reset(&mut self) {
        self.chunks.retain(|chunk| chunk.len() == CHUNK_WORDS);
        self.chunks.truncate(KEPT_CHUNKS);
        self.current = 0;
        self.used_words = 0;
    }

    /// Bytes of all chunks.
    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum::<usize>() * size_of::<u64>()
    }

    fn block(&mut self, words: usize) -> *mut u64 {
        while self
            .chunks
            .get(self.current)
            .is_some_and(|chunk| chunk.len() - self.used_words < words)
        {
            self.current += 1;
            self.used_words = 0;
        }
        if self.current == self.chunks.len() {
            self.chunks.push(vec![0; words.max(CHUNK_WORDS)]);
        }
        // SAFETY: the loop and the push leave a current chunk with room for `words` behind `used_words`.
        let block = unsafe { self.chunks[self.current].as_mut_ptr().add(self.used_words) };
        self.used_words += words;
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_their_address_and_content_while_the_arena_grows() {
        let mut arena = Arena::default();
        let blocks: Vec<_> = (0..2000usize)
            .map(|i| (arena.bytes(&vec![i as u8; i]), i))
            .collect();
        for (block, i) in blocks {
            // SAFETY: the arena was not reset.
            let bytes = unsafe { std::slice::from_raw_parts(block, i) };
            assert!(bytes.iter().all(|&b| b == i as u8));
        }
    }

    #[test]
    fn a_block_larger_than_a_chunk_is_given_back_on_reset() {
        let mut arena = Arena::default();
        arena.bytes(&[1]);
        arena.bytes(&vec![2; 10 * CHUNK_WORDS * 8]);
        arena.reset();
        assert_eq!(arena.chunks.len(), 1);
    }
}
