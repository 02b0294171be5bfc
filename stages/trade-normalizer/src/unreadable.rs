//! Why a frame could not be read.

/// Most characters of a venue's text that a reason repeats.
const SHOWN: usize = 64;

/// Why a frame could not be read; its text is the reason of the reject.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The frame is no JSON, or its structure is not the venue's.
    #[error("not the JSON that was expected: {0}")]
    Json(#[from] serde_json::Error),
    /// The frame is JSON, but of another kind.
    #[error("expected a JSON object (a list is taken apart by websocket-source's `split`)")]
    NotAnObject,
    /// A trade lacks something.
    #[error("`{0}`: missing")]
    Missing(&'static str),
    /// A trade has something that makes no sense.
    #[error("`{field}`: expected {fault}, found `{found}`")]
    Field {
        /// The venue's name of the field.
        field: &'static str,
        /// What was expected.
        fault: Fault,
        /// What was there, cut.
        found: String,
    },
    /// The venue says that it does not accept what was asked of it.
    #[error("the venue answered with an error: {0}")]
    Venue(String),
    /// A frame that nobody knows.
    #[error("cannot tell which venue sent this; set `venue`")]
    UnknownVenue,
    /// A frame of a channel that cannot be read faithfully.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// What a field should have been.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Prices and sizes.
    #[error("a decimal number")]
    Decimal,
    /// Times.
    #[error("{0}")]
    Time(&'static str),
    /// Symbols.
    #[error("a text")]
    Text,
    /// Trade ids.
    #[error("a number or a text")]
    Id,
    /// Sides.
    #[error("{0}")]
    Side(&'static str),
}

impl Unreadable {
    /// `field` is not there, or null.
    pub(crate) fn missing(field: &'static str) -> Self {
        Unreadable::Missing(field)
    }

    /// `field` is `found`, which is not what `fault` says.
    pub(crate) fn field(field: &'static str, fault: Fault, found: &str) -> Self {
        Unreadable::Field {
            field,
            fault,
            found: cut(found),
        }
    }

    /// The venue refused something and said `text`.
    pub(crate) fn venue(text: &str) -> Self {
        Unreadable::Venue(cut(text))
    }
}

/// The beginning of `text`.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
