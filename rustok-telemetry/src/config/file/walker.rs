//! The walk over a document by the rules of its keys: what each key sets, and what is wrong.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    document::{Node, Value},
    schema,
    substitution::substitute,
};
use crate::config::{
    View, ViewAggregation,
    batch::Processor,
    env::Place,
    otlp::Signal,
    variables::{nearest, table_name},
};

/// What a value of the file is for.
pub(super) enum Rule {
    /// Sets this variable. `*` stands for the current signal, `#` for its batch processor.
    Set(&'static str),
    /// As [`Rule::Set`], for one more part of a list.
    Add(&'static str),
    /// A mapping with these keys.
    Keys(Keys),
    /// A mapping with one of these keys.
    One(Keys),
    /// A list of such values.
    List(&'static Rule),
    /// An error, for this reason.
    Refused(&'static str),
    /// It sets nothing.
    Ignored,
    /// Walked by a function.
    By(fn(&mut Walker<'_>, &Node<'_>)),
}

/// Keys of a mapping and their rules.
pub(super) type Keys = &'static [(&'static str, Rule)];

pub(super) const NOT_SUPPORTED: &str = "not supported by this version";

/// Walks a document, and keeps what it finds.
pub(super) struct Walker<'environment> {
    variable: &'environment dyn Fn(&str) -> Option<String>,
    /// The signal whose provider is walked.
    pub(super) signal: Signal,
    /// The view that is walked.
    pub(super) view: (Option<String>, Option<ViewAggregation>),
    /// Values by the variables that would set them, with their places.
    pub(super) values: BTreeMap<&'static str, (String, Place)>,
    /// Views, which no variable sets.
    pub(super) views: Option<(Vec<View>, Place)>,
    /// What is wrong, except what the rules of variables find.
    pub(super) diagnostics: Vec<(Place, String)>,
}

impl<'environment> Walker<'environment> {
    /// Walks the whole document.
    pub(super) fn walk_file(
        root: &Node<'_>,
        variable: &'environment dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut walker = Self {
            variable,
            signal: Signal::Traces,
            view: (None, None),
            values: BTreeMap::new(),
            views: None,
            diagnostics: Vec::new(),
        };
        walker.keys(root, schema::FILE);
        if !walker
            .entries(root)
            .iter()
            .any(|(key, _)| *key == "file_format")
        {
            walker.refuse(
                root,
                "`file_format` is missing, such as file_format: \"1.0\"",
            );
        }
        // What the file does not mention is off.
        for name in schema::OFF_UNLESS_SET {
            let none = || ("none".to_owned(), root.place());
            walker.values.entry(name).or_insert_with(none);
        }
        let by_place = |(place, _): &(Place, String)| (place.line, place.path.clone());
        walker.diagnostics.sort_by_cached_key(by_place);
        walker.diagnostics.dedup();
        walker
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
            Rule::One(keys) => {
                self.one(node, keys);
            }
            Rule::List(rule) => {
                for item in self.list(node) {
                    self.walk(&item, rule);
                }
            }
            Rule::Refused(why) => self.refuse(node, *why),
            Rule::Ignored => {}
            Rule::By(walk) => walk(self, node),
        }
    }

    pub(super) fn keys(&mut self, node: &Node<'_>, keys: Keys) {
        for (key, value) in self.entries(node) {
            self.key(key, &value, keys);
        }
    }

    /// Walks the one entry of a mapping that has one, such as `batch:` in a list of processors; returns its key if it
    /// is supported.
    pub(super) fn one(&mut self, node: &Node<'_>, keys: Keys) -> Option<&'static str> {
        let (key, value) = self.one_entry(node)?;
        self.key(key, &value, keys)
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

    fn key(&mut self, key: &str, value: &Node<'_>, keys: Keys) -> Option<&'static str> {
        if let Some((known, rule)) = keys.iter().find(|(known, _)| *known == key) {
            self.walk(value, rule);
            return (!matches!(rule, Rule::Refused(_))).then_some(known);
        }
        if key.ends_with("/development") {
            self.refuse(value, NOT_SUPPORTED);
            return None;
        }
        let supported = keys
            .iter()
            .filter(|(_, rule)| !matches!(rule, Rule::Refused(_)));
        let mut why = "unknown key".to_owned();
        if let Some(meant) = nearest(key, supported.map(|(known, _)| *known)) {
            why.push_str(&format!("; did you mean `{meant}`?"));
        }
        self.refuse(value, why);
        None
    }

    pub(super) fn set(&mut self, name: &str, value: String, node: &Node<'_>) {
        self.values.insert(self.name(name), (value, node.place()));
    }

    /// Adds a part to the list of a variable. The place is that of the first part.
    pub(super) fn add(&mut self, name: &str, part: &str, node: &Node<'_>) {
        let name = self.name(name);
        match self.values.get_mut(name) {
            Some((list, _)) => {
                list.push(',');
                list.push_str(part);
            }
            None => {
                self.values.insert(name, (part.to_owned(), node.place()));
            }
        }
    }

    fn name(&self, name: &str) -> &'static str {
        let processor = match self.signal {
            Signal::Logs => Processor::LogRecords,
            _ => Processor::Spans,
        };
        let name = name.replace('*', self.signal.name());
        table_name(&[&name.replace('#', processor.name())])
    }

    /// Adds the pairs of a list of `{name: …, value: …}` to the list of a variable.
    pub(super) fn add_pairs(&mut self, name: &str, list: &Node<'_>, encode_keys: bool) {
        for item in self.list(list) {
            let (mut key, mut value) = (None, None);
            for (field, node) in self.entries(&item) {
                match field {
                    "name" => key = self.text(&node),
                    "value" => value = self.text(&node),
                    "type" if matches!(self.text(&node).as_deref(), None | Some("string")) => {}
                    "type" => self.refuse(&node, "only `string` is supported by this version"),
                    _ => _ = self.key(field, &node, schema::PAIR),
                }
            }
            match (key, value) {
                (None, _) => self.refuse(&item, "`name` is missing"),
                // A value that is nothing, such as a variable that is not set, leaves the pair out.
                (Some(_), None) => {}
                (Some(key), Some(value)) => {
                    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
                    let key = if encode_keys { encode(&key) } else { key };
                    self.add(name, &format!("{key}={}", encode(&value)), list);
                }
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
                self.refuse_kind(node, &other, "a mapping is");
                Vec::new()
            }
        }
    }

    pub(super) fn list<'document>(&mut self, node: &Node<'document>) -> Vec<Node<'document>> {
        match node.value() {
            Value::Null => Vec::new(),
            Value::List(items) => items,
            other => {
                self.refuse_kind(node, &other, "a list is");
                Vec::new()
            }
        }
    }

    /// Returns a single value with the environment's values in it; `None` where that is nothing.
    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let (text, quoted) = match node.value() {
            Value::Null => return None,
            Value::Text(text, quoted) => (text, quoted),
            other => {
                self.refuse_kind(node, &other, "one value is");
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

    fn refuse_kind(&mut self, node: &Node<'_>, found: &Value<'_>, expected: &str) {
        let found = match found {
            Value::Null => "nothing",
            Value::Text(..) => "one value",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Other => "something that is no configuration",
        };
        self.refuse(node, format!("{found}, where {expected} expected"));
    }

    pub(super) fn refuse(&mut self, node: &Node<'_>, why: impl Into<String>) {
        self.diagnostics.push((node.place(), why.into()));
    }
}

/// All but what may stand in a list as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'/');
