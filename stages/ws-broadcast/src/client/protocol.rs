//! What a client says, and what it is answered: control frames, the close handshake, every rule of RFC 6455.
//!
//! tungstenite does it, in memory: bytes of the socket are fed in, its own frames are taken out. So the connection alone
//! writes to the socket, and can put a control frame between two data frames, never inside one.

use std::io::{self, Read, Write};

use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Largest message that a client may send; nothing that it says is used.
const MAX_MESSAGE: usize = 64 * 1024;
/// Memory for reading, per client.
const READ_BUFFER: usize = 1024;
/// Answers to pings that may wait before nothing more is read.
const MAX_OUTGOING: usize = 16 * 1024;

/// The state of the protocol with one client.
pub(crate) struct Protocol {
    socket: WebSocket<Pipe>,
    /// The last of our numbered pings that came back.
    echo: Option<u64>,
}

/// Why a client's bytes end the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The client said goodbye, or answered ours.
    Closed,
    /// The client broke a rule; it was told so.
    Broken,
}

impl Protocol {
    pub(crate) fn new() -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        Self {
            socket: WebSocket::from_raw_socket(Pipe::default(), Role::Server, Some(config)),
            echo: None,
        }
    }

    /// Takes in what the client sent.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.socket.get_mut().incoming.extend_from_slice(bytes);
        loop {
            match self.socket.read() {
                Ok(Message::Pong(carried)) => {
                    let number = <[u8; 8]>::try_from(&carried[..]).map(u64::from_be_bytes);
                    self.echo = number.ok().or(self.echo);
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Err(Over::Closed),
                Err(error) => {
                    let (code, why) = verdict(&error);
                    self.close(code, why);
                    return Err(Over::Broken);
                }
            }
        }
    }

    /// Asks the client for a sign of life.
    pub(crate) fn ping(&mut self) {
        self.say(Message::Ping(Bytes::new()));
    }

    /// Asks the client for an echo.
    pub(crate) fn ping_with(&mut self, carried: [u8; 8]) {
        self.say(Message::Ping(Bytes::copy_from_slice(&carried)));
    }

    /// The last of the numbered pings that came back since the last call.
    pub(crate) fn take_echo(&mut self) -> Option<u64> {
        self.echo.take()
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) {
        self.say(Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        })));
    }

    fn say(&mut self, message: Message) {
        // Writing into memory cannot fail; what may not be said any more (after a goodbye) need not be said.
        let said = self.socket.send(message);
        tracing::trace!(?said, "control frame");
    }

    /// True when so many answers wait that the client should be heard no more for now.
    pub(crate) fn is_full(&self) -> bool {
        self.socket.get_ref().outgoing.len() > MAX_OUTGOING
    }

    /// Moves what is to be sent to `out`: whole frames.
    pub(crate) fn take_outgoing(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.socket.get_mut().outgoing);
    }
}

fn verdict(error: &Error) -> (CloseCode, &'static str) {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (CloseCode::Size, "message too long")
        }
        Error::Utf8(_) => (CloseCode::Invalid, "text is not UTF-8"),
        _ => (CloseCode::Protocol, "protocol error"),
    }
}

/// A socket that is only memory.
#[derive(Debug, Default)]
struct Pipe {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = into.len().min(self.incoming.len());
        into[..length].copy_from_slice(&self.incoming[..length]);
        self.incoming.drain(..length);
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it, masked with zeros.
    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![
            0x80 | opcode,
            0x80 | u8::try_from(payload.len()).unwrap(),
            0,
            0,
            0,
            0,
        ];
        frame.extend_from_slice(payload);
        frame
    }

    fn outgoing(protocol: &mut Protocol) -> Vec<u8> {
        let mut out = Vec::new();
        protocol.take_outgoing(&mut out);
        out
    }

    #[test]
    fn a_ping_is_answered_even_when_it_comes_byte_by_byte() {
        let mut protocol = Protocol::new();
        for byte in frame(9, b"hi") {
            protocol.receive(&[byte]).unwrap();
        }
        assert_eq!(outgoing(&mut protocol), b"\x8a\x02hi");
    }

    #[test]
    fn a_goodbye_is_answered() {
        let mut protocol = Protocol::new();
        assert_eq!(protocol.receive(&frame(8, b"\x03\xe8")), Err(Over::Closed));
        assert_eq!(outgoing(&mut protocol), b"\x88\x02\x03\xe8");
    }

    #[test]
    fn our_goodbye_ends_with_the_answer() {
        let mut protocol = Protocol::new();
        protocol.close(CloseCode::Away, "drain");
        assert_eq!(outgoing(&mut protocol), b"\x88\x07\x03\xe9drain");
        assert_eq!(protocol.receive(&frame(8, b"\x03\xe9")), Err(Over::Closed));
    }

    #[test]
    fn broken_rules_are_told_by_close_code() {
        let mut unmasked = Protocol::new();
        assert_eq!(unmasked.receive(b"\x81\x01x"), Err(Over::Broken));
        assert_eq!(outgoing(&mut unmasked)[2..4], 1002_u16.to_be_bytes());
        let mut not_text = Protocol::new();
        assert_eq!(not_text.receive(&frame(1, b"\xff")), Err(Over::Broken));
        assert_eq!(outgoing(&mut not_text)[2..4], 1007_u16.to_be_bytes());
        let mut huge = Protocol::new();
        assert_eq!(
            huge.receive(b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
            Err(Over::Broken)
        );
        assert_eq!(outgoing(&mut huge)[2..4], 1009_u16.to_be_bytes());
    }

    #[test]
    fn what_a_client_says_is_ignored() {
        let mut protocol = Protocol::new();
        protocol
            .receive(&[frame(1, b"hello"), frame(2, b"\xff")].concat())
            .unwrap();
        assert!(outgoing(&mut protocol).is_empty());
    }

    #[test]
    fn fuzz_no_bytes_of_a_client_break_the_protocol() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let mut protocol = Protocol::new();
            for part in bytes.chunks(7) {
                if protocol.receive(part).is_err() {
                    return;
                }
            }
        });
    }
}
