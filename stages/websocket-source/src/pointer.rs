//! JSON pointers (RFC 6901), and what the text of a value says.

use std::borrow::Cow;

use pipeline_sdk::prelude::*;
use serde::de::{Deserializer, Error as _};
use serde_json::value::RawValue;

/// A checked JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// The names and indices on the way.
    pub(crate) fn segments(&self) -> &[String] {
        &self.0
    }

    /// Takes the text of a pointer.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut segments = text.split('/');
        (segments.next() == Some("")).then_some(())?;
        segments
            .map(unescape)
            .collect::<Option<Vec<_>>>()
            .map(Pointer)
    }
}

fn unescape(segment: &str) -> Option<String> {
    let mut plain = String::with_capacity(segment.len());
    let mut characters = segment.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            character => character,
        });
    }
    Some(plain)
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        let expected = || {
            D::Error::custom(format!(
                "expected a JSON pointer such as `/data/id`, not `{text}`"
            ))
        };
        Pointer::parse(&text).ok_or_else(expected)
    }
}

impl JsonSchema for Pointer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JsonPointer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "json-pointer", "pattern": "^(/([^/~]|~[01])*)*$" })
    }
}

/// The elements of a JSON array, if `text` is one.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// What a scalar says: the content of a string, the text of anything else; nothing for `null`.
pub(crate) fn content(value: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'_>>(value)
            .ok()
            .map(|text| text.0),
        b'n' => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_pointers_are_refused() {
        assert!(
            ["a", "a/b", "/~", "/~2"]
                .iter()
                .all(|text| Pointer::parse(text).is_none())
        );
    }

    #[test]
    fn an_array_is_taken_apart() {
        assert_eq!(
            elements("[1, {\"a\":2},\"x\"]").unwrap(),
            ["1", "{\"a\":2}", "\"x\""]
        );
        assert_eq!(elements("{}"), None);
    }

    #[test]
    fn scalars_tell_their_content() {
        assert_eq!(content(r#""a\u00e9""#).as_deref(), Some("aé"));
        assert_eq!(content("12").as_deref(), Some("12"));
        assert_eq!(content("null"), None);
    }
}
