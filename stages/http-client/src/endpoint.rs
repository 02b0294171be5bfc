//! A URL that requests go to, checked once when the settings are read.
//!
//! Invariant: what [`Display`](std::fmt::Display) shows never holds a secret. The query is left out, because keys travel there, and
//! credentials in the authority are refused.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

/// A checked `http://` or `https://` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    shown: String,
}

/// Why a text is not the URL of an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The text is no absolute `http` or `https` URL.
    #[error("expected an absolute URL like `http://host:port/path`")]
    NotAbsolute,
    /// The URL has another scheme.
    #[error("expected the scheme `http` or `https`, found `{0}`")]
    Scheme(String),
    /// The URL carries credentials, which would show up wherever the URL does.
    #[error("expected no user and password in the URL (use `token` or `headers`)")]
    Credentials,
    /// The URL has a fragment, which is never sent.
    #[error("expected no fragment (`#…`) in the URL")]
    Fragment,
}

impl Endpoint {
    /// Returns whether requests go over TLS.
    pub fn is_tls(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Returns the host without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, the scheme's own if none is written.
    pub fn port(&self) -> u16 {
        let own = if self.is_tls() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(own)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What the `Host` header says.
    pub(crate) fn authority(&self) -> &str {
        self.uri
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    /// What the request line says: path and query.
    pub(crate) fn request_target(&self) -> Uri {
        let target = self.uri.path_and_query().cloned();
        Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")))
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text.contains('#') {
            return Err(EndpointError::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError::NotAbsolute)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(EndpointError::NotAbsolute);
        };
        if scheme != &Scheme::HTTP && scheme != &Scheme::HTTPS {
            return Err(EndpointError::Scheme(scheme.to_string()));
        }
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        if authority.host().is_empty() {
            return Err(EndpointError::NotAbsolute);
        }
        let shown = format!("{scheme}://{authority}{}", uri.path());
        Ok(Self { uri, shown })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> EndpointError {
        text.parse::<Endpoint>().unwrap_err()
    }

    #[test]
    fn the_query_is_sent_but_never_shown() {
        let endpoint: Endpoint = "https://example.com:8443/trades?key=hush".parse().unwrap();
        assert_eq!(endpoint.to_string(), "https://example.com:8443/trades");
        assert_eq!(endpoint.request_target().to_string(), "/trades?key=hush");
        assert_eq!(endpoint.authority(), "example.com:8443");
        assert!(endpoint.is_tls());
    }

    #[test]
    fn a_url_without_a_path_asks_for_the_root() {
        let endpoint: Endpoint = "http://127.0.1.1:8080".parse().unwrap();
        assert_eq!(endpoint.request_target().to_string(), "/");
    }

    #[test]
    fn brackets_of_an_ipv6_address_are_not_part_of_the_host() {
        let endpoint: Endpoint = "http://[::1]:8080/".parse().unwrap();
        assert_eq!(endpoint.host(), "::1");
    }

    #[test]
    fn what_is_no_http_url_is_an_error() {
        assert_eq!(error("localhost:8080/api"), EndpointError::NotAbsolute);
        assert_eq!(error("/api/trades"), EndpointError::NotAbsolute);
        assert_eq!(error(""), EndpointError::NotAbsolute);
        assert_eq!(error("http://"), EndpointError::NotAbsolute);
        assert_eq!(error("http://:8080/"), EndpointError::NotAbsolute);
        assert_eq!(error("ftp://host/"), EndpointError::Scheme("ftp".into()));
        assert_eq!(error("http://user:hush@host/"), EndpointError::Credentials);
        assert_eq!(error("http://host/#part"), EndpointError::Fragment);
    }
}
