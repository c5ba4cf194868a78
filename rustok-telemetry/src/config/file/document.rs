//! A YAML document as a tree whose values have a line and a path.

use saphyr::{MarkedYamlOwned, ScalarStyle, YamlDataOwned, YamlLoader};
use saphyr_parser::{BufferedInput, Parser, ScanError};

use crate::config::env::Place;

/// Maximum number of nodes that aliases expand to. A configuration has some hundred.
const ALIAS_LIMIT: usize = 10_000;

/// Parses the text of a file with one document.
///
/// # Errors
///
/// The text is not YAML; the error has the line.
pub(super) fn parse(text: &str) -> Result<MarkedYamlOwned, String> {
    let failed = |error: &ScanError| format!("line {}: {}", error.marker().line(), error.info());
    let mut loader: YamlLoader<'_, MarkedYamlOwned> = YamlLoader::default();
    // Values remain text, which the rules of the variables parse.
    loader.early_parse(false);
    loader.alias_limit(ALIAS_LIMIT);
    let mut parser = Parser::new(BufferedInput::new(text.chars()));
    let loaded = parser.load(&mut loader, true);
    loaded.map_err(|error| failed(&error))?;
    if let Some(error) = loader.error() {
        return Err(failed(error));
    }
    let mut documents = loader.into_documents();
    match documents.len() {
        0 => Err("the file is empty".to_owned()),
        1 => Ok(documents.remove(0)),
        many => Err(format!("{many} documents in one file")),
    }
}

/// A value in a document.
pub(super) struct Node<'document> {
    yaml: &'document MarkedYamlOwned,
    key: Option<&'document MarkedYamlOwned>,
    path: String,
}

/// The content of a [`Node`].
pub(super) enum Value<'document> {
    /// No value, as after a key alone.
    Null,
    /// A scalar, and whether it is quoted.
    Text(&'document str, bool),
    List(Vec<Node<'document>>),
    Mapping(Vec<(&'document str, Node<'document>)>),
    /// Any other node, such as an alias without an anchor or a mapping with a key that is not a scalar.
    Other,
}

impl<'document> Node<'document> {
    pub(super) fn root(yaml: &'document MarkedYamlOwned) -> Self {
        Self {
            yaml,
            key: None,
            path: String::new(),
        }
    }

    pub(super) fn place(&self) -> Place {
        let start = self.key.unwrap_or(self.yaml).span.start;
        Place {
            line: u32::try_from(start.line()).unwrap_or(u32::MAX),
            path: self.path.clone(),
        }
    }

    pub(super) fn value(&self) -> Value<'document> {
        let mut yaml = self.yaml;
        while let YamlDataOwned::Tagged(_, inner) = &yaml.data {
            yaml = inner;
        }
        match &yaml.data {
            YamlDataOwned::Representation(text, ScalarStyle::Plain, _) => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => Value::Null,
                _ => Value::Text(text, false),
            },
            YamlDataOwned::Representation(text, ..) => Value::Text(text, true),
            YamlDataOwned::Sequence(items) => {
                let items = items.iter().enumerate();
                Value::List(
                    items
                        .map(|(index, yaml)| self.below(None, yaml, &format!("[{index}]")))
                        .collect(),
                )
            }
            YamlDataOwned::Mapping(entries) => {
                let dot = if self.path.is_empty() { "" } else { "." };
                let entries = entries.iter().map(|(key, yaml)| match &key.data {
                    YamlDataOwned::Representation(name, ..) => {
                        let node = self.below(Some(key), yaml, &format!("{dot}{name}"));
                        Some((name.as_str(), node))
                    }
                    _ => None,
                });
                let entries: Option<_> = entries.collect();
                entries.map_or(Value::Other, Value::Mapping)
            }
            _ => Value::Other,
        }
    }

    /// Returns a child node with the line of its key: a null value has no line of its own.
    fn below(
        &self,
        key: Option<&'document MarkedYamlOwned>,
        yaml: &'document MarkedYamlOwned,
        step: &str,
    ) -> Self {
        let path = format!("{}{step}", self.path);
        Self { yaml, key, path }
    }
}
