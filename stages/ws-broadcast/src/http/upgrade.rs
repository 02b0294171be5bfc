//! `GET /ws`: from an HTTP request to a WebSocket client.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use rand::Rng;
use stage_envelope::SUBPROTOCOL;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::query::Query;
use super::{App, Refusal};
use crate::auth::Peer;
use crate::client::{Connection, Liveness, Outbox};
use crate::cursor::{Cursor, Start, View};
use crate::gate::{Client, Full};
use crate::metrics::HANDSHAKE;

/// Answers `GET /ws`.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
) -> Response {
    let on_upgrade = hyper::upgrade::on(&mut request);
    match accept(&app, peer, &request) {
        Ok(accepted) => {
            let serving = Arc::clone(&app);
            app.context.spawn(serve(
                serving,
                on_upgrade,
                accepted.view,
                accepted.start,
                accepted.client,
            ));
            accepted.response
        }
        Err(refusal) => {
            app.hub.metrics.refused(refusal.reason);
            let needs_upgrade = refusal.status == StatusCode::UPGRADE_REQUIRED;
            let mut response = refusal.into_response();
            if needs_upgrade {
                response
                    .headers_mut()
                    .insert(UPGRADE, HeaderValue::from_static("websocket"));
            }
            response
        }
    }
}

struct Accepted {
    view: View,
    start: Start,
    client: Client,
    response: Response,
}

fn accept(app: &App, peer: Peer, request: &Request) -> Result<Accepted, Refusal> {
    app.is_serving()?;
    app.origins.may_look(&app.names, request.headers())?;
    let mut response = create_response_with_body(request, Body::empty).map_err(|error| {
        Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "no_websocket",
            format!("expected a WebSocket handshake: {error}"),
        )
    })?;
    let v1 = speaks_v1(request.headers());
    let (view, start) = Query::parse(request.uri())?.wants(v1)?;
    let client = app.gate.client(peer.address, &view).map_err(full)?;
    if v1 {
        response.headers_mut().insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
    }
    Ok(Accepted {
        view,
        start,
        client,
        response,
    })
}

fn full(full: Full) -> Refusal {
    match full {
        Full::Server => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "full",
            "the server has as many clients as it may have",
        ),
        Full::Address => Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "address_full",
            "your address has as many clients as it may have",
        ),
    }
}

fn speaks_v1(headers: &HeaderMap) -> bool {
    let offers = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    offers
        .flat_map(|value| value.split(','))
        .any(|offer| offer.trim() == SUBPROTOCOL)
}

/// Serves the client from its handshake to its end. Where it begins in the ring is decided here, when its connection
/// stands, so that "from now on" leaves nothing out that comes after the handshake.
async fn serve(app: Arc<App>, on_upgrade: OnUpgrade, view: View, start: Start, client: Client) {
    let (cursor, first) = app.hub.look(|ring| {
        let plain = view == View::Plain;
        let first = if plain {
            Box::default()
        } else {
            app.hub.hello(ring)
        };
        (Cursor::new(ring, view, start), first)
    });
    let outbox = Outbox::new(Arc::clone(&app.hub), cursor, app.pace, &first);
    let Ok(socket) = on_upgrade.await else {
        app.hub.left(HANDSHAKE);
        return;
    };
    let first_ping = app.ping_every.mul_f64(rand::rng().random_range(0.5..=1.0));
    let spread = app
        .reconnect_spread
        .mul_f64(rand::rng().random_range(0.0..=1.0));
    let liveness = Liveness::new(app.ping_every, app.ping_timeout, first_ping);
    let connection = Connection::new(
        TokioIo::new(socket),
        outbox,
        liveness,
        &app.hub,
        app.phase.clone(),
    );
    let end = connection.run(Arc::clone(&app.hub), spread).await;
    app.hub.left(end.name());
    tracing::debug!(reason = end.name(), "client left");
    drop(client);
}
