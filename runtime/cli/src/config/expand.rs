//! Replaces `${VAR}`, `${VAR:-default}`, `${VAR:+text}`, `${file:PATH}`, `${file:PATH:-default}` and `$$` in parsed scalars, never in
//! raw text: a value cannot bring structure with it.
//!
//! Keys are left alone. A scalar that is one substitution and nothing else takes the type of its place ([`Value::Substituted`]).

use crate::config::environment::Environment;
use crate::config::node::{Node, Value};
use crate::config::problem::{Problem, Problems};
use crate::config::secrets::Secrets;

/// Longest text that a scalar may become.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Expands every scalar of a tree in place.
pub(crate) fn expand(
    node: &mut Node,
    environment: &dyn Environment,
    secrets: &mut Secrets,
    problems: &mut Problems,
) {
    match &mut node.value {
        Value::Text(text) => match substitute(text, environment) {
            Ok(None) => {}
            Ok(Some(expanded)) => {
                expanded
                    .secrets
                    .iter()
                    .for_each(|secret| secrets.hide_text(secret));
                node.value = expanded.value();
            }
            Err(message) => problems.push_unusable(Problem::new(node.span, message)),
        },
        Value::List(items) => items
            .iter_mut()
            .for_each(|item| expand(item, environment, secrets, problems)),
        Value::Map(entries) => {
            for (_, value) in entries {
                expand(value, environment, secrets, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Substituted(_) => {}
    }
}

#[derive(Debug, PartialEq)]
struct Expanded {
    text: String,
    whole: bool,
    secrets: Vec<String>,
}

impl Expanded {
    fn value(self) -> Value {
        if self.whole {
            Value::Substituted(self.text)
        } else {
            Value::Text(self.text)
        }
    }
}

/// The text with everything replaced, or `None` when there is nothing to replace.
fn substitute(text: &str, environment: &dyn Environment) -> Result<Option<Expanded>, String> {
    if !text.contains('$') {
        return Ok(None);
    }
    let mut out = Expanded {
        text: String::with_capacity(text.len()),
        whole: false,
        secrets: Vec::new(),
    };
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        rest = if let Some(literal) = after.strip_prefix('$') {
            out.text.push('$');
            literal
        } else if let Some(inside) = after.strip_prefix('{') {
            let (reference, behind) = inside
                .split_once('}')
                .ok_or_else(|| "`${` without `}` (write `$$` for a dollar)".to_owned())?;
            out.whole = reference.len() + "${}".len() == text.len();
            resolve(reference, environment, &mut out)?;
            behind
        } else {
            return Err("lone `$` (expected `${NAME}`, or `$$` for a dollar)".to_owned());
        };
        if out.text.len() > MAX_TEXT_BYTES {
            return Err(format!(
                "value is too long (expected at most {MAX_TEXT_BYTES} bytes)"
            ));
        }
    }
    out.text.push_str(rest);
    Ok(Some(out))
}

fn resolve(
    reference: &str,
    environment: &dyn Environment,
    out: &mut Expanded,
) -> Result<(), String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if let Some(path) = name.strip_prefix("file:") {
        match default {
            Some(default) if !environment.has_secret(path)? => out.text.push_str(default),
            _ => {
                let secret = environment.secret(path)?;
                out.text.push_str(&secret);
                out.secrets.push(secret);
            }
        }
        return Ok(());
    }
    let set = name.split_once(":+").filter(|(name, _)| is_name(name));
    if let (Some((name, text)), None) = (set, default) {
        // As in a shell: the text if the variable is set to something, nothing otherwise.
        if environment
            .variable(name)?
            .is_some_and(|value| !value.is_empty())
        {
            out.text.push_str(text);
        }
        return Ok(());
    }
    if !is_name(name) || default.is_some_and(|default| default.contains("${")) {
        return Err(format!(
            "`${{{reference}}}` is no variable (expected `${{NAME}}`, `${{NAME:-default}}`, `${{NAME:+text}}` or `${{file:PATH}}`)"
        ));
    }
    // As in a shell, `:-` also stands in for a variable that is set to nothing.
    let value = match (environment.variable(name)?, default) {
        (Some(value), Some(default)) if value.is_empty() => default.to_owned(),
        (Some(value), _) => value,
        (None, Some(default)) => default.to_owned(),
        (None, None) => {
            return Err(format!(
                "variable `{name}` is not set (expected a value, or a default as in `${{{name}:-default}}`)"
            ));
        }
    };
    out.text.push_str(&value);
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn with(variables: &[(&str, &str)], text: &str) -> Result<Value, String> {
        let environment: HashMap<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Ok(substitute(text, &environment)?.map_or(Value::Text(text.to_owned()), Expanded::value))
    }

    #[test]
    fn a_whole_scalar_is_marked_and_an_embedded_one_is_text() {
        assert_eq!(
            with(&[("N", "3")], "${N}"),
            Ok(Value::Substituted("3".into()))
        );
        assert_eq!(with(&[("N", "3")], "n${N}"), Ok(Value::Text("n3".into())));
        assert_eq!(
            with(&[("A", "1"), ("B", "2")], "${A}${B}"),
            Ok(Value::Text("12".into()))
        );
    }

    #[test]
    fn a_default_stands_in_for_an_unset_or_empty_variable() {
        assert_eq!(
            with(&[], "${HOST:-127.0.0.1}:80"),
            Ok(Value::Text("127.0.0.1:80".into()))
        );
        assert_eq!(
            with(&[("HOST", "")], "${HOST:-a}"),
            Ok(Value::Substituted("a".into()))
        );
        assert_eq!(
            with(&[], "${PEERS:-}"),
            Ok(Value::Substituted(String::new()))
        );
    }

    #[test]
    fn a_default_stands_in_for_a_secret_file_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "s3cret\n").unwrap();
        let folder = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
        let none = Ok(Value::Substituted(String::new()));
        assert_eq!(
            with(&folder, "${file:token:-}"),
            Ok(Value::Substituted("s3cret".into()))
        );
        assert_eq!(with(&folder, "${file:other:-}"), none);
        assert_eq!(with(&[], "${file:token:-}"), none);
        assert!(with(&folder, "${file:other}").is_err());
        // One that is there and cannot be read is no reason to go on without it.
        let error = with(&[], "${file:/proc/self:-}").unwrap_err();
        assert!(error.contains("not a regular file"), "{error}");
    }

    #[test]
    fn a_text_stands_where_a_variable_is_set() {
        let scheme = "http${TLS:+s}://a";
        assert_eq!(
            with(&[("TLS", "true")], scheme),
            Ok(Value::Text("https://a".into()))
        );
        for variables in [&[("TLS", "")][..], &[]] {
            assert_eq!(with(variables, scheme), Ok(Value::Text("http://a".into())));
        }
        assert!(with(&[], "${:+s}").is_err());
        assert!(with(&[], "${TLS:+s:-t}").is_err());
    }

    #[test]
    fn unset_variable_is_an_error() {
        let error = with(&[], "a ${NOWHERE}").unwrap_err();
        assert!(
            error.starts_with("variable `NOWHERE` is not set"),
            "{error}"
        );
    }

    #[test]
    fn two_dollars_are_one_and_a_lone_one_is_an_error() {
        assert_eq!(with(&[], "$$5 $${X}"), Ok(Value::Text("$5 ${X}".into())));
        assert!(with(&[], "cost $5").is_err());
        assert!(with(&[], "${OPEN").is_err());
        assert!(with(&[], "${not a name}").is_err());
        assert!(with(&[], "${A:-${B}}").is_err());
    }

    #[test]
    fn a_value_is_never_expanded_again() {
        assert_eq!(
            with(&[("A", "${B}"), ("B", "x")], "${A}"),
            Ok(Value::Substituted("${B}".into()))
        );
    }

    proptest! {
        #[test]
        fn text_with_its_dollars_doubled_comes_back_as_it_was(text in ".*") {
            prop_assert_eq!(with(&[], &text.replace('$', "$$")), Ok(Value::Text(text)));
        }

        #[test]
        fn any_value_arrives_unchanged_whatever_it_contains(value in ".+", before in "[^$]*", after in "[^$]*") {
            let expanded = with(&[("V", &value)], &format!("{before}${{V}}{after}")).unwrap();
            let text = format!("{before}{value}{after}");
            let whole = before.is_empty() && after.is_empty();
            prop_assert_eq!(expanded, if whole { Value::Substituted(text) } else { Value::Text(text) });
        }

        #[test]
        fn no_text_makes_expansion_panic(text in any::<String>()) {
            let _ = with(&[("A", "x")], &text);
        }
    }
}
