//! Reads YAML 1.2 as JSON values, which serde can deserialize.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// Reads a document of one type.
///
/// # Errors
///
/// If the text is invalid YAML, such as a duplicate key, is not one document, or does not have that type.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    Ok(serde_json::from_value(parse(text)?)?)
}

/// Reads a document.
///
/// # Errors
///
/// If the text is invalid YAML, such as a duplicate key, or is not one document.
///
/// ```
/// use serde_json::json;
///
/// let value = xtask::yaml::parse("for: 5m\nlabels: {severity: page}").unwrap();
/// assert_eq!(value, json!({ "for": "5m", "labels": { "severity": "page" } }));
/// assert!(xtask::yaml::parse("for: 5m\nfor: 2m").is_err());
/// ```
pub fn parse(text: &str) -> Result<Value, YamlError> {
    let documents =
        Yaml::load_from_str(text).map_err(|error| YamlError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => value(document),
        documents => Err(YamlError::Documents(documents.len())),
    }
}

/// An error in reading a document.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// Invalid YAML.
    #[error("{0}")]
    Syntax(String),
    /// No document, or several.
    #[error("expected one document, found {0}")]
    Documents(usize),
    /// YAML without an equivalent in JSON: a tag, an alias, or a key that is not text.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The document does not have the requested type.
    #[error(transparent)]
    Type(#[from] serde_json::Error),
}

fn value(node: &Yaml<'_>) -> Result<Value, YamlError> {
    Ok(match node {
        Yaml::Value(scalar) => self::scalar(scalar),
        Yaml::Sequence(items) => items.iter().map(value).collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, entry) in entries {
                let Some(key) = key.as_str() else {
                    return Err(unsupported(key));
                };
                map.insert(key.to_owned(), value(entry)?);
            }
            Value::Object(map)
        }
        other => return Err(unsupported(other)),
    })
}

fn scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(boolean) => Value::Bool(*boolean),
        Scalar::Integer(integer) => Value::Number((*integer).into()),
        Scalar::FloatingPoint(float) => {
            Number::from_f64(float.into_inner()).map_or(Value::Null, Value::Number)
        }
        Scalar::String(text) => Value::String(text.to_string()),
    }
}

fn unsupported(node: &Yaml<'_>) -> YamlError {
    YamlError::Unsupported(format!("{node:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_have_their_types() {
        let value = parse("[1, 0.5, yes, true, null, '1', 5m]").expect("YAML");
        assert_eq!(value, json!([1, 0.5, "yes", true, null, "1", "5m"]));
    }

    #[test]
    fn folded_and_literal_text_is_text() {
        let value = parse("a: >-\n  one\n  two\nb: |\n  one\n  two\n").expect("YAML");
        assert_eq!(value, json!({ "a": "one two", "b": "one\ntwo\n" }));
    }

    #[test]
    fn yaml_without_json_equivalent_is_an_error() {
        for text in [
            "1: a",
            "a: !tag b",
            "",
            "a: 1\n---\nb: 2",
            "a: [",
            "a: 1\na: 2",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
