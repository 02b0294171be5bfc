//! What commands print.

use crate::exit::Exit;
use std::io::Write;

/// Prints all that a command has to say.
pub(crate) fn say(text: &str) -> Exit {
    print(text.as_bytes()).err().unwrap_or(Exit::Clean)
}

/// Prints a part of what a command has to say; an error is how to end when there is no use in going on. A reader that has
/// gone away is no failure of ours.
pub(crate) fn print(text: &[u8]) -> Result<(), Exit> {
    let mut out = std::io::stdout().lock();
    let printed = out.write_all(text).and_then(|()| out.flush());
    printed.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Exit::Clean,
        _ => {
            tell(&format!("cannot write the output: {error}\n"));
            Exit::Undelivered
        }
    })
}

/// Prints text to standard error; nobody may be there to read it.
pub(crate) fn tell(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// `1 flow`, `2 flows`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
