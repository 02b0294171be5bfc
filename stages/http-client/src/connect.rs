//! A fresh connection: name look-up and TCP by hyper-util (IPv4 and IPv6 raced), TLS by rustls.

use std::sync::Arc;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::ServiceExt;

use crate::endpoint::Endpoint;
use crate::error::{RequestError, chain};

/// A connected byte stream.
pub(crate) enum Transport {
    Plain(TokioIo<TcpStream>),
    Tls(TokioIo<Box<TlsStream<TcpStream>>>),
}

/// Opens connections to one endpoint.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// Prepares connections to `endpoint`.
    pub(crate) fn new(
        endpoint: &Endpoint,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, RequestError> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        if !endpoint.is_tls() {
            return Ok(Self { tcp, tls: None });
        }
        let host = endpoint.host().to_owned();
        let name =
            ServerName::try_from(host).map_err(|error| RequestError::Connect(error.to_string()))?;
        let connector = TlsConnector::from(tls.ok_or(RequestError::NoTls)?);
        Ok(Self {
            tcp,
            tls: Some((connector, name)),
        })
    }

    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<Transport, RequestError> {
        let tcp = self.tcp.clone().oneshot(endpoint.uri().clone()).await;
        let tcp = tcp.map_err(|error| RequestError::Connect(chain(&error)))?;
        let Some((connector, name)) = &self.tls else {
            return Ok(Transport::Plain(tcp));
        };
        let stream = connector.connect(name.clone(), tcp.into_inner()).await;
        Ok(Transport::Tls(TokioIo::new(Box::new(
            stream.map_err(RequestError::Tls)?,
        ))))
    }
}
