//! What the HTTP servers answer.

use super::app::App;
use super::openmetrics;
use axum::extract::State;
use axum::http::{StatusCode, header};
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

async fn numbers(State(app): State<Arc<App>>) -> Response {
    let text = openmetrics::render(&app.metrics());
    ([(header::CONTENT_TYPE, openmetrics::CONTENT_TYPE)], text).into_response()
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
