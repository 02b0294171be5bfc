//! Reload: the files are read again; what differs is changed, what does not is left alone.

use super::process::{End, Process, all_copies};
use super::settings::{Refusal, Settings};
use crate::config::render::{Style, render};
use std::sync::Arc;

/// Reads the files again and changes what runs. `Ok(Err)` says what is wrong; what runs goes on then.
pub(crate) async fn reload(process: &mut Process) -> Result<Result<String, String>, End> {
    let settings = process.settings.clone();
    let loaded = tokio::task::spawn_blocking(move || read(&settings));
    let pipelines = match process.beside(loaded).await? {
        Ok(pipelines) => pipelines,
        Err(why) => return Ok(Err(why)),
    };
    let specs = match all_copies(&process.settings, &pipelines) {
        Ok(specs) => specs,
        Err(why) => return Ok(Err(why)),
    };
    let fleet = process.fleet.clone();
    let adopted = process
        .beside(tokio::task::spawn_blocking(move || fleet.adopt(specs)))
        .await?;
    let app = process.app.clone();
    let served = process.listeners.adopt(&pipelines, &app).await;
    Ok(match (adopted, served) {
        (Ok(done), Ok(())) => Ok(done),
        (Ok(_), Err(why)) | (Err(why), Ok(())) => Err(why),
        (Err(flows), Err(servers)) => Err(format!("{flows}\n{servers}")),
    })
}

fn read(settings: &Arc<Settings>) -> Result<Vec<crate::config::model::Pipeline>, String> {
    settings.load().map_err(|refusal| match refusal {
        Refusal::Files(reports) => format!("{}nothing was changed", render(&reports, Style::Plain)),
        Refusal::Flow(why) => format!("{why}\nnothing was changed"),
    })
}
