//! Reload: the files are read again; what differs is changed, what does not is left alone.

use super::process::{End, Process, spawn_blocking};
use super::settings::{Refusal, Settings};
use super::spec::all_copies;
use crate::config::model::Pipeline;
use crate::config::render::{Style, headlines, render};

/// Why a reload did not do, or not all of, what the files say.
pub(crate) struct Refused {
    /// One line a mistake, for the log.
    pub(crate) headlines: Vec<String>,
    /// Everything, with source lines, for whoever asked.
    pub(crate) text: String,
}

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Refused {
            headlines: text.lines().map(str::to_owned).collect(),
            text,
        }
    }
}

/// Reads the files again and changes what runs. `Ok(Err)` says what is wrong; what runs goes on then.
pub(crate) async fn reload(process: &mut Process) -> Result<Result<String, Refused>, End> {
    let settings = process.settings.clone();
    let loaded = spawn_blocking(move || read(&settings));
    let pipelines = match process.beside(loaded).await? {
        Ok(pipelines) => pipelines,
        Err(refused) => return Ok(Err(refused)),
    };
    let specs = match all_copies(&process.settings, &pipelines) {
        Ok(specs) => specs,
        Err(why) => return Ok(Err(why.into())),
    };
    let fleet = process.fleet.clone();
    let adopted = process
        .beside(spawn_blocking(move || fleet.adopt(specs)))
        .await?;
    let app = process.app.clone();
    let served = process.listeners.adopt(&pipelines, &app).await;
    Ok(match (adopted, served) {
        (Ok(done), Ok(())) => Ok(done),
        (Ok(_), Err(why)) | (Err(why), Ok(())) => Err(why.into()),
        (Err(flows), Err(servers)) => Err(format!("{flows}\n{servers}").into()),
    })
}

fn read(settings: &Settings) -> Result<Vec<Pipeline>, Refused> {
    const REST: &str = "nothing was changed";
    settings.load().map_err(|refusal| match refusal {
        Refusal::Files(reports) => {
            let mut headlines = headlines(&reports);
            headlines.push(REST.to_owned());
            let text = format!("{}{REST}", render(&reports, Style::Plain));
            Refused { headlines, text }
        }
        Refusal::Flow(why) => format!("{why}\n{REST}").into(),
    })
}
