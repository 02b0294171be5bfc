//! The life of a running process: start, run, stop.
//!
//! Everything that blocks runs beside this task, so that a signal is always heard: the first one to stop begins a drain, the
//! second one ends the process at once.

use super::app::{App, Phase, ReloadRequest};
use super::control::{self, ControlSocket};
use super::fleet::Fleet;
use super::reload;
use super::routes;
use super::serve::{Listener, serve};
use super::servers::{StatusServers, listen};
use super::settings::Settings;
use super::signals::Signals;
use super::watch::FileWatcher;
use super::{spec, systemd};
use crate::config::model::Pipeline;
use crate::exit::Exit;
use crate::logs::Logger;
use pipeline_host::{FlowSpec, Host, HostEvent, HostOptions, SpanRecord, SpanSink};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How often it is looked whether slow stages have opened.
const OPEN_POLL: Duration = Duration::from_millis(20);

/// A running process.
pub(super) struct Process {
    pub(super) settings: Arc<Settings>,
    pub(super) logger: Arc<Logger>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) app: Arc<App>,
    pub(super) servers: StatusServers,
    signals: Signals,
    events: mpsc::UnboundedReceiver<HostEvent>,
    reloads: mpsc::Receiver<ReloadRequest>,
    watcher: Option<FileWatcher>,
    finished: HashSet<(String, u32)>,
    _control: ControlSocket,
}

/// Why the process does not go on.
pub(super) enum End {
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
pub(super) async fn live(
    settings: Settings,
    pipelines: Vec<Pipeline>,
    logger: Arc<Logger>,
) -> Exit {
    let mut process = match Process::prepare(settings, &pipelines, logger.clone()).await {
        Ok(process) => process,
        Err(why) => {
            logger.error(why);
            return Exit::Unavailable;
        }
    };
    let end = match process.start(&pipelines).await {
        Ok(()) => process.serve().await,
        Err(end) => end,
    };
    process.stop(end).await
}

impl Process {
    /// Opens everything of the process itself, so that a port in use is known before a stage has begun.
    async fn prepare(
        settings: Settings,
        pipelines: &[Pipeline],
        logger: Arc<Logger>,
    ) -> Result<Self, String> {
        let signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
        let (tell, events) = mpsc::unbounded_channel();
        let host = Host::new(HostOptions {
            log: logger.clone(),
            spans: Arc::new(NoSpans),
            level: logger.most_detailed().map(Into::into),
            events: Arc::new(move |event| drop(tell.send(event))),
        });
        let fleet = Fleet::new(host.clone(), logger.clone());
        let (ask, reloads) = mpsc::channel(1);
        let app = App::new(
            host,
            fleet.clone(),
            logger.clone(),
            settings.args.files.clone(),
            ask,
        );
        let (socket, control) = control::bind(settings.args.control.as_deref())?;
        tokio::spawn(serve(Listener::Unix(socket), routes::control(app.clone())));
        if let Some(address) = settings.args.metrics.address() {
            let listener = listen(
                address,
                "metrics (choose another address with `--metrics`, or `off`)",
            )
            .await?;
            tokio::spawn(serve(Listener::Tcp(listener), routes::metrics(app.clone())));
        }
        let mut servers = StatusServers::default();
        servers.adopt(pipelines, &app).await?;
        let watcher = match settings.args.watch {
            true => Some(FileWatcher::start(&settings.args.files)?),
            false => None,
        };
        Ok(Process {
            settings: Arc::new(settings),
            logger,
            fleet,
            app,
            servers,
            signals,
            events,
            reloads,
            watcher,
            finished: HashSet::new(),
            _control: control,
        })
    }

    /// Starts all flows and waits until their listeners are open.
    async fn start(&mut self, pipelines: &[Pipeline]) -> Result<(), End> {
        let specs = match all_copies(&self.settings, pipelines) {
            Ok(specs) => specs,
            Err(why) => return Err(self.broken(why)),
        };
        let fleet = self.fleet.clone();
        let started = self
            .beside(tokio::task::spawn_blocking(move || fleet.start(specs)))
            .await?;
        if let Err(why) = started {
            return Err(self.broken(why));
        }
        let fleet = self.fleet.clone();
        self.beside(tokio::spawn(async move {
            while !fleet.is_open() {
                tokio::time::sleep(OPEN_POLL).await;
            }
        }))
        .await?;
        self.app.enter(Phase::Running);
        let flows: HashSet<_> = self
            .fleet
            .copies()
            .into_iter()
            .map(|copy| copy.flow)
            .collect();
        self.logger.info(format!(
            "running {} flows, control socket `{}`",
            flows.len(),
            self._control.path.display()
        ));
        systemd::ready(&format!("running {} flows", flows.len()));
        Ok(())
    }

    /// Runs until there is a reason to end.
    async fn serve(&mut self) -> End {
        let mut watchdog = systemd::Watchdog::start();
        loop {
            let changed = async {
                match &mut self.watcher {
                    Some(watcher) => watcher.changed().await,
                    None => std::future::pending().await,
                }
            };
            let end = tokio::select! {
                signal = self.signals.next() => match signal {
                    Some(name) => Some(End::Signal(name)),
                    None => self.reload("SIGHUP", None).await,
                },
                () = changed => self.reload("a changed file", None).await,
                Some(request) = self.reloads.recv() => self.reload("the control socket", Some(request)).await,
                Some(event) = self.events.recv() => self.hear(event),
                () = watchdog.due() => {
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
        let result = reload::reload(self).await;
        systemd::reloaded();
        match &result {
            Ok(Ok(done)) => self.logger.info(done.as_str()),
            Ok(Err(why)) => why.lines().for_each(|line| self.logger.error(line)),
            Err(_) => {}
        }
        match result {
            Ok(told) => {
                if let Some(request) = request {
                    let _ = request.send(told);
                }
                None
            }
            Err(end) => Some(end),
        }
    }

    fn hear(&mut self, event: HostEvent) -> Option<End> {
        match event {
            HostEvent::Finished { flow, instance } => {
                self.logger.info(format!("flow `{flow}`, copy {instance}: all sources have ended and everything is settled"));
                self.finished.insert((flow, instance));
                let is_finished = |copy: &super::fleet::Copy| {
                    self.finished.contains(&(copy.flow.clone(), copy.instance))
                };
                self.fleet
                    .copies()
                    .iter()
                    .all(is_finished)
                    .then_some(End::Finished)
            }
            HostEvent::Failed {
                flow,
                instance,
                stage,
                error,
            } => {
                self.logger.error(format!(
                    "flow `{flow}`, copy {instance}: stage `{stage}` ends the process: {error}"
                ));
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
    pub(super) async fn beside<T>(&mut self, mut task: JoinHandle<T>) -> Result<T, End> {
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
            }
        }
    }

    fn broken(&self, why: String) -> End {
        self.logger.error(why);
        End::Broken(Exit::Unavailable)
    }

    /// Drains and closes everything.
    async fn stop(&mut self, end: End) -> Exit {
        let reason = match end {
            End::Cut => return self.cut(),
            End::Broken(exit) => exit,
            End::Finished => Exit::Clean,
            End::Signal(name) => {
                self.logger.info(format!(
                    "{name}: draining for at most {}",
                    humantime::format_duration(self.settings.args.drain_timeout)
                ));
                Exit::Clean
            }
        };
        self.app.enter(Phase::Draining);
        systemd::stopping();
        let (fleet, until) = (
            self.fleet.clone(),
            Instant::now() + self.settings.args.drain_timeout,
        );
        match self
            .beside_stop(tokio::task::spawn_blocking(move || fleet.stop(until)))
            .await
        {
            Some(_) if reason != Exit::Clean => reason,
            Some(exit) => exit,
            None => self.cut(),
        }
    }

    /// Waits for the stop; nothing when another signal cuts it.
    async fn beside_stop(&mut self, mut task: JoinHandle<Exit>) -> Option<Exit> {
        let mut watchdog = systemd::Watchdog::start();
        loop {
            tokio::select! {
                done = &mut task => return Some(done.unwrap_or(Exit::Software)),
                _ = self.signals.stop() => return None,
                () = watchdog.due() => systemd::alive(&[]),
            }
        }
    }

    /// Ends now: what is not settled is counted, not waited for.
    fn cut(&self) -> Exit {
        self.logger.warn("second signal: ending at once");
        self.fleet.left()
    }
}

/// Every copy of every flow, in the order of the files.
pub(super) fn all_copies(
    settings: &Settings,
    pipelines: &[Pipeline],
) -> Result<Vec<FlowSpec>, String> {
    let flows = pipelines.iter().flat_map(|pipeline| &pipeline.flows);
    let copies: Result<Vec<_>, _> = flows
        .map(|flow| spec::copies(flow, &settings.store))
        .collect();
    copies
        .map(|copies| copies.into_iter().flatten().collect())
        .map_err(|error| error.to_string())
}

/// Spans end here: nothing in this process exports them.
struct NoSpans;

impl SpanSink for NoSpans {
    fn span(&self, _span: &SpanRecord<'_>) {}
}
