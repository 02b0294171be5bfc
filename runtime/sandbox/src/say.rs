//! The terminal: lines of many processes, each with the name of its machine.

use std::error::Error;
use std::io::{IsTerminal, Write, stdout};

/// The width of the names.
const WIDTH: usize = 9;
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 96];

/// Says a line of the sandbox itself.
pub(crate) fn say(line: &str) {
    // Nobody reads any more: that must not end what is being shown.
    let _ = writeln!(stdout(), "{line}");
}

/// Says a line of a machine. `index` gives it a colour of its own.
pub(crate) fn of_machine(index: usize, name: &str, line: &str) {
    if stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        let colour = COLOURS[index % COLOURS.len()];
        say(&format!("\x1b[{colour}m{name:WIDTH$}\x1b[0m {line}"));
    } else {
        say(&format!("{name:WIDTH$} {line}"));
    }
}

/// Says why the sandbox ends.
pub(crate) fn error(error: &dyn Error) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    let _ = writeln!(std::io::stderr(), "error: {text}");
}
