//! librdkafka's reasons, made fit for a health message: the same trouble is the same text, and settings have their own names.

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
    reason.replace("ssl.ca.location", "`tls.ca_file`")
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
    fn other_parentheses_stay_and_settings_have_their_names() {
        let reason = "verify that ssl.ca.location is correctly configured (install ca-certificates package) (after 14ms in state SSL_HANDSHAKE)";
        assert_eq!(
            plain(reason),
            "verify that `tls.ca_file` is correctly configured (install ca-certificates package)"
        );
    }
}
