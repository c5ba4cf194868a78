//! YAML as a tree in which every value knows its line and its path.

use saphyr::{MarkedYamlOwned, ScalarStyle, YamlDataOwned, YamlLoader};
use saphyr_parser::{BufferedInput, Parser, ScanError};

use crate::config::env::Place;

/// Nodes that aliases may expand to. A configuration has some hundred.
const ALIAS_LIMIT: usize = 10_000;

/// A YAML document.
pub(super) struct Document(MarkedYamlOwned);

impl Document {
    /// # Errors
    ///
    /// Why the text is no YAML, with the line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let failed =
            |error: &ScanError| format!("line {}: {}", error.marker().line(), error.info());
        let mut loader: YamlLoader<'_, MarkedYamlOwned> = YamlLoader::default();
        // Values stay text, so that `0x10` and `1_000` are not read in two ways.
        loader.early_parse(false);
        loader.alias_limit(ALIAS_LIMIT);
        let mut parser = Parser::new(BufferedInput::new(text.chars()));
        parser
            .load(&mut loader, true)
            .map_err(|error| failed(&error))?;
        if let Some(error) = loader.error() {
            return Err(failed(error));
        }
        let mut documents = loader.into_documents();
        match documents.len() {
            0 => Err("the file is empty".to_owned()),
            1 => Ok(Self(documents.remove(0))),
            many => Err(format!("{many} documents in one file")),
        }
    }

    pub(super) fn root(&self) -> Node<'_> {
        Node {
            yaml: &self.0,
            key: None,
            path: String::new(),
        }
    }
}

/// A value in a document.
#[derive(Clone)]
pub(super) struct Node<'document> {
    yaml: &'document MarkedYamlOwned,
    key: Option<&'document MarkedYamlOwned>,
    path: String,
}

/// What a value is.
pub(super) enum Value<'document> {
    /// Nothing, as after a key alone.
    Null,
    /// Text; whether it is quoted.
    Text(&'document str, bool),
    List(Vec<Node<'document>>),
    Mapping(Vec<(&'document str, Node<'document>)>),
    /// An alias that leads nowhere, a key that is no text, and the like.
    Other,
}

impl<'document> Node<'document> {
    pub(super) fn place(&self) -> Place {
        let start = self.key.unwrap_or(self.yaml).span.start;
        Place {
            line: u32::try_from(start.line()).unwrap_or(u32::MAX),
            path: self.path.clone(),
        }
    }

    pub(super) fn value(&self) -> Value<'document> {
        match &self.yaml.data {
            YamlDataOwned::Representation(text, style, _) => {
                let quoted = *style != ScalarStyle::Plain;
                let is_null = matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
                if is_null && !quoted {
                    Value::Null
                } else {
                    Value::Text(text, quoted)
                }
            }
            YamlDataOwned::Sequence(items) => Value::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, yaml)| self.below(yaml, &format!("[{index}]")))
                    .collect(),
            ),
            YamlDataOwned::Mapping(entries) => {
                let entries = entries.iter().map(|(key, yaml)| {
                    let YamlDataOwned::Representation(name, ..) = &key.data else {
                        return None;
                    };
                    // The line of the key: a value that is not there has none of its own.
                    let dot = if self.path.is_empty() { "" } else { "." };
                    let mut node = self.below(yaml, &format!("{dot}{name}"));
                    node.key = Some(key);
                    Some((name.as_str(), node))
                });
                entries
                    .collect::<Option<Vec<_>>>()
                    .map_or(Value::Other, Value::Mapping)
            }
            YamlDataOwned::Tagged(_, inner) => Node {
                yaml: inner,
                ..self.clone()
            }
            .value(),
            YamlDataOwned::Value(_) | YamlDataOwned::Alias(_) | YamlDataOwned::BadValue => {
                Value::Other
            }
        }
    }

    fn below(&self, yaml: &'document MarkedYamlOwned, step: &str) -> Self {
        Self {
            yaml,
            key: None,
            path: format!("{}{step}", self.path),
        }
    }
}
