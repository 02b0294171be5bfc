//! Connections: accepted, counted, encrypted if asked, and given to the routes.
//!
//! Invariant: a connection that says nothing, or says it slowly, is closed after a bounded time and costs a bounded
//! amount of memory until then.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceBuilder;

use super::App;
use crate::auth::Peer;
use crate::gate::Connection;
use crate::phase::Phase;

/// Memory for the head of a request.
const MAX_HEAD: usize = 64 * 1024;
/// What the system may hold of what a client has not taken. Its own choice grows to megabytes for each.
const SEND_BUFFER: usize = 256 * 1024;
/// Wait after a connection could not be accepted, for want of file descriptors, say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What it takes to serve a connection.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) head_timeout: Duration,
}

impl Server {
    /// Accepts connections until everybody is sent away.
    pub(crate) async fn run(self, listener: TcpListener) {
        let mut phase = self.app.phase.clone();
        tokio::select! {
            _ = phase.wait_for(|phase| *phase == Phase::Closing) => {}
            () = self.accept_all(listener) => {}
        }
    }

    async fn accept_all(&self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    self.accept(stream, peer);
                    self.app.context.ready();
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.app
                        .context
                        .degraded(format_args!("a connection could not be accepted: {error}"));
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn accept(&self, stream: TcpStream, peer: SocketAddr) {
        let local = stream.local_addr().ok().map(|local| local.ip());
        let from = Peer::new(peer.ip(), local);
        match self.app.gate.connection(from.address) {
            Ok(counted) => {
                let server = self.clone();
                self.app.context.spawn(async move {
                    if let Err(error) = server.serve(stream, from, counted).await {
                        tracing::debug!(%error, %peer, "connection ended");
                    }
                });
            }
            Err(_) => self.app.hub.metrics.refused("connections"),
        }
    }

    async fn serve(self, stream: TcpStream, peer: Peer, counted: Connection) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        socket.set_send_buffer_size(SEND_BUFFER)?;
        // Also ends a connection whose other side reads nothing of an answer.
        socket.set_tcp_user_timeout(Some(self.head_timeout))?;
        match self.tls.clone() {
            None => self.speak_http(stream, peer).await,
            Some(tls) => {
                let stream = timeout(self.head_timeout, tls.accept(stream)).await??;
                self.speak_http(stream, peer).await
            }
        }?;
        drop(counted);
        Ok(())
    }

    async fn speak_http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
    ) -> io::Result<()> {
        let service = ServiceBuilder::new()
            .layer(Extension(peer))
            .service(self.router);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_header_size(MAX_HEAD)
            .max_buf_size(2 * MAX_HEAD)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = drained(self.app.phase.clone()) => {
                // What is being answered is finished; an idle connection ends.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        served.map_err(io::Error::other)
    }
}

/// Waits until the end is asked for. Who comes after that is not cut off but told so.
async fn drained(mut phase: watch::Receiver<Phase>) {
    if *phase.borrow_and_update() >= Phase::Draining || phase.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
