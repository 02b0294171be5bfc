//! The record's key from the payload: a JSON pointer, followed without building the document.

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A JSON pointer (RFC 6901), parsed once.
#[derive(Clone, Debug)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// Parses a pointer that names something inside the document.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let tokens = text.strip_prefix('/')?;
        let legal = |token: &str| {
            token
                .split('~')
                .skip(1)
                .all(|rest| rest.starts_with(['0', '1']))
        };
        let unescape =
            |token: &str| legal(token).then(|| token.replace("~1", "/").replace("~0", "~"));
        tokens
            .split('/')
            .map(unescape)
            .collect::<Option<_>>()
            .map(Pointer)
    }

    /// The text of a string, or a number or flag as it is written; `None` for anything else, or nothing, at that place. Looks at
    /// nothing behind it.
    pub(crate) fn find<'a>(&self, json: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let mut found = None;
        let seek = Seek {
            tokens: &self.0,
            found: &mut found,
        };
        // An error says no more than that the rest was not read, or that nothing was found.
        let _ = seek.deserialize(&mut serde_json::Deserializer::from_slice(json));
        let found = found?.get();
        match found.as_bytes().first()? {
            b'"' => serde_json::from_str::<Text<'a>>(found)
                .ok()
                .map(|text| match text.0 {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                }),
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(found.as_bytes())),
        }
    }
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Goes down one token a level, skips everything before what it seeks, and leaves everything behind it unread.
struct Seek<'p, 'de> {
    tokens: &'p [String],
    found: &'p mut Option<&'de RawValue>,
}

impl<'de> DeserializeSeed<'de> for Seek<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.tokens.is_empty() {
            *self.found = Some(de::Deserialize::deserialize(deserializer)?);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if self.tokens[0] == key.0 {
                return map.next_value_seed(self.deeper());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Ok(wanted) = self.tokens[0].parse::<usize>() else {
            return Ok(());
        };
        for _ in 0..wanted {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        seq.next_element_seed(self.deeper()).map(drop)
    }
}

impl<'p, 'de> Seek<'p, 'de> {
    fn deeper(self) -> Self {
        Seek {
            tokens: &self.tokens[1..],
            found: self.found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pointer: &str, json: &str) -> Option<String> {
        let found = Pointer::parse(pointer).unwrap();
        found
            .find(json.as_bytes())
            .map(|key| String::from_utf8(key.into_owned()).unwrap())
    }

    #[test]
    fn strings_numbers_and_flags_are_keys() {
        let json = r#"{"a": {"symbol": "BTC", "list": [1, {"id": 12.50}]}, "ok": true}"#;
        assert_eq!(find("/a/symbol", json).as_deref(), Some("BTC"));
        assert_eq!(find("/a/list/1/id", json).as_deref(), Some("12.50"));
        assert_eq!(find("/ok", json).as_deref(), Some("true"));
    }

    #[test]
    fn what_is_not_there_or_not_plain_is_no_key() {
        let json = r#"{"a": {"b": null}, "list": [1], "text": "x"}"#;
        for pointer in [
            "/missing",
            "/a",
            "/a/b",
            "/list",
            "/list/1",
            "/list/x",
            "/text/deeper",
        ] {
            assert_eq!(find(pointer, json), None, "{pointer}");
        }
        for json in ["", "{", "not json", "[]", "7"] {
            assert_eq!(find("/a", json), None, "{json}");
        }
    }

    #[test]
    fn the_first_one_counts_and_nothing_behind_it_is_read() {
        let json = r#"{"skipped": [{"k": 1}], "k": {"k": "first"}, "k": 2, not json"#;
        assert_eq!(find("/k/k", json).as_deref(), Some("first"));
        assert_eq!(find("/l/1", r#"{"l": [0, 7, broken"#).as_deref(), Some("7"));
    }

    #[test]
    fn escapes_are_resolved_in_pointer_and_value() {
        assert_eq!(
            find("/a~1b~0c", r#"{"a/b~c": "x\ny"}"#).as_deref(),
            Some("x\ny")
        );
        assert_eq!(find("/k", r#"{"\u006b": "v"}"#).as_deref(), Some("v"));
    }

    #[test]
    fn a_plain_string_is_not_copied() {
        let pointer = Pointer::parse("/k").unwrap();
        assert!(matches!(
            pointer.find(br#"{"k": "plain"}"#),
            Some(Cow::Borrowed(_))
        ));
    }

    #[test]
    fn a_pointer_begins_with_a_slash_and_knows_two_escapes() {
        for wrong in ["", "symbol", "#/a", "/a~2", "/a~"] {
            assert!(Pointer::parse(wrong).is_none(), "{wrong}");
        }
    }
}
