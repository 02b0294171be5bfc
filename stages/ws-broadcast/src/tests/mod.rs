//! Tests over real sockets: the stage's own server, with real HTTP and WebSocket clients; and tests of ring and cursors
//! together.

mod clients;
mod cursor;
mod drain;
mod frames;
mod limits;
mod local;
mod post;
mod ring;
mod server;
mod site;
mod upstream;
