//! The text of a pipeline file and the places in it.

use std::ops::Range;

/// A half-open range of bytes in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: usize,
    /// Byte after the last one.
    pub(crate) end: usize,
}

impl Span {
    /// The bytes as a range.
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A place as people count it: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line.
    pub(crate) line: usize,
    /// Column.
    pub(crate) column: usize,
}

/// One file as it was read.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// The path as the user wrote it.
    pub(crate) name: String,
    /// The whole text.
    pub(crate) text: String,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// Takes the text of `name`.
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        SourceFile {
            name: name.into(),
            text,
            line_starts,
        }
    }

    /// The line and column of a byte; a byte inside a character counts as its first, one past the end as the end.
    pub(crate) fn place(&self, byte: usize) -> Place {
        let byte = self.floor(byte);
        let line = self.line_starts.partition_point(|&start| start <= byte);
        let start = self.line_starts[line - 1];
        Place {
            line,
            column: self.text[start..byte].chars().count() + 1,
        }
    }

    /// The bytes of a line (from 1) without its line break.
    pub(crate) fn line(&self, line: usize) -> Range<usize> {
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).copied();
        let text = &self.text[start..end.unwrap_or(self.text.len())];
        start..start + text.trim_end_matches(['\n', '\r']).len()
    }

    /// Number of lines.
    pub(crate) fn lines(&self) -> usize {
        self.line_starts.len()
    }

    /// The beginning of the character that a byte belongs to.
    pub(crate) fn floor(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        (0..=byte)
            .rev()
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(0)
    }

    /// The end of the characters before a byte.
    pub(crate) fn ceil(&self, byte: usize) -> usize {
        let length = self.text.len();
        (byte..length)
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(length)
    }

    /// The span of the one character at a line and column, for errors that know no more.
    pub(crate) fn at(&self, line: usize, column: usize) -> Span {
        let line = self.line(line.clamp(1, self.line_starts.len()));
        let text = &self.text[line.clone()];
        let start = text
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(line.end, |(offset, _)| line.start + offset);
        Span {
            start,
            end: self.ceil(start + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_before_their_break() {
        let file = SourceFile::new("a.yaml", "한글: x\r\nsecond: y");
        let x = file.text.find('x').unwrap();
        assert_eq!(file.place(x), Place { line: 1, column: 5 });
        assert_eq!(&file.text[file.line(1)], "한글: x");
        let y = file.text.find('y').unwrap();
        assert_eq!(file.place(y), Place { line: 2, column: 9 });
        assert_eq!(file.at(2, 9).range(), y..y + 1);
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        let file = SourceFile::new("a.yaml", "ab");
        assert_eq!(file.place(99), Place { line: 1, column: 3 });
        assert_eq!(file.at(9, 9).range(), 2..2);
    }
}
