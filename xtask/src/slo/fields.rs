//! The keys of one mapping. Invalid and unknown keys are reported.

use serde_json::{Map, Value};

/// A mapping that is being read. Each key is taken once.
pub(super) struct Fields<'a> {
    /// Its position, such as `slos[0]`, or its name once that is known.
    place: String,
    map: Map<String, Value>,
    problems: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    /// Begins to read `value`, which is at `place`. Reports an error if it is not a mapping.
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

    /// Uses this name for the mapping in further errors.
    pub(super) fn called(&mut self, name: &str) {
        self.place = name.to_owned();
    }

    /// Takes the value of a key.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    /// Takes a required text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.map.remove(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            other => self.expected(key, "text", other),
        }
    }

    /// Takes a required number.
    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        match self.map.remove(key) {
            Some(Value::Number(number)) => number.as_f64(),
            other => self.expected(key, "a number", other),
        }
    }

    /// Begins to read a nested mapping.
    pub(super) fn below(&mut self, key: &str, value: &Value) -> Fields<'_> {
        Fields::of(format!("{}: {key}", self.place), value, self.problems)
    }

    /// Reports an error in a key.
    pub(super) fn problem(&mut self, key: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{}: {key}: {what}", self.place));
    }

    /// Reports each key that was not taken.
    pub(super) fn end(self) {
        for key in self.map.keys() {
            self.problems
                .push(format!("{}: {key}: unknown key", self.place));
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
