//! What goes wrong on the way: each is told, none ends the stage, and the next connection works.

use super::*;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The stage connects to `server` anew and hands on what it is sent.
async fn works_again(server: &Server, stage: &Stage) {
    let mut client = server.accept().await;
    client.send("fine").await;
    assert_eq!(stage.payloads(1).await, ["fine"]);
    stage.ready().await;
}

/// The stage says `part` of a server that sends `bytes` after the handshake.
async fn told_about(mut settings: Value, bytes: &[u8], part: &str) {
    let server = Server::start().await;
    settings["reconnect"] = json!({"initial": "300ms", "max": "300ms"});
    let stage = Stage::start(&[&server.url], settings).await;
    let mut client = server.accept().await;
    client.socket.get_mut().write_all(bytes).await.unwrap();
    stage.trouble(part).await;
    works_again(&server, &stage).await;
    stage.drain().await;
}

#[test]
fn frames_that_break_the_protocol_are_told_and_survived() {
    run(async {
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
            told_about(json!({}), bytes, part).await;
        }
    });
}

#[test]
fn an_oversized_message_is_told_with_the_setting() {
    run(async {
        let limit = json!({"max_message_bytes": 16});
        let part = "message of 256 bytes, longer than `max_message_bytes` (16)";
        told_about(limit.clone(), b"\x81\x7e\x01\x00", part).await;
        let fragments = [&b"\x01\x0a0123456789"[..], b"\x80\x0a0123456789"].concat();
        told_about(limit, &fragments, "`max_message_bytes` (16)").await;
        told_about(
            json!({}),
            b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
            "`max_message_bytes`",
        )
        .await;
    });
}

#[test]
fn close_codes_and_reasons_are_told() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(
            &[&server.url],
            json!({"reconnect": {"initial": "300ms", "max": "300ms"}}),
        )
        .await;
        for (code, reason) in [
            (1001, "going away"),
            (1008, "policy"),
            (1012, "restart"),
            (4001, "24 hours are over"),
        ] {
            let mut client = server.accept().await;
            let frame = CloseFrame {
                code: CloseCode::from(code),
                reason: reason.into(),
            };
            client.socket.close(Some(frame)).await.unwrap();
            stage
                .trouble(&format!(
                    "closed by the server with code {code}, `{reason}`"
                ))
                .await;
        }
        works_again(&server, &stage).await;
        stage.drain().await;
    });
}

#[test]
fn a_server_that_vanishes_is_told() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(
            &[&server.url],
            json!({"reconnect": {"initial": "300ms", "max": "300ms"}}),
        )
        .await;
        let mut client = server.accept().await;
        client
            .socket
            .get_mut()
            .write_all(b"\x81\x05he")
            .await
            .unwrap();
        drop(client);
        stage.trouble("connection lost without a close frame").await;
        works_again(&server, &stage).await;
        stage.drain().await;
    });
}

#[test]
fn a_half_open_connection_is_noticed() {
    run(async {
        let server = Server::start().await;
        let settings = json!({"idle_timeout": "200ms", "ping": {"every": "50ms"}, "reconnect": {"initial": "300ms", "max": "300ms"}});
        let stage = Stage::start(&[&server.url], settings).await;
        // Kept open and never read again: no pong, no close, nothing.
        let silent = server.accept().await;
        stage
            .trouble("no byte for 200ms (`idle_timeout`), the connection is half-open")
            .await;
        works_again(&server, &stage).await;
        drop(silent);
        stage.drain().await;
    });
}

#[test]
fn pongs_keep_a_quiet_connection_alive() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(
            &[&server.url],
            json!({"idle_timeout": "200ms", "ping": {"every": "50ms"}}),
        )
        .await;
        let mut client = server.accept().await;
        for _ in 0..10 {
            assert_eq!(client.next().await, Some(Frame::Ping("".into())));
        }
        client.send("still here").await;
        assert_eq!(stage.payloads(1).await, ["still here"]);
        stage.drain().await;
    });
}

#[test]
fn a_silent_feed_is_stale_until_it_speaks_again() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(
            &[&server.url],
            json!({"stale_after": "150ms", "ping": {"every": "30ms"}}),
        )
        .await;
        let mut client = server.accept().await;
        client.send("one").await;
        stage.payloads(1).await;
        stage.ready().await;
        while client.next().await.is_some_and(|frame| !frame.is_close()) {}
        stage.trouble("no message for 150ms (`stale_after`)").await;
        // Connected again but still silent: still degraded.
        let mut client = server.accept().await;
        client.next().await;
        assert!(
            testing::trouble(&stage.context)
                .unwrap()
                .contains("stale_after")
        );
        client.send("two").await;
        assert_eq!(stage.payloads(1).await, ["two"]);
        stage.ready().await;
        stage.drain().await;
    });
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], json!({})).await;
        server
            .refuse("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
            .await;
        let refused = tokio::time::Instant::now();
        stage.trouble("refused with 429 Too Many Requests").await;
        works_again(&server, &stage).await;
        assert!(
            refused.elapsed() >= Duration::from_millis(900),
            "{:?}",
            refused.elapsed()
        );
        stage.drain().await;
    });
}

#[test]
fn refusals_and_redirects_are_told() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(
            &[&server.url],
            json!({"reconnect": {"initial": "300ms", "max": "300ms"}}),
        )
        .await;
        for (answer, part) in [
            (
                "HTTP/1.1 301 Moved Permanently\r\nLocation: wss://new.example/feed?key=s\r\nContent-Length: 0\r\n\r\n",
                "redirected with 301 Moved Permanently to `wss://new.example/feed?…`: set `urls` to where the feed is",
            ),
            (
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
                "refused with 403 Forbidden: look at `headers`",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                "refused with 200 OK: look at the path in `urls`",
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
                "protocol error",
            ),
            ("SSH-2.0-OpenSSH_9.2\r\n", "`ws://"),
        ] {
            server.refuse(answer).await;
            stage.trouble(part).await;
        }
        works_again(&server, &stage).await;
        stage.drain().await;
    });
}

#[test]
fn a_server_that_never_answers_costs_the_connect_timeout() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], json!({"connect_timeout": "150ms"})).await;
        let silent = server.accept_raw().await;
        stage
            .trouble("no connection within 150ms (`connect_timeout`)")
            .await;
        works_again(&server, &stage).await;
        drop(silent);
        stage.drain().await;
    });
}

#[test]
fn an_endless_answer_is_cut_off() {
    run(async {
        let server = Server::start().await;
        let stage = Stage::start(&[&server.url], json!({"connect_timeout": "500ms"})).await;
        let mut stream = server.accept_raw().await;
        read_request(&mut stream).await;
        let line = format!("X-Filler: {}\r\n", "a".repeat(1000));
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\n")
            .await
            .unwrap();
        while stream.write_all(line.as_bytes()).await.is_ok() {}
        works_again(&server, &stage).await;
        stage.drain().await;
    });
}

#[test]
fn the_next_address_is_taken_when_one_fails() {
    run(async {
        let (first, second) = (Server::start().await, Server::start().await);
        let refused = "ws://127.0.0.1:1/feed";
        let stage = Stage::start(
            &[refused, &first.url, &second.url],
            json!({"reconnect": {"initial": "5s", "max": "5s"}}),
        )
        .await;
        // The first address refuses: the second is tried at once, not after 5 s.
        let mut client = first.accept().await;
        client.send("from the first").await;
        assert_eq!(stage.payloads(1).await, ["from the first"]);
        client.socket.close(None).await.unwrap();
        works_again(&second, &stage).await;
        stage.drain().await;
    });
}
