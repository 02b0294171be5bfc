//! Tests over real sockets: the stage's own server, with real HTTP and WebSocket clients.

mod post;
mod server;
