//! A recorded feed: lines of `{"at": SECONDS, "frame": "TEXT"}`.
//!
//! Invariant: messages are never due before the one in front of them, whatever the file says.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipeline_sdk::Result;
use serde::Deserialize;

/// Longest line that is read; a longer one ends the recording with an error.
const LONGEST_LINE: u64 = 16 << 20;
/// Longest time between two lines that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

#[derive(Deserialize)]
struct Line {
    at: f64,
    frame: String,
}

/// A file being played.
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    lines: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    speed: f64,
    again: bool,
    /// When the last frame was due, and what its line said.
    due: Duration,
    at: Option<f64>,
    /// Whether this pass over the file found a frame.
    found: bool,
    /// Lines that could not be read.
    pub(crate) skipped: u64,
}

impl Recording {
    /// Opens a recording, `speed` times as fast as it was recorded, `again` and again or once.
    pub(crate) fn open(path: &Path, speed: f64, again: bool) -> Result<Self> {
        Ok(Recording {
            path: path.to_owned(),
            lines: open(path)?,
            line: Vec::new(),
            number: 0,
            speed,
            again,
            due: Duration::ZERO,
            at: None,
            found: false,
            skipped: 0,
        })
    }

    /// Writes the next frame and says when it is due, counted from the start; `None` at the end.
    pub(crate) fn next(&mut self, text: &mut Vec<u8>) -> Result<Option<Duration>> {
        loop {
            if !self.read_line()? {
                if !self.found {
                    return Err(
                        format!("`{}`: no line is a recorded frame", self.path.display()).into(),
                    );
                }
                if !self.again {
                    return Ok(None);
                }
                self.rewind()?;
                continue;
            }
            match serde_json::from_slice::<Line>(&self.line) {
                Ok(line) if line.at.is_finite() => {
                    self.found = true;
                    text.extend_from_slice(line.frame.as_bytes());
                    return Ok(Some(self.pace(line.at)));
                }
                Ok(line) => self.skip(&format!("`at`: expected seconds, found {}", line.at)),
                Err(error) => self.skip(&error.to_string()),
            }
        }
    }

    /// When a frame that was recorded at `at` is due.
    fn pace(&mut self, at: f64) -> Duration {
        let pause = self.at.map_or(0.0, |before| (at - before) / self.speed);
        self.at = Some(at);
        self.due += Duration::try_from_secs_f64(pause)
            .unwrap_or_default()
            .min(LONGEST_PAUSE);
        self.due
    }

    /// Reads the next line that is not empty.
    fn read_line(&mut self) -> Result<bool> {
        loop {
            self.line.clear();
            self.number += 1;
            let length = (&mut self.lines)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut self.line)?;
            if length as u64 == LONGEST_LINE && self.line.last() != Some(&b'\n') {
                return Err(format!(
                    "`{}`:{}: expected a line of at most 16 MiB",
                    self.path.display(),
                    self.number
                )
                .into());
            }
            if length == 0 || !self.line.trim_ascii().is_empty() {
                return Ok(length > 0);
            }
        }
    }

    fn rewind(&mut self) -> Result<()> {
        self.lines = open(&self.path)?;
        (self.number, self.at, self.found) = (0, None, false);
        Ok(())
    }

    fn skip(&mut self, why: &str) {
        self.skipped += 1;
        // The first ones tell what is wrong with the file, the rest would only repeat it.
        if self.skipped <= 5 {
            tracing::warn!(
                "`{}`:{}: skipped, expected {{\"at\": seconds, \"frame\": \"text\"}}: {why}",
                self.path.display(),
                self.number
            );
        }
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("`{}`: no such file", path.display()),
        _ => format!("`{}`: {error}", path.display()),
    })?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file(lines: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        file
    }

    fn play(recording: &mut Recording, count: usize) -> Vec<(String, u128)> {
        let mut frames = Vec::new();
        let mut text = Vec::new();
        while frames.len() < count
            && let Some(due) = recording.next(&mut text).unwrap()
        {
            frames.push((
                String::from_utf8(std::mem::take(&mut text)).unwrap(),
                due.as_millis(),
            ));
        }
        frames
    }

    fn frames(expected: &[(&str, u128)]) -> Vec<(String, u128)> {
        expected
            .iter()
            .map(|(text, due)| ((*text).to_owned(), *due))
            .collect()
    }

    const THREE: &str = "{\"at\":100.0,\"frame\":\"a\"}\n\n{\"at\":100.5,\"frame\":\"{\\\"b\\\":1}\"}\n{\"at\":101.0,\"frame\":\"c\"}";

    #[test]
    fn frames_keep_their_pace() {
        let file = file(THREE);
        let mut recording = Recording::open(file.path(), 1.0, false).unwrap();
        assert_eq!(
            play(&mut recording, 9),
            frames(&[("a", 0), ("{\"b\":1}", 500), ("c", 1000)])
        );
    }

    #[test]
    fn speed_divides_the_pauses_and_a_loop_goes_on() {
        let file = file(THREE);
        let mut recording = Recording::open(file.path(), 10.0, true).unwrap();
        assert_eq!(
            play(&mut recording, 5),
            frames(&[
                ("a", 0),
                ("{\"b\":1}", 50),
                ("c", 100),
                ("a", 100),
                ("{\"b\":1}", 150)
            ])
        );
    }

    #[test]
    fn bad_lines_are_skipped_and_counted() {
        let file = file(
            "nonsense\n{\"at\":\"soon\",\"frame\":\"x\"}\n{\"at\":1,\"frame\":\"ok\"}\n{\"at\":1}\n",
        );
        let mut recording = Recording::open(file.path(), 1.0, false).unwrap();
        assert_eq!(play(&mut recording, 9), frames(&[("ok", 0)]));
        assert_eq!(recording.skipped, 3);
    }

    #[test]
    fn time_never_runs_backwards() {
        let file = file(
            "{\"at\":5,\"frame\":\"a\"}\n{\"at\":1,\"frame\":\"b\"}\n{\"at\":2,\"frame\":\"c\"}\n{\"at\":1e300,\"frame\":\"d\"}\n",
        );
        let mut recording = Recording::open(file.path(), 1.0, false).unwrap();
        let due: Vec<_> = play(&mut recording, 9)
            .into_iter()
            .map(|(_, due)| due)
            .collect();
        assert_eq!(due, [0, 0, 1000, 1000]);
    }

    #[test]
    fn a_file_without_a_frame_is_an_error_even_in_a_loop() {
        let file = file("\n\nnothing\n");
        let mut recording = Recording::open(file.path(), 1.0, true).unwrap();
        assert!(
            recording
                .next(&mut Vec::new())
                .unwrap_err()
                .to_string()
                .ends_with("no line is a recorded frame")
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Recording::open(Path::new("/nowhere/feed.ndjson"), 1.0, false).unwrap_err();
        assert_eq!(error.to_string(), "`/nowhere/feed.ndjson`: no such file");
    }

    #[test]
    fn fuzz_any_file_is_played_or_refused() {
        bolero::check!()
            .with_iterations(500)
            .for_each(|bytes: &[u8]| {
                let mut file = tempfile::NamedTempFile::new().unwrap();
                file.write_all(bytes).unwrap();
                let mut recording = Recording::open(file.path(), 1.0, false).unwrap();
                while let Ok(Some(_)) = recording.next(&mut Vec::new()) {}
            });
    }
}
