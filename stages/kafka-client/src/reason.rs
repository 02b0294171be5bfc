//! librdkafka's reasons, made fit for a health message: the same trouble is the same text, and settings have their own names.

use std::net::IpAddr;

/// Leaves out which thread says it, how long that took and how often it happened before.
pub(crate) fn plain(reason: &str) -> String {
    let reason = match reason.strip_prefix("[thrd:") {
        Some(rest) => rest.split_once("]: ").map_or(reason, |(_, said)| said),
        None => reason,
    };
    let reason = match reason.rsplit_once(" (after ") {
        Some((said, counted)) if counted.contains("ms in state ") => said,
        _ => reason,
    };
    let reason = reason.replace("ssl.ca.location", "`tls.ca_file`");
    match unresolved(&reason) {
        Some(host) if host.parse::<IpAddr>().is_ok() => {
            format!(
                "{reason}; librdkafka takes addresses only of a family in which this machine has one besides loopback"
            )
        }
        _ => reason,
    }
}

/// The host that was not found. An address is not found where the resolver leaves its family out (`AI_ADDRCONFIG`).
fn unresolved(reason: &str) -> Option<&str> {
    let (_, rest) = reason.split_once("Failed to resolve '")?;
    let (address, _) = rest.split_once('\'')?;
    let (host, _) = address.rsplit_once(':')?;
    Some(host.trim_matches(['[', ']']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_time_and_count_are_left_out() {
        let logged = "[thrd:ssl://kafka:9093/1]: ssl://kafka:9093/1: Disconnected (after 331ms in state AUTH_REQ, 1 identical error(s) suppressed)";
        assert_eq!(plain(logged), "ssl://kafka:9093/1: Disconnected");
        assert_eq!(
            plain("ssl://kafka:9093/1: Disconnected"),
            "ssl://kafka:9093/1: Disconnected"
        );
    }

    #[test]
    fn an_address_that_is_not_found_is_explained_and_a_name_is_not() {
        for (address, explained) in [
            ("127.0.0.1:9092", true),
            ("[::1]:9092", true),
            ("kafka:9092", false),
        ] {
            let reason = format!("Failed to resolve '{address}': Name or service not known");
            assert_eq!(
                plain(&reason).contains("besides loopback"),
                explained,
                "{address}"
            );
        }
    }

    #[test]
    fn other_parentheses_stay_and_settings_have_their_names() {
        let reason = "verify that ssl.ca.location is correctly configured (install ca-certificates package) (after 14ms in state SSL_HANDSHAKE)";
        assert_eq!(
            plain(reason),
            "verify that `tls.ca_file` is correctly configured (install ca-certificates package)"
        );
    }
}
