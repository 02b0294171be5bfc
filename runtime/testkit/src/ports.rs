//! Ports for processes that bind them later, without two tests choosing the same.
//!
//! A port is reserved by holding the UDP socket of its number: the kernel gives it to one process only and takes it back
//! when that process ends, and TCP does not care. All lie below the range that the kernel takes for outgoing connections;
//! from that range, a client could occupy the port of a server that is just being restarted.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;

const TESTS: Range<u16> = 20_000..32_000;

/// Brokers outlive the process that starts them, so a test must not be able to get the port of one that is just dead.
pub(crate) const BROKERS: Range<u16> = 19_100..20_000;

/// Brokers of a test's own; those of all tests keep their ports to themselves also while they are dead.
pub(crate) const OWN_BROKERS: Range<u16> = 18_000..19_000;

/// Consecutive ports that are this test's for as long as the value lives.
#[derive(Debug)]
pub struct Ports {
    first: u16,
    reserved: Vec<UdpSocket>,
}

impl Ports {
    /// Reserves `count` consecutive ports that nothing listens on, on any address of the machine.
    pub fn reserve(count: u16) -> Self {
        Self::reserve_in(TESTS, count)
    }

    pub(crate) fn reserve_in(range: Range<u16>, count: u16) -> Self {
        let middle = rand::random_range(range.clone());
        (middle..range.end)
            .chain(range.start..middle)
            .find_map(|first| Self::try_reserve(first, count))
            .unwrap_or_else(|| panic!("no {count} free ports in a row in {range:?}"))
    }

    /// Reserves one port.
    pub fn one() -> Self {
        Self::reserve(1)
    }

    fn try_reserve(first: u16, count: u16) -> Option<Self> {
        let reserved = (first..first + count).map(reserve).collect::<Option<_>>()?;
        Some(Self { first, reserved })
    }

    /// Returns the first port.
    pub fn first(&self) -> u16 {
        self.first
    }

    /// Returns port number `index` on 127.0.0.1.
    pub fn addr(&self, index: u16) -> SocketAddr {
        assert!(
            usize::from(index) < self.reserved.len(),
            "only {} ports reserved",
            self.reserved.len()
        );
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.first + index))
    }
}

fn reserve(port: u16) -> Option<UdpSocket> {
    let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).ok()?;
    Some(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_not_handed_out_again() {
        let ports = Ports::reserve(3);
        assert!(Ports::try_reserve(ports.first() + 2, 1).is_none());
        let first = ports.first();
        drop(ports);
        assert!(Ports::try_reserve(first, 3).is_some());
    }

    #[test]
    fn a_port_with_a_listener_is_passed_over() {
        let ports = Ports::one();
        let _listener = TcpListener::bind(ports.addr(0)).unwrap();
        let port = ports.first();
        drop(ports);
        assert!(Ports::try_reserve(port, 1).is_none());
    }

    #[test]
    fn a_reserved_port_can_be_listened_on() {
        let ports = Ports::reserve(2);
        TcpListener::bind(ports.addr(1)).unwrap();
    }
}
