//! Who may write, and who may look.
//!
//! With a token, who bears it may write. Without one only a program on this machine may: one that connects from an address
//! of this machine, that is no browser (no `Origin`) and no proxy (no `Forwarded`, no `X-Forwarded-For`). Together with the
//! two content types, neither of which a web page can send unasked, no page can post to a developer's machine.
//!
//! A page may look if it is this server's own. That its `Origin` is the `Host` that it asks for does not make it so: whoever
//! owns a name can let it point to this machine once his page is loaded (DNS rebinding). See [`OwnNames`].

use std::net::IpAddr;

use http::header::{AUTHORIZATION, FORWARDED, HeaderName, ORIGIN};
use http::{HeaderMap, StatusCode};
use pipeline_names::OwnNames;
use pipeline_sdk::Secret;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
}

impl Refused {
    fn forbidden<T>(reason: &'static str) -> Result<T, Self> {
        Err(Self {
            status: StatusCode::FORBIDDEN,
            reason,
        })
    }

    fn unauthorized<T>(reason: &'static str) -> Result<T, Self> {
        Err(Self {
            status: StatusCode::UNAUTHORIZED,
            reason,
        })
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    is_this_machine: bool,
}

impl Peer {
    /// A connection from `address` to `local`. Who has this machine's own address at both ends is on it: nothing from
    /// outside gets through with such a sender.
    pub(crate) fn new(address: IpAddr, local: Option<IpAddr>) -> Self {
        let address = address.to_canonical();
        let own = local.map(|local| local.to_canonical()) == Some(address);
        Self {
            address,
            is_this_machine: address.is_loopback() || own,
        }
    }
}

/// Decides who may write.
pub(crate) fn may_write(
    token: Option<&Secret>,
    peer: Peer,
    names: &OwnNames,
    headers: &HeaderMap,
) -> Result<(), Refused> {
    match token {
        Some(token) => bears(token, headers),
        None => is_local_program(peer, names, headers),
    }
}

fn bears(token: &Secret, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Refused::unauthorized(
            "no `Authorization`: expected `Bearer` and the server's token",
        );
    };
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    match bearer {
        Some((scheme, given))
            if scheme.eq_ignore_ascii_case("bearer") && token.matches(given.trim()) =>
        {
            Ok(())
        }
        _ => {
            Refused::unauthorized("wrong `Authorization`: expected `Bearer` and the server's token")
        }
    }
}

fn is_local_program(peer: Peer, names: &OwnNames, headers: &HeaderMap) -> Result<(), Refused> {
    if !peer.is_this_machine {
        return Refused::forbidden(
            "this server has no `token`: only programs on its own machine may write",
        );
    }
    if [ORIGIN, FORWARDED, X_FORWARDED_FOR]
        .iter()
        .any(|name| headers.contains_key(name))
    {
        return Refused::forbidden(
            "this server has no `token`: requests with `Origin`, `Forwarded` or `X-Forwarded-For` may not write",
        );
    }
    if !names.are_asked(headers) {
        return Refused::forbidden(
            "this server has no `token`: expected its address or the name in `listen` as `Host`",
        );
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

    /// Decides whether the page that asks may look. Programs send no `Origin`.
    pub(crate) fn may_look(&self, names: &OwnNames, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(origin) = headers.get(ORIGIN) else {
            return Ok(());
        };
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        if self.any || self.listed.contains(&origin) || is_own(&origin, names, headers) {
            return Ok(());
        }
        Refused::forbidden("pages of this `Origin` may not connect: see the setting `origins`")
    }
}

/// Tells whether a page is one of this server: of the host that it asks for, under a name that is nobody else's.
fn is_own(origin: &str, names: &OwnNames, headers: &HeaderMap) -> bool {
    let page = origin.split_once("://").map(|(_, page)| page);
    names
        .asked(headers)
        .is_some_and(|host| page == Some(&host.as_str().to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HOST;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &str)| (name.clone(), value.parse().unwrap());
        given.iter().map(pair).collect()
    }

    #[test]
    fn a_page_under_a_name_that_points_here_is_not_ours() {
        let (names, origins) = (OwnNames::new("0.0.0.0:8080"), Origins::new([]));
        for (page, may) in [
            ("10.0.0.2:8080", true),
            ("vm1:8080", true),
            ("evil.example:8080", false),
        ] {
            let origin = format!("http://{page}");
            let headers = headers(&[(HOST, page), (ORIGIN, &origin)]);
            assert_eq!(origins.may_look(&names, &headers).is_ok(), may, "{page}");
            let listed = Origins::new([origin]);
            assert_eq!(listed.may_look(&names, &headers), Ok(()), "{page}");
        }
        assert_eq!(origins.may_look(&names, &headers(&[])), Ok(()));
    }

    #[test]
    fn programs_of_this_machine_may_write_under_a_name_that_is_ours() {
        let names = OwnNames::new("0.0.0.0:8080");
        let outside = "10.0.0.3".parse().unwrap();
        for (from, to, host, may) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:8080", true),
            ("::ffff:127.0.1.1", "::ffff:127.0.1.1", "127.0.1.1", true),
            ("10.0.0.2", "10.0.0.2", "10.0.0.2:8080", true),
            ("10.0.0.2", "10.0.0.3", "10.0.0.3:8080", false),
            ("127.0.0.1", "127.0.0.1", "evil.example:8080", false),
        ] {
            let peer = Peer::new(from.parse().unwrap(), to.parse().ok());
            let headers = headers(&[(HOST, host)]);
            let written = may_write(None, peer, &names, &headers);
            assert_eq!(written.is_ok(), may, "{from} {to} {host}");
        }
        let unknown = Peer::new(outside, None);
        assert!(may_write(None, unknown, &names, &headers(&[])).is_err());
    }
}
