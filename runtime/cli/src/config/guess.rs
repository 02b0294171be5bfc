//! Hides secrets in a file that cannot be parsed: nothing is known then but the text, so keys are found by their names.

use crate::config::secrets::Secrets;
use crate::config::source::{SourceFile, Span};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Names of all `writeOnly` properties of a schema.
pub(crate) fn secret_names(schema: &Json, names: &mut BTreeSet<String>) {
    collect(schema, schema, names);
}

fn collect(node: &Json, root: &Json, names: &mut BTreeSet<String>) {
    match node {
        Json::Object(map) => {
            for (name, property) in map
                .get("properties")
                .and_then(Json::as_object)
                .into_iter()
                .flatten()
            {
                if crate::config::fit::is_write_only(property, root) {
                    names.insert(name.clone());
                }
            }
            map.values().for_each(|value| collect(value, root, names));
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, root, names)),
        _ => {}
    }
}

/// Hides whatever stands behind one of the names, with the lines that are indented deeper.
pub(crate) fn hide_by_name(file: &SourceFile, names: &BTreeSet<String>, secrets: &mut Secrets) {
    let mut hidden_below: Option<usize> = None;
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        if hidden_below.is_some_and(|depth| indent > depth) {
            secrets.hide_span(Span {
                start: start + indent,
                end: start + line.trim_end().len().max(indent),
            });
        } else {
            hidden_below = None;
            if let Some(behind) = names.iter().filter_map(|name| behind_key(line, name)).min() {
                secrets.hide_span(Span {
                    start: start + behind,
                    end: start + line.trim_end().len().max(behind),
                });
                hidden_below = Some(indent);
            }
        }
        start += line.len();
    }
}

/// Where the value of a key begins in a line.
fn behind_key(line: &str, name: &str) -> Option<usize> {
    line.match_indices(name).find_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + name.len()..]
            .trim_start_matches(['"', '\''])
            .trim_start();
        let is_key =
            before.is_none_or(|letter| " -{,\"'".contains(letter)) && behind.starts_with(':');
        is_key.then(|| {
            let value = behind[1..].trim_start();
            line.len() - value.len()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_secret_name_is_hidden() {
        let text = "a:\n  - token: hunter2\n    x: 1\n  - { 'token' : hunter2, y: }\n  - key: |\n      hunter2\n      hunter2\n    tokens: 3\n";
        let file = SourceFile::new("a", text);
        let (mut secrets, names) = (
            Secrets::default(),
            BTreeSet::from(["token".to_owned(), "key".to_owned()]),
        );
        hide_by_name(&file, &names, &mut secrets);
        let (masked, _) = secrets.mask_source(&file, Span::default());
        assert!(!masked.contains("hunter2"), "{masked}");
        assert!(
            masked.contains("x: 1") && masked.contains("tokens: 3"),
            "{masked}"
        );
    }
}
