//! The byte stream under a WebSocket: TCP, perhaps TLS, and when it last brought a byte.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::address::Address;
use crate::failure::Failure;

/// What a WebSocket can run over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens a TCP connection, and TLS over it if the address asks for it.
pub(crate) async fn open(
    address: &Address,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Metered, Failure> {
    let (host, port) = address.endpoint();
    let tcp = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|error| Failure::new(format!("cannot connect: {error}")))?;
    // Pings and subscriptions are small and should not wait for more to be sent.
    tcp.set_nodelay(true)
        .map_err(|error| Failure::new(format!("cannot connect: {error}")))?;
    if !address.is_tls() {
        return Ok(Metered::new(Box::new(tcp)));
    }
    let Some(tls) = tls else {
        return Err(Failure::new("TLS: its settings were not read"));
    };
    let name = ServerName::try_from(host).map_err(|error| Failure::new(format!("TLS: {error}")))?;
    match TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await {
        Ok(stream) => Ok(Metered::new(Box::new(stream))),
        Err(error) => Err(Failure::new(format!("TLS: {error}"))),
    }
}

/// A stream that remembers when it last brought a byte.
pub(crate) struct Metered {
    stream: Box<dyn Stream>,
    meter: Meter,
}

/// When a stream last brought a byte.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    opened: Instant,
    /// Milliseconds after `opened`.
    last: Arc<AtomicU64>,
}

impl Metered {
    fn new(stream: Box<dyn Stream>) -> Self {
        Metered {
            stream,
            meter: Meter {
                opened: Instant::now(),
                last: Arc::default(),
            },
        }
    }

    /// The meter, which outlives the stream.
    pub(crate) fn meter(&self) -> Meter {
        self.meter.clone()
    }
}

impl Meter {
    /// When the last byte came, or when the stream was opened.
    pub(crate) fn last_byte(&self) -> Instant {
        self.opened + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    fn touch(&self) {
        let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.meter.touch();
        }
        poll
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
