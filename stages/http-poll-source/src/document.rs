//! The message that a poll gives.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

/// A finished poll on its way out.
#[derive(Debug)]
pub(crate) struct Polled {
    /// The URL as it stands in the settings.
    pub(crate) url: String,
    /// When the poll started, nanoseconds since 1970.
    pub(crate) at_ns: i64,
    /// The payload: a [`Document`] as JSON.
    pub(crate) document: Vec<u8>,
}

/// The payload of a message.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    /// The URL as it stands in the settings.
    pub(crate) url: &'a str,
    /// Status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// When the poll started, nanoseconds since 1970.
    pub(crate) at: i64,
    /// Milliseconds from the start to the last byte, or to the failure.
    pub(crate) took_ms: u64,
    /// The body; there is either one or an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Content<'a>>,
    /// Why there is no body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// A body inside the document: JSON as it is, anything else as text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a> {
    Json(&'a RawValue),
    Text(String),
}

impl<'a> Content<'a> {
    pub(crate) fn of(body: &'a Bytes) -> Self {
        match serde_json::from_slice(body) {
            Ok(json) => Self::Json(json),
            Err(_) => Self::Text(String::from_utf8_lossy(body).into_owned()),
        }
    }
}

impl Document<'_> {
    pub(crate) fn polled(&self) -> Polled {
        // Neither a `Vec` nor these types can fail.
        let document = serde_json::to_vec(self).unwrap_or_default();
        Polled {
            url: self.url.to_owned(),
            at_ns: self.at,
            document,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &'static [u8]) -> String {
        let bytes = Bytes::from_static(bytes);
        let document = Document {
            url: "http://h/",
            status: Some(200),
            at: 7,
            took_ms: 3,
            body: Some(Content::of(&bytes)),
            error: None,
        };
        String::from_utf8(document.polled().document).unwrap()
    }

    #[test]
    fn json_stands_in_the_document_as_it_is() {
        assert_eq!(
            body(b"{\"a\":1.10}"),
            r#"{"url":"http://h/","status":200,"at":7,"took_ms":3,"body":{"a":1.10}}"#
        );
    }

    #[test]
    fn what_is_not_json_is_text() {
        assert!(body(b"up\n").ends_with(r#""body":"up\n"}"#));
        assert!(body(b"").ends_with(r#""body":""}"#));
        assert!(body(b"\xff").ends_with("\"body\":\"\u{fffd}\"}"));
    }

    #[test]
    fn a_failure_has_no_status_and_no_body() {
        let failed = Document {
            url: "http://h/",
            status: None,
            at: 7,
            took_ms: 3,
            body: None,
            error: Some("no \"way\"".into()),
        };
        let text = String::from_utf8(failed.polled().document).unwrap();
        assert_eq!(
            text,
            r#"{"url":"http://h/","at":7,"took_ms":3,"error":"no \"way\""}"#
        );
    }
}
