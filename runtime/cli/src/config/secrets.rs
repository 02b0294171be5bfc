//! Values that are never shown: those that a schema marks `writeOnly`, and what was read from secret files.

use crate::config::node::{Node, Value};
use crate::config::source::{SourceFile, Span};

/// What stands for a secret.
pub(crate) const MASK: &str = "***";
/// Shorter values are not searched for in messages: they would also hide ordinary words.
const MIN_SEARCHED: usize = 4;

/// The secrets of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    spans: Vec<Span>,
    texts: Vec<String>,
}

impl Secrets {
    /// Hides a place in the source.
    pub(crate) fn hide_span(&mut self, span: Span) {
        self.spans.push(span);
    }

    /// Hides a value wherever it turns up in a message.
    pub(crate) fn hide_text(&mut self, text: &str) {
        if text.len() >= MIN_SEARCHED && !self.texts.iter().any(|known| known == text) {
            self.texts.push(text.to_owned());
            self.texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        }
    }

    /// Hides every scalar of a value, in the source and in messages.
    pub(crate) fn hide(&mut self, node: &Node, file: &SourceFile) {
        self.hide_places(node, file);
        self.hide_texts(node);
    }

    /// Hides every scalar of a value in the source.
    pub(crate) fn hide_places(&mut self, node: &Node, file: &SourceFile) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.hide_places(item, file)),
            Value::Map(entries) => entries
                .iter()
                .for_each(|(_, value)| self.hide_places(value, file)),
            Value::Text(_) | Value::Substituted(_) | Value::Number(_) => {
                if !is_reference(&file.text[node.span.range()]) {
                    self.hide_span(node.span);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn hide_texts(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.hide_texts(item)),
            Value::Map(entries) => entries.iter().for_each(|(_, value)| self.hide_texts(value)),
            Value::Text(text) | Value::Substituted(text) => self.hide_text(text),
            Value::Number(number) => self.hide_text(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A message without any of the values.
    pub(crate) fn mask(&self, message: &str) -> String {
        self.texts.iter().fold(message.to_owned(), |text, secret| {
            text.replace(secret, MASK)
        })
    }

    /// The source with its secret places hidden, line numbers unchanged, and `span` moved along.
    pub(crate) fn mask_source(&self, file: &SourceFile, span: Span) -> (String, Span) {
        let mut pieces = self.pieces(file);
        pieces.sort_by_key(|piece| piece.start);
        let mut text = String::with_capacity(file.text.len());
        let mut moved = span;
        let mut from = 0;
        for piece in pieces {
            if piece.start < from {
                continue;
            }
            text.push_str(&file.text[from..piece.start]);
            for (end, original) in [(&mut moved.start, span.start), (&mut moved.end, span.end)] {
                if original >= piece.end {
                    *end = *end + MASK.len() - (piece.end - piece.start);
                } else if original > piece.start {
                    *end -= original - piece.start;
                }
            }
            text.push_str(MASK);
            from = piece.end;
        }
        text.push_str(&file.text[from..]);
        moved.end = moved.end.max(moved.start);
        (text, moved)
    }

    /// The secret places, cut at line breaks.
    fn pieces(&self, file: &SourceFile) -> Vec<Span> {
        let mut pieces = Vec::new();
        for span in &self.spans {
            let mut start = span.start;
            for line in file.text[span.range()].split_inclusive('\n') {
                let shown = line.trim_end_matches(['\n', '\r']).len();
                if shown > 0 {
                    pieces.push(Span {
                        start,
                        end: start + shown,
                    });
                }
                start += line.len();
            }
        }
        pieces
    }
}

/// A reference without a default is no secret, and seeing it helps.
fn is_reference(written: &str) -> bool {
    let written = written.trim_matches(['"', '\'']);
    let one = written.starts_with("${") && written.find('}') == Some(written.len() - 1);
    one && !written.contains(":-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span_of(file: &SourceFile, part: &str) -> Span {
        let start = file.text.find(part).unwrap();
        Span {
            start,
            end: start + part.len(),
        }
    }

    #[test]
    fn a_secret_in_the_source_is_masked_and_what_follows_moves() {
        let file = SourceFile::new("a", "{ token: hunter2hunter2, uri: x }\n");
        let mut secrets = Secrets::default();
        secrets.hide_span(span_of(&file, "hunter2hunter2"));
        let (text, moved) = secrets.mask_source(&file, span_of(&file, "uri"));
        assert_eq!(text, "{ token: ***, uri: x }\n");
        assert_eq!(&text[moved.range()], "uri");
    }

    #[test]
    fn a_secret_over_several_lines_keeps_the_line_numbers() {
        let file = SourceFile::new("a", "key: |\n  one\n  two\nnext: 1\n");
        let mut secrets = Secrets::default();
        secrets.hide_span(span_of(&file, "|\n  one\n  two\n"));
        let (text, moved) = secrets.mask_source(&file, span_of(&file, "next"));
        assert_eq!(text, "key: ***\n***\n***\nnext: 1\n");
        assert_eq!(&text[moved.range()], "next");
    }

    #[test]
    fn messages_lose_secret_values_but_keep_short_words() {
        let mut secrets = Secrets::default();
        secrets.hide_text("hunter2");
        secrets.hide_text("a");
        assert_eq!(secrets.mask("bad value `hunter2`"), "bad value `***`");
    }
}
