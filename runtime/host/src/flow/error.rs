//! Why a flow does not start.

/// Why a flow cannot be wired or started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Two stages have one name.
    #[error("stage `{0}` comes twice")]
    Twice(String),
    /// A name that no stage has.
    #[error("stage `{stage}`: unknown stage `{name}` in `{key}`")]
    Unknown {
        /// The stage that names it.
        stage: String,
        /// `from` or `on_reject`.
        key: &'static str,
        /// The name.
        name: String,
    },
    /// The stages feed each other in a circle.
    #[error("the stages {0} feed each other in a circle")]
    Cycle(String),
    /// A stage has too few or too many inputs.
    #[error("stage `{stage}`: {found} inputs (expected {expected})")]
    Inputs {
        /// The stage.
        stage: String,
        /// How many it has.
        found: usize,
        /// How many it may have.
        expected: String,
    },
    /// A source is named as the target of messages.
    #[error("stage `{0}` is a source and takes no messages")]
    IntoSource(String),
    /// A stage did not open.
    #[error("stage `{stage}`: {error}")]
    Open {
        /// The stage.
        stage: String,
        /// What it said.
        error: String,
    },
    /// The system gave no thread.
    #[error("a thread could not be started: {0}")]
    Thread(String),
}
