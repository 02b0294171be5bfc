//! The headers that a user adds to every request.
//!
//! Invariant: each value is marked sensitive, so that no `Debug` output shows it.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What is wrong with a header or the token of the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// The name has characters that no header name may have.
    #[error("expected a header name, found `{0}`")]
    Name(String),
    /// The value has line breaks or other control characters. The value itself is not told.
    #[error("expected the value of header `{0}` without control characters")]
    Value(String),
    /// The header belongs to the client, which knows its value better.
    #[error("expected no header `{0}` (it is set from the request itself)")]
    Reserved(HeaderName),
    /// There are two sources of the same header.
    #[error("expected either `token` or a header `authorization`, not both")]
    TokenAndAuthorization,
    /// The token has line breaks or other control characters. The token itself is not told.
    #[error("expected a token without spaces and control characters")]
    Token,
}

const RESERVED: [HeaderName; 6] = [
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    EXPECT,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Makes the header map of a request out of the settings `headers` and `token`; the token becomes `Authorization: Bearer`.
pub fn request_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    token: Option<&str>,
) -> Result<HeaderMap, HeaderProblem> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let header: HeaderName = name
            .parse()
            .map_err(|_| HeaderProblem::Name(name.to_owned()))?;
        if RESERVED.contains(&header) {
            return Err(HeaderProblem::Reserved(header));
        }
        let value = sensitive(value).ok_or_else(|| HeaderProblem::Value(name.to_owned()))?;
        map.append(header, value);
    }
    if let Some(token) = token {
        if map.contains_key(AUTHORIZATION) {
            return Err(HeaderProblem::TokenAndAuthorization);
        }
        map.insert(AUTHORIZATION, bearer(token).ok_or(HeaderProblem::Token)?);
    }
    Ok(map)
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    plain
        .then(|| sensitive(&format!("Bearer {token}")))
        .flatten()
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_becomes_a_bearer_and_is_never_shown() {
        let map = request_headers([("x-api-key", "hush")], Some("hush2")).unwrap();
        assert_eq!(map[AUTHORIZATION], "Bearer hush2");
        assert_eq!(map["x-api-key"], "hush");
        assert!(!format!("{map:?}").contains("hush"));
    }

    #[test]
    fn a_line_break_in_a_value_is_an_error_that_does_not_tell_the_value() {
        let problem = request_headers([("x-api-key", "hush\r\nHost: evil")], None).unwrap_err();
        assert_eq!(problem, HeaderProblem::Value("x-api-key".into()));
        assert!(!problem.to_string().contains("hush"));
        assert_eq!(
            request_headers([], Some("hush\n")).unwrap_err(),
            HeaderProblem::Token
        );
        assert_eq!(
            request_headers([], Some("")).unwrap_err(),
            HeaderProblem::Token
        );
    }

    #[test]
    fn headers_of_the_request_itself_are_reserved() {
        for name in [
            "Content-Length",
            "transfer-encoding",
            "Content-Type",
            "connection",
        ] {
            assert!(
                matches!(
                    request_headers([(name, "1")], None),
                    Err(HeaderProblem::Reserved(_))
                ),
                "{name}"
            );
        }
        assert_eq!(
            request_headers([("a b", "1")], None).unwrap_err(),
            HeaderProblem::Name("a b".into())
        );
    }

    #[test]
    fn a_token_beside_an_authorization_header_is_an_error() {
        let problem = request_headers([("Authorization", "Basic x")], Some("t")).unwrap_err();
        assert_eq!(problem, HeaderProblem::TokenAndAuthorization);
    }
}
