//! The names of a server that nobody else can own.
//!
//! Whoever owns a name can let it point to another machine once a page of his is loaded (DNS rebinding): the browser then takes
//! that machine's answers for the page's own. So a server that a page must not read answers only to names that are surely its
//! own; a browser always says in `Host` which one it asked for.
#![forbid(unsafe_code)]

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};
use std::net::IpAddr;

/// IP addresses, names without a dot (which no public name server has), `localhost` and below, and the name that a server listens
/// on.
#[derive(Clone, Debug)]
pub struct OwnNames {
    listen: Option<Authority>,
}

impl OwnNames {
    /// `listen` is the address to listen on, such as `10.0.0.2:8080`.
    #[must_use]
    pub fn new(listen: &str) -> Self {
        let listen = listen.parse().ok();
        Self { listen }
    }

    /// Whether a request is for one of them, or for no name in particular: a program need not say one.
    #[must_use]
    pub fn are_asked(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(HOST)
            .iter()
            .all(|host| parse(host).is_some_and(|host| self.has(&host)))
    }

    /// The name that a request is for, if it is one of them.
    #[must_use]
    pub fn asked(&self, headers: &HeaderMap) -> Option<Authority> {
        parse(headers.get(HOST)?).filter(|host| self.has(host))
    }

    fn has(&self, authority: &Authority) -> bool {
        let host = authority.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let listened = self.listen.as_ref().map(Authority::host);
        bare.parse::<IpAddr>().is_ok()
            || !host.contains('.')
            || host.to_ascii_lowercase().ends_with(".localhost")
            || listened.is_some_and(|listened| listened.eq_ignore_ascii_case(host))
    }
}

fn parse(host: &HeaderValue) -> Option<Authority> {
    host.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(hosts: &[&'static str]) -> HeaderMap {
        let header = |host: &&'static str| (HOST, HeaderValue::from_static(host));
        let mut headers = HeaderMap::new();
        hosts.iter().map(header).for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn names_that_others_can_own_are_not_this_servers() {
        let names = OwnNames::new("vm1.example.com:8080");
        for (host, ours) in [
            ("127.0.0.1:8080", true),
            ("10.0.0.2", true),
            ("[::1]:8080", true),
            ("localhost:8080", true),
            ("trades.localhost", true),
            ("vm1:8080", true),
            ("VM1.example.com:8080", true),
            ("vm1.example.com.evil.example", false),
            ("127.0.0.1.evil.example:8080", false),
            ("evil.example:8080", false),
            ("com.:8080", false),
            ("", false),
            ("a b", false),
        ] {
            let headers = asking(&[host]);
            assert_eq!(names.are_asked(&headers), ours, "{host}");
            assert_eq!(names.asked(&headers).is_some(), ours, "{host}");
        }
    }

    #[test]
    fn who_names_no_host_is_no_page_and_who_names_two_means_both() {
        let names = OwnNames::new("0.0.0.0:8080");
        assert!(names.are_asked(&asking(&[])));
        assert_eq!(names.asked(&asking(&[])), None);
        assert!(!names.are_asked(&asking(&["127.0.0.1", "evil.example"])));
    }
}
