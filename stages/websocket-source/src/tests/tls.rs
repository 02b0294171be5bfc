//! Encrypted connections, and servers that are not who they should be.

use super::*;
use std::io::Write as _;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A certificate for `localhost` that signs itself, and a server that has it.
fn authority() -> (tempfile::NamedTempFile, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(made.cert.pem().as_bytes()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (file, TlsAcceptor::from(Arc::new(config)))
}

fn url(server: &Server, host: &str) -> String {
    server
        .url
        .replace("ws://127.0.0.1", &format!("wss://{host}"))
}

#[test]
fn a_trusted_server_is_read() {
    run(async {
        let (authority, acceptor) = authority();
        let server = Server::start().await;
        let stage = Stage::start(
            &[&url(&server, "localhost")],
            json!({"tls": {"ca_file": authority.path()}}),
        )
        .await;
        let stream = acceptor.accept(server.accept_raw().await).await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Frame::text("sealed")).await.unwrap();
        assert_eq!(stage.payloads(1).await, ["sealed"]);
        stage.drain().await;
    });
}

#[test]
fn an_unknown_authority_and_a_wrong_name_are_told() {
    run(async {
        let (authority, acceptor) = authority();
        let (other, _) = self::authority();
        for (host, file, part) in [
            ("localhost", other.path(), "TLS: invalid peer certificate"),
            (
                "127.0.0.1",
                authority.path(),
                "TLS: invalid peer certificate",
            ),
        ] {
            let server = Server::start().await;
            let stage =
                Stage::start(&[&url(&server, host)], json!({"tls": {"ca_file": file}})).await;
            assert!(acceptor.accept(server.accept_raw().await).await.is_err());
            stage.trouble(part).await;
            stage.drain().await;
        }
    });
}

#[test]
fn a_server_without_tls_is_told() {
    run(async {
        let (authority, _) = authority();
        let server = Server::start().await;
        let stage = Stage::start(
            &[&url(&server, "localhost")],
            json!({"tls": {"ca_file": authority.path()}}),
        )
        .await;
        let mut stream = server.accept_raw().await;
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        stage.trouble("TLS: ").await;
        stage.drain().await;
    });
}
