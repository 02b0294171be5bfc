//! Keeps web pages away from a server's answers: who asks for it under a name that somebody else can own is refused.

use crate::config::address::Address;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use pipeline_names::OwnNames;

/// The answer to everybody else.
const REFUSAL: &str = "this `Host` is not surely this server's: expected an IP address, `localhost`, a name without a dot, or the \
                       name that it listens on\n";

/// Answers as `router` does to who asks for the server by a name of its own; `address` is what it listens on.
pub(crate) fn only_own_names(router: Router, address: &Address) -> Router {
    let names = OwnNames::new(&address.to_string());
    router.layer(from_fn(move |request: Request, next: Next| {
        let own = names.are_asked(request.headers());
        async move {
            match own {
                true => next.run(request).await,
                false => (StatusCode::FORBIDDEN, REFUSAL).into_response(),
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::address;
    use axum::body::Body;
    use axum::http::header::HOST;
    use axum::routing::get;
    use tower::ServiceExt;

    #[tokio::test]
    async fn who_asks_under_a_name_that_points_here_gets_nothing() {
        let address = address::parse("vm1.example.com:8081").unwrap();
        let router = Router::new().route("/status", get(|| async { "secret" }));
        let router = only_own_names(router, &address);
        for (host, status, body) in [
            ("10.0.0.11:8081", 200, "secret"),
            ("vm1.example.com:8081", 200, "secret"),
            ("evil.example:8081", 403, REFUSAL),
        ] {
            let request = Request::get("/status").header(HOST, host);
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{host}");
            let told = axum::body::to_bytes(answer.into_body(), 1 << 10).await;
            assert_eq!(told.unwrap(), body, "{host}");
        }
    }
}
