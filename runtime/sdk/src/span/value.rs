//! Values of attributes.

use pipeline_abi::*;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text that is known when the stage is built.
    Word(&'static str),
    /// Any other text.
    Text(String),
    /// An integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A truth value.
    Bool(bool),
}

macro_rules! from {
    ($($from:ty => $value:ident),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Value::$value(value.into())
            }
        }
    )*};
}
from!(&'static str => Word, String => Text, i64 => Int, i32 => Int, u32 => Int, u16 => Int, f64 => Double, bool => Bool);

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// Attributes as the host reads them; they borrow the texts.
pub(super) fn fields(attributes: &[(&'static str, Value)]) -> Vec<PlField> {
    attributes
        .iter()
        .map(|(name, value)| field(name, value))
        .collect()
}

fn field(name: &str, value: &Value) -> PlField {
    let text = |text: &str| PlStr::new(text.as_bytes());
    let (kind, s, n) = match value {
        Value::Word(word) => (PL_FIELD_STR, text(word), 0),
        Value::Text(words) => (PL_FIELD_STR, text(words), 0),
        Value::Int(number) => (PL_FIELD_I64, PlStr::EMPTY, number.cast_unsigned()),
        Value::Double(number) => (PL_FIELD_F64, PlStr::EMPTY, number.to_bits()),
        Value::Bool(truth) => (PL_FIELD_BOOL, PlStr::EMPTY, u64::from(*truth)),
    };
    PlField {
        name: text(name),
        kind,
        reserved: 0,
        s,
        n,
    }
}
