//! Property: what is written as YAML arrives as the same JSON, whatever the text looks like.

use super::environment::Environment;
use super::problem::Problems;
use super::secrets::Secrets;
use super::source::{SourceFile, Span};
use super::{expand, fit, node};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::HashMap;

fn read(text: &str, environment: &dyn Environment) -> Result<Json, Vec<String>> {
    let file = SourceFile::new("a.yaml", text);
    let (mut problems, mut secrets) = (Problems::default(), Secrets::default());
    let root = node::parse(&file, &mut problems).map(|mut root| {
        expand::expand(&mut root, environment, &mut secrets, &mut problems);
        fit::fit(&root, &json!({}), Span::default(), &file, &mut secrets).json
    });
    let told: Vec<String> = problems
        .sorted()
        .iter()
        .map(|problem| problem.words())
        .collect();
    root.filter(|_| told.is_empty()).ok_or(told)
}

fn scalar() -> impl Strategy<Value = Json> {
    const TRICKY: &[&str] = &[
        "no",
        "yes",
        "on",
        "012",
        "0x1F",
        "1e3",
        "1_000",
        "~",
        "null",
        "true",
        "",
        " ",
        "- a",
        "a: b",
        "#",
        "'",
        "\"",
        "|",
        "*a",
        "&a",
        "!x",
        "%",
        "@",
        "2026-01-01",
        ".nan",
        "=",
        "<<",
    ];
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9).prop_map(Json::from),
        prop::sample::select(TRICKY).prop_map(Json::from),
        "[a-z가-힣 :#'\"\\\\\n-]{0,20}".prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ]
}

fn document() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 1..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// Text survives expansion with its dollars doubled.
fn double_dollars(value: &Json) -> Json {
    match value {
        Json::String(text) => text.replace('$', "$$").into(),
        Json::Array(items) => items.iter().map(double_dollars).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), double_dollars(value)))
            .collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn a_document_arrives_as_it_was_written(document in document()) {
        let document = json!({ "root": document });
        let text = serde_saphyr::to_string(&double_dollars(&document)).unwrap();
        let arrived = read(&text, &HashMap::new());
        prop_assert_eq!(arrived, Ok(document), "{}", text);
    }

    #[test]
    fn a_variable_never_brings_structure(value in any::<String>()) {
        let environment = HashMap::from([("V".to_owned(), value.clone())]);
        let arrived = read("a: ${V}\nb: x${V}\n", &environment).unwrap();
        prop_assert_eq!(arrived, json!({"a": value, "b": format!("x{value}")}));
    }
}
