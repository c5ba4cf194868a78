//! The keys of one mapping: each is taken once, and what is wrong or left over is a problem.

use serde_json::{Map, Value};

/// A mapping that is being read.
pub(super) struct Fields<'a> {
    /// Where it is, such as `slos[0]`, or its name once that is known.
    place: String,
    map: Map<String, Value>,
    problems: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    /// Reads `value`, which is at `place`. If it is no mapping, that is a problem.
    pub(super) fn of(place: String, value: &Value, problems: &'a mut Vec<String>) -> Self {
        let map = value.as_object().cloned().unwrap_or_else(|| {
            problems.push(format!("{place}: a mapping is expected, not {value}"));
            Map::new()
        });
        Self {
            place,
            map,
            problems,
        }
    }

    /// Speaks of the mapping by this name from now on.
    pub(super) fn called(&mut self, name: &str) {
        self.place = name.to_owned();
    }

    /// The value of a key, whatever it is.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.map.remove(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            other => self.expected(key, "text", other),
        }
    }

    /// A number that must be there.
    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        match self.map.remove(key) {
            Some(Value::Number(number)) => number.as_f64(),
            other => self.expected(key, "a number", other),
        }
    }

    /// A mapping below this one.
    pub(super) fn below(&mut self, key: &str, value: &Value) -> Fields<'_> {
        Fields::of(format!("{}: {key}", self.place), value, self.problems)
    }

    /// Adds a problem with a key.
    pub(super) fn problem(&mut self, key: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{}: {key}: {what}", self.place));
    }

    /// What is left over is a problem.
    pub(super) fn end(self) {
        for key in self.map.keys() {
            self.problems
                .push(format!("{}: {key}: there is no such key", self.place));
        }
    }

    fn expected<T>(&mut self, key: &str, what: &str, found: Option<Value>) -> Option<T> {
        match found {
            None => self.problem(key, format_args!("is missing; {what} is expected")),
            Some(found) => self.problem(key, format_args!("{what} is expected, not {found}")),
        }
        None
    }
}
