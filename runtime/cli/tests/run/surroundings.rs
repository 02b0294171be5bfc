//! The service manager and the control socket.

use crate::support::{SOON, log_has, relay};
use pipeline_testkit::{Pipeline, Ports};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

#[tokio::test]
async fn the_service_manager_is_told_of_start_life_and_stop() {
    let ports = Ports::reserve(2);
    let pipeline = Pipeline::run_text(&relay(&ports, 1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(SOON)).unwrap();
    let mut running = pipeline
        .env("NOTIFY_SOCKET", path.display())
        .env("WATCHDOG_USEC", 200_000)
        .spawn();
    heard(&manager, "READY=1");
    heard(&manager, "WATCHDOG=1");
    running.sighup();
    heard(&manager, "RELOADING=1");
    heard(&manager, "READY=1");
    running.sigterm();
    heard(&manager, "STOPPING=1");
    assert_eq!(running.exit_code(SOON).await, 0);
}

/// Waits for a message of the service that has this line.
fn heard(manager: &UnixDatagram, line: &str) {
    let mut buffer = [0; 4096];
    loop {
        let length = manager
            .recv(&mut buffer)
            .unwrap_or_else(|error| panic!("{line} was not told: {error}"));
        if String::from_utf8_lossy(&buffer[..length])
            .lines()
            .any(|told| told == line)
        {
            return;
        }
    }
}

#[tokio::test]
async fn the_control_socket_answers_status_and_changes_what_is_logged() {
    let ports = Ports::reserve(2);
    let mut running = Pipeline::run_text(&relay(&ports, 100)).spawn();
    running.ready().await;
    let socket = running.folder().join("control.sock");
    let table = Pipeline::command(["status", "--control"])
        .arg(&socket)
        .output();
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(
        text.contains("trade-generator") && text.contains(": ready"),
        "{text}"
    );
    let json = Pipeline::command(["status", "--json", "--control"])
        .arg(&socket)
        .output();
    let status: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(status["pid"], running.pid());
    let log = |filter: &str| {
        let command = Pipeline::command(["log", filter, "--control"]);
        let output = command.arg(&socket).output();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), told)
    };
    let (code, told) = log("loud");
    assert!(
        code == Some(64) && told.contains("`loud` is no level"),
        "{told}"
    );
    assert_eq!(log("warn"), (Some(0), String::new()));
    assert!(post(&socket, "/reload", "").contains("reloaded: nothing differs"));
    assert!(
        !running.stderr().contains("reloaded: nothing differs"),
        "`info` is still logged"
    );
    assert_eq!(log("warn,pipeline=info"), (Some(0), String::new()));
    running.sighup();
    log_has(&running, "reloaded: nothing differs").await;
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660, "only its user and group may ask");
}

fn post(socket: &Path, path: &str, body: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let length = body.len();
    write!(stream, "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
