//! The life of a running process: start, run, stop.
//!
//! Everything that blocks runs beside this task, so that a signal is always heard: the first one to stop begins a drain, the
//! second one ends the process at once.

use super::app::{App, Phase, ReloadRequest};
use super::fleet::{Fleet, FlowCopy};
use super::listeners::Listeners;
use super::reload;
use super::settings::Settings;
use super::signals::Signals;
use super::spec::all_copies;
use super::stopping::Ending;
use super::systemd::{self, Watchdog};
use super::watch::FileWatcher;
use crate::config::model::Pipeline;
use crate::exit::Exit;
use crate::logs::Logger;
use crate::output::counted;
use crate::telemetry::{Control, Telemetry, TraceSettings};
use pipeline_host::{Host, HostEvent, HostOptions, Sampling};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

/// How often it is looked whether slow stages have opened.
const OPEN_POLL: Duration = Duration::from_millis(20);

/// A running process.
pub(crate) struct Process {
    pub(crate) settings: Arc<Settings>,
    pub(crate) logger: Arc<Logger>,
    telemetry: Arc<Telemetry>,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) app: Arc<App>,
    pub(crate) listeners: Listeners,
    pub(crate) signals: Signals,
    pub(crate) watchdog: Watchdog,
    events: mpsc::UnboundedReceiver<HostEvent>,
    reloads: mpsc::Receiver<ReloadRequest>,
    watcher: Option<FileWatcher>,
    finished: HashSet<(String, u32)>,
}

/// Why the process does not go on.
pub(crate) enum End {
    /// It was asked to stop.
    Signal(&'static str),
    /// Nothing is left to do.
    Finished,
    /// It cannot go on.
    Broken(Exit),
    /// It was asked twice.
    Cut,
}

/// Runs pipelines until their end.
pub(crate) async fn live(
    settings: Settings,
    pipelines: Vec<Pipeline>,
    logger: Arc<Logger>,
    control: &Control,
) -> Ending {
    let prepared = Process::prepare(settings, &pipelines, logger.clone(), control);
    let mut process = match prepared.await {
        Ok(process) => process,
        Err(why) => {
            why.lines().for_each(|line| logger.error(line));
            return Ending::orderly(Exit::Unavailable);
        }
    };
    let start = tracing::info_span!("start");
    let end = match process.start(&pipelines).instrument(start).await {
        Ok(()) => process.serve().await,
        Err(end) => end,
    };
    let stop = tracing::info_span!("stop");
    let ending = process.stop(end).instrument(stop).await;
    let telemetry = process.telemetry.clone();
    let last_export = tokio::task::spawn_blocking(move || telemetry.finish());
    if last_export.await.is_err() {
        logger.warn("the last traces are lost: exporting them panicked");
    }
    ending
}

impl Process {
    /// Opens everything of the process itself, so that a port in use is known before a stage has begun.
    async fn prepare(
        settings: Settings,
        pipelines: &[Pipeline],
        logger: Arc<Logger>,
        control: &Control,
    ) -> Result<Self, String> {
        let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
        let (tell, events) = mpsc::unbounded_channel();
        let (telemetry, sampling) = trace(pipelines, &logger, control)?;
        let host = Host::new(HostOptions {
            log: logger.clone(),
            spans: telemetry.clone(),
            sampling,
            level: logger.most_detailed().map(Into::into),
            events: Arc::new(move |event| drop(tell.send(event))),
        });
        let fleet = Fleet::new(host.clone(), logger.clone());
        let (ask, reloads) = mpsc::channel(1);
        let app = App::new(
            host,
            fleet.clone(),
            logger.clone(),
            telemetry.clone(),
            settings.args.files.clone(),
            ask,
        );
        let listeners = Listeners::open(&settings, pipelines, &app).await?;
        let watcher = match settings.args.watch {
            true => Some(FileWatcher::start(&settings.args.files)?),
            false => None,
        };
        Ok(Process {
            settings: Arc::new(settings),
            logger,
            telemetry,
            fleet,
            app,
            listeners,
            signals,
            watchdog: Watchdog::start(),
            events,
            reloads,
            watcher,
            finished: HashSet::new(),
        })
    }

    /// Starts all flows and waits until their listeners are open.
    async fn start(&mut self, pipelines: &[Pipeline]) -> Result<(), End> {
        let specs = match all_copies(&self.settings, pipelines) {
            Ok(specs) => specs,
            Err(why) => return Err(self.broken(&why)),
        };
        let fleet = self.fleet.clone();
        let started = spawn_blocking(move || fleet.start(specs));
        if let Err(why) = self.beside(started).await? {
            return Err(self.broken(&why));
        }
        self.wait_until_open().await?;
        self.app.enter(Phase::Running);
        self.app.reloads.taken(false);
        let flows: HashSet<_> = self
            .fleet
            .copies()
            .into_iter()
            .map(|copy| copy.flow)
            .collect();
        let (count, socket) = (
            counted(flows.len(), "flow"),
            self.listeners.control.path.display(),
        );
        self.logger
            .info(format!("running {count}, control socket `{socket}`"));
        systemd::ready(&format!("running {count}"));
        Ok(())
    }

    /// Waits for stages that open slowly or are opened again. A signal ends the wait: what has started can be drained.
    async fn wait_until_open(&mut self) -> Result<(), End> {
        while !self.fleet.is_open() {
            tokio::select! {
                () = tokio::time::sleep(OPEN_POLL) => {}
                name = self.signals.stop() => return Err(End::Signal(name)),
                Some(event) = self.events.recv() => {
                    if let Some(end) = self.hear(event) {
                        return Err(end);
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs until there is a reason to end.
    async fn serve(&mut self) -> End {
        loop {
            let end = tokio::select! {
                signal = self.signals.next() => match signal {
                    Some(name) => Some(End::Signal(name)),
                    None => self.reload("SIGHUP", None).instrument(reload_span()).await,
                },
                () = changed(&mut self.watcher) => self.reload("a changed file", None).instrument(reload_span()).await,
                Some(request) = self.reloads.recv() => {
                    self.reload("the control socket", Some(request)).instrument(reload_span()).await
                }
                Some(event) = self.events.recv() => self.hear(event),
                () = self.watchdog.due() => {
                    systemd::alive(&self.app.reasons());
                    None
                }
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn reload(&mut self, cause: &str, request: Option<ReloadRequest>) -> Option<End> {
        self.logger.info(format!("reloading because of {cause}"));
        systemd::reloading();
        let told = match reload::reload(self).await {
            Ok(told) => told,
            Err(end) => return Some(end),
        };
        systemd::reloaded();
        match &told {
            Ok(done) => {
                self.app.reloads.taken(true);
                self.logger.info(done.as_str());
            }
            Err(refused) => {
                self.app.reloads.refused();
                tracing::error!(error = %refused.text);
                let lines = refused.headlines.iter();
                lines.for_each(|line| self.logger.error(line));
            }
        }
        if let Some(request) = request {
            let _ = request.send(told.map_err(|refused| refused.text));
        }
        None
    }

    fn hear(&mut self, event: HostEvent) -> Option<End> {
        match event {
            HostEvent::Finished { flow, instance } => {
                let words = "all sources have ended and everything is settled";
                self.logger
                    .info(format!("flow `{flow}`, copy {instance}: {words}"));
                self.finished.insert((flow, instance));
                let finished =
                    |copy: &FlowCopy| self.finished.contains(&(copy.flow.clone(), copy.instance));
                self.fleet
                    .copies()
                    .iter()
                    .all(finished)
                    .then_some(End::Finished)
            }
            HostEvent::Failed {
                flow,
                instance,
                stage,
                error,
            } => {
                let words = format!("stage `{stage}` ends the process: {error}");
                self.logger
                    .error(format!("flow `{flow}`, copy {instance}: {words}"));
                Some(End::Broken(
                    self.fleet.code_of_failure(&flow, instance, &stage),
                ))
            }
            HostEvent::Stuck {
                flow,
                instance,
                stage,
            } => {
                self.logger.error(format!(
                    "flow `{flow}`, copy {instance}: stage `{stage}` ignores `close`"
                ));
                Some(End::Broken(Exit::Software))
            }
        }
    }

    /// Waits for something that runs beside this task; a signal to stop is remembered, a second one cuts.
    pub(crate) async fn beside<T>(&mut self, mut task: JoinHandle<T>) -> Result<T, End> {
        let mut asked = None;
        loop {
            tokio::select! {
                done = &mut task => return match (done, asked) {
                    (Ok(done), None) => Ok(done),
                    (Ok(_), Some(name)) => Err(End::Signal(name)),
                    (Err(_), _) => Err(End::Broken(Exit::Software)),
                },
                name = self.signals.stop() => match asked {
                    None => asked = Some(name),
                    Some(_) => return Err(End::Cut),
                },
                () = self.watchdog.due() => systemd::alive(&self.app.reasons()),
            }
        }
    }

    fn broken(&self, why: &str) -> End {
        why.lines().for_each(|line| self.logger.error(line));
        End::Broken(Exit::Unavailable)
    }
}

/// The work of one reload.
fn reload_span() -> Span {
    tracing::info_span!("reload")
}

/// Waits for a change of a file; for ever when none is watched.
async fn changed(watcher: &mut Option<FileWatcher>) {
    match watcher {
        Some(watcher) => watcher.changed().await,
        None => std::future::pending().await,
    }
}

/// Runs what blocks beside this task, as a part of what is worked on now.
pub(super) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
}

/// Starts exporting traces, as the files and the environment say.
fn trace(
    pipelines: &[Pipeline],
    logger: &Arc<Logger>,
    control: &Control,
) -> Result<(Arc<Telemetry>, Sampling), String> {
    let settings = TraceSettings::of(pipelines, |name| std::env::var(name).ok());
    for warning in &settings.warnings {
        logger.warn(warning.as_str());
    }
    let sampling = settings.sampling;
    let telemetry = Telemetry::start(settings, logger.clone())?;
    control.goes_to((sampling != Sampling::default()).then(|| telemetry.clone()));
    Ok((telemetry, sampling))
}
