//! Addresses that stand for machines: every test gets a loopback network of its own.
//!
//! Pipeline files name fixed ports, as operators want them. On addresses of their own, several "VMs" and several tests
//! keep those ports without meeting each other.

use std::net::{Ipv4Addr, UdpSocket};

/// A port that no pipeline uses; holding it on the network's first address reserves the network.
const MARK: u16 = 19_099;

/// Addresses 127.a.b.1 to 127.a.b.n, which are this test's for as long as the value lives.
#[derive(Debug)]
pub struct Hosts {
    network: [u8; 2],
    _reserved: UdpSocket,
}

impl Hosts {
    /// Reserves a network.
    pub fn reserve() -> Self {
        // 127.0.x.y stays for people: demos use it.
        let networks = std::iter::repeat_with(|| [rand::random_range(1..=254), rand::random()]);
        let free = networks.take(1000).find_map(|network| {
            let reserved = UdpSocket::bind((address(network, 1), MARK)).ok()?;
            Some(Self {
                network,
                _reserved: reserved,
            })
        });
        free.expect("a free loopback network (127.0.0.0/8 is usable on Linux)")
    }

    /// The address of machine number `number`, from 1 on.
    pub fn address(&self, number: u8) -> Ipv4Addr {
        address(self.network, number)
    }
}

fn address([a, b]: [u8; 2], number: u8) -> Ipv4Addr {
    assert!(
        (1..=254).contains(&number),
        "machine {number} does not exist (expected 1 to 254)"
    );
    Ipv4Addr::new(127, a, b, number)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn machines_share_a_port_number() {
        let hosts = Hosts::reserve();
        let _one = TcpListener::bind((hosts.address(1), 8080)).unwrap();
        let _two = TcpListener::bind((hosts.address(2), 8080)).unwrap();
    }

    #[test]
    fn two_tests_have_two_networks() {
        let (one, two) = (Hosts::reserve(), Hosts::reserve());
        assert_ne!(one.network, two.network);
    }
}
