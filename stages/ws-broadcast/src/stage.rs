//! The stage: opens its listener, serves, and goes away in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pipeline_sdk::listener;
use pipeline_sdk::prelude::*;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::gate::Gate;
use crate::http::{App, Server, router};
use crate::hub::Hub;
use crate::phase::Phase;
use crate::{status, upstream};

/// Time that clients and writers have to leave before the stage goes without them.
const LEAVE: Duration = Duration::from_secs(8);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(10);

/// The stage `ws-broadcast`.
pub(crate) struct WsBroadcast {
    context: Context,
    listener: Option<TcpListener>,
    address: SocketAddr,
    server: Server,
    pub(crate) hub: Arc<Hub>,
    gate: Arc<Gate>,
    phase: Arc<watch::Sender<Phase>>,
}

impl Sink for WsBroadcast {
    const NAME: &'static str = "ws-broadcast";
    const MIN_INPUTS: u32 = 0;

    type Config = Config;

    fn validate(config: &Config) -> Vec<Invalid> {
        config.validate()
    }

    async fn open(config: Config, context: Context) -> Result<Self> {
        if let Some(folder) = config.site.as_deref().filter(|folder| !folder.is_dir()) {
            return Err(format!("`site`: `{}` is not a folder", folder.display()).into());
        }
        let tls = match &config.tls {
            Some(tls) if tls.enabled => {
                tls.show_expiry(&context);
                Some(TlsAcceptor::from(tls.server_config()?))
            }
            _ => None,
        };
        let (listener, address) = listener::bind(&config.listen).await?;
        let name = config.name.clone().unwrap_or_else(|| address.to_string());
        let hub = Arc::new(Hub::new(&config, name, &context));
        let gate = Arc::new(Gate::new(
            config.max_clients,
            config.max_clients_per_address,
        ));
        let (phase, ended) = watch::channel(Phase::Serving);
        let app = Arc::new(App::new(
            &config,
            Arc::clone(&hub),
            Arc::clone(&gate),
            ended,
            context.clone(),
        ));
        let router = router(Arc::clone(&app), &config);
        let server = Server {
            app,
            router,
            tls,
            head_timeout: *config.request_timeout,
        };
        tracing::info!(%address, "listening");
        Ok(Self {
            context,
            listener: Some(listener),
            address,
            server,
            hub,
            gate,
            phase: Arc::new(phase),
        })
    }

    async fn run(&mut self, input: &mut Input) -> Result<()> {
        self.serve()?;
        while let Some(batch) = input.recv().await {
            upstream::take(&self.hub, &batch);
        }
        // Without inputs there is nothing to receive, but everything to serve.
        self.context.draining().await;
        self.end(Phase::Closing);
        self.until_all_left().await;
        Ok(())
    }
}

impl WsBroadcast {
    /// Starts to accept connections, if it has not yet; answers where.
    pub(crate) fn serve(&mut self) -> Result<SocketAddr> {
        let Some(listener) = self.listener.take() else {
            return Ok(self.address);
        };
        self.context.spawn(self.server.clone().run(listener));
        let (context, hub, gate) = (
            self.context.clone(),
            Arc::clone(&self.hub),
            Arc::clone(&self.gate),
        );
        self.context
            .spawn(status::keep_publishing(context, hub, gate));
        let (context, phase) = (self.context.clone(), Arc::clone(&self.phase));
        self.context.spawn(async move {
            // As soon as the end is asked for, nothing new is taken by HTTP; what stages above still hold comes in.
            context.draining().await;
            advance(&phase, Phase::Draining);
        });
        Ok(self.address)
    }

    /// Goes on to a later phase.
    pub(crate) fn end(&self, phase: Phase) {
        advance(&self.phase, phase);
    }

    async fn until_all_left(&self) {
        let deadline = Instant::now() + LEAVE;
        while !self.gate.is_empty() && Instant::now() < deadline {
            sleep(LOOK).await;
        }
    }
}

fn advance(phase: &watch::Sender<Phase>, to: Phase) {
    phase.send_if_modified(|now| {
        let later = *now < to;
        *now = to.max(*now);
        later
    });
}
