//! What a request that is not served is answered: a status and `{"error": "…"}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::auth::Refused;

/// Why a request is not served.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) why: String,
    /// Name in the metric.
    pub(crate) reason: &'static str,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: &'static str, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
            reason,
        }
    }

    /// The server is going away.
    pub(crate) fn draining() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "draining",
            "the server is going away",
        )
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::new(refused.status, "not_allowed", refused.reason)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Body { error: &self.why })).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        // The rest of a body that is not read would be taken for the next request.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// Answers a known path that is asked for in another way.
pub(crate) async fn method_not_allowed() -> Refusal {
    let why = "expected `POST /api/trades` or `GET /ws`";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", why)
}

/// Answers an unknown path.
pub(crate) async fn not_found() -> Refusal {
    let why = "nothing here: expected `POST /api/trades` or `GET /ws`";
    Refusal::new(StatusCode::NOT_FOUND, "path", why)
}
