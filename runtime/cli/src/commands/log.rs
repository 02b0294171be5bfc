//! `pipeline log`: changes what running pipelines log.

use super::ask;
use crate::args::LogArgs;
use crate::exit::Exit;
use crate::logs::Filter;
use crate::output::tell;

/// Asks each pipeline; all of them have to do it.
pub(crate) fn log(args: &LogArgs) -> Exit {
    if let Err(why) = Filter::parse(&args.filter) {
        tell(&format!("{why}\n"));
        return Exit::Usage;
    }
    ask::run_for_all(args.control.as_deref(), async |sockets| {
        let mut exit = Exit::Clean;
        for socket in sockets {
            if let Err(why) = ask::post(socket, "/log", &args.filter).await {
                ask::tell_of(socket, &why);
                exit = Exit::Unavailable;
            }
        }
        exit
    })
}
