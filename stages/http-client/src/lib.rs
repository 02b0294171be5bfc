//! The HTTP/1.1 client that the stages `http-post` and `http-poll-source` share.
//!
//! A [`Client`] talks to one [`Endpoint`]. It keeps connections alive, follows no redirect, and bounds everything that the
//! other side decides: the time of a request from the name look-up to the last byte, the size of the answer's head and of its
//! body. A connection that the server closed while it was idle is no error: the request goes out again on a fresh one.
#![forbid(unsafe_code)]

mod answer;
mod client;
mod connect;
mod endpoint;
mod error;
mod headers;
mod pool;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Body};
pub use client::{Client, Header, Limits};
pub use endpoint::{Endpoint, EndpointError};
pub use error::RequestError;
pub use headers::{HeaderProblem, request_headers};
