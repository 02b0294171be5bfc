//! A fresh connection: name look-up and TCP by hyper-util (IPv4 and IPv6 raced), TLS by rustls.

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::ServiceExt;

use crate::client::Tls;
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
    /// Prepares connections to `endpoint`; fails only if its host is no name that a certificate can have.
    pub(crate) fn new(endpoint: &Endpoint, tls: Option<Tls>) -> Result<Self, RequestError> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = match tls.filter(|_| endpoint.is_tls()) {
            None => None,
            Some(tls) => {
                let host = tls
                    .server_name
                    .unwrap_or_else(|| endpoint.host().to_owned());
                let name = ServerName::try_from(host.clone()).map_err(|_| {
                    RequestError::Connect(format!(
                        "`{host}` is no name that a certificate can have"
                    ))
                })?;
                Some((TlsConnector::from(tls.config), name))
            }
        };
        Ok(Self { tcp, tls })
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
