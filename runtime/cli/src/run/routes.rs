//! What the HTTP servers answer.

use super::app::App;
use super::exposition::{self, Format};
use super::tap::tap;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long whoever asks for a reload waits for its end; less than a request may take.
const RELOAD_WAIT: Duration = Duration::from_secs(25);

/// The metrics server: numbers and health of the process.
pub(crate) fn metrics(app: Arc<App>) -> Router {
    process().with_state(app)
}

/// The control socket: everything about the process, and what changes it.
pub(crate) fn control(app: Arc<App>) -> Router {
    process()
        .route(
            "/status",
            get(|State(app): State<Arc<App>>| async move { Json(app.status()) }),
        )
        .route("/tap", get(tap))
        .route("/reload", post(reload))
        .route("/log", post(set_log))
        .with_state(app)
}

/// The status server of one copy of a flow.
pub(crate) fn instance(app: Arc<App>, flow: String, instance: u32) -> Router {
    let status = {
        let (app, flow) = (app.clone(), flow.clone());
        move || async move {
            app.copy_status(&flow, instance)
                .map(Json)
                .ok_or(StatusCode::NOT_FOUND)
        }
    };
    let ready = move || async move { readiness(&app.copy_reasons(&flow, instance)) };
    Router::new()
        .route("/status", get(status))
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
}

fn process() -> Router<Arc<App>> {
    Router::new()
        .route("/metrics", get(numbers))
        .route("/livez", get(alive))
        .route(
            "/readyz",
            get(|State(app): State<Arc<App>>| async move { readiness(&app.reasons()) }),
        )
}

async fn alive() -> &'static str {
    "alive\n"
}

fn readiness(reasons: &[String]) -> Response {
    let code = match reasons {
        [] => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (
        code,
        Json(json!({"ready": reasons.is_empty(), "reasons": reasons})),
    )
        .into_response()
}

async fn numbers(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let format = Format::wanted(accepted.filter_map(|value| value.to_str().ok()));
    let text = exposition::render(&app.metrics(), format);
    let head = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "accept"),
    ];
    (head, text).into_response()
}

/// A reload may take longer than a request: it goes on then.
async fn reload(State(app): State<Arc<App>>) -> Response {
    let Ok(told) = tokio::time::timeout(RELOAD_WAIT, app.reload()).await else {
        return (
            StatusCode::ACCEPTED,
            "still reloading; the log tells how it ends\n",
        )
            .into_response();
    };
    match told {
        Ok(done) => (StatusCode::OK, done + "\n").into_response(),
        Err(why) => (StatusCode::UNPROCESSABLE_ENTITY, why + "\n").into_response(),
    }
}

async fn set_log(State(app): State<Arc<App>>, filter: String) -> Response {
    match app.set_log(filter.trim()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => (StatusCode::UNPROCESSABLE_ENTITY, why + "\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{Filter, Logger};
    use crate::run::app::Phase;
    use crate::run::fleet::Fleet;
    use crate::telemetry::{Telemetry, TraceSettings};
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use pipeline_host::{Host, HostOptions, Sampling};
    use tokio::sync::mpsc;
    use tower::ServiceExt;

    /// A process without flows, and the end at which reloads arrive.
    fn app() -> (Arc<App>, mpsc::Receiver<crate::run::app::ReloadRequest>) {
        let logger = Logger::start(None, Filter::parse("off").unwrap()).unwrap();
        let telemetry = Telemetry::start(TraceSettings::default(), logger.clone()).unwrap();
        let options = HostOptions {
            log: logger.clone(),
            spans: telemetry.clone(),
            sampling: Sampling::default(),
            level: None,
            events: Arc::new(|_| ()),
        };
        let host = Host::new(options);
        let (ask, asked) = mpsc::channel(1);
        (
            App::new(
                host.clone(),
                Fleet::new(host, logger.clone()),
                logger,
                telemetry,
                vec!["a.yaml".to_owned()],
                ask,
            ),
            asked,
        )
    }

    async fn answer(router: Router, method: &str, uri: &str, body: &'static str) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::from(body))
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_follows_the_life_of_the_process() {
        let (app, _asked) = app();
        let ready = async || answer(metrics(app.clone()), "GET", "/readyz", "").await;
        assert_eq!(
            ready().await,
            (503, r#"{"ready":false,"reasons":["starting"]}"#.to_owned())
        );
        app.enter(Phase::Running);
        assert_eq!(ready().await.0, 200);
        app.enter(Phase::Draining);
        assert_eq!(ready().await.0, 503);
        assert_eq!(
            answer(metrics(app.clone()), "GET", "/livez", "").await.0,
            200
        );
    }

    #[tokio::test]
    async fn only_the_control_socket_changes_anything() {
        let (app, _asked) = app();
        assert_eq!(
            answer(metrics(app.clone()), "POST", "/reload", "").await.0,
            404
        );
        assert_eq!(
            answer(metrics(app.clone()), "POST", "/log", "debug")
                .await
                .0,
            404
        );
        assert_eq!(
            answer(control(app.clone()), "POST", "/log", "debug")
                .await
                .0,
            204
        );
        assert_eq!(
            answer(control(app.clone()), "POST", "/log", "loud").await.0,
            422
        );
        assert_eq!(answer(control(app), "GET", "/reload", "").await.0, 405);
    }

    #[tokio::test]
    async fn a_reload_that_takes_long_is_accepted_and_a_second_one_refused() {
        tokio::time::pause();
        let (app, mut asked) = app();
        assert_eq!(
            answer(control(app.clone()), "POST", "/reload", "").await.0,
            202
        );
        let (status, text) = answer(control(app.clone()), "POST", "/reload", "").await;
        assert_eq!(
            (status, text.as_str()),
            (422, "another reload is waiting\n")
        );
        drop(asked.recv().await);
        let told = tokio::join!(answer(control(app), "POST", "/reload", ""), async {
            let request = asked.recv().await.unwrap();
            request
                .send(Ok("reloaded: nothing differs".to_owned()))
                .unwrap();
        });
        assert_eq!(told.0, (200, "reloaded: nothing differs\n".to_owned()));
    }

    #[tokio::test]
    async fn a_copy_that_does_not_run_has_no_status() {
        let (app, _asked) = app();
        assert_eq!(
            answer(
                instance(app.clone(), "relay".to_owned(), 0),
                "GET",
                "/status",
                ""
            )
            .await
            .0,
            404
        );
        let (status, text) =
            answer(instance(app, "relay".to_owned(), 0), "GET", "/readyz", "").await;
        assert!(
            status == 503 && text.contains("relay/0: not running"),
            "{text}"
        );
    }
}
