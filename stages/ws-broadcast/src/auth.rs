//! Who may write, and who may look.
//!
//! With a token, who bears it may write. Without one only a program on this machine may: a loopback peer that is no
//! browser (no `Origin`) and no proxy (no `Forwarded`, no `X-Forwarded-For`). Together with the two content types,
//! neither of which a web page can send unasked, no page can post to a developer's machine.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, FORWARDED, HOST, HeaderName, ORIGIN};
use http::{HeaderMap, StatusCode};
use pipeline_sdk::Secret;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
}

/// Decides who may write.
pub(crate) fn may_write(
    token: Option<&Secret>,
    peer: IpAddr,
    headers: &HeaderMap,
) -> Result<(), Refused> {
    match token {
        Some(token) => bears(token, headers),
        None => is_local_program(peer, headers),
    }
}

fn bears(token: &Secret, headers: &HeaderMap) -> Result<(), Refused> {
    let refused = |reason| {
        Err(Refused {
            status: StatusCode::UNAUTHORIZED,
            reason,
        })
    };
    let Some(value) = headers.get(AUTHORIZATION) else {
        return refused("no `Authorization`: expected `Bearer` and the server's token");
    };
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    match bearer {
        Some((scheme, given))
            if scheme.eq_ignore_ascii_case("bearer") && token.matches(given.trim()) =>
        {
            Ok(())
        }
        _ => refused("wrong `Authorization`: expected `Bearer` and the server's token"),
    }
}

fn is_local_program(peer: IpAddr, headers: &HeaderMap) -> Result<(), Refused> {
    let refused = |reason| {
        Err(Refused {
            status: StatusCode::FORBIDDEN,
            reason,
        })
    };
    if !peer.to_canonical().is_loopback() {
        return refused("this server has no `token`: only programs on its own machine may write");
    }
    for name in [ORIGIN, FORWARDED, X_FORWARDED_FOR] {
        if headers.contains_key(name) {
            return refused(
                "this server has no `token`: requests with `Origin`, `Forwarded` or `X-Forwarded-For` may not write",
            );
        }
    }
    Ok(())
}

/// The web pages that may look.
#[derive(Debug)]
pub(crate) struct Origins {
    any: bool,
    listed: Vec<String>,
}

impl Origins {
    /// `listed` are origins (`https://host[:port]`), or `*` for any page.
    pub(crate) fn new(listed: impl IntoIterator<Item = String>) -> Self {
        let listed: Vec<_> = listed
            .into_iter()
            .map(|origin| origin.to_ascii_lowercase())
            .collect();
        Self {
            any: listed.iter().any(|origin| origin == "*"),
            listed,
        }
    }

    /// Decides whether the page that asks may look. Programs send no `Origin`; pages of this server are its own.
    pub(crate) fn may_look(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(origin) = headers.get(ORIGIN) else {
            return Ok(());
        };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let allowed = origin.to_str().is_ok_and(|origin| {
            let origin = origin.to_ascii_lowercase();
            let own = origin.split_once("://").map(|(_, host)| host);
            self.any
                || self.listed.contains(&origin)
                || own.is_some() && own == host.map(str::to_ascii_lowercase).as_deref()
        });
        if allowed {
            return Ok(());
        }
        let reason = "pages of this `Origin` may not connect: see the setting `origins`";
        Err(Refused {
            status: StatusCode::FORBIDDEN,
            reason,
        })
    }
}
