//! The formats of text that schemas of stages name, beyond those of JSON Schema itself.

use crate::config::address;
use std::time::Duration;

/// Schema format of an address that a stage listens on.
pub(crate) const LISTEN_ADDRESS: &str = "listen-address";
/// Schema format of a URL that a stage posts to.
pub(crate) const HTTP_URL: &str = "http-url";

/// One format.
pub(crate) struct Format {
    /// Its name in a schema.
    pub(crate) name: &'static str,
    /// What a user calls it.
    pub(crate) noun: &'static str,
    /// What was expected.
    pub(crate) expected: &'static str,
    /// Whether a text has it.
    pub(crate) check: fn(&str) -> bool,
}

/// All of them.
pub(crate) const FORMATS: [Format; 5] = [
    Format {
        name: LISTEN_ADDRESS,
        noun: "address",
        expected: "an address such as `127.0.0.1:8080`",
        check: |text| address::parse(text).is_ok(),
    },
    Format {
        name: HTTP_URL,
        noun: "URL",
        expected: "a URL such as `http://127.0.0.1:8080/path`",
        check: is_http_url,
    },
    Format {
        name: "human-duration",
        noun: "time",
        expected: "a time such as `100ms` or `30s`",
        check: |text| parse_duration(text).is_some(),
    },
    Format {
        name: "byte-size",
        noun: "size",
        expected: "a size such as `16MiB`",
        check: |text| parse_size(text).is_some(),
    },
    Format {
        name: "path",
        noun: "path",
        expected: "a path",
        check: |text| !text.is_empty() && !text.contains('\0'),
    },
];

/// The format of that name.
pub(crate) fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// A time as people write it.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text.trim()).ok()
}

/// A number of bytes as people write it.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    text.parse::<bytesize::ByteSize>()
        .ok()
        .map(|size| size.as_u64())
}

fn is_http_url(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
