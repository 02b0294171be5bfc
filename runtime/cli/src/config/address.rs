//! Addresses that something listens on: `HOST:PORT`.

use std::net::IpAddr;

/// A host and a port; `port` 0 lets the system choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name or an IP address, without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

impl Address {
    /// Whether two listeners on these addresses would collide.
    pub(crate) fn collides(&self, other: &Address) -> bool {
        let same_host =
            || self.host.eq_ignore_ascii_case(&other.host) || self.canonical() == other.canonical();
        self.port != 0
            && self.port == other.port
            && (same_host() || self.is_wildcard() || other.is_wildcard())
    }

    /// Whether a client that connects to `host:port` reaches a listener on this address.
    pub(crate) fn is_reached_by(&self, host: &str, port: u16) -> bool {
        let client = Address {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        };
        !client.is_wildcard() && self.collides(&client)
    }

    /// The address that is `by` ports further, if there is one.
    pub(crate) fn offset(&self, by: u32) -> Option<Address> {
        let port = if self.port == 0 {
            0
        } else {
            u16::try_from(u32::from(self.port) + by).ok()?
        };
        Some(Address {
            host: self.host.clone(),
            port,
        })
    }

    fn canonical(&self) -> &str {
        if self.host.eq_ignore_ascii_case("localhost") {
            "127.0.0.1"
        } else {
            &self.host
        }
    }

    fn is_wildcard(&self) -> bool {
        self.host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_unspecified())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Parses `HOST:PORT`, `[IPV6]:PORT`.
pub(crate) fn parse(text: &str) -> Result<Address, &'static str> {
    const WANTED: &str = "an address such as `127.0.0.1:8080`";
    let (host, port) = text.rsplit_once(':').ok_or(WANTED)?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host_is_sound = match bracketed {
        Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter))
        }
    };
    let port = port
        .parse()
        .ok()
        .filter(|_| port.bytes().all(|digit| digit.is_ascii_digit()))
        .ok_or(WANTED)?;
    if !host_is_sound {
        return Err(WANTED);
    }
    Ok(Address {
        host: bracketed.unwrap_or(host).to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        parse(text).unwrap()
    }

    #[test]
    fn an_address_needs_host_and_port() {
        for wrong in [
            "",
            "8080",
            ":8080",
            "host",
            "host:",
            "host:+80",
            "host:99999",
            "a b:1",
            "::1:80",
            "http://a:1",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(address("[::1]:80").to_string(), "[::1]:80");
    }

    #[test]
    fn addresses_collide_on_one_port_of_one_host_or_of_all() {
        assert!(address("127.0.0.1:80").collides(&address("localhost:80")));
        assert!(address("0.0.0.0:80").collides(&address("127.0.1.1:80")));
        assert!(!address("127.0.0.1:80").collides(&address("127.0.1.1:80")));
        assert!(!address("127.0.0.1:0").collides(&address("127.0.0.1:0")));
    }
}
