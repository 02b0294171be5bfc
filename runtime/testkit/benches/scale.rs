//! How large the runs are.

/// Set, it makes every run small: figures then say nothing.
pub(crate) const QUICK: &str = "BENCH_QUICK";

/// Whether this is only to see that everything works.
pub(crate) fn is_quick() -> bool {
    std::env::var_os(QUICK).is_some_and(|it| !it.is_empty() && it != "0")
}

/// How often a limit and our own figure are measured, in turn.
pub(crate) fn rounds() -> usize {
    if is_quick() { 2 } else { 5 }
}

/// A number of messages, clients or seconds.
pub(crate) fn sized(full: u64, quick: u64) -> u64 {
    if is_quick() { quick } else { full }
}
