//! How often a stage failed with a message in hand, and when that is held against the message.
//!
//! A crash with many messages in hand says little about each of them. So after some crashes they come alone, and only
//! crashes with nothing else in hand are evidence. One of these may still be chance, and a stage that fails now and then for
//! a reason of its own meets many suspects one after the other: only a message that fails it each time it comes alone is
//! guilty.

/// Crashes in company after which a message comes alone.
const IN_COMPANY: u8 = 2;
/// Crashes alone after which a message is guilty.
const ALONE: u8 = 3;

/// What is held against a message, or against each one of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspicion {
    crashes: u8,
}

impl Suspicion {
    /// The stage failed once more while it had the messages.
    pub(crate) fn after_crash(self) -> Self {
        Suspicion {
            crashes: self.crashes.saturating_add(1),
        }
    }

    /// Whether the stage never failed with them.
    pub(crate) fn is_none(self) -> bool {
        self.crashes == 0
    }

    /// Whether each message comes alone from now on.
    pub(crate) fn comes_alone(self) -> bool {
        self.crashes >= IN_COMPANY
    }

    /// Whether the message, which came alone, is to be rejected.
    pub(crate) fn is_guilty(self) -> bool {
        self.crashes >= IN_COMPANY + ALONE
    }

    /// Why a guilty message is rejected; `error` is how the stage failed the last time.
    pub(crate) fn reason(error: &str) -> String {
        format!(
            "the stage failed {ALONE} times while this message was all that it had, the last time: {error}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crashes_in_company_make_suspects_and_only_crashes_alone_make_guilty() {
        let mut suspicion = Suspicion::default();
        let told: Vec<_> = (0..5)
            .map(|_| {
                suspicion = suspicion.after_crash();
                (suspicion.comes_alone(), suspicion.is_guilty())
            })
            .collect();
        let suspect = (true, false);
        assert_eq!(
            told,
            [(false, false), suspect, suspect, suspect, (true, true)]
        );
    }
}
