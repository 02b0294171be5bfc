//! How far the stage's end has come.

/// What the server still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything.
    Serving,
    /// It takes nothing new by HTTP and lets nobody in; who is connected still gets what comes.
    Draining,
    /// It sends everybody away.
    Closing,
}
