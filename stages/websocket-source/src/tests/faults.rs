//! What goes wrong on the way: each is told, none ends the stage, and the next connection works.

use super::*;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// What a server does to its next client.
enum Fault<'f> {
    /// It sends these bytes after the handshake.
    Bytes(&'f [u8]),
    /// It closes with a code and a reason.
    Close(u16, &'f str),
    /// It vanishes in the middle of a frame.
    Vanish,
    /// It answers the request with this in place of a WebSocket.
    Refuse(&'f str),
}

impl Fault<'_> {
    async fn befalls(&self, server: &Server) {
        match *self {
            Fault::Bytes(bytes) => {
                let mut client = server.accept().await;
                client.socket.get_mut().write_all(bytes).await.unwrap();
                // What the stage does is told while the connection still stands.
                let _ = client.socket.next().await;
            }
            Fault::Close(code, reason) => {
                let frame = CloseFrame {
                    code: code.into(),
                    reason: reason.into(),
                };
                let mut client = server.accept().await;
                client.socket.close(Some(frame)).await.unwrap();
            }
            Fault::Vanish => {
                let mut client = server.accept().await;
                let half = b"\x81\x05he";
                client.socket.get_mut().write_all(half).await.unwrap();
            }
            Fault::Refuse(answer) => server.refuse(answer).await,
        }
    }
}

/// The stage says `part` of each fault, and works when they are over.
fn are_told(mut settings: Value, faults: &[(Fault<'_>, &str)]) {
    settings["reconnect"] = json!({"initial": "300ms", "max": "300ms"});
    with_feed(settings, async |server, stage| {
        for (fault, part) in faults {
            fault.befalls(server).await;
            stage.trouble(part).await;
        }
        works_again(server, stage).await;
    });
}

/// The stage connects to `server` anew and hands on what it is sent.
async fn works_again(server: &Server, stage: &Stage) {
    let mut client = server.accept().await;
    client.send("fine").await;
    assert_eq!(stage.payloads(1).await, ["fine"]);
    stage.ready().await;
}

#[test]
fn frames_that_break_the_protocol_are_told_and_survived() {
    let long_ping = [&b"\x89\x7e\x01\x00"[..], &[0; 256]].concat();
    for (bytes, part) in [
        (
            &b"\xc1\x03abc"[..],
            "compressed or otherwise extended frame",
        ),
        (b"\x81\x02\xff\xfe", "text frame that is not UTF-8"),
        (b"\x83\x01a", "protocol error: "),
        (b"\x80\x01a", "protocol error: "),
        (&long_ping, "protocol error: "),
        (&[b'g'; 300], "protocol error: "),
        (b"\x81\x85\0\0\0\0hello", "protocol error: "),
    ] {
        are_told(json!({}), &[(Fault::Bytes(bytes), part)]);
    }
}

#[test]
fn an_oversized_message_is_told_with_the_setting() {
    let limit = json!({"max_message_bytes": 16});
    let fragments = [&b"\x01\x0a0123456789"[..], b"\x80\x0a0123456789"].concat();
    let part = "message of 256 bytes, longer than `max_message_bytes` (16)";
    are_told(limit.clone(), &[(Fault::Bytes(b"\x81\x7e\x01\x00"), part)]);
    are_told(
        limit,
        &[(Fault::Bytes(&fragments), "`max_message_bytes` (16)")],
    );
    let endless = b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff";
    are_told(json!({}), &[(Fault::Bytes(endless), "`max_message_bytes`")]);
}

#[test]
fn close_codes_and_reasons_are_told() {
    are_told(
        json!({}),
        &[
            (Fault::Close(1001, "going away"), "code 1001, `going away`"),
            (Fault::Close(1008, "policy"), "code 1008, `policy`"),
            (Fault::Close(1012, "restart"), "code 1012, `restart`"),
            (
                Fault::Close(4001, "24 hours are over"),
                "closed by the server with code 4001, `24 hours are over`",
            ),
        ],
    );
}

#[test]
fn a_server_that_vanishes_is_told() {
    let part = "connection lost without a close frame";
    are_told(json!({}), &[(Fault::Vanish, part)]);
}

#[test]
fn refusals_and_redirects_are_told() {
    are_told(
        json!({}),
        &[
            (
                Fault::Refuse(
                    "HTTP/1.1 301 Moved Permanently\r\nLocation: wss://new.example/feed?key=s\r\nContent-Length: 0\r\n\r\n",
                ),
                "redirected with 301 Moved Permanently to `wss://new.example/feed?…`: set `urls` to where the feed is",
            ),
            (
                Fault::Refuse("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
                "refused with 403 Forbidden: look at `headers`",
            ),
            (
                Fault::Refuse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
                "refused with 200 OK: look at the path in `urls`",
            ),
            (
                Fault::Refuse(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
                ),
                "protocol error",
            ),
            (Fault::Refuse("SSH-2.0-OpenSSH_9.2\r\n"), "`ws://"),
        ],
    );
}

#[test]
fn a_half_open_connection_is_noticed() {
    let settings = json!({"idle_timeout": "2s", "ping": {"every": "100ms"}});
    with_feed(settings, async |server, stage| {
        // Kept open and never read again: no pong, no close, nothing.
        let silent = server.accept().await;
        stage
            .trouble("no byte for 2s (`idle_timeout`), the connection is half-open")
            .await;
        works_again(server, stage).await;
        drop(silent);
    });
}

#[test]
fn pongs_keep_a_quiet_connection_alive() {
    let settings = json!({"idle_timeout": "2s", "ping": {"every": "100ms"}});
    with_feed(settings, async |server, stage| {
        let mut client = server.accept().await;
        for _ in 0..30 {
            assert_eq!(client.next().await, Some(Frame::Ping("".into())));
        }
        client.send("still here").await;
        assert_eq!(stage.payloads(1).await, ["still here"]);
    });
}

#[test]
fn a_silent_feed_is_stale_until_it_speaks_again() {
    let settings = json!({"stale_after": "2s", "ping": {"every": "30ms"}});
    with_feed(settings, async |server, stage| {
        let mut client = server.accept().await;
        client.send("one").await;
        stage.payloads(1).await;
        stage.ready().await;
        while client.next().await.is_some_and(|frame| !frame.is_close()) {}
        stage.trouble("no message for 2s (`stale_after`)").await;
        // Connected again but still silent: still degraded.
        let mut client = server.accept().await;
        client.next().await;
        let reason = testing::trouble(&stage.context).unwrap();
        assert!(reason.contains("stale_after"), "{reason}");
        client.send("two").await;
        assert_eq!(stage.payloads(1).await, ["two"]);
        stage.ready().await;
    });
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    with_feed(json!({}), async |server, stage| {
        server
            .refuse("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n")
            .await;
        let refused = tokio::time::Instant::now();
        stage.trouble("refused with 429 Too Many Requests").await;
        works_again(server, stage).await;
        // Of its own the stage waits 50 ms at most.
        assert!(refused.elapsed() >= Duration::from_secs(1));
    });
}

#[test]
fn a_server_that_never_answers_costs_the_connect_timeout() {
    with_feed(json!({"connect_timeout": "1s"}), async |server, stage| {
        let silent = server.accept_raw().await;
        stage
            .trouble("no connection within 1s (`connect_timeout`)")
            .await;
        works_again(server, stage).await;
        drop(silent);
    });
}

#[test]
fn an_endless_answer_is_cut_off() {
    with_feed(json!({"connect_timeout": "5s"}), async |server, stage| {
        let mut stream = server.accept_raw().await;
        read_request(&mut stream).await;
        let line = format!("X-Filler: {}\r\n", "a".repeat(1000));
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\n")
            .await
            .unwrap();
        while stream.write_all(line.as_bytes()).await.is_ok() {}
        works_again(server, stage).await;
    });
}

#[test]
fn the_next_address_is_taken_when_one_fails() {
    run(async {
        let (first, second) = (Server::start().await, Server::start().await);
        let refused = "ws://127.0.0.1:1/feed";
        let stage = Stage::start(
            &[refused, &first.url, &second.url],
            json!({"reconnect": {"initial": "120s", "max": "120s"}}),
        )
        .await;
        // The first address refuses: the second is tried at once, not after a wait.
        let mut client = first.accept().await;
        client.send("from the first").await;
        assert_eq!(stage.payloads(1).await, ["from the first"]);
        client.socket.close(None).await.unwrap();
        works_again(&second, &stage).await;
        stage.drain().await;
    });
}
