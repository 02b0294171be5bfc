//! What a status means for the messages of a request.

use http::StatusCode;

/// What a status means for the messages of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The receiver took them.
    Delivered,
    /// The receiver cannot take one of them: smaller requests find out which.
    Messages,
    /// They are fine and wait: either the settings are wrong, which the text explains, or the receiver has no time (empty).
    Retry(&'static str),
}

impl From<StatusCode> for Verdict {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Delivered,
            400 | 413 | 422 => Self::Messages,
            401 => Self::Retry("the receiver wants a valid `token`"),
            403 => Self::Retry("the receiver does not let this sender in; look at `token`"),
            404 => Self::Retry("the receiver does not know this path; look at `url`"),
            405 => Self::Retry("the receiver takes no POST there; look at `url`"),
            415 => Self::Retry("the receiver does not take this content type; look at `encoding`"),
            300..=399 => {
                Self::Retry("redirects are not followed; set `url` to where the receiver is")
            }
            408 | 425 | 429 | 500..=599 => Self::Retry(""),
            _ => Self::Retry("the status is not one that a POST should get"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16) -> Verdict {
        StatusCode::from_u16(status).unwrap().into()
    }

    #[test]
    fn success_is_delivered() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(status), Verdict::Delivered, "{status}");
        }
    }

    #[test]
    fn statuses_about_messages_make_requests_smaller() {
        for status in [400, 413, 422] {
            assert_eq!(verdict(status), Verdict::Messages, "{status}");
        }
    }

    #[test]
    fn statuses_about_settings_are_retried_with_an_explanation() {
        for status in [
            401, 403, 404, 405, 415, 301, 302, 304, 307, 308, 101, 402, 418, 999,
        ] {
            assert!(
                matches!(verdict(status), Verdict::Retry(why) if !why.is_empty()),
                "{status}"
            );
        }
    }

    #[test]
    fn a_receiver_without_time_is_retried() {
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(verdict(status), Verdict::Retry(""), "{status}");
        }
    }
}
