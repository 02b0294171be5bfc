//! How many may be connected: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::cursor::View;

/// Connections beside those of clients: writers, pages being loaded, and who has not said yet what it wants.
const OTHERS: usize = 512;
/// The same, from one address.
const OTHERS_PER_ADDRESS: usize = 64;

/// Why nobody more is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The server has as many clients as it may have.
    Server,
    /// The address has as many clients as it may have.
    Address,
}

/// Counts who is connected.
#[derive(Debug)]
pub(crate) struct Gate {
    max_clients: usize,
    max_per_address: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    plain: usize,
    v1: usize,
    by_address: HashMap<IpAddr, Address>,
}

#[derive(Debug, Default)]
struct Address {
    connections: usize,
    clients: usize,
}

impl Gate {
    pub(crate) fn new(max_clients: usize, max_per_address: usize) -> Self {
        Self {
            max_clients,
            max_per_address,
            counts: Mutex::default(),
        }
    }

    /// Lets a connection in, whatever it will turn out to be.
    pub(crate) fn connection(self: &Arc<Self>, address: IpAddr) -> Result<Connection, Full> {
        let mut counts = self.counts.lock();
        if counts.connections >= self.max_clients.saturating_add(OTHERS) {
            return Err(Full::Server);
        }
        let limit = self.max_per_address.saturating_add(OTHERS_PER_ADDRESS);
        let entry = counts.by_address.entry(address).or_default();
        if entry.connections >= limit {
            return Err(Full::Address);
        }
        entry.connections += 1;
        counts.connections += 1;
        Ok(Connection {
            gate: Arc::clone(self),
            address,
        })
    }

    /// Lets a WebSocket client in.
    pub(crate) fn client(self: &Arc<Self>, address: IpAddr, view: &View) -> Result<Client, Full> {
        let mut counts = self.counts.lock();
        if counts.plain + counts.v1 >= self.max_clients {
            return Err(Full::Server);
        }
        let entry = counts.by_address.entry(address).or_default();
        if entry.clients >= self.max_per_address {
            return Err(Full::Address);
        }
        entry.clients += 1;
        let plain = *view == View::Plain;
        *counts.of(plain) += 1;
        Ok(Client {
            gate: Arc::clone(self),
            address,
            plain,
        })
    }

    /// True when nobody is connected any more.
    pub(crate) fn is_empty(&self) -> bool {
        let counts = self.counts.lock();
        counts.connections + counts.plain + counts.v1 == 0
    }

    /// Clients that are connected: plain ones, and those of `pipeline.v1`.
    pub(crate) fn clients(&self) -> (usize, usize) {
        let counts = self.counts.lock();
        (counts.plain, counts.v1)
    }
}

impl Counts {
    fn of(&mut self, plain: bool) -> &mut usize {
        if plain { &mut self.plain } else { &mut self.v1 }
    }

    fn leave(&mut self, address: IpAddr, leave: impl FnOnce(&mut Address)) {
        if let Some(entry) = self.by_address.get_mut(&address) {
            leave(entry);
            if entry.connections == 0 && entry.clients == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

/// A connection that was let in, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Connection {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut counts = self.gate.counts.lock();
        counts.connections -= 1;
        counts.leave(self.address, |entry| entry.connections -= 1);
    }
}

/// A client that was let in, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Client {
    gate: Arc<Gate>,
    address: IpAddr,
    plain: bool,
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut counts = self.gate.counts.lock();
        *counts.of(self.plain) -= 1;
        counts.leave(self.address, |entry| entry.clients -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn clients_are_limited_in_all_and_by_address() {
        let gate = Arc::new(Gate::new(3, 2));
        let first = gate.client(HERE, &View::Plain).unwrap();
        let _second = gate.client(HERE, &View::Plain).unwrap();
        assert_eq!(gate.client(HERE, &View::Plain).unwrap_err(), Full::Address);
        let _third = gate.client(THERE, &View::V1 { local_only: false }).unwrap();
        assert_eq!(gate.client(THERE, &View::Plain).unwrap_err(), Full::Server);
        assert_eq!(gate.clients(), (2, 1));
        drop(first);
        assert!(gate.client(HERE, &View::Plain).is_ok());
    }

    #[test]
    fn who_left_is_forgotten() {
        let gate = Arc::new(Gate::new(1, 1));
        let connection = gate.connection(HERE).unwrap();
        drop(gate.client(HERE, &View::Plain).unwrap());
        drop(connection);
        assert!(gate.counts.lock().by_address.is_empty());
        assert_eq!(gate.counts.lock().connections, 0);
    }

    #[test]
    fn connections_that_are_no_clients_are_limited_too() {
        let gate = Arc::new(Gate::new(1, 1));
        let held: Vec<_> = (0..1 + OTHERS_PER_ADDRESS)
            .map(|_| gate.connection(HERE).unwrap())
            .collect();
        assert_eq!(gate.connection(HERE).unwrap_err(), Full::Address);
        assert!(gate.connection(THERE).is_ok());
        drop(held);
        assert!(gate.connection(HERE).is_ok());
    }
}
