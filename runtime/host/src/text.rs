//! Text that came over the boundary, cut to a bearable length.

use pipeline_abi::PlStr;

/// The beginning of a text: at most `max` bytes, cut between two characters.
pub(crate) fn clipped(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A plugin's text, clipped; what is not UTF-8 is replaced, character by character.
///
/// # Safety
/// As [`PlStr::bytes`], for the duration of this call.
pub(crate) unsafe fn owned(text: PlStr, max: usize) -> String {
    // SAFETY: promised by the caller.
    let bytes = unsafe { text.bytes() };
    let bytes = &bytes[..bytes.len().min(max)];
    clipped(&String::from_utf8_lossy(bytes), max).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(clipped("grün", 3), "gr");
        assert_eq!(clipped("grün", 4), "grü");
        assert_eq!(clipped("grün", 90), "grün");
    }
}
