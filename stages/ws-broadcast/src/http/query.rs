//! What a client of `GET /ws` asks for.

use http::StatusCode;
use serde::Deserialize;
use stage_envelope::{After, SUBPROTOCOL};

use super::Refusal;
use crate::cursor::{Start, View};

/// The query of `GET /ws`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Query {
    after: Option<String>,
    recent: Option<String>,
    local_only: Option<String>,
    hello_only: Option<String>,
}

impl Query {
    /// Reads the query of a request.
    pub(crate) fn parse(uri: &http::Uri) -> Result<Self, Refusal> {
        axum::extract::Query::try_from_uri(uri)
            .map(|query| query.0)
            .map_err(|error| bad(error.body_text()))
    }

    /// Says what the client sees and where it begins.
    pub(crate) fn wants(&self, v1: bool) -> Result<(View, Start), Refusal> {
        let local_only = flag("local_only", self.local_only.as_deref())?;
        let hello_only = flag("hello_only", self.hello_only.as_deref())?;
        if !v1 {
            if self.after.is_some() || self.recent.is_some() || local_only || hello_only {
                return Err(bad(format!(
                    "`after`, `recent`, `local_only` and `hello_only` need the subprotocol `{SUBPROTOCOL}`"
                )));
            }
            return Ok((View::Plain, Start::Now));
        }
        if hello_only {
            return Ok((View::Hello, Start::Now));
        }
        let start = match (
            self.after.as_deref().unwrap_or_default(),
            self.recent.as_deref(),
        ) {
            ("", None) => Start::Now,
            ("", Some(count)) => Start::Recent(count.parse().map_err(|_| {
                bad("`recent` is not a number of messages: expected such as `recent=100`")
            })?),
            (after, None) => Start::After(
                after
                    .parse::<After>()
                    .map_err(|error| bad(error.to_string()))?,
            ),
            (_, Some(_)) => return Err(bad("both `after` and `recent`: expected one of them")),
        };
        Ok((View::V1 { local_only }, start))
    }
}

fn flag(name: &str, text: Option<&str>) -> Result<bool, Refusal> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(bad(format!("`{name}` is neither `true` nor `false`"))),
    }
}

fn bad(why: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "query", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(query: &str, v1: bool) -> Result<(View, Start), String> {
        let uri = format!("/ws?{query}").parse().unwrap();
        Query::parse(&uri)
            .and_then(|query| query.wants(v1))
            .map_err(|refusal| refusal.why)
    }

    const ALL: View = View::V1 { local_only: false };

    #[test]
    fn a_client_says_where_it_begins() {
        assert_eq!(wants("", true), Ok((ALL, Start::Now)));
        assert_eq!(wants("after=", true), Ok((ALL, Start::Now)));
        assert_eq!(wants("recent=5&other=1", true), Ok((ALL, Start::Recent(5))));
        let after: After = "t/0:5,t/1:6".parse().unwrap();
        assert_eq!(
            wants("after=t/0:5,t/1:6", true),
            Ok((ALL, Start::After(after.clone())))
        );
        assert_eq!(
            wants("after=t%2F0%3A5%2Ct%2F1%3A6&local_only=true", true),
            Ok((View::V1 { local_only: true }, Start::After(after)))
        );
        assert_eq!(
            wants("hello_only=true", true),
            Ok((View::Hello, Start::Now))
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        assert_eq!(
            wants("after=x", true).unwrap_err(),
            "`after` holds \"x\": expected `topic/partition:offset`"
        );
        assert!(
            wants("recent=-1", true)
                .unwrap_err()
                .starts_with("`recent` is not a number")
        );
        assert_eq!(
            wants("recent=1&after=t/0:1", true).unwrap_err(),
            "both `after` and `recent`: expected one of them"
        );
        assert_eq!(
            wants("local_only=1", true).unwrap_err(),
            "`local_only` is neither `true` nor `false`"
        );
    }

    #[test]
    fn a_plain_client_knows_no_positions() {
        assert_eq!(wants("", false), Ok((View::Plain, Start::Now)));
        for query in [
            "after=t/0:1",
            "recent=1",
            "local_only=true",
            "hello_only=true",
        ] {
            assert!(
                wants(query, false)
                    .unwrap_err()
                    .ends_with("need the subprotocol `pipeline.v1`")
            );
        }
    }
}
