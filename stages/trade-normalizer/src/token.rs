//! A JSON value whose characters are looked at, not converted.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The characters of one JSON value, borrowed from the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a>(&'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Token<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Token(raw.get()))
    }
}

impl<'a> Token<'a> {
    /// The value as JSON.
    pub(crate) fn json(self) -> &'a str {
        self.0
    }

    /// What is between the quotes of a string, escapes and all; anything else as it is.
    pub(crate) fn content(self) -> &'a str {
        self.0
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(self.0)
    }

    /// Whether the value is a string that is not empty.
    pub(crate) fn is_text(self) -> bool {
        self.0.len() > 2 && self.0.starts_with('"')
    }
}
