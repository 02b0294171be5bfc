//! One thread between a feed and its clients: what it reads at once it writes at once, to each client in turn.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use tokio_tungstenite::tungstenite::{accept, client};

use crate::limit::tell;

const ROOM: usize = 64 * 1024;

/// A client, and what its socket had no room for.
struct Client {
    socket: TcpStream,
    rest: Vec<u8>,
}

pub(super) fn run(feed: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    let (arrived, arrivals) = mpsc::channel();
    tell(&listener.local_addr().expect("an address").to_string());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let socket = accept(stream.expect("a client")).expect("a handshake");
            let socket = socket.into_inner();
            socket.set_nonblocking(true).expect("a socket");
            let rest = Vec::new();
            arrived.send(Client { socket, rest }).expect("a server");
        }
    });
    let stream = TcpStream::connect(feed).expect("a feed");
    let (socket, _) = client(format!("ws://{feed}/"), stream).expect("a handshake");
    let mut feed = socket.into_inner();
    let (mut clients, mut frames) = (Vec::new(), vec![0; ROOM]);
    // The feed's frames are not masked, as its own will not be: they go on as they came.
    while let Ok(read @ 1..) = feed.read(&mut frames) {
        clients.extend(arrivals.try_iter());
        clients
            .iter_mut()
            .for_each(|client: &mut Client| client.write(&frames[..read]));
    }
}

impl Client {
    fn write(&mut self, frames: &[u8]) {
        if self.rest.is_empty() {
            let written = self.try_write(frames);
            self.rest.extend_from_slice(&frames[written..]);
        } else {
            self.rest.extend_from_slice(frames);
            let rest = std::mem::take(&mut self.rest);
            let written = self.try_write(&rest);
            self.rest.extend_from_slice(&rest[written..]);
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> usize {
        match self.socket.write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            // A client that is gone takes everything.
            Err(_) => bytes.len(),
        }
    }
}
