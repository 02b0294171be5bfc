//! The table of checks and what came of them.

use crate::checks::Verdict;
use std::path::Path;
use std::process::ExitCode;

/// Characters of a text that are shown.
const LONGEST: usize = 400;

/// Prints each outcome as it comes and remembers whether one failed.
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    pub(crate) fn new(plugin: &Path) -> Self {
        println!("{}", plugin.display());
        Report {
            passed: 0,
            failed: 0,
            skipped: 0,
        }
    }

    pub(crate) fn add(&mut self, check: &str, verdict: Verdict) {
        match verdict {
            Verdict::Passed => {
                self.passed += 1;
                println!("  ok       {check}");
            }
            Verdict::Skipped(why) => {
                self.skipped += 1;
                println!("  skipped  {check}: {why}");
            }
            Verdict::Failed(why) => {
                self.failed += 1;
                println!("  FAILED   {check}: {}", shortened(&why));
            }
        }
    }

    /// 0 when nothing failed, else 1.
    pub(crate) fn finish(self) -> ExitCode {
        println!(
            "  {} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        );
        ExitCode::from(u8::from(self.failed > 0))
    }
}

/// A plugin's text may be of any length.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
