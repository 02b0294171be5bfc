//! `POST /api/trades`: messages on their way into the ring. The answer is given when they are in it.
//!
//! Each answer names the ring's epoch (`ETag`). A writer that says which epoch it expects (`If-Match`) hears of a server that
//! started anew, before the server takes anything: it can first give again what the ring has lost, so that order holds.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pipeline_sdk::Trace;
use stage_envelope::{
    Answer, Data, Envelope, NDJSON, REPLAY_HEADER, Rejected, Times, lines, parse_line,
};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::{App, Refusal};
use crate::auth::{Peer, may_write};
use crate::hub::{Hub, now_ns};
use crate::trace;

/// Most lines of one body.
const MAX_LINES: usize = 65_536;
/// Lines that are taken before others get their turn.
const TURN: usize = 512;

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Envelopes,
    OnePayload,
}

/// Answers `POST /api/trades`.
pub(crate) async fn take(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let mut spans = trace::Request::begin(&app.hub.context, peer, request.headers());
    let mut response = match answer(&app, peer, request, &mut spans).await {
        Ok(answer) => {
            let in_ring = answer.accepted + answer.duplicates > 0;
            let status = if in_ring {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            (status, Json(answer)).into_response()
        }
        Err(refusal) => {
            app.hub.metrics.refused(refusal.reason);
            refusal.into_response()
        }
    };
    response
        .headers_mut()
        .insert(ETAG, app.hub.epoch_tag().clone());
    spans.answered(response.status());
    response
}

async fn answer(
    app: &App,
    peer: Peer,
    request: Request,
    spans: &mut trace::Request,
) -> Result<Answer, Refusal> {
    app.is_serving()?;
    let (head, body) = request.into_parts();
    may_write(app.token.as_ref(), peer, &app.names, &head.headers)?;
    let content = content(&head.headers)?;
    let (body, _room) = read(app, &head.headers, body).await?;
    expects_this_epoch(&app.hub, &head.headers)?;
    let answer = match content {
        Content::Envelopes => take_envelopes(&app.hub, &head.headers, &body, spans).await?,
        Content::OnePayload => take_payload(&app.hub, &head.headers, &body, spans)?,
    };
    app.hub.metrics.rejected.add(answer.rejected.len() as u64);
    Ok(answer)
}

/// Checked when the body is there: who still sends one does not read an answer.
fn expects_this_epoch(hub: &Hub, headers: &HeaderMap) -> Result<(), Refusal> {
    let tag = hub.epoch_tag().as_bytes();
    match headers.get(IF_MATCH).map(HeaderValue::as_bytes) {
        Some(expected) if expected != tag && expected != b"*" => Err(Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            "epoch",
            "the server started anew with an empty ring: expected the `ETag` of this answer",
        )),
        _ => Ok(()),
    }
}

fn content(headers: &HeaderMap) -> Result<Content, Refusal> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(NDJSON) {
        Ok(Content::Envelopes)
    } else if essence.eq_ignore_ascii_case("application/json") {
        Ok(Content::OnePayload)
    } else {
        let why = format!(
            "expected `Content-Type: {NDJSON}` (one envelope a line) or `application/json` (one payload)"
        );
        Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_type",
            why,
        ))
    }
}

/// Reads the body, within what one and what all together may take of memory. The room is held as long as the body is.
async fn read<'a>(
    app: &'a App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, SemaphorePermit<'a>), Refusal> {
    let told = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let expected = told.unwrap_or(app.max_body);
    if expected > app.max_body {
        return Err(too_large(app));
    }
    let permits = u32::try_from(expected).unwrap_or(u32::MAX);
    let room = timeout(app.body_timeout, app.bodies.acquire_many(permits)).await;
    let Ok(Ok(room)) = room else {
        let why = "too many bodies at a time";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", why));
    };
    let collected = timeout(app.body_timeout, Limited::new(body, app.max_body).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok((collected.to_bytes(), room)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(app)),
        Ok(Err(error)) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "body",
            format!("the body broke off: {error}"),
        )),
        Err(_) => {
            let why = "the body did not come in time";
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout", why))
        }
    }
}

fn too_large(app: &App) -> Refusal {
    let why = format!(
        "the body is too large: expected at most {} bytes",
        app.max_body
    );
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", why)
}

async fn take_envelopes(
    hub: &Hub,
    headers: &HeaderMap,
    body: &[u8],
    spans: &mut trace::Request,
) -> Result<Answer, Refusal> {
    let replay = headers
        .get(REPLAY_HEADER)
        .is_some_and(|value| value == "true");
    let lines: Vec<&[u8]> = lines(body).take(MAX_LINES + 1).collect();
    if lines.is_empty() {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "body",
            "no envelope: expected at least one line",
        ));
    }
    if lines.len() > MAX_LINES {
        let why = format!("too many envelopes: expected at most {MAX_LINES} lines");
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            why,
        ));
    }
    let accepted_at = now_ns();
    let mut answer = Answer::default();
    for (turn, some) in lines.chunks(TURN).enumerate() {
        if turn > 0 {
            tokio::task::yield_now().await;
        }
        let ((), taken) = hub.take(true, |intake| {
            for (index, line) in (turn * TURN..).zip(some) {
                let taken = parse_line(line)
                    .map_err(|error| error.to_string())
                    .and_then(|mut envelope| {
                        envelope.times.accepted = Some(accepted_at);
                        envelope.replay |= replay;
                        let span = spans.message(&mut envelope);
                        intake
                            .within(span)
                            .take(&hub.name, &envelope)
                            .map_err(|error| error.to_string())
                    });
                if let Err(reason) = taken {
                    answer.rejected.push(Rejected { index, reason });
                }
            }
        });
        answer.accepted += taken.accepted;
        answer.duplicates += taken.duplicates;
    }
    Ok(answer)
}

/// Takes one payload without a position, in a trace if the request is.
fn take_payload(
    hub: &Hub,
    headers: &HeaderMap,
    body: &[u8],
    spans: &mut trace::Request,
) -> Result<Answer, Refusal> {
    let data = Data::of(body.trim_ascii());
    if !data.is_json() {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "body",
            "the body is not JSON",
        ));
    }
    let now = now_ns();
    let trace = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    let mut envelope = Envelope {
        topic: None,
        position: None,
        timestamp: Some(now),
        key: None,
        traceparent: trace
            .filter(|text| Trace::parse(text).is_some())
            .map(Into::into),
        times: Times {
            received: Some(now),
            accepted: Some(now),
            ..Times::default()
        },
        replay: false,
        data,
    };
    // A message without a position is neither a duplicate nor one partition too many.
    let span = spans.message(&mut envelope);
    let (_, taken) = hub.take(true, |intake| {
        intake.within(span).take(&hub.name, &envelope)
    });
    Ok(Answer {
        accepted: taken.accepted,
        ..Answer::default()
    })
}
