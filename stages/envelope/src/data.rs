//! A payload inside JSON: as it is when it is JSON, as base64 otherwise.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use crate::EnvelopeError;

/// A payload, and whether it can stand in JSON as it is.
#[derive(Clone, Debug)]
pub enum Data<'a> {
    /// A JSON value, exactly as it was written.
    Json(&'a RawValue),
    /// Anything else.
    Binary(Cow<'a, [u8]>),
}

impl<'a> Data<'a> {
    /// Looks whether `payload` is one JSON value that comes back byte for byte.
    pub fn of(payload: &'a [u8]) -> Self {
        match as_json(payload) {
            Some(raw) => Self::Json(raw),
            None => Self::Binary(Cow::Borrowed(payload)),
        }
    }

    /// Returns the payload's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Json(raw) => raw.get().as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// Tells whether the payload is JSON.
    pub fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    /// Takes the payload from the two fields that may carry it.
    pub(crate) fn from_fields(
        json: Option<&'a RawValue>,
        base64: Option<&str>,
    ) -> Result<Self, EnvelopeError> {
        match (json, base64) {
            (Some(_), Some(_)) => Err(EnvelopeError::TwoPayloads),
            (None, None) => Err(EnvelopeError::NoData),
            (Some(raw), None) => Ok(Self::Json(raw)),
            (None, Some(text)) => {
                decode("data_base64", text).map(|bytes| Self::Binary(Cow::Owned(bytes)))
            }
        }
    }
}

impl PartialEq for Data<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_json() == other.is_json() && self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Data<'_> {}

/// Returns `payload` as a raw JSON value if it is exactly one, with no space around it that parsing would drop.
pub(crate) fn as_json(payload: &[u8]) -> Option<&RawValue> {
    let raw: &RawValue = serde_json::from_slice(payload).ok()?;
    (raw.get().len() == payload.len()).then_some(raw)
}

/// Takes a key from the two fields that may carry it.
pub(crate) fn key_from_fields<'a>(
    text: Option<Cow<'a, str>>,
    base64: Option<&str>,
) -> Result<Option<Cow<'a, [u8]>>, EnvelopeError> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(EnvelopeError::TwoKeys),
        (Some(Cow::Borrowed(text)), None) => Ok(Some(Cow::Borrowed(text.as_bytes()))),
        (Some(Cow::Owned(text)), None) => Ok(Some(Cow::Owned(text.into_bytes()))),
        (None, Some(text)) => decode("key_base64", text).map(|bytes| Some(Cow::Owned(bytes))),
        (None, None) => Ok(None),
    }
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| EnvelopeError::Base64 {
            field,
            why: error.to_string(),
        })
}
