//! From a checked pipeline file to what the host starts.

use super::settings::Settings;
use crate::config::model::{Flow, Pipeline, Stage};
use pipeline_host::{FlowSpec, PluginStore, StageSpec};
use std::path::{Path, PathBuf};

/// Every copy of every flow, in the order of the files.
pub(crate) fn all_copies(
    settings: &Settings,
    pipelines: &[Pipeline],
) -> Result<Vec<FlowSpec>, String> {
    let flows = pipelines.iter().flat_map(|pipeline| &pipeline.flows);
    let copies: Result<Vec<_>, _> = flows.map(|flow| copies(flow, &settings.store)).collect();
    Ok(copies?.into_iter().flatten().collect())
}

/// Every copy of a flow.
fn copies(flow: &Flow, store: &PluginStore) -> Result<Vec<FlowSpec>, String> {
    let state = state_directory();
    (0..flow.instances.value)
        .map(|instance| copy(flow, instance, store, state.as_deref()))
        .collect()
}

fn copy(
    flow: &Flow,
    instance: u32,
    store: &PluginStore,
    state: Option<&Path>,
) -> Result<FlowSpec, String> {
    let folder = state.map(|state| state.join(&flow.name).join(instance.to_string()));
    let stages = flow
        .stages
        .iter()
        .map(|each| stage(each, store, folder.as_deref()));
    Ok(FlowSpec {
        name: flow.name.clone(),
        instance,
        instances: flow.instances.value,
        stages: stages.collect::<Result<_, _>>()?,
    })
}

fn stage(stage: &Stage, store: &PluginStore, folder: Option<&Path>) -> Result<StageSpec, String> {
    Ok(StageSpec {
        name: stage.name.value.clone(),
        kind: stage.kind.value.clone(),
        plugin: store
            .load(&stage.kind.value)
            .map_err(|error| error.to_string())?,
        config: stage.config.clone(),
        from: stage.from.iter().map(|from| from.value.clone()).collect(),
        buffer: stage.buffer.value,
        retry: stage.retry,
        on_reject: stage.on_reject.value.clone(),
        restart: stage.restart,
        state_dir: folder
            .map(|folder| state_folder(&folder.join(&stage.name.value)))
            .transpose()?,
    })
}

fn state_folder(folder: &Path) -> Result<PathBuf, String> {
    match std::fs::create_dir_all(folder) {
        Ok(()) => Ok(folder.to_owned()),
        Err(error) => Err(format!(
            "cannot make the state folder `{}`: {error}",
            folder.display()
        )),
    }
}

/// The folder that the service manager gives a service for its state.
fn state_directory() -> Option<PathBuf> {
    let folders = std::env::var("STATE_DIRECTORY")
        .ok()
        .filter(|value| !value.is_empty())?;
    folders.split(':').next().map(PathBuf::from)
}
