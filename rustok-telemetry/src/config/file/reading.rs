//! What reads the document: values, lists and mappings, with what is wrong in them.

use super::{
    FileSettings,
    document::{Node, Value},
    keys::Keys,
    substitution::substitute,
};
use crate::config::{View, env::Place, variables::nearest};

/// Reads a document, and keeps what it finds.
pub(super) struct Reading<'environment> {
    variable: &'environment dyn Fn(&str) -> Option<String>,
    found: FileSettings,
}

impl<'environment> Reading<'environment> {
    pub(super) fn new(variable: &'environment dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            variable,
            found: FileSettings::default(),
        }
    }

    pub(super) fn finish(mut self) -> FileSettings {
        self.found
            .diagnostics
            .sort_by_cached_key(|(place, _)| (place.line, place.path.clone()));
        self.found
    }

    /// Each key of a mapping sets the variable beside it.
    pub(super) fn settings(&mut self, node: &Node<'_>, names: &[(&'static str, &'static str)]) {
        let keys: Vec<_> = names.iter().map(|(key, _)| *key).collect();
        for (key, value) in self.entries(node) {
            match names.iter().find(|(own, _)| *own == key) {
                Some((_, name)) => self.set(name, &value),
                None => self.refuse_key(&value, key, &keys),
            }
        }
    }

    pub(super) fn set(&mut self, name: &'static str, node: &Node<'_>) {
        if let Some(value) = self.text(node) {
            self.put(name, value, node.place());
        }
    }

    pub(super) fn put_views(&mut self, views: Vec<View>, place: Place) {
        self.found.views = Some((views, place));
    }

    pub(super) fn put(&mut self, name: &'static str, value: String, place: Place) {
        self.found.values.insert(name, (value, place));
    }

    /// Calls back for each key; the answer is [`KNOWN`], or the keys that would have been.
    pub(super) fn mapping(
        &mut self,
        node: &Node<'_>,
        mut take: impl FnMut(&mut Self, &str, &Node<'_>) -> Keys,
    ) {
        for (key, value) in self.entries(node) {
            let known = take(self, key, &value);
            if !known.is_empty() {
                self.refuse_key(&value, key, known);
            }
        }
    }

    pub(super) fn entries<'document>(
        &mut self,
        node: &Node<'document>,
    ) -> Vec<(&'document str, Node<'document>)> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries,
            other => {
                self.unexpected(node, &other, "a mapping is");
                Vec::new()
            }
        }
    }

    /// The one entry of a mapping that has one, such as `batch:` in a list of processors.
    pub(super) fn one_of<'document>(
        &mut self,
        node: &Node<'document>,
    ) -> Option<(&'document str, Node<'document>)> {
        let mut entries = self.entries(node).into_iter();
        let Some((key, value)) = entries.next() else {
            self.refuse(node, "empty, where one key is expected");
            return None;
        };
        if let Some((_, further)) = entries.next() {
            let why = format!("one key is expected here, and `{key}` stands before it");
            self.refuse(&further, why);
        }
        Some((key, value))
    }

    pub(super) fn list<'document>(&mut self, node: &Node<'document>) -> Vec<Node<'document>> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::List(items) => items,
            other => {
                self.unexpected(node, &other, "a list is");
                Vec::new()
            }
        }
    }

    /// A single value, with what the environment has put in; `None` where that is nothing.
    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let (text, quoted) = match node.value() {
            Value::Null => return None,
            Value::Text(text, quoted) => (text, quoted),
            other => {
                self.unexpected(node, &other, "one value is");
                return None;
            }
        };
        match substitute(text, self.variable) {
            Ok(value) if value.is_empty() && !quoted => None,
            Ok(value) => Some(value),
            Err(why) => {
                self.refuse(node, why);
                None
            }
        }
    }

    fn unexpected(&mut self, node: &Node<'_>, found: &Value<'_>, expected: &str) {
        let found = match found {
            Value::Null => "nothing",
            Value::Text(..) => "one value",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Other => "something that is no configuration",
        };
        self.refuse(node, format!("{found}, where {expected} expected"));
    }

    pub(super) fn refuse_key(&mut self, node: &Node<'_>, key: &str, known: &[&'static str]) {
        let mut why = "unknown key".to_owned();
        if let Some(meant) = nearest(key, known.iter().copied()) {
            why.push_str(&format!("; did you mean `{meant}`?"));
        }
        self.refuse(node, why);
    }

    pub(super) fn refuse(&mut self, node: &Node<'_>, why: impl Into<String>) {
        self.found.diagnostics.push((node.place(), why.into()));
    }
}
