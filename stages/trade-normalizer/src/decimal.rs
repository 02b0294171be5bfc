//! Decimal numbers as text.
//!
//! Invariant: a [`Decimal`] is a number in JSON's grammar and holds exactly the characters that the venue sent. No float is
//! ever made of it, so `0.10000000` and `6E-8` stay what they are.

use crate::token::Token;
use crate::unreadable::{Fault, Unreadable};

/// A price or a size, exactly as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'a>(&'a str);

impl<'a> Decimal<'a> {
    /// Takes a JSON number, or a JSON string that holds one.
    pub(crate) fn read(field: &'static str, token: Option<Token<'a>>) -> Result<Self, Unreadable> {
        let token = token.ok_or(Unreadable::missing(field))?;
        let text = token.content();
        if is_decimal(text.as_bytes()) {
            Ok(Decimal(text))
        } else {
            Err(Unreadable::field(field, Fault::Decimal, text))
        }
    }

    /// The characters.
    pub(crate) fn text(self) -> &'a str {
        self.0
    }
}

/// Whether `text` is `-? digits (. digits)? ([eE] [+-]? digits)?`.
fn is_decimal(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (mantissa, exponent) = match unsigned.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (&mantissa[..at], Some(&mantissa[at + 1..])),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|e| e.strip_prefix(b"-").or(e.strip_prefix(b"+")).unwrap_or(e));
    is_digits(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits)
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<String, String> {
        let token: Token<'_> = serde_json::from_str(json).unwrap();
        Decimal::read("price", Some(token))
            .map(|d| d.text().to_owned())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn the_characters_stay_as_sent() {
        for text in [
            "127.0",
            "0.10000000",
            "6E-8",
            "1e+3",
            "0",
            "-1.5",
            "00012.50",
        ] {
            assert_eq!(read(&format!("\"{text}\"")).unwrap(), text);
        }
        assert_eq!(read("6E-8").unwrap(), "6E-8");
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for text in [
            "", ".5", "5.", "1,000", "NaN", "0x10", "1e", "--1", " 1", "\\u0031",
        ] {
            let error = read(&format!("\"{text}\"")).unwrap_err();
            assert!(
                error.starts_with("`price`: expected a decimal number, found `"),
                "{error}"
            );
        }
        assert!(read("true").is_err() && read("[1]").is_err() && read("null").is_err());
    }

    proptest! {
        #[test]
        fn any_number_survives_byte_for_byte(text in r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?") {
            prop_assert_eq!(read(&text).unwrap(), text.clone());
            prop_assert_eq!(read(&format!("\"{text}\"")).unwrap(), text);
        }
    }
}
