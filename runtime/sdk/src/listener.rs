//! Listening for TCP connections.

use crate::Result;
use std::net::SocketAddr;
use tokio::net::{TcpListener, lookup_host};

const BACKLOG: u32 = 1024;

/// Listens on an address such as `127.0.0.1:8080` or `localhost:0`; also answers which address it became.
///
/// # Errors
/// When the address cannot be read or resolved, or is in use.
pub async fn bind(address: &str) -> Result<(TcpListener, SocketAddr)> {
    let resolved = lookup_host(address)
        .await
        .map_err(|error| format!("cannot resolve `{address}` (expected `host:port`): {error}"))?
        .next()
        .ok_or_else(|| format!("`{address}` has no address"))?;
    let listener =
        listen(resolved).map_err(|error| format!("cannot listen on `{address}`: {error}"))?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        tokio::net::TcpSocket::new_v4()
    } else {
        tokio::net::TcpSocket::new_v6()
    }?;
    // A restarted stage takes its port back while connections of its predecessor are still in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let (_held, address) = bind("127.0.0.1:0").await.unwrap();
        let error = bind(&address.to_string()).await.unwrap_err().to_string();
        assert!(
            error.contains(&format!("cannot listen on `{address}`")) && error.contains("in use"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn an_address_without_a_port_is_an_error() {
        let error = bind("localhost").await.unwrap_err().to_string();
        assert!(error.contains("expected `host:port`"), "{error}");
    }
}
