//! What is wrong with a pipeline file: collected, never thrown, so that one run tells everything.

use crate::config::secrets::Secrets;
use crate::config::source::{SourceFile, Span};
use std::sync::Arc;

/// Most mistakes of one file that are told.
const MAX_KEPT: usize = 200;

/// One mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What to look at.
    pub(crate) span: Span,
    /// The stage or flow that it is about, as `stage `x``.
    pub(crate) subject: Option<String>,
    /// A lowercase fragment, with what was expected.
    pub(crate) message: String,
    /// What probably was meant; stands under the source line.
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// A mistake at `span`.
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Problem {
            span,
            subject: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Names the stage that it is about.
    pub(crate) fn of_stage(mut self, stage: &str) -> Self {
        self.subject = Some(format!("stage `{stage}`"));
        self
    }

    /// Names the flow that it is about.
    pub(crate) fn of_flow(mut self, flow: &str) -> Self {
        self.subject = Some(format!("flow `{flow}`"));
        self
    }

    /// Adds the nearest valid name, when there is one.
    pub(crate) fn near(mut self, nearest: Option<&str>) -> Self {
        self.hint = nearest.map(|name| format!("did you mean `{name}`?"));
        self
    }

    /// Subject and message, without place and hint.
    pub(crate) fn words(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{subject}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// The mistakes of one file.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    /// How many more there are than are kept.
    more: usize,
    unusable: Vec<Span>,
}

impl Problems {
    /// Adds one that leaves no usable value at its place: what is told of that place later is a consequence and dropped.
    pub(crate) fn push_unusable(&mut self, problem: Problem) {
        let span = problem.span;
        self.push(problem);
        self.unusable.push(span);
    }

    /// Adds one; the same mistake is kept once.
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.list.len() >= MAX_KEPT {
            self.more += 1;
        } else if !self.list.contains(&problem) && !self.unusable.contains(&problem.span) {
            self.list.push(problem);
        }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many are kept, and how many more there are.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.list.len(), self.more)
    }

    /// In the order of the file.
    pub(crate) fn sorted(&self) -> Vec<&Problem> {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort_by_key(|problem| problem.span.start);
        sorted
    }
}

/// A file with its mistakes and the secrets that must not be shown with them.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// The file.
    pub(crate) file: Arc<SourceFile>,
    /// What is wrong with it.
    pub(crate) problems: Problems,
    /// What to hide.
    pub(crate) secrets: Secrets,
}
