//! The status servers of flows, one a copy, kept in step with the configuration.

use super::app::App;
use super::routes;
use super::serve::{Listener, serve};
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

/// The servers that run.
#[derive(Default)]
pub(super) struct StatusServers {
    running: Vec<(Place, JoinHandle<()>)>,
}

impl StatusServers {
    /// Ends servers that are not wanted any more and starts those that are missing.
    pub(super) async fn adopt(
        &mut self,
        pipelines: &[Pipeline],
        app: &Arc<App>,
    ) -> Result<(), String> {
        let wanted: Vec<Place> = pipelines.iter().flat_map(places).collect();
        for (_, task) in self
            .running
            .extract_if(.., |(place, _)| !wanted.contains(place))
        {
            task.abort();
            // Its port is free once it has ended.
            let _ = task.await;
        }
        for place in wanted {
            if self.running.iter().any(|(running, _)| *running == place) {
                continue;
            }
            let listener =
                listen(&place.address, &format!("status of flow `{}`", place.flow)).await?;
            let router = routes::instance(app.clone(), place.flow.clone(), place.instance);
            self.running
                .push((place, tokio::spawn(serve(Listener::Tcp(listener), router))));
        }
        Ok(())
    }
}

/// Opens a listener; the error says for what.
pub(super) async fn listen(address: &Address, what: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind((address.host.as_str(), address.port)).await;
    listener.map_err(|error| format!("cannot listen on `{address}` for {what}: {error}"))
}

fn places(pipeline: &Pipeline) -> Vec<Place> {
    let mut places = Vec::new();
    for flow in &pipeline.flows {
        for (status, instance) in flow
            .status
            .iter()
            .flat_map(|status| (0..flow.instances.value).map(move |i| (status, i)))
        {
            if let Some(address) = status.value.offset(instance) {
                places.push(Place {
                    flow: flow.name.clone(),
                    instance,
                    address,
                });
            }
        }
    }
    places
}
