//! How mistakes are printed: `file:line:column: words` first, always on one line, then the source line.

use crate::config::problem::{FileReport, Problem};
use crate::config::source::{SourceFile, Span};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan,
};
use std::fmt::{self, Write};

/// How much to draw around the one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Source line and caret in plain characters.
    Plain,
    /// Colours and frames, for a terminal.
    Fancy,
}

/// Prints all mistakes of all files.
pub(crate) fn render(reports: &[FileReport], style: Style) -> String {
    let mut out = String::new();
    for report in reports {
        for problem in report.problems.sorted() {
            out.push_str(&headline(report, problem));
            out.push('\n');
            out.push_str(&picture(report, problem, style));
        }
    }
    let count: usize = reports.iter().map(|report| report.problems.len()).sum();
    if count > 1 {
        let _ = writeln!(out, "{count} errors");
    }
    out
}

/// The one line of each mistake.
pub(crate) fn headlines(reports: &[FileReport]) -> Vec<String> {
    let of_file = |report| FileReport::headlines(report);
    reports.iter().flat_map(of_file).collect()
}

impl FileReport {
    fn headlines(&self) -> Vec<String> {
        self.problems
            .sorted()
            .into_iter()
            .map(|problem| headline(self, problem))
            .collect()
    }
}

fn headline(report: &FileReport, problem: &Problem) -> String {
    let place = report.file.place(problem.span.start);
    let words = report.secrets.mask(&problem.words()).replace('\n', " ");
    format!(
        "{}:{}:{}: {words}",
        report.file.name, place.line, place.column
    )
}

fn picture(report: &FileReport, problem: &Problem, style: Style) -> String {
    let (text, span) = report.secrets.mask_source(&report.file, problem.span);
    let masked = SourceFile::new(report.file.name.as_str(), text);
    if report.file.text.is_empty() {
        return String::new();
    }
    let hint = problem
        .hint
        .as_deref()
        .map(|hint| report.secrets.mask(hint));
    match style {
        Style::Plain => plain(&masked, span, hint.as_deref()),
        Style::Fancy => fancy(masked, span, hint),
    }
}

fn plain(file: &SourceFile, span: Span, hint: Option<&str>) -> String {
    let place = file.place(span.start);
    let line = file.line(place.line);
    let text = file.text[line.clone()].replace('\t', " ");
    let end = file.ceil(span.end.clamp(span.start, line.end.max(span.start)));
    let start = file.floor(span.start);
    let carets = "^".repeat(width(&file.text[start..end]).max(1));
    let indent = " ".repeat(width(&file.text[line.start..start.max(line.start)]));
    let hint = hint.map(|hint| format!(" {hint}")).unwrap_or_default();
    format!(
        "{:5} | {text}\n      | {indent}{carets}{hint}\n",
        place.line
    )
}

/// Columns on a terminal: CJK and other wide characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|letter| if matches!(u32::from(letter), 0x1100..=0x115F | 0x2E80..=0xD7A3 | 0xF900..=0xFAFF | 0xFF00..=0xFF60) { 2 } else { 1 })
        .sum()
}

fn fancy(file: SourceFile, span: Span, hint: Option<String>) -> String {
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
