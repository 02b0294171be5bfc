//! Names with typed values: of logs, spans and instruments.

use pipeline_abi::{
    PL_FIELD_BOOL, PL_FIELD_F64, PL_FIELD_I64, PL_FIELD_STR, PL_FIELD_U64, PlField,
};
use std::fmt;

/// Most fields of one record that are read.
const FIELDS_MAX: usize = 128;

/// A field, borrowed from the plugin for the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: FieldValue<'a>,
}

/// A typed value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// Text.
    Str(&'a str),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A double.
    F64(f64),
    /// A truth value.
    Bool(bool),
}

impl fmt::Display for FieldValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldValue::Str(text) => f.write_str(text),
            FieldValue::I64(number) => number.fmt(f),
            FieldValue::U64(number) => number.fmt(f),
            FieldValue::F64(number) => number.fmt(f),
            FieldValue::Bool(truth) => truth.fmt(f),
        }
    }
}

/// Reads fields; a kind that this version does not know is left out.
///
/// # Safety
/// `fields` is null or leads to `count` fields that stay valid for `'a`.
pub(super) unsafe fn read<'a>(fields: *const PlField, count: u32) -> Vec<Field<'a>> {
    if fields.is_null() || !fields.is_aligned() {
        return Vec::new();
    }
    let count = (count as usize).min(FIELDS_MAX);
    // SAFETY: promised by the caller.
    let fields = unsafe { std::slice::from_raw_parts(fields, count) };
    // SAFETY: promised by the caller.
    fields
        .iter()
        .filter_map(|field| unsafe { read_one(field) })
        .collect()
}

unsafe fn read_one<'a>(field: &PlField) -> Option<Field<'a>> {
    let value = match field.kind {
        // SAFETY: promised by the caller.
        PL_FIELD_STR => FieldValue::Str(unsafe { field.s.text() }),
        PL_FIELD_I64 => FieldValue::I64(field.n.cast_signed()),
        PL_FIELD_U64 => FieldValue::U64(field.n),
        PL_FIELD_F64 => FieldValue::F64(f64::from_bits(field.n)),
        PL_FIELD_BOOL => FieldValue::Bool(field.n != 0),
        _ => return None,
    };
    // SAFETY: promised by the caller.
    let name = unsafe { field.name.text() };
    Some(Field { name, value })
}
