//! How JSON is read: numbers that fit, and errors that name the field.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Says which field of `text`, which was to be a `T`, an error is about: reads again, with an eye on the path.
pub(crate) fn named<'a, T: Deserialize<'a>>(text: &'a [u8], error: &serde_json::Error) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(at) if error.is_data() && at.path().iter().len() > 0 => {
            format!("`{}`: {}", at.path(), at.inner())
        }
        _ => error.to_string(),
    }
}

/// Reads a whole number, or nothing.
pub(crate) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Option::<Whole>::deserialize(from).map(|number| number.map(|Whole(number)| number))
}

/// A whole number of 64 bits, in errors by the range that positions and times have.
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "a whole number from 0 to {}", i64::MAX - 1)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
                let fits = i64::try_from(number).map(Whole);
                fits.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }
        from.deserialize_i64(Number)
    }
}
