//! `pipeline run`: loads and checks everything, then runs it until a signal, a failure, or the end of its sources.

mod app;
mod control;
mod exposition;
mod fleet;
mod listeners;
mod numbers;
mod own_names;
mod proc;
mod process;
mod reload;
mod routes;
mod serve;
mod settings;
mod signals;
mod spec;
mod stopping;
mod systemd;
mod tap;
mod watch;

pub(crate) use control::find as find_control_sockets;

use crate::args::RunArgs;
use crate::commands::check::complain;
use crate::exit::Exit;
use crate::logs::{Filter, Logger};
use crate::output::tell;
use crate::telemetry::Control;
use pipeline_host::{PluginStore, search_path};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use settings::{Refusal, Settings};
use std::time::Duration;
use stopping::Ending;

/// Threads for HTTP, signals and files: stages have their own.
const ASYNC_THREADS: usize = 2;
/// How long tasks that still run may take when everything has ended.
const LAST_WAIT: Duration = Duration::from_millis(100);

/// Runs files.
pub(crate) fn run(args: &RunArgs) -> Exit {
    let filter = match Filter::parse(&args.log) {
        Ok(filter) => filter,
        Err(why) => return refuse(&format!("`--log`: {why}"), Exit::Usage),
    };
    let control = Control::install();
    let settings = Settings {
        args: args.clone(),
        store: PluginStore::new(search_path()),
    };
    let pipelines = match settings.load() {
        Ok(pipelines) => pipelines,
        Err(Refusal::Files(reports)) => return complain(&reports),
        Err(Refusal::Flow(why)) => return refuse(&why, Exit::Usage),
    };
    let logger = match Logger::start(args.log_format, filter) {
        Ok(logger) => logger,
        Err(error) => return refuse(&format!("cannot start the log: {error}"), Exit::Software),
    };
    raise_file_limit(&logger);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(ASYNC_THREADS)
        .enable_all()
        .build();
    let ending = match runtime {
        Ok(runtime) => {
            let ending =
                runtime.block_on(process::live(settings, pipelines, logger.clone(), &control));
            runtime.shutdown_timeout(LAST_WAIT);
            ending
        }
        Err(error) => {
            logger.error(format!("cannot start: {error}"));
            Ending::orderly(Exit::Software)
        }
    };
    logger.finish();
    if ending.is_abrupt {
        signal_hook::low_level::exit(ending.exit.code().into());
    }
    ending.exit
}

/// Every client of a stage is an open file: the soft limit, made for programs that use `select`, is raised to the hard one.
fn raise_file_limit(logger: &Logger) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        logger.warn(format!("cannot raise the limit of open files: {error}"));
    }
}

fn refuse(why: &str, exit: Exit) -> Exit {
    tell(&format!("{why}\n"));
    exit
}
