//! Where to connect to, and how that may be shown.
//!
//! Invariant: what is shown of an address has neither its credentials nor its query, which often holds a key.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A checked `ws://` or `wss://` address.
#[derive(Clone)]
pub(crate) struct Address {
    url: Url,
    authorization: Option<String>,
}

impl Address {
    /// Takes an address; the error never repeats it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text)
            .map_err(|error| format!("expected an address such as `wss://host/path`: {error}"))?;
        if !matches!(url.scheme(), "ws" | "wss") {
            return Err(format!(
                "expected `ws://` or `wss://`, not `{}://`",
                url.scheme()
            ));
        }
        if url.host().is_none() {
            return Err("expected a host".to_owned());
        }
        let authorization = basic(&url);
        // Both fail only for addresses without a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Ok(Address { url, authorization })
    }

    /// Host and port to open a TCP connection to.
    pub(crate) fn endpoint(&self) -> (String, u16) {
        let host = match self.url.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            host => host.map(|host| host.to_string()).unwrap_or_default(),
        };
        (host, self.url.port_or_known_default().unwrap_or(80))
    }

    /// Whether the connection is encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        self.url.scheme() == "wss"
    }

    /// The `Authorization` header for the credentials in the address.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The address to ask for, with more parameters, without credentials.
    pub(crate) fn request(&self, parameters: &[(&str, String)]) -> String {
        let mut url = self.url.clone();
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        url.into()
    }
}

/// The `Authorization` header for `user:password@`.
fn basic(url: &Url) -> Option<String> {
    let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut credentials = decode(url.username());
    credentials.push(b':');
    credentials.extend(decode(url.password().unwrap_or_default()));
    Some(format!("Basic {}", BASE64_STANDARD.encode(credentials)))
}

/// Host and port of an address that is shown: what a metric may say of it.
pub(crate) fn server(shown: &str) -> String {
    let url = Url::parse(shown).ok();
    let server = url.as_ref().and_then(|url| {
        let port = url.port_or_known_default()?;
        Some(format!("{}:{port}", url.host()?))
    });
    server.unwrap_or_default()
}

/// An address of someone else, such as where a server redirects to, fit to be shown.
pub(crate) fn shown(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => show(&url),
        _ => text
            .split(['?', '#', '@'])
            .next()
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect(),
    }
}

fn show(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{host}{port}{}{query}", url.scheme(), url.path())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.url))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_query_are_never_shown() {
        let address =
            Address::parse("wss://me:s%3Acret@example.com:9443/feed?token=abc#x").unwrap();
        assert_eq!(address.to_string(), "wss://example.com:9443/feed?…");
        assert!(!format!("{address:?}").contains("cret"));
        assert_eq!(address.authorization(), Some("Basic bWU6czpjcmV0"));
        assert_eq!(
            address.request(&[]),
            "wss://example.com:9443/feed?token=abc"
        );
        assert_eq!(
            shown("https://me:secret@other/path?key=1"),
            "https://other/path?…"
        );
        assert_eq!(shown("/login?next=secret"), "/login");
    }

    #[test]
    fn ports_follow_the_scheme() {
        assert_eq!(
            Address::parse("ws://h/").unwrap().endpoint(),
            ("h".to_owned(), 80)
        );
        assert_eq!(
            Address::parse("wss://[::1]/").unwrap().endpoint(),
            ("::1".to_owned(), 443)
        );
        assert_eq!(
            Address::parse("ws://h:81").unwrap().endpoint(),
            ("h".to_owned(), 81)
        );
    }

    #[test]
    fn parameters_are_added_to_those_of_the_address() {
        let address = Address::parse("ws://h/ws?a=1").unwrap();
        let request = address.request(&[("after", "t/0:5,t/1:6".to_owned())]);
        assert_eq!(request, "ws://h/ws?a=1&after=t%2F0%3A5%2Ct%2F1%3A6");
    }

    #[test]
    fn what_is_no_websocket_address_is_an_error_that_does_not_repeat_it() {
        for text in [
            "",
            "example.com",
            "http://user:secret@h",
            "ws://",
            "ws://:80",
            "ws://h:99999",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(
                error.starts_with("expected") && !error.contains("secret"),
                "{text}: {error}"
            );
        }
    }
}
