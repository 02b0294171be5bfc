//! What commands print.

use crate::exit::Exit;
use std::io::Write;

/// Prints text; a reader that has gone away is no failure of ours.
pub(crate) fn say(text: &str) -> Exit {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Clean,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            tell(&format!("cannot write the output: {error}\n"));
            Exit::Undelivered
        }
    }
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
