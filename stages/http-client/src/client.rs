//! One request: connection, head and body of the answer, all before one deadline.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Answer, Body};
use crate::connect::{Connector, Transport};
use crate::endpoint::Endpoint;
use crate::error::{RequestError, chain};
use crate::pool::{Connection, Pool};

/// What bounds a request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The time from the name look-up to the last byte of the answer.
    pub timeout: Duration,
    /// The most bytes of an answer's body that are kept.
    pub body: usize,
}

/// A header of one request.
pub type Header = (HeaderName, HeaderValue);

/// The most bytes that the head of an answer may have.
const HEAD_LIMIT: usize = 64 * 1024;

/// A client of one endpoint. Requests may run at the same time, each on a connection of its own.
pub struct Client {
    endpoint: Endpoint,
    connector: Connector,
    headers: HeaderMap,
    limits: Limits,
    pool: Pool,
}

impl Client {
    /// Makes a client that sends `headers` with every request. Opens no connection. An `https://` endpoint needs `tls`.
    pub fn new(
        endpoint: Endpoint,
        mut headers: HeaderMap,
        tls: Option<Arc<ClientConfig>>,
        limits: Limits,
    ) -> Result<Self, RequestError> {
        let connector = Connector::new(&endpoint, tls)?;
        if !headers.contains_key(HOST) {
            let host = HeaderValue::from_str(endpoint.authority())
                .map_err(|error| RequestError::Connect(error.to_string()))?;
            headers.insert(HOST, host);
        }
        Ok(Self {
            endpoint,
            connector,
            headers,
            limits,
            pool: Pool::default(),
        })
    }

    /// Returns where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends one request and reads the answer. `headers` come on top of those of the client, and win over them.
    pub async fn send(
        &self,
        method: Method,
        headers: &[Header],
        body: Bytes,
    ) -> Result<Answer, RequestError> {
        let deadline = Instant::now() + self.limits.timeout;
        let (response, connection) = self.head(&method, headers, &body, deadline).await?;
        let (head, incoming) = response.into_parts();
        let body = Body::read(incoming, self.limits.body, deadline).await;
        if matches!(body, Body::Whole(_)) {
            self.pool.give(connection).await;
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    async fn head(
        &self,
        method: &Method,
        headers: &[Header],
        body: &Bytes,
        deadline: Instant,
    ) -> Result<(Response<Incoming>, Connection), RequestError> {
        if let Some(mut connection) = self.pool.take() {
            match self
                .answer(
                    &mut connection,
                    self.request(method, headers, body),
                    deadline,
                )
                .await
            {
                // The server closed it while it was idle, and the news crossed with the request.
                Err(RequestError::Closed) => {
                    tracing::debug!(url = %self.endpoint, "idle connection was closed, opening another")
                }
                answered => return Ok((answered?, connection)),
            }
        }
        let mut connection = timeout_at(deadline, self.connect())
            .await
            .map_err(|_| RequestError::ConnectTimeout(self.limits.timeout))??;
        let response = self
            .answer(
                &mut connection,
                self.request(method, headers, body),
                deadline,
            )
            .await?;
        Ok((response, connection))
    }

    async fn answer(
        &self,
        connection: &mut Connection,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, RequestError> {
        match timeout_at(deadline, connection.send_request(request)).await {
            Err(_) => Err(RequestError::AnswerTimeout(self.limits.timeout)),
            Ok(answered) => answered.map_err(classify),
        }
    }

    fn request(&self, method: &Method, headers: &[Header], body: &Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = self.endpoint.request_target();
        *request.headers_mut() = self.headers.clone();
        for (name, value) in headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        request
    }

    async fn connect(&self) -> Result<Connection, RequestError> {
        match self.connector.connect(&self.endpoint).await? {
            Transport::Plain(io) => handshake(io).await,
            Transport::Tls(io) => handshake(io).await,
        }
    }
}

async fn handshake<T>(io: T) -> Result<Connection, RequestError>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .handshake(io)
        .await
        .map_err(classify)?;
    // Its errors reach the request in flight; without one they only mean that the connection is gone.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

fn classify(error: hyper::Error) -> RequestError {
    if error.is_parse_too_large() {
        RequestError::HeadTooLarge(HEAD_LIMIT)
    } else if error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        || was_reset(&error)
    {
        RequestError::Closed
    } else {
        RequestError::Broken(chain(&error))
    }
}

fn was_reset(error: &hyper::Error) -> bool {
    let io = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|io| {
        matches!(
            io.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
        )
    })
}
