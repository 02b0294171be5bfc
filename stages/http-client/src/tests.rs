//! The client against servers that are a TCP socket and a script, so that each byte is known.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use rustls::ClientConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::{Answer, Body, Client, Limits, RequestError};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Runs `script` for each connection, which is numbered from 0.
async fn serve<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(stream, number));
        }
    });
    address
}

/// Answers every connection's first request with `answer`, then closes it.
async fn serve_once(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = Arc::new(answer.into());
    serve(move |mut stream, _| {
        let answer = answer.clone();
        async move {
            read_request(&mut stream).await;
            // A client that has seen enough may be gone.
            stream.write_all(&answer).await.ok();
        }
    })
    .await
}

/// Reads a request with its body; `None` at the end of the connection.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut seen).await.ok()? == 0 {
            return None;
        }
    }
}

fn client(address: SocketAddr) -> Client {
    limited(
        &format!("http://{address}/in?key=1"),
        None,
        Duration::from_secs(5),
    )
}

fn limited(url: &str, tls: Option<Arc<ClientConfig>>, timeout: Duration) -> Client {
    Client::new(
        url.parse().unwrap(),
        HeaderMap::new(),
        tls,
        Limits {
            timeout,
            body: 1024,
        },
    )
    .unwrap()
}

async fn post(client: &Client, body: impl Into<Bytes>) -> Result<Answer, RequestError> {
    client
        .send(Method::POST, &HeaderMap::new(), body.into())
        .await
}

fn whole(text: &'static str) -> Body {
    Body::Whole(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let address = serve(move |mut stream, number| {
        let seen = seen.clone();
        async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.send((number, request)).unwrap();
                stream.write_all(OK).await.unwrap();
            }
        }
    })
    .await;
    let client = client(address);
    for _ in 0..3 {
        assert_eq!(post(&client, "body").await.unwrap().body, whole("ok"));
        let (connection, request) = requests.recv().await.unwrap();
        assert_eq!(connection, 0);
        assert!(
            request.starts_with("POST /in?key=1 HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains(&format!("host: {address}\r\n")),
            "{request}"
        );
        assert!(request.ends_with("\r\n\r\nbody"), "{request}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_while_idle_is_no_error() {
    // The first connection answers once. Then it takes a second request's bytes and closes, as if both had crossed.
    let address = serve(|mut stream, number| async move {
        read_request(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        while read_request(&mut stream).await.is_some() {
            if number == 0 {
                return;
            }
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    let client = client(address);
    for _ in 0..3 {
        assert_eq!(post(&client, "body").await.unwrap().status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_is_no_error() {
    let address = serve_once(OK).await;
    let client = client(address);
    for _ in 0..5 {
        assert_eq!(post(&client, "body").await.unwrap().body, whole("ok"));
    }
}

#[tokio::test]
async fn a_server_that_hangs_costs_the_timeout() {
    let address = serve(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = limited(
        &format!("http://{address}/"),
        None,
        Duration::from_millis(50),
    );
    let error = post(&client, "body").await.unwrap_err();
    assert_eq!(error.to_string(), "no answer within 50ms");
}

#[tokio::test]
async fn a_body_that_stalls_is_cut_at_the_deadline() {
    let address = serve(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let client = limited(
        &format!("http://{address}/"),
        None,
        Duration::from_millis(50),
    );
    let answer = post(&client, "body").await.unwrap();
    assert_eq!(answer.body, Body::Cut("answer did not end in time".into()));
}

#[tokio::test]
async fn half_a_head_on_a_fresh_connection_is_an_error() {
    let address = serve_once(*b"HTTP/1.1 200 OK\r\ncontent-le").await;
    let error = post(&client(address), "body").await.unwrap_err();
    assert!(matches!(error, RequestError::Closed), "{error}");
}

#[tokio::test]
async fn half_a_body_is_cut_with_its_status() {
    let address = serve_once(*b"HTTP/1.1 503 No\r\ncontent-length: 9\r\n\r\nhalf").await;
    let answer = post(&client(address), "body").await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(matches!(answer.body, Body::Cut(_)), "{:?}", answer.body);
}

#[tokio::test]
async fn a_huge_body_is_not_read() {
    let told = serve_once(*b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await;
    assert_eq!(
        post(&client(told), "body").await.unwrap().body,
        Body::TooLarge { limit: 1024 }
    );

    let chunks = b"400\r\n"
        .iter()
        .copied()
        .chain([b'x'; 0x400])
        .chain(*b"\r\n")
        .cycle()
        .take(1 << 20);
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        .iter()
        .copied()
        .chain(chunks);
    let chunked = serve_once(chunked.collect::<Vec<u8>>()).await;
    assert_eq!(
        post(&client(chunked), "body").await.unwrap().body,
        Body::TooLarge { limit: 1024 }
    );
}

#[tokio::test]
async fn huge_headers_are_an_error() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let error = post(&client(serve_once(long).await), "body")
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::HeadTooLarge(_)), "{error}");

    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    let error = post(&client(serve_once(many).await), "body")
        .await
        .unwrap_err();
    assert!(matches!(error, RequestError::HeadTooLarge(_)), "{error}");
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    let error = post(
        &client(serve_once(*b"SSH-2.0-OpenSSH_9.2\r\n").await),
        "body",
    )
    .await
    .unwrap_err();
    assert!(matches!(error, RequestError::Broken(_)), "{error}");
}

#[tokio::test]
async fn a_redirect_is_answered_not_followed() {
    let address = serve_once(
        *b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let answer = post(&client(address), "body").await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
}

#[tokio::test]
async fn an_answer_before_the_request_was_read_is_heard() {
    let address = serve(|mut stream, _| async move {
        let mut head = [0; 512];
        stream.read_exact(&mut head).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let answer = post(&client(address), vec![b'x'; 64 << 20]).await.unwrap();
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_answer_before_a_reset_is_heard() {
    let address = serve(|mut stream, _| async move {
        let mut head = [0; 512];
        stream.read_exact(&mut head).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 413 Large\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let client = client(address);
    for _ in 0..50 {
        let answer = post(&client, vec![b'x'; 8 << 20]).await.unwrap();
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn a_port_without_a_listener_is_told() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = post(&client(free), "body").await.unwrap_err();
    assert!(error.to_string().starts_with("cannot connect: "), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

fn tls_pair() -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let server = server
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    (
        Arc::new(server),
        Arc::new(client.with_root_certificates(roots).with_no_client_auth()),
    )
}

#[tokio::test]
async fn tls_checks_the_name_of_the_server() {
    let (server, config) = tls_pair();
    let acceptor = tokio_rustls::TlsAcceptor::from(server);
    let address = serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            while read_request(&mut stream).await.is_some() {
                stream.write_all(OK).await.unwrap();
            }
        }
    })
    .await;
    let port = address.port();
    let named = limited(
        &format!("https://localhost:{port}/"),
        Some(config.clone()),
        Duration::from_secs(5),
    );
    assert_eq!(post(&named, "body").await.unwrap().body, whole("ok"));

    let unnamed = limited(
        &format!("https://127.0.0.1:{port}/"),
        Some(config),
        Duration::from_secs(5),
    );
    let error = post(&unnamed, "body").await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn an_https_url_without_tls_is_an_error() {
    let limits = Limits {
        timeout: Duration::from_secs(5),
        body: 1024,
    };
    let made = Client::new(
        "https://localhost/".parse().unwrap(),
        HeaderMap::new(),
        None,
        limits,
    );
    assert!(matches!(made.err(), Some(RequestError::NoTls)));
}
