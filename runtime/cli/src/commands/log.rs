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
    let sockets = ask::sockets(args.control.as_deref());
    if sockets.is_empty() {
        tell(ask::NOBODY);
        return Exit::Unavailable;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&format!("cannot ask: {error}\n"));
            return Exit::Software;
        }
    };
    let mut exit = Exit::Clean;
    for socket in sockets {
        if let Err(why) = runtime.block_on(ask::post(&socket, "/log", &args.filter)) {
            tell(&format!("control socket `{}`: {why}\n", socket.display()));
            exit = Exit::Unavailable;
        }
    }
    exit
}
