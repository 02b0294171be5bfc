//! `pipeline completions` and `pipeline man`, made from the command line's own description.

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::{say, tell};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pipeline", &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// Prints the manual page.
pub(crate) fn man() -> Exit {
    match page() {
        Ok(page) => say(&page),
        Err(error) => {
            tell(&format!("cannot draw the manual page: {error}\n"));
            Exit::Software
        }
    }
}

/// One page for all commands: name, a section for each command with its options, exit codes.
fn page() -> io::Result<String> {
    let mut command = Cli::command();
    command.build();
    let root = Man::new(command.clone());
    let mut page = Vec::new();
    root.render_title(&mut page)?;
    root.render_name_section(&mut page)?;
    root.render_synopsis_section(&mut page)?;
    let mut text = String::from_utf8_lossy(&page).into_owned();
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        text.push_str(&section(sub)?);
    }
    text.push_str(".SH EXIT STATUS\n");
    for exit in Exit::ALL {
        text.push_str(&format!(
            ".TP\n\\fB{}\\fR\n{}\n",
            exit.code(),
            roff(exit.meaning())
        ));
    }
    Ok(text)
}

fn section(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone());
    let (mut synopsis, mut options) = (Vec::new(), Vec::new());
    man.render_synopsis_section(&mut synopsis)?;
    man.render_options_section(&mut options)?;
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let body = |roff: Vec<u8>, heading: &str| {
        let roff = String::from_utf8_lossy(&roff).into_owned();
        roff.split_once(heading)
            .map(|(_, body)| body.to_owned())
            .unwrap_or_default()
    };
    Ok(format!(
        ".SH PIPELINE {}\n{}.\n.PP\n{}{}",
        command.get_name().to_uppercase(),
        roff(&about),
        body(synopsis, ".SH SYNOPSIS\n"),
        body(options, ".SH OPTIONS\n")
    ))
}

/// Text that roff takes as it is.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
