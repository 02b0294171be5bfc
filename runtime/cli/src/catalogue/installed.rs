//! The stages that the host finds in its search path.

use super::{Catalogue, Finding, StageInfo, Unusable};
use pipeline_host::{LoadError, Plugin, PluginStore, StageKind};
use serde_json::Value;
use std::sync::Arc;

impl Catalogue for PluginStore {
    fn stage(&self, kind: &str) -> Result<Arc<StageInfo>, Unusable> {
        let plugin = self.load(kind).map_err(unusable)?;
        let found = plugin
            .kind(kind)
            .map(|found| Arc::new(info(&plugin, found)));
        found.ok_or_else(|| Unusable::Broken(format!("{plugin:?} has no stage `{kind}`")))
    }

    fn installed(&self) -> Vec<Result<Arc<StageInfo>, Unusable>> {
        let mut all = Vec::new();
        for plugin in PluginStore::installed(self) {
            match plugin {
                Ok(plugin) => all.extend(
                    plugin
                        .stages
                        .iter()
                        .map(|stage| Ok(Arc::new(info(&plugin, stage)))),
                ),
                Err(error) => all.push(Err(unusable(error))),
            }
        }
        all
    }

    fn validate(&self, kind: &str, config: &Value) -> Result<Vec<Finding>, String> {
        self.load(kind)
            .map_err(|error| error.to_string())?
            .validate(kind, config)
    }
}

fn info(plugin: &Plugin, stage: &StageKind) -> StageInfo {
    StageInfo {
        kind: stage.kind.clone(),
        role: stage.role,
        doc: stage.doc.clone(),
        min_inputs: stage.min_inputs,
        max_inputs: stage.max_inputs,
        replayable: stage.replayable,
        schema: stage.schema.clone(),
        version: plugin.version.clone(),
        path: plugin.path.clone(),
    }
}

fn unusable(error: LoadError) -> Unusable {
    match error {
        LoadError::NotFound {
            kind,
            tried,
            nearest,
        } => Unusable::NotInstalled {
            kind,
            tried,
            nearest,
        },
        other => Unusable::Broken(other.to_string()),
    }
}
