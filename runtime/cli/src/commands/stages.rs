//! `pipeline stages`: what is installed, and the settings of one stage.

use crate::args::{StagesArgs, StagesFormat};
use crate::catalogue::{Catalogue, StageInfo, Unusable, noun};
use crate::commands::settings::{Setting, settings};
use crate::exit::Exit;
use crate::output::{say, tell};
use std::fmt::Write;

/// Lists the stages, or prints one.
pub(crate) fn stages(args: &StagesArgs, catalogue: &dyn Catalogue) -> Exit {
    let Some(name) = &args.name else {
        return say(&list(&catalogue.installed()));
    };
    match (catalogue.stage(name), args.format) {
        (Ok(info), StagesFormat::Text) => say(&page(&info)),
        (Ok(info), StagesFormat::Markdown) => say(&markdown_table(&settings(&info.schema))),
        (Err(why), _) => {
            tell(&not_usable(name, &why));
            Exit::Unavailable
        }
    }
}

fn not_usable(name: &str, why: &Unusable) -> String {
    let mut text = format!("stage `{name}`: {why}\n");
    if let Unusable::NotInstalled { tried, nearest, .. } = why {
        for path in tried {
            let _ = writeln!(text, "  looked for {}", path.display());
        }
        if let Some(nearest) = nearest {
            let _ = writeln!(text, "  did you mean `{nearest}`?");
        }
    }
    text
}

fn list(installed: &[Result<std::sync::Arc<StageInfo>, Unusable>]) -> String {
    let mut text = String::new();
    let width = installed
        .iter()
        .flatten()
        .map(|info| info.kind.len())
        .max()
        .unwrap_or(0);
    for info in installed.iter().flatten() {
        let role = noun(info.role).split(' ').nth(1).unwrap_or_default();
        let doc = first_sentence(&info.doc);
        let _ = writeln!(text, "{:width$}  {role:6}  {doc}", info.kind);
        let _ = writeln!(
            text,
            "{:width$}          {} {}",
            "",
            info.version,
            info.path.display()
        );
    }
    for why in installed.iter().filter_map(|one| one.as_ref().err()) {
        let _ = writeln!(text, "broken: {why}");
    }
    if text.is_empty() {
        text.push_str("no stage is installed (looked in $PIPELINE_PLUGIN_PATH, the folder of this program, /usr/lib/pipeline/stages)\n");
    }
    text
}

fn first_sentence(doc: &str) -> String {
    let paragraph = doc.trim().split("\n\n").next().unwrap_or_default();
    let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    // After an abbreviation the sentence goes on in lower case.
    let ends = |at: &usize| text[at + 2..].starts_with(|next: char| !next.is_lowercase());
    match text.match_indices(". ").map(|(at, _)| at).find(ends) {
        Some(end) => text[..end].to_owned(),
        None => text.trim_end_matches('.').to_owned(),
    }
}

fn page(info: &StageInfo) -> String {
    let mut text = format!(
        "{} {}, {}\n{}\n\n",
        info.kind,
        info.version,
        noun(info.role),
        info.path.display()
    );
    let _ = writeln!(text, "{}\n", info.doc.trim());
    let inputs = match (info.min_inputs, info.max_inputs) {
        (0, 0) => "none".to_owned(),
        (least, u32::MAX) => format!("{least} or more"),
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least} to {most}"),
    };
    let _ = writeln!(text, "Inputs: {inputs}");
    if info.replayable {
        text.push_str("Delivers again what was not done.\n");
    }
    text.push_str("\nSettings:\n");
    for setting in settings(&info.schema) {
        let default = match setting.default.as_str() {
            "" => String::new(),
            "required" => " (required)".to_owned(),
            default => format!(" (default {default})"),
        };
        let _ = writeln!(text, "  {}: {}{default}", setting.key, setting.kind);
        if !setting.doc.is_empty() {
            let _ = writeln!(text, "      {}", setting.doc);
        }
    }
    text
}

fn markdown_table(rows: &[Setting]) -> String {
    let mut text = "| key | takes | default | meaning |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            row.key,
            cell(&row.kind),
            cell(&row.default),
            cell(&row.doc)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::fake::FakeCatalogue;

    #[test]
    fn a_stage_prints_its_settings() {
        let info = FakeCatalogue.stage("kafka-sink").unwrap();
        insta::assert_snapshot!(page(&info));
        insta::assert_snapshot!(markdown_table(&settings(&info.schema)));
    }

    #[test]
    fn a_list_shows_the_first_sentence_on_however_many_lines() {
        let doc = "Writes messages\nto a topic, e.g. trades. It waits.\n\nMore.";
        assert_eq!(
            first_sentence(doc),
            "Writes messages to a topic, e.g. trades"
        );
        assert_eq!(first_sentence("One line."), "One line");
    }

    #[test]
    fn a_stage_that_is_not_there_names_what_was_tried() {
        let why = FakeCatalogue.stage("kafak-sink").unwrap_err();
        let text = not_usable("kafak-sink", &why);
        assert!(
            text.contains("looked for /stages/libstage_kafak_sink.so")
                && text.contains("did you mean `kafka-sink`?"),
            "{text}"
        );
    }
}
