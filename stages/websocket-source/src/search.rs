//! Looks up JSON pointers in text without building values.
//!
//! Several pointers are found in one pass over the text; what is found is the very text of the value.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::pointer::Pointer;

/// Finds each pointer's value in `text`; an error says that `text` is not JSON. At most 32 pointers.
pub(crate) fn find<'t>(
    pointers: &[Pointer],
    text: &'t str,
    found: &mut [Option<&'t str>],
) -> serde_json::Result<()> {
    found.fill(None);
    let all = (0..pointers.len()).fold(0, |live, index| live | 1 << index);
    let mut search = Search {
        pointers,
        level: 0,
        live: all,
        found,
    };
    let whole = search.ending(all, 0);
    search.note(whole, text.trim());
    search.live &= !whole;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    search.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A walk down a JSON value; `live` are the pointers that lead into it.
struct Search<'s, 'de> {
    pointers: &'s [Pointer],
    level: usize,
    live: u32,
    found: &'s mut [Option<&'de str>],
}

impl<'de> Search<'_, 'de> {
    /// Those of `live` that end after `length` segments.
    fn ending(&self, live: u32, length: usize) -> u32 {
        self.select(live, |pointer| pointer.segments().len() == length)
    }

    fn select(&self, live: u32, wanted: impl Fn(&Pointer) -> bool) -> u32 {
        let pointers = self.pointers.iter().enumerate();
        pointers
            .filter(|(index, pointer)| live & (1 << index) != 0 && wanted(pointer))
            .fold(0, |mask, (index, _)| mask | 1 << index)
    }

    fn note(&mut self, pointers: u32, value: &'de str) {
        for (index, found) in self.found.iter_mut().enumerate() {
            if pointers & (1 << index) != 0 {
                *found = Some(value);
            }
        }
    }

    /// Those of the live pointers that go on with `segment`.
    fn going_on(&self, segment: &str) -> u32 {
        self.select(self.live, |pointer| {
            pointer.segments()[self.level] == segment
        })
    }

    /// Reads the value that `live` lead to, through `next`.
    fn value<E: serde::de::Error>(
        &mut self,
        live: u32,
        next: impl FnOnce(Step<'_, '_, 'de>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (level, ending) = (self.level + 1, self.ending(live, self.level + 1));
        if ending == 0 {
            return next(Step::Into(Search {
                pointers: self.pointers,
                level,
                live,
                found: self.found,
            }));
        }
        let mut value = None;
        next(Step::Take(&mut value))?;
        let Some(value) = value.map(RawValue::get) else {
            return Ok(());
        };
        self.note(ending, value);
        if live != ending {
            let inner = Search {
                pointers: self.pointers,
                level,
                live: live & !ending,
                found: self.found,
            };
            inner
                .deserialize(&mut serde_json::Deserializer::from_str(value))
                .map_err(E::custom)?;
        }
        Ok(())
    }
}

/// How the next value of a container is read.
enum Step<'x, 's, 'de> {
    /// Walk into it.
    Into(Search<'s, 'de>),
    /// Take its text.
    Take(&'x mut Option<&'de RawValue>),
}

impl<'de> DeserializeSeed<'de> for Search<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.live == 0 {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
        while let Some(Key(key)) = map.next_key()? {
            let live = self.going_on(&key);
            self.value(live, |step| match step {
                Step::Into(search) => map.next_value_seed(search),
                Step::Take(value) => map.next_value().map(|raw| *value = Some(raw)),
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let (mut index, mut more) = (0_usize, true);
        while more {
            let live = self.going_on(&index.to_string());
            self.value(live, |step| {
                more = match step {
                    Step::Into(search) => seq.next_element_seed(search)?.is_some(),
                    Step::Take(value) => {
                        *value = seq.next_element()?;
                        value.is_some()
                    }
                };
                Ok(())
            })?;
            index += 1;
        }
        Ok(())
    }

    fn visit_borrowed_str<E>(self, _: &'de str) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look<'t>(pointers: &[&str], text: &'t str) -> Vec<Option<&'t str>> {
        let pointers: Vec<_> = pointers
            .iter()
            .map(|p| Pointer::parse(p).unwrap())
            .collect();
        let mut found = vec![None; pointers.len()];
        find(&pointers, text, &mut found).unwrap();
        found
    }

    #[test]
    fn several_pointers_are_found_in_one_pass() {
        let text = r#" {"a":{"b":[1,{"c":"x"}],"d":1.50},"e":null,"~/":true} "#;
        let found = look(
            &[
                "/a/b/1/c", "/a/d", "/a", "/e", "/~0~1", "/missing", "/a/b/7", "/a/d/x",
            ],
            text,
        );
        let a = r#"{"b":[1,{"c":"x"}],"d":1.50}"#;
        assert_eq!(
            found,
            [
                Some("\"x\""),
                Some("1.50"),
                Some(a),
                Some("null"),
                Some("true"),
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn the_empty_pointer_is_the_whole() {
        assert_eq!(look(&[""], " [1, 2] "), [Some("[1, 2]")]);
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        let pointers = [Pointer::parse("/a").unwrap()];
        for text in ["", "{", "{} x", "{\"a\":}", "nul"] {
            assert!(find(&pointers, text, &mut [None]).is_err(), "{text}");
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-c~/]{0,3}".prop_map(Into::into)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map("[a-c~/]{0,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_what_serde_json_finds(value in json(), pointers in prop::collection::vec("(/([a-c0-3]|~0|~1){0,2}){0,3}", 1..6)) {
            let text = value.to_string();
            let borrowed: Vec<&str> = pointers.iter().map(String::as_str).collect();
            for (pointer, found) in pointers.iter().zip(look(&borrowed, &text)) {
                let found = found.map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
                prop_assert_eq!(found.as_ref(), value.pointer(pointer), "{}", pointer);
            }
        }
    }

    #[test]
    fn fuzz_any_text_is_searched_or_refused() {
        let pointers = ["", "/a", "/a/0", "/0/a/b"].map(|p| Pointer::parse(p).unwrap());
        bolero::check!().for_each(|bytes: &[u8]| {
            if let Ok(text) = std::str::from_utf8(bytes) {
                let valid = serde_json::from_str::<IgnoredAny>(text).is_ok();
                assert_eq!(find(&pointers, text, &mut [None; 4]).is_ok(), valid);
            }
        });
    }
}
