//! What `describe` says.

use super::Checked;
use crate::subject::{Kind, Role, Subject};
use crate::violations::expect;
use std::collections::BTreeSet;

/// Names, documentation, inputs and schemas make sense.
pub(super) fn describes_its_stages(subject: &Subject) -> Checked {
    let description = &subject.description;
    expect(!description.name.is_empty(), || {
        "the plugin has no name".to_owned()
    });
    expect(!description.version.is_empty(), || {
        "the plugin has no version".to_owned()
    });
    let mut seen = BTreeSet::new();
    for stage in &description.stages {
        expect(seen.insert(&stage.kind), || {
            format!("`{}` is described twice", stage.kind)
        });
        describes_one(stage);
    }
    Ok(())
}

fn describes_one(stage: &Kind) {
    let kind = &stage.kind;
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    expect(!kind.is_empty() && kind.chars().all(is_word), || {
        format!("`{kind}` is no word of a-z, 0-9 and `-`")
    });
    expect(!stage.doc.is_empty(), || {
        format!("`{kind}` has no documentation")
    });
    expect(
        stage.inputs.max.is_none_or(|max| max >= stage.inputs.min),
        || format!("`{kind}` takes fewer inputs than it needs"),
    );
    let takes_inputs = stage.inputs.max != Some(0);
    expect(takes_inputs != (stage.role == Role::Source), || {
        format!("`{kind}` is a source with inputs, or another stage without")
    });
    describes_settings(stage);
}

fn describes_settings(stage: &Kind) {
    let (kind, schema) = (&stage.kind, &stage.config_schema);
    if let Err(error) = jsonschema::validator_for(schema) {
        expect(false, || {
            format!("the schema of `{kind}` is not valid: {error}")
        });
    }
    expect(schema["type"] == "object", || {
        format!("the settings of `{kind}` are no object")
    });
    expect(
        schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false,
        || format!("`{kind}` takes unknown settings"),
    );
    for (name, setting) in schema["properties"].as_object().into_iter().flatten() {
        expect(
            setting["description"].is_string() || setting["$ref"].is_string(),
            || format!("setting `{name}` of `{kind}` has no description"),
        );
    }
}
