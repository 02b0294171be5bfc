//! Types for settings that people write: durations, sizes, secrets.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// A duration as people write it: `100ms`, `30s`, `1m 30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl HumanDuration {
    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        HumanDuration(Duration::from_millis(millis))
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        HumanDuration(Duration::from_secs(secs))
    }
}

impl Deref for HumanDuration {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        let unit = |_| {
            de::Error::invalid_value(
                de::Unexpected::Str(&text),
                &"a duration such as `100ms` or `30s`",
            )
        };
        humantime::parse_duration(&text)
            .map(HumanDuration)
            .map_err(unit)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for HumanDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "human-duration" })
    }
}

/// A number of bytes as people write it: `16MiB`, `64kB`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// So many binary kilobytes.
    #[must_use]
    pub const fn kib(kib: u64) -> Self {
        ByteSize(kib << 10)
    }

    /// So many binary megabytes.
    #[must_use]
    pub const fn mib(mib: u64) -> Self {
        ByteSize(mib << 20)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The number of bytes, or the largest that this machine can address.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteSize {
    /// Exact: with the largest unit that divides it, so that what is written can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (1 << 40, "TiB"),
            (1 << 30, "GiB"),
            (1 << 20, "MiB"),
            (1 << 10, "KiB"),
        ];
        match units
            .iter()
            .find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size))
        {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes such as `16MiB`")
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                let unit = |_| de::Error::invalid_value(de::Unexpected::Str(text), &self);
                text.parse::<bytesize::ByteSize>()
                    .map(|size| ByteSize(size.as_u64()))
                    .map_err(unit)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "format": "byte-size", "minimum": 0 })
    }
}

/// A text that is shown nowhere: not in logs, not in errors, not by `check`.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether a text is the secret, in a time that does not tell where they differ.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_str, to_string};

    #[test]
    fn durations_are_read_and_written() {
        let duration: HumanDuration = from_str("\"1m 30s\"").unwrap();
        assert_eq!(duration.as_secs(), 90);
        assert_eq!(to_string(&duration).unwrap(), "\"1m 30s\"");
    }

    #[test]
    fn a_duration_without_a_unit_is_an_error() {
        let error = from_str::<HumanDuration>("\"30\"").unwrap_err().to_string();
        assert!(
            error.contains("expected a duration such as `100ms`"),
            "{error}"
        );
    }

    #[test]
    fn sizes_are_read_as_text_and_as_numbers() {
        assert_eq!(
            from_str::<ByteSize>("\"16MiB\"").unwrap(),
            ByteSize::mib(16)
        );
        assert_eq!(from_str::<ByteSize>("\"64kB\"").unwrap(), ByteSize(64_000));
        assert_eq!(from_str::<ByteSize>("4096").unwrap(), ByteSize::kib(4));
        assert!(from_str::<ByteSize>("-1").is_err() && from_str::<ByteSize>("\"many\"").is_err());
    }

    #[test]
    fn a_written_size_is_read_as_the_same() {
        for size in [0, 1, 1000, 1024, 1536, 16 << 20, (1 << 40) + 1] {
            assert_eq!(
                from_str::<ByteSize>(&to_string(&ByteSize(size)).unwrap())
                    .unwrap()
                    .0,
                size
            );
        }
    }

    #[test]
    fn a_secret_is_not_shown_and_compares() {
        let secret: Secret = from_str("\"hunter2\"").unwrap();
        assert_eq!(format!("{secret:?}"), "***");
        assert!(
            secret.matches("hunter2") && !secret.matches("hunter") && !secret.matches("hunter3")
        );
    }
}
