//! A stage's settings: from JSON to its `Config`, with findings that point at the value.

use crate::Invalid;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// Reads settings; the error points at the value that does not fit.
pub(crate) fn read<C: DeserializeOwned>(json: &[u8]) -> Result<C, Invalid> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let config: C = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Invalid::new(pointer(error.path()), text(error.inner())))?;
    deserializer
        .end()
        .map_err(|error| Invalid::new("", text(&error)))?;
    Ok(config)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// The error without the place in the JSON text, which nobody wrote.
fn text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(place) => text[..place].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "a/b")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only read from JSON")]
        port: u16,
    }

    #[test]
    fn an_error_points_at_the_value() {
        let error = read::<Outer>(br#"{"a/b": [{"port": 1}, {"port": 99999}]}"#).unwrap_err();
        assert_eq!(
            error,
            Invalid::new(
                "/a~1b/1/port",
                "invalid value: integer `99999`, expected u16"
            )
        );
    }

    #[test]
    fn settings_that_fit_are_read() {
        assert_eq!(read::<Outer>(br#"{"a/b": []}"#).unwrap().inner.len(), 0);
    }

    #[test]
    fn text_behind_the_settings_is_an_error() {
        assert!(read::<Outer>(br#"{"a/b": []} x"#).is_err());
    }
}
