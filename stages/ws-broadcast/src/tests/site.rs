//! The files of the site.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::server::TestServer;

async fn server() -> (TestServer, TempDir) {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("site");
    fs::create_dir(&folder).unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::write(folder.join("index.html"), "<!doctype html>").unwrap();
    fs::write(folder.join("app.js"), "export {};\n".repeat(200)).unwrap();
    fs::write(folder.join(".env"), "secret").unwrap();
    let settings = json!({ "site": folder, "peers": ["wss://peer:1/ws"] });
    (TestServer::start(settings).await, outside)
}

#[tokio::test]
async fn files_are_served_with_strict_headers() {
    let (server, _folder) = server().await;
    let response = server.get("/", "").await;
    assert_eq!(
        (response.status, response.body.as_str()),
        (200, "<!doctype html>")
    );
    let head = response.head.to_ascii_lowercase();
    for header in [
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "content-type: text/html",
    ] {
        assert!(head.contains(header), "{head}");
    }
    assert!(
        head.contains("connect-src 'self' wss://peer:1;") && !head.contains("unsafe"),
        "{head}"
    );
}

#[tokio::test]
async fn files_are_compressed_for_who_asks() {
    let (server, _folder) = server().await;
    let response = server.get("/app.js", "Accept-Encoding: gzip\r\n").await;
    assert_eq!(response.status, 200);
    assert!(
        response
            .head
            .to_ascii_lowercase()
            .contains("content-encoding: gzip"),
        "{}",
        response.head
    );
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let (server, _folder) = server().await;
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "//../secret",
        "/.env",
        "/%2Eenv",
        "/%2e/.env",
        "/nothing",
    ] {
        let response = server.get(path, "").await;
        assert!(matches!(response.status, 400 | 404), "{path}: {response:?}");
        assert!(!response.body.contains("secret"), "{path}");
    }
}

#[tokio::test]
async fn pages_are_told_what_the_pipeline_file_says() {
    let (server, _folder) = server().await;
    let response = server.get("/page.json", "").await;
    assert_eq!((response.status, response.body.as_str()), (200, "{}"));
    let folder = tempfile::tempdir().unwrap();
    let settings =
        json!({ "site": folder.path(), "page": { "jaeger_url": "http://jaeger:16686" } });
    let server = TestServer::start(settings).await;
    let response = server.get("/page.json", "").await;
    assert_eq!(response.body, r#"{"jaeger_url":"http://jaeger:16686"}"#);
    assert!(
        response
            .head
            .to_ascii_lowercase()
            .contains("content-security-policy")
    );
}

#[tokio::test]
async fn the_api_is_still_there() {
    let (server, _folder) = server().await;
    assert_eq!(server.post("application/json", "", b"1").await.status, 200);
}
