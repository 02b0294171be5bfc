//! Turns a stage's `with` into the plain JSON that its plugin gets, and finds in it what the runtime itself must know:
//! secrets, addresses that the stage listens on, URLs that it posts to.
//!
//! Only substituted scalars change: they take the type that the schema asks for. What was written stays what it is.

use crate::config::fields::Located;
use crate::config::formats::{HTTP_URL, LISTEN_ADDRESS};
use crate::config::nearest::nearest;
use crate::config::node::{Node, Value};
use crate::config::pointer;
use crate::config::secrets::Secrets;
use crate::config::source::{SourceFile, Span};
use crate::config::typed::{candidates, property, typed};
use serde_json::{Map, Value as Json};

/// What became of a stage's settings.
#[derive(Debug, Default)]
pub(crate) struct Fitted {
    /// The settings for the plugin.
    pub(crate) json: Json,
    /// JSON pointers of secrets.
    pub(crate) secret_pointers: Vec<String>,
    /// Addresses that the stage listens on.
    pub(crate) listens: Vec<Located<String>>,
    /// URLs that it posts to.
    pub(crate) posts: Vec<Located<String>>,
}

impl Fitted {
    /// Whether the value at a pointer, or what holds it, is secret.
    pub(crate) fn is_secret(&self, pointer: &str) -> bool {
        self.secret_pointers.iter().any(|secret| {
            pointer
                .strip_prefix(secret.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Fits `node` to `schema`; `fallback` is the place of what a schema's default adds.
pub(crate) fn fit(
    node: &Node,
    schema: &Json,
    fallback: Span,
    file: &SourceFile,
    secrets: &mut Secrets,
) -> Fitted {
    let mut walk = Walk {
        root: schema,
        fallback,
        file,
        secrets,
        out: Fitted::default(),
    };
    let json = match &node.value {
        Value::Null => walk.map(&[], &walk.candidates(&[schema]), ""),
        _ => walk.value(node, &[schema], ""),
    };
    Fitted { json, ..walk.out }
}

/// Whether a schema, or what it refers to, marks a secret.
pub(crate) fn is_write_only(schema: &Json, root: &Json) -> bool {
    any_write_only(&candidates(&[schema], root))
}

fn any_write_only(candidates: &[&Json]) -> bool {
    candidates
        .iter()
        .any(|schema| schema["writeOnly"] == Json::Bool(true))
}

struct Walk<'a> {
    root: &'a Json,
    fallback: Span,
    file: &'a SourceFile,
    secrets: &'a mut Secrets,
    out: Fitted,
}

impl<'a> Walk<'a> {
    fn value(&mut self, node: &Node, schemas: &[&'a Json], pointer: &str) -> Json {
        let candidates = self.candidates(schemas);
        if any_write_only(&candidates) {
            self.out.secret_pointers.push(pointer.to_owned());
            self.secrets.hide(node, self.file);
        }
        let json = match &node.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::Substituted(text) => typed(text, &candidates, self.root),
            Value::List(items) => self.list(items, &candidates, pointer),
            Value::Map(entries) => self.map(entries, &candidates, pointer),
        };
        self.note_addresses(&json, node.span, &candidates);
        json
    }

    fn list(&mut self, items: &[Node], candidates: &[&'a Json], pointer: &str) -> Json {
        let schemas: Vec<_> = candidates
            .iter()
            .filter_map(|schema| schema.get("items"))
            .collect();
        let fitted = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.value(item, &schemas, &format!("{pointer}/{index}")));
        Json::Array(fitted.collect())
    }

    fn map(
        &mut self,
        entries: &[(crate::config::node::Key, Node)],
        candidates: &[&'a Json],
        pointer: &str,
    ) -> Json {
        let mut map = Map::new();
        for (key, value) in entries {
            let schemas: Vec<_> = candidates
                .iter()
                .filter_map(|schema| property(schema, &key.text))
                .collect();
            let pointer = pointer::child(pointer, &key.text);
            if schemas.is_empty() && self.resembles_secret(&key.text, candidates) {
                self.secrets.hide(value, self.file);
            }
            map.insert(key.text.clone(), self.value(value, &schemas, &pointer));
        }
        for (key, schema) in candidates
            .iter()
            .filter_map(|schema| schema["properties"].as_object())
            .flatten()
        {
            if let (false, Some(default)) = (map.contains_key(key), schema.get("default")) {
                let candidates = self.candidates(&[schema]);
                self.note_addresses(default, self.fallback, &candidates);
            }
        }
        Json::Object(map)
    }

    fn note_addresses(&mut self, json: &Json, span: Span, candidates: &[&Json]) {
        let Json::String(text) = json else { return };
        let located = || Located::new(text.clone(), span);
        let has = |format: &str| candidates.iter().any(|schema| schema["format"] == format);
        if has(LISTEN_ADDRESS) {
            self.out.listens.push(located());
        }
        if has(HTTP_URL) {
            self.out.posts.push(located());
        }
    }

    /// Every schema that speaks about the same value, references and alternatives resolved.
    fn candidates(&self, schemas: &[&'a Json]) -> Vec<&'a Json> {
        candidates(schemas, self.root)
    }

    /// A mistyped `pasword` holds a secret all the same.
    fn resembles_secret(&self, key: &str, candidates: &[&'a Json]) -> bool {
        let known = candidates
            .iter()
            .filter_map(|schema| schema["properties"].as_object())
            .flatten();
        let known: Vec<_> = known.collect();
        let nearest = nearest(key, known.iter().map(|(name, _)| name.as_str()));
        known.iter().any(|(name, schema)| {
            nearest == Some(name.as_str()) && is_write_only(schema, self.root)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fitted(node: Value, schema: &Json) -> Fitted {
        let span = Span { start: 0, end: 3 };
        let file = SourceFile::new("a", "a: b");
        fit(
            &Node { span, value: node },
            schema,
            span,
            &file,
            &mut Secrets::default(),
        )
    }

    fn substituted(text: &str, schema: &Json) -> Json {
        fitted(Value::Substituted(text.to_owned()), schema).json
    }

    #[test]
    fn a_substituted_scalar_takes_the_type_of_the_schema() {
        assert_eq!(substituted("8", &json!({"type": "integer"})), json!(8));
        assert_eq!(substituted("8", &json!({"type": "string"})), json!("8"));
        assert_eq!(
            substituted("true", &json!({"type": ["boolean", "null"]})),
            json!(true)
        );
        assert_eq!(substituted("no", &json!({"type": "boolean"})), json!("no"));
        assert_eq!(
            substituted("012", &json!({"type": "integer"})),
            json!("012")
        );
    }

    #[test]
    fn a_substituted_list_is_split_on_commas_and_empty_is_an_empty_list() {
        let list = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(substituted("a, b,", &list), json!(["a", "b"]));
        assert_eq!(substituted("", &list), json!([]));
        assert_eq!(
            substituted(
                "1,2",
                &json!({"type": "array", "items": {"type": "integer"}})
            ),
            json!([1, 2])
        );
    }

    #[test]
    fn an_optional_text_that_is_empty_is_not_given() {
        assert_eq!(
            substituted("", &json!({"type": ["string", "null"]})),
            Json::Null
        );
        assert_eq!(substituted("", &json!({"type": "string"})), json!(""));
    }

    #[test]
    fn references_and_alternatives_are_followed_and_cycles_end() {
        let schema = json!({"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}], "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}, {"type": "integer"}]}}});
        assert_eq!(substituted("5", &schema), json!(5));
    }

    #[test]
    fn an_address_is_noted_also_when_it_is_a_default() {
        let schema = json!({"type": "object", "properties": {"listen": {"type": "string", "format": "listen-address", "default": "127.0.0.1:8080"}}});
        assert_eq!(
            fitted(Value::Null, &schema).listens[0].value,
            "127.0.0.1:8080"
        );
    }
}
