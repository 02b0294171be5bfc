//! The table: each figure of ours beside its limit.

use std::fs;
use std::time::Instant;

use crate::figures::{Figure, short};
use crate::scale;

/// A figure of a path.
pub(crate) struct Row<'a> {
    /// What is measured, with its unit.
    pub(crate) figure: &'a str,
    /// What the simplest program comes to.
    pub(crate) limit: Option<Figure>,
    /// What the pipeline comes to.
    pub(crate) ours: Figure,
    /// What it should come to.
    pub(crate) target: &'a str,
}

impl<'a> Row<'a> {
    /// Takes figures from the runs of a limit and of the pipeline: what is measured, how a run tells it, and what it should come to.
    pub(crate) fn beside<T>(
        limit: &[T],
        ours: &[T],
    ) -> impl Fn(&'a str, fn(&T) -> f64, &'a str) -> Self {
        |figure, of, target| Row {
            figure,
            limit: Some(Figure::of(limit, of)),
            ours: Figure::of(ours, of),
            target,
        }
    }
}

/// All figures so far.
pub(crate) struct Report {
    text: String,
    since: Instant,
}

impl Report {
    pub(crate) fn new() -> Self {
        let quick = if scale::is_quick() {
            "**A quick run: it shows that everything works, its figures say nothing.**\n\n"
        } else {
            ""
        };
        let machine = machine();
        let rounds = scale::rounds();
        let text = format!(
            "# Bench\n\n{quick}Medians of {rounds} runs, least and most in parentheses; limit and pipeline in turn. {machine}\n"
        );
        print!("{text}");
        Self {
            text,
            since: Instant::now(),
        }
    }

    /// Adds a path: what is done, what its limit is, and its figures.
    pub(crate) fn path(&mut self, title: &str, limit: &str, rows: &[Row<'_>]) {
        let mut part = format!(
            "\n## {title}\n\nLimit: {limit}.\n\n| figure | limit | pipeline | ratio | target |\n|---|---|---|---|---|\n"
        );
        for row in rows {
            let limit = row.limit.as_ref().map(Figure::to_string);
            let ratio = row
                .limit
                .as_ref()
                .map(|limit| short(row.ours.median() / limit.median()));
            part += &format!(
                "| {} | {} | {} | {} | {} |\n",
                row.figure,
                limit.unwrap_or_default(),
                row.ours,
                ratio.unwrap_or_default(),
                row.target
            );
        }
        self.add(&part);
    }

    /// Adds a table of single runs.
    pub(crate) fn table(&mut self, title: &str, columns: &[&str], rows: &[Vec<f64>]) {
        let mut part = format!(
            "\n## {title}\n\n| {} |\n|{}\n",
            columns.join(" | "),
            "---|".repeat(columns.len())
        );
        for row in rows {
            let cells = row.iter().map(|value| format!(" {} |", short(*value)));
            part += &format!("|{}\n", cells.collect::<String>());
        }
        self.add(&part);
    }

    fn add(&mut self, part: &str) {
        print!("{part}");
        self.text += part;
    }

    /// Writes it to `target/bench/report.md`.
    pub(crate) fn write(mut self) {
        let took = self.since.elapsed().as_secs();
        self.add(&format!("\nIt took {} min {} s.\n", took / 60, took % 60));
        let folder = pipeline_testkit::profile_folder().with_file_name("bench");
        fs::create_dir_all(&folder).expect("folder of the report");
        let file = folder.join("report.md");
        fs::write(&file, &self.text).expect("report written");
        println!("\nwritten to {}", file.display());
    }
}

/// What it runs on: the processor, and how many of it.
fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |model| {
            model.trim_matches([' ', '\t', ':'])
        });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cpus} × {model}, Linux {}.", kernel.trim())
}
