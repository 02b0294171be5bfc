//! Fuzz targets: whatever a file holds, the loader answers and does not panic.

use super::render::{Style, render};
use super::tests::{CONSUMER, load_with};
use std::collections::HashMap;

#[test]
fn no_text_makes_the_loader_panic() {
    bolero::check!()
        .with_type::<String>()
        .for_each(|text: &String| load_hostile(text));
}

/// Pieces that mean something somewhere in a pipeline file.
const PIECES: [&str; 24] = [
    "\n",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: *a",
    "| \n",
    "${",
    "}",
    "${A:-",
    "${file:",
    "$$",
    "!!str ",
    "from: [x]",
    "on_reject: { to: http-post }",
    "name: dead-letters",
    "\u{feff}한",
];

#[test]
fn no_edit_of_a_sound_file_makes_the_loader_panic() {
    type Edit = (u16, u8, u8);
    bolero::check!()
        .with_type::<Vec<Edit>>()
        .for_each(|edits: &Vec<Edit>| {
            let mut text = CONSUMER.to_owned();
            for (at, remove, piece) in edits {
                let start = text.floor_boundary(usize::from(*at));
                let end = text.floor_boundary(start + usize::from(*remove % 16));
                text.replace_range(start..end, PIECES[usize::from(*piece) % PIECES.len()]);
            }
            load_hostile(&text);
        });
}

trait FloorBoundary {
    fn floor_boundary(&self, at: usize) -> usize;
}

impl FloorBoundary for String {
    fn floor_boundary(&self, at: usize) -> usize {
        (0..=at.min(self.len()))
            .rev()
            .find(|&at| self.is_char_boundary(at))
            .unwrap_or(0)
    }
}

fn load_hostile(text: &str) {
    let _ = load_with(&[("fuzz.yaml", text)], &HashMap::new()).map_err(|reports| {
        (
            render(&reports, Style::Plain),
            render(&reports, Style::Fancy),
        )
    });
}
