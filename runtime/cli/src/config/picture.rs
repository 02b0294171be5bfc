//! The source line of a mistake with a caret under it.

use crate::config::source::{SourceFile, Span};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan,
};
use std::fmt;

/// Characters shown of a long line before and after the beginning of the mistake.
const SHOWN_BEFORE: usize = 100;
const SHOWN_AFTER: usize = 100;
/// Longest line, in bytes, that is drawn with a frame.
const MAX_FRAMED: usize = 400;

/// One line and carets, in plain characters.
pub(super) fn plain(file: &SourceFile, span: Span, hint: Option<&str>) -> String {
    let place = file.place(span.start);
    let line = file.line(place.line);
    let start = file.floor(span.start).clamp(line.start, line.end);
    let end = file.ceil(span.end).clamp(start, line.end);
    let before = shown(tail(&file.text[line.start..start], SHOWN_BEFORE));
    let behind = shown(head(&file.text[start..line.end], SHOWN_AFTER));
    let marked = shown(head(&file.text[start..end], SHOWN_AFTER));
    let (indent, carets) = (
        " ".repeat(width(&before)),
        "^".repeat(width(&marked).max(1)),
    );
    let hint = hint.map(|hint| format!(" {hint}")).unwrap_or_default();
    format!(
        "{:5} | {before}{behind}\n      | {indent}{carets}{hint}\n",
        place.line
    )
}

/// Whether a frame would be readable: no endless lines, nothing that steers a terminal.
pub(super) fn is_drawable(file: &SourceFile, span: Span) -> bool {
    let place = file.place(span.start);
    let around = place.line.saturating_sub(1).max(1)..=(place.line + 1).min(file.lines());
    let mut lines = around.map(|line| &file.text[file.line(line)]);
    lines.all(|line| line.len() <= MAX_FRAMED && !line.chars().any(char::is_control))
}

/// A frame with colours and a line around.
pub(super) fn fancy(file: SourceFile, span: Span, hint: Option<String>) -> String {
    let snippet = Snippet {
        at: SourceSpan::from(span.range()),
        hint,
        source: NamedSource::new(&file.name, file.text),
    };
    let mut drawn = String::new();
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_context_lines(1);
    if handler.render_report(&mut drawn, &snippet).is_err() {
        return String::new();
    }
    // The headline above has said the words already: only the frame is kept.
    let frame: Vec<_> = drawn
        .lines()
        .skip_while(|line| !line.contains('╭'))
        .collect();
    frame.join("\n") + "\n"
}

fn head(text: &str, most: usize) -> &str {
    text.char_indices()
        .nth(most)
        .map_or(text, |(end, _)| &text[..end])
}

fn tail(text: &str, most: usize) -> &str {
    text.char_indices()
        .rev()
        .nth(most - 1)
        .map_or(text, |(start, _)| &text[start..])
}

fn shown(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// Columns on a terminal: Chinese, Japanese, Korean and full-width characters take two.
fn width(text: &str) -> usize {
    let is_wide = |letter: char| matches!(u32::from(letter), 0x1100..=0x115F | 0x2E80..=0xD7A3 | 0xF900..=0xFAFF | 0xFF00..=0xFF60);
    text.chars()
        .map(|letter| if is_wide(letter) { 2 } else { 1 })
        .sum()
}

#[derive(Debug)]
struct Snippet {
    at: SourceSpan,
    hint: Option<String>,
    source: NamedSource<String>,
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid pipeline file")
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(self.hint.clone(), self.at);
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_mistake() {
        let text = format!("{}wrong{}", "a".repeat(1000), "b".repeat(1000));
        let file = SourceFile::new("a", text);
        let drawn = plain(
            &file,
            Span {
                start: 1000,
                end: 1005,
            },
            Some("hint"),
        );
        assert!(
            drawn.len() < 400 && drawn.contains("awrongb") && drawn.ends_with("^^^^^ hint\n"),
            "{drawn}"
        );
        assert!(!is_drawable(
            &file,
            Span {
                start: 1000,
                end: 1005
            }
        ));
    }

    #[test]
    fn carets_stand_under_wide_characters_and_control_characters_are_blank() {
        let file = SourceFile::new("a", "가격: \u{1b}[2J나");
        let start = file.text.find('나').unwrap();
        let drawn = plain(
            &file,
            Span {
                start,
                end: start + 3,
            },
            None,
        );
        assert_eq!(drawn, "    1 | 가격:  [2J나\n      |           ^^\n");
    }

    #[test]
    fn a_frame_has_the_source_line() {
        let file = SourceFile::new("a.yaml", "one: 1\ntwo: 2\n");
        let drawn = fancy(
            file,
            Span { start: 7, end: 10 },
            Some("did you mean `too`?".to_owned()),
        );
        assert!(
            drawn.contains("two: 2")
                && drawn.contains("did you mean `too`?")
                && drawn.contains("a.yaml:2:1"),
            "{drawn}"
        );
    }
}
