//! `pipeline completions` and `pipeline man`, made from the command line's own description.

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::say;
use clap::CommandFactory;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pipeline", &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// Prints the manual page, the options of every command included.
pub(crate) fn man() -> Exit {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    let mut sections = vec![command.clone()];
    sections.extend(
        command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
            .cloned(),
    );
    for (index, section) in sections.into_iter().enumerate() {
        let man = clap_mangen::Man::new(section);
        let drawn = match index {
            0 => man.render(&mut page),
            _ => man
                .render_synopsis_section(&mut page)
                .and_then(|()| man.render_options_section(&mut page)),
        };
        if let Err(error) = drawn {
            eprintln!("cannot draw the manual page: {error}");
            return Exit::Software;
        }
    }
    say(&String::from_utf8_lossy(&page))
}
