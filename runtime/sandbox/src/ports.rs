//! Looks before the start whether every address is free, so that the reason is told once and not by restarts.

use std::io;
use std::net::TcpListener;

use crate::machine::Machine;

/// An address that a machine cannot listen on.
#[derive(Debug, thiserror::Error)]
#[error("`{machine}` cannot listen on {address}: {why}")]
pub(crate) struct Taken {
    machine: String,
    address: String,
    why: String,
}

/// Returns every address that is not free.
pub(crate) fn taken(machines: &[Machine]) -> Vec<Taken> {
    let addresses = machines.iter().flat_map(|machine| {
        machine
            .listens
            .iter()
            .chain([&machine.metrics])
            .map(|address| (machine.name.clone(), address.clone()))
    });
    addresses
        .filter_map(|(machine, address)| {
            Some(Taken {
                machine,
                why: why_not(&address)?,
                address,
            })
        })
        .collect()
}

fn why_not(address: &str) -> Option<String> {
    let error = TcpListener::bind(address).err()?;
    Some(match error.kind() {
        io::ErrorKind::AddrInUse => {
            let port = address.rsplit(':').next().unwrap_or_default();
            format!("another process listens there (`ss -ltnp 'sport = :{port}'` tells which)")
        }
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_is_told_with_how_to_find_who_uses_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let why = why_not(&address.to_string()).unwrap();
        assert!(
            why.contains(&format!("sport = :{}", address.port())),
            "{why}"
        );
        drop(listener);
        assert_eq!(why_not(&address.to_string()), None);
    }

    #[test]
    fn an_address_that_this_machine_does_not_have_is_told() {
        assert!(why_not("192.0.2.1:80").is_some());
    }
}
