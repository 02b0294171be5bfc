//! Opens a WebSocket.

use std::sync::Arc;

use http::{HeaderValue, Request, header};
use rustls::ClientConfig;
use stage_envelope::SUBPROTOCOL;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::address::Address;
use crate::config::{Config, Protocol};
use crate::failure::Failure;
use crate::transport::{self, Meter, Metered};

/// An open WebSocket.
pub(crate) type Socket = WebSocketStream<Metered>;

/// Connects to `address`, asking for `parameters` as well, in at most `connect_timeout`.
pub(crate) async fn connect(
    config: &Config,
    tls: Option<&Arc<ClientConfig>>,
    address: &Address,
    parameters: &[(&str, String)],
) -> Result<(Socket, Meter), Failure> {
    let request = request(config, address, parameters)?;
    let open = async {
        let stream = transport::open(address, tls).await?;
        let meter = stream.meter();
        let limits = limits(config);
        match tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await {
            Ok((socket, _answer)) => Ok((socket, meter)),
            Err(error) => Err(Failure::from_websocket(&error)),
        }
    };
    match tokio::time::timeout(*config.connect_timeout, open).await {
        Ok(opened) => opened,
        Err(_) => Err(Failure::new(format!(
            "no connection within {} (`connect_timeout`)",
            config.connect_timeout
        ))),
    }
}

fn request(
    config: &Config,
    address: &Address,
    parameters: &[(&str, String)],
) -> Result<Request<()>, Failure> {
    let illegal = |what: &str| Failure::new(format!("{what} cannot be sent"));
    let mut request = address
        .request(parameters)
        .into_client_request()
        .map_err(|_| illegal("`urls`"))?;
    let headers = request.headers_mut();
    if let Some(authorization) = address.authorization() {
        let mut value = HeaderValue::try_from(authorization)
            .map_err(|_| illegal("the credentials in `urls`"))?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    if config.protocol == Protocol::PipelineV1 {
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
    }
    for (name, value) in &config.headers {
        let name = http::HeaderName::try_from(name.as_str()).map_err(|_| illegal("`headers`"))?;
        let mut value = HeaderValue::try_from(value.expose()).map_err(|_| illegal("`headers`"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(request)
}

fn limits(config: &Config) -> WebSocketConfig {
    let longest = Some(config.max_message_bytes.as_usize());
    // Written at once: what is sent is small and rare.
    WebSocketConfig::default()
        .max_message_size(longest)
        .max_frame_size(longest)
        .write_buffer_size(0)
}
