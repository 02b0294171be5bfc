//! Connections: reuse, silent closes, TLS.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::sync::mpsc;

use super::*;

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
async fn a_port_without_a_listener_is_told() {
    // Held without listening, so that nobody else takes the port meanwhile.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let client = client(held.local_addr().unwrap());
    let error = post(&client, "body").await.unwrap_err();
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
        Duration::from_secs(60),
    );
    assert_eq!(post(&named, "body").await.unwrap().body, whole("ok"));

    let unnamed = limited(
        &format!("https://127.0.0.1:{port}/"),
        Some(config),
        Duration::from_secs(60),
    );
    let error = post(&unnamed, "body").await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn an_https_url_without_tls_is_an_error() {
    let limits = Limits {
        timeout: Duration::from_secs(60),
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
