//! Captured log lines.

use std::fmt;

use tracing::{
    Event, Level,
    field::{Field, Visit},
};

/// A captured event of `tracing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Level.
    pub level: Level,
    /// Target: the path of the module, unless set.
    pub target: String,
    /// Message.
    pub message: String,
    /// Name and value of the other fields, in the order of the event.
    pub fields: Vec<(String, String)>,
}

impl LogLine {
    pub(super) fn read(event: &Event<'_>) -> Self {
        let mut line = Self {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut line);
        line
    }
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.fields.push((name.to_owned(), value.to_owned())),
        }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.level, self.target, self.message)?;
        for (name, value) in &self.fields {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}
