//! The walk over a document by the rules of its keys.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::document::{Node, Value};
use super::{schema, substitution::substitute};
use crate::config::{Reader, Signal, ViewAggregation, table_name, variables::suggestion};

/// The meaning of a value.
pub(super) enum Rule {
    /// Sets this variable. `*` stands for the current signal, `#` for its batch processor.
    Set(&'static str),
    /// Appends to the list of this variable.
    Add(&'static str),
    /// A mapping with these keys.
    Keys(Keys),
    /// A mapping with one of these keys.
    One(Keys),
    /// The provider of a signal, with these keys.
    Provider(Signal, Keys),
    /// An exporter of this name, with these keys.
    Exporter(&'static str, Keys),
    /// An error, for this reason.
    Refused(&'static str),
    /// No effect.
    Ignored,
    /// Walked by a function.
    By(fn(&mut Walker<'_>, &Node<'_>)),
}

/// Keys of a mapping and their rules.
pub(super) type Keys = &'static [(&'static str, Rule)];

pub(super) const NOT_SUPPORTED: &str = "not supported by this version";

/// Walks a document, and passes its values to the reader of variables.
pub(super) struct Walker<'a> {
    pub(super) reader: &'a mut Reader,
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// The signal of the current provider.
    pub(super) signal: Signal,
    /// The name and aggregation of the current view.
    pub(super) view: (Option<String>, Option<ViewAggregation>),
}

impl<'a> Walker<'a> {
    pub(super) fn walk_file(
        root: &Node<'_>,
        reader: &'a mut Reader,
        variable: &'a dyn Fn(&str) -> Option<String>,
    ) {
        let mut walker = Self {
            reader,
            variable,
            signal: Signal::Traces,
            view: (None, None),
        };
        let entries = walker.entries(root);
        if !entries.iter().any(|(key, _)| *key == "file_format") {
            let why = "`file_format` is missing, such as file_format: \"1.0\"";
            walker.refuse(root, why);
        }
        walker.walk_entries(entries, schema::FILE);
        for name in schema::OFF_UNLESS_SET {
            let none = || ("none".to_owned(), Some(root.place()));
            walker.reader.values.entry(name).or_insert_with(none);
        }
    }

    /// Walks a value by its rule.
    pub(super) fn walk(&mut self, node: &Node<'_>, rule: &Rule) {
        match rule {
            Rule::Set(name) => {
                if let Some(value) = self.text(node) {
                    self.set(name, value, node);
                }
            }
            Rule::Add(name) => {
                if let Some(value) = self.text(node) {
                    self.add(name, &value, node);
                }
            }
            Rule::Keys(keys) => self.keys(node, keys),
            Rule::One(keys) => self.one(node, keys),
            Rule::Provider(signal, keys) => {
                self.signal = *signal;
                self.keys(node, keys);
            }
            Rule::Exporter(name, keys) => {
                self.add("OTEL_*_EXPORTER", name, node);
                self.keys(node, keys);
            }
            Rule::Refused(why) => self.refuse(node, *why),
            Rule::Ignored => {}
            Rule::By(walk) => walk(self, node),
        }
    }

    /// Walks a mapping.
    pub(super) fn keys(&mut self, node: &Node<'_>, keys: Keys) {
        let entries = self.entries(node);
        self.walk_entries(entries, keys);
    }

    /// Walks a mapping with one entry, such as `batch:` in a list of processors.
    pub(super) fn one(&mut self, node: &Node<'_>, keys: Keys) {
        let entry = self.one_entry(node);
        self.walk_entries(entry, keys);
    }

    pub(super) fn one_entry<'document>(
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

    pub(super) fn walk_entries<'document>(
        &mut self,
        entries: impl IntoIterator<Item = (&'document str, Node<'document>)>,
        keys: Keys,
    ) {
        for (key, value) in entries {
            if let Some((_, rule)) = keys.iter().find(|(known, _)| *known == key) {
                self.walk(&value, rule);
            } else if key.ends_with("/development") {
                self.refuse(&value, NOT_SUPPORTED);
            } else {
                let is_supported = |rule: &Rule| !matches!(rule, Rule::Refused(_));
                let supported = keys.iter().filter(|(_, rule)| is_supported(rule));
                let suggestion = suggestion(key, supported.map(|(known, _)| *known));
                self.refuse(&value, format!("unknown key{suggestion}"));
            }
        }
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<String>, node: &Node<'_>) {
        let value = (value.into(), Some(node.place()));
        self.reader.values.insert(self.name(name), value);
    }

    /// Appends a part to the list of a variable, whose place is that of the first part.
    pub(super) fn add(&mut self, name: &str, part: &str, node: &Node<'_>) {
        let name = self.name(name);
        match self.reader.values.get_mut(name) {
            Some((list, _)) => list.extend([",", part]),
            None => self.set(name, part, node),
        }
    }

    fn name(&self, name: &str) -> &'static str {
        let processor = match self.signal {
            Signal::Logs => "BLRP",
            _ => "BSP",
        };
        let name = name.replace('*', self.signal.name());
        table_name(&[&name.replace('#', processor)])
    }

    /// Appends the pairs of a list of `{name: …, value: …}` to the list of a variable.
    pub(super) fn add_pairs(&mut self, name: &str, list: &Node<'_>, encode_keys: bool) {
        for item in self.list(list) {
            let (mut key, mut value) = (None, None);
            for (field, node) in self.entries(&item) {
                match field {
                    "name" => key = self.text(&node),
                    "value" => value = self.text(&node),
                    "type" if matches!(self.text(&node).as_deref(), None | Some("string")) => {}
                    "type" => self.refuse(&node, "only `string` is supported by this version"),
                    _ => self.walk_entries([(field, node)], schema::PAIR),
                }
            }
            let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
            match (key, value) {
                (None, _) => self.refuse(&item, "`name` is missing"),
                // A null value, such as an unset variable, omits the pair.
                (Some(_), None) => {}
                (Some(key), Some(value)) => {
                    let key = if encode_keys { encode(&key) } else { key };
                    self.add(name, &format!("{key}={}", encode(&value)), list);
                }
            }
        }
    }

    fn entries<'document>(
        &mut self,
        node: &Node<'document>,
    ) -> Vec<(&'document str, Node<'document>)> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::Mapping(entries) => entries,
            other => self.refuse_kind(node, &other, "a mapping is"),
        }
    }

    pub(super) fn list<'document>(&mut self, node: &Node<'document>) -> Vec<Node<'document>> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::List(items) => items,
            other => self.refuse_kind(node, &other, "a list is"),
        }
    }

    /// Returns a scalar after substitution; `None` if it is null.
    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let (text, quoted) = match node.value() {
            Value::Null => return None,
            Value::Text(text, quoted) => (text, quoted),
            other => return self.refuse_kind(node, &other, "one value is"),
        };
        match substitute(text, self.variable) {
            Ok(value) => (quoted || !value.is_empty()).then_some(value),
            Err(why) => {
                self.refuse(node, why);
                None
            }
        }
    }

    fn refuse_kind<T: Default>(&mut self, node: &Node<'_>, found: &Value<'_>, expected: &str) -> T {
        let found = match found {
            Value::Null => "nothing",
            Value::Text(..) => "one value",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Other => "something that is no configuration",
        };
        self.refuse(node, format!("{found}, where {expected} expected"));
        T::default()
    }

    pub(super) fn refuse(&mut self, node: &Node<'_>, why: impl Into<String>) {
        self.reader.refuse_place(&node.place(), why);
    }
}

/// The characters that a list cannot contain.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'/');
