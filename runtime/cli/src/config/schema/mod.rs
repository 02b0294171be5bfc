//! Checks settings against a JSON Schema and says everything that is wrong in the words of this program.

mod words;

use crate::config::fields::shorten;
use crate::config::formats::{self, FORMATS};
use crate::config::nearest::{expected, nearest};
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value as Json;
use words::{near_option, subject, wanted, within};

/// One thing that the schema forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// JSON pointer of the value, or of the mapping whose key is meant.
    pub(crate) pointer: String,
    /// The key that is unknown.
    pub(crate) unknown_key: Option<String>,
    /// Whether a key is missing in what the pointer says.
    pub(crate) missing_key: bool,
    /// A lowercase fragment with what was expected.
    pub(crate) message: String,
    /// The nearest valid name.
    pub(crate) nearest: Option<String>,
}

/// A compiled schema.
pub(crate) struct Schema<'a> {
    root: &'a Json,
    validator: Validator,
}

impl<'a> Schema<'a> {
    /// Compiles; an error is the plugin's fault.
    pub(crate) fn new(root: &'a Json) -> Result<Self, String> {
        let own = jsonschema::options().should_validate_formats(true);
        let options = FORMATS.iter().fold(own, |options, format| {
            options.with_format(format.name, format.check)
        });
        let validator = options.build(root).map_err(|error| error.to_string())?;
        Ok(Schema { root, validator })
    }

    /// Everything that is wrong with `config`; values for which `secret` says so are not repeated.
    pub(crate) fn check(&self, config: &Json, secret: &dyn Fn(&str) -> bool) -> Vec<Violation> {
        let mut violations = Vec::new();
        for error in self.validator.iter_errors(config) {
            self.collect(&error, secret, &mut violations);
        }
        violations
    }

    fn collect(
        &self,
        error: &ValidationError<'_>,
        secret: &dyn Fn(&str) -> bool,
        out: &mut Vec<Violation>,
    ) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                match likeliest(context, pointer) {
                    Some(branch) => branch
                        .iter()
                        .for_each(|error| self.collect(error, secret, out)),
                    None => out.push(no_branch(error, context, pointer, secret(pointer))),
                }
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                out.extend(
                    unexpected
                        .iter()
                        .map(|key| self.unknown_key(error, key, pointer)),
                );
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let missing = violation(pointer, self.missing_key(error, key, pointer));
                out.push(Violation {
                    missing_key: true,
                    ..missing
                });
            }
            _ => out.push(self.wrong_value(error, pointer, secret(pointer))),
        }
    }

    fn wrong_value(&self, error: &ValidationError<'_>, pointer: &str, secret: bool) -> Violation {
        let kind = error.kind();
        let examples = self
            .examples(error)
            .filter(|_| matches!(kind, Kind::Pattern { .. }));
        let wanted = examples
            .or_else(|| wanted(kind))
            .unwrap_or_else(|| error.masked().to_string());
        let message = format!(
            "{} (expected {wanted})",
            subject(pointer, error.instance(), secret)
        );
        Violation {
            nearest: near_option(kind, error.instance()),
            ..violation(pointer, message)
        }
    }

    /// The keyword's schema: what `schema_path` points at, one level up.
    fn parent(&self, error: &ValidationError<'_>) -> Option<&Json> {
        let path = error.schema_path().as_str();
        let (parent, _) = path.rsplit_once('/')?;
        self.root.pointer(parent)
    }

    fn unknown_key(&self, error: &ValidationError<'_>, key: &str, pointer: &str) -> Violation {
        let known: Vec<&str> = self
            .parent(error)
            .and_then(|schema| schema["properties"].as_object())
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let within = within(pointer);
        let list = expected(key, known.iter().copied());
        Violation {
            unknown_key: Some(key.to_owned()),
            nearest: nearest(key, known.iter().copied()).map(str::to_owned),
            ..violation(
                pointer,
                format!("unknown key `{}`{within} ({list})", shorten(key)),
            )
        }
    }

    fn missing_key(&self, error: &ValidationError<'_>, key: &str, pointer: &str) -> String {
        let schema = self.parent(error).map(|schema| &schema["properties"][key]);
        let kind = schema
            .and_then(|schema| self.type_words(schema))
            .unwrap_or("a value");
        format!("missing key `{key}`{} (expected {kind})", within(pointer))
    }

    fn type_words(&self, schema: &Json) -> Option<&'static str> {
        let schema = match schema["$ref"].as_str() {
            Some(path) => self.root.pointer(path.strip_prefix('#')?)?,
            None => schema,
        };
        if let Some(format) = schema["format"].as_str().and_then(formats::find) {
            return Some(format.expected);
        }
        let name = schema["type"]
            .as_str()
            .or_else(|| schema["type"].get(0)?.as_str())?;
        Some(match name {
            "string" => "text",
            "integer" => "an integer",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            _ => "a mapping",
        })
    }

    /// The examples of a schema whose pattern did not match.
    fn examples(&self, error: &ValidationError<'_>) -> Option<String> {
        let schema = self.parent(error)?;
        let examples = schema["examples"].as_array()?;
        let examples: Vec<_> = examples
            .iter()
            .filter_map(Json::as_str)
            .map(|text| format!("`{text}`"))
            .collect();
        Some(format!("text such as {}", examples.join(", ")))
    }
}

/// What is told when no alternative fits at all: the words and the types that all of them want.
fn no_branch(
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    pointer: &str,
    secret: bool,
) -> Violation {
    let (mut names, mut options): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for error in context.iter().flatten() {
        match error.kind() {
            Kind::Constant { expected_value } => names.extend(expected_value.as_str()),
            Kind::Enum { options } => names.extend(
                options
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str),
            ),
            Kind::Type {
                kind: TypeKind::Single(JsonType::Null),
            } => {}
            kind => options.extend(wanted(kind)),
        }
    }
    let found = error.instance().as_str().unwrap_or_default();
    if !names.is_empty() {
        options.insert(
            0,
            expected(found, names.iter().copied()).replacen("expected ", "", 1),
        );
    }
    options.dedup();
    let options = options.join(", or ");
    let message = format!(
        "{} (expected {options})",
        subject(pointer, error.instance(), secret)
    );
    let nearest = nearest(found, names).filter(|_| !secret).map(str::to_owned);
    Violation {
        nearest,
        ..violation(pointer, message)
    }
}

/// The alternative that the user probably meant: the one that fails deepest inside the value, or none if all fail at once.
fn likeliest<'a>(
    context: &'a [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'a [ValidationError<'static>]> {
    context
        .iter()
        .filter(|branch| branch.iter().all(|error| fails_inside(error, pointer)))
        .min_by_key(|branch| branch.len())
        .map(Vec::as_slice)
}

fn fails_inside(error: &ValidationError<'_>, pointer: &str) -> bool {
    let deeper = error.instance_path().as_str().len() > pointer.len()
        && !matches!(error.kind(), Kind::Constant { .. });
    let keys = matches!(
        error.kind(),
        Kind::AdditionalProperties { .. }
            | Kind::UnevaluatedProperties { .. }
            | Kind::Required { .. }
    );
    deeper
        || keys
        || matches!(
            error.kind(),
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. }
        )
}

fn violation(pointer: &str, message: String) -> Violation {
    Violation {
        pointer: pointer.to_owned(),
        unknown_key: None,
        missing_key: false,
        message,
        nearest: None,
    }
}
