//! Everything that this process listens on itself: the control socket, the metrics server, and the status servers of flows,
//! one a copy, kept in step with the configuration.

use super::app::App;
use super::control::{self, ControlSocket};
use super::own_names::only_own_names;
use super::routes;
use super::serve::{Listener, serve};
use super::settings::Settings;
use crate::config::address::Address;
use crate::config::model::Pipeline;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Which copy answers where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    flow: String,
    instance: u32,
    address: Address,
}

/// The listeners that are open.
pub(crate) struct Listeners {
    /// The control socket.
    pub(crate) control: ControlSocket,
    status: Vec<(Place, JoinHandle<()>)>,
}

impl Listeners {
    /// Opens all of them.
    pub(crate) async fn open(
        settings: &Settings,
        pipelines: &[Pipeline],
        app: &Arc<App>,
    ) -> Result<Self, String> {
        let (socket, control) = control::bind(settings.args.control.as_deref())?;
        tokio::spawn(serve(Listener::Unix(socket), routes::control(app.clone())));
        if let Some(address) = settings.args.metrics.address() {
            let listener = listen(
                address,
                "metrics (`--metrics` takes another address, or `off`)",
            )
            .await?;
            let router = only_own_names(routes::metrics(app.clone()), address);
            tokio::spawn(serve(Listener::Tcp(listener), router));
        }
        let mut listeners = Listeners {
            control,
            status: Vec::new(),
        };
        listeners.adopt(pipelines, app).await?;
        Ok(listeners)
    }

    /// Ends status servers that are not wanted any more and starts those that are missing. One that cannot be started is
    /// an error, after all others were.
    pub(crate) async fn adopt(
        &mut self,
        pipelines: &[Pipeline],
        app: &Arc<App>,
    ) -> Result<(), String> {
        let wanted: Vec<Place> = pipelines.iter().flat_map(places).collect();
        for (_, task) in self
            .status
            .extract_if(.., |(place, _)| !wanted.contains(place))
        {
            task.abort();
            // Its port is free once it has ended.
            let _ = task.await;
        }
        let mut errors = Vec::new();
        for place in wanted {
            if self.status.iter().any(|(running, _)| *running == place) {
                continue;
            }
            match listen(
                &place.address,
                &format!("the status of flow `{}`", place.flow),
            )
            .await
            {
                Ok(listener) => {
                    let router = routes::instance(app.clone(), place.flow.clone(), place.instance);
                    let router = only_own_names(router, &place.address);
                    self.status
                        .push((place, tokio::spawn(serve(Listener::Tcp(listener), router))));
                }
                Err(why) => errors.push(why),
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.join("\n"))
        }
    }
}

async fn listen(address: &Address, what: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind((address.host.as_str(), address.port)).await;
    listener.map_err(|error| format!("cannot listen on `{address}` for {what}: {error}"))
}

fn places(pipeline: &Pipeline) -> Vec<Place> {
    let mut places = Vec::new();
    for flow in &pipeline.flows {
        for instance in 0..flow.instances.value {
            let address = flow
                .status
                .as_ref()
                .and_then(|status| status.value.offset(instance));
            places.extend(address.map(|address| Place {
                flow: flow.name.clone(),
                instance,
                address,
            }));
        }
    }
    places
}
