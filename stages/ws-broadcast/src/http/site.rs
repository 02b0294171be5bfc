//! The files of the site: a folder, read only, with headers that let a page do nothing but what it is for.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode, Uri};
use tower::Service;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;

use super::Refusal;
use super::refusal::not_found;

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Serves a folder, and `page` beside it. Pages may connect to this server and to its peers, and to nothing else.
pub(crate) fn service(
    folder: &Path,
    peers: &[String],
    page: &BTreeMap<String, String>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ use<> {
    let policy = policy(peers);
    let page = page.clone();
    Router::new()
        .route("/page.json", get(async move || Json(page)))
        .fallback_service(ServeDir::new(folder).precompressed_gzip())
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let policy = policy.clone();
            async move { guarded(request, next, policy).await }
        }))
}

async fn guarded(request: Request, next: Next, policy: HeaderValue) -> Response {
    if is_hidden(request.uri()) {
        return not_found().await.into_response();
    }
    let mut response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND {
        return not_found().await.into_response();
    }
    if response.status().is_server_error() {
        let status = response.status();
        return Refusal::new(status, "site", "the file cannot be read").into_response();
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (
            PERMISSIONS_POLICY,
            "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        ),
        (CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Files whose name begins with a dot are nobody's business.
fn is_hidden(uri: &Uri) -> bool {
    let mut segments = uri.path().split('/');
    segments
        .any(|segment| segment.starts_with('.') || segment.to_ascii_lowercase().starts_with("%2e"))
}

fn policy(peers: &[String]) -> HeaderValue {
    let mut connect = String::from("'self'");
    for origin in peers.iter().filter_map(|peer| origin(peer)) {
        connect.push(' ');
        connect.push_str(&origin);
    }
    let text = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src {connect}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let strict = HeaderValue::from_static("default-src 'none'");
    HeaderValue::from_str(&text).unwrap_or(strict)
}

fn origin(peer: &str) -> Option<String> {
    let uri: Uri = peer.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}
