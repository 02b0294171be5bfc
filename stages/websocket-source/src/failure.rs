//! Why a connection could not be made or did not last, in words, and how long the server asks to be left alone.

use std::time::{Duration, SystemTime};

use http::{Response, StatusCode, header};
use tokio_tungstenite::tungstenite::error::{
    CapacityError, Error, ProtocolError, SubProtocolError,
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::address;

/// Longest wait that a server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// Most characters of a server's text that are repeated.
const SHOWN: usize = 120;

/// Why a connection could not be made or did not last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The reason.
    pub(crate) why: String,
    /// How long the server asks to be left alone.
    pub(crate) wait: Option<Duration>,
}

impl Failure {
    /// A failure with a reason.
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Failure {
            why: why.into(),
            wait: None,
        }
    }

    /// The server closed the connection.
    pub(crate) fn closed(frame: Option<&CloseFrame>) -> Self {
        let Some(frame) = frame else {
            return Failure::new("closed by the server without a code");
        };
        let reason = match frame.reason.as_str() {
            "" => String::new(),
            reason => format!(", `{}`", cut(reason)),
        };
        let wait = frame
            .reason
            .split(';')
            .find_map(|part| part.trim().strip_prefix("reconnect_ms=")?.parse().ok());
        Failure {
            why: format!(
                "closed by the server with code {}{reason}",
                u16::from(frame.code)
            ),
            wait: wait.map(|millis| Duration::from_millis(millis).min(LONGEST_WAIT)),
        }
    }

    /// What the WebSocket library says.
    pub(crate) fn from_websocket(error: &Error) -> Self {
        let why = match error {
            Error::Http(answer) => return Failure::refused(answer),
            Error::Io(error) => format!("connection lost: {error}"),
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                format!("message of {size} bytes, longer than `max_message_bytes` ({max_size})")
            }
            Error::Utf8(_) => "text frame that is not UTF-8".to_owned(),
            Error::Protocol(ProtocolError::NonZeroReservedBits) => {
                "compressed or otherwise extended frame, which was not negotiated".to_owned()
            }
            Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
            )
            | Error::ConnectionClosed
            | Error::AlreadyClosed => "connection lost without a close frame".to_owned(),
            Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
                SubProtocolError::NoSubProtocol,
            )) => "the server does not speak `pipeline.v1`".to_owned(),
            Error::Protocol(error) => format!("protocol error: {error}"),
            error => error.to_string(),
        };
        Failure::new(why)
    }

    /// The server answered the request with something else than a WebSocket.
    fn refused<T>(answer: &Response<T>) -> Self {
        let status = answer.status();
        let header = |name| {
            answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let why = match header(header::LOCATION) {
            Some(location) if status.is_redirection() => {
                format!(
                    "redirected with {status} to `{}`: set `urls` to where the feed is",
                    address::shown(location)
                )
            }
            _ => format!("refused with {status}{}", hint(status)),
        };
        Failure {
            why,
            wait: header(header::RETRY_AFTER).and_then(retry_after),
        }
    }
}

/// What the operator may want to look at.
fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ": look at `headers` and the credentials in `urls`"
        }
        StatusCode::NOT_FOUND | StatusCode::OK => ": look at the path in `urls`",
        _ => "",
    }
}

/// Reads `Retry-After`: seconds or a date.
fn retry_after(value: &str) -> Option<Duration> {
    let wait = match value.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(SystemTime::now())
            .unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The beginning of what a server said, on one line.
fn cut(text: &str) -> String {
    text.chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    fn refused(status: u16, headers: &[(&str, &str)]) -> Failure {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        Failure::refused(&answer.body(()).unwrap())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        assert_eq!(
            refused(429, &[("retry-after", "7")]).wait,
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            refused(503, &[("retry-after", "86400")]).wait,
            Some(LONGEST_WAIT)
        );
        assert_eq!(refused(429, &[("retry-after", "soon")]).wait, None);
        assert_eq!(
            refused(429, &[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]).wait,
            Some(Duration::ZERO)
        );
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!(refused(429, &[("retry-after", &soon)]).wait.unwrap() > Duration::from_secs(55));
    }

    #[test]
    fn a_redirect_is_told_without_secrets() {
        let failure = refused(
            302,
            &[("location", "https://u:p@other.example/login?token=x")],
        );
        assert_eq!(
            failure.why,
            "redirected with 302 Found to `https://other.example/login?…`: set `urls` to where the feed is"
        );
    }

    #[test]
    fn a_close_tells_its_code_reason_and_wait() {
        let frame = CloseFrame {
            code: CloseCode::Away,
            reason: "drain; reconnect_ms=1234".into(),
        };
        let failure = Failure::closed(Some(&frame));
        assert_eq!(
            failure.why,
            "closed by the server with code 1001, `drain; reconnect_ms=1234`"
        );
        assert_eq!(failure.wait, Some(Duration::from_millis(1234)));
        let hostile = CloseFrame {
            code: CloseCode::from(4000),
            reason: "a\nb; reconnect_ms=99999999999999999999".into(),
        };
        let failure = Failure::closed(Some(&hostile));
        assert!(
            failure.why.contains("4000, `a\\nb") && failure.wait.is_none(),
            "{failure:?}"
        );
    }

    #[test]
    fn refusals_hint_at_the_setting() {
        assert!(refused(401, &[]).why.contains("`headers`"));
        assert!(refused(404, &[]).why.contains("path in `urls`"));
    }
}
