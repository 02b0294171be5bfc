//! How mistakes are printed: `file:line:column: words` first, always on one line, then the source line.

use crate::config::picture;
use crate::config::problem::{FileReport, Problem};
use crate::config::source::SourceFile;

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
    let counts = reports.iter().map(|report| report.problems.count());
    let (told, more) = counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    match (told, more) {
        (0 | 1, 0) => {}
        (told, 0) => out.push_str(&format!("{told} errors\n")),
        (told, more) => out.push_str(&format!("{told} errors, and {more} more\n")),
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
    let words = printable(&report.secrets.mask(&problem.words()));
    format!(
        "{}:{}:{}: {words}",
        report.file.name, place.line, place.column
    )
}

fn picture(report: &FileReport, problem: &Problem, style: Style) -> String {
    if report.file.text.is_empty() {
        return String::new();
    }
    let (text, span) = report.secrets.mask_source(&report.file, problem.span);
    let file = SourceFile::new(report.file.name.as_str(), text);
    let hint = problem
        .hint
        .as_deref()
        .map(|hint| printable(&report.secrets.mask(hint)));
    match style {
        Style::Fancy if picture::is_drawable(&file, span) => picture::fancy(file, span, hint),
        _ => picture::plain(&file, span, hint.as_deref()),
    }
}

/// What a file holds must not steer a terminal or forge a line.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
