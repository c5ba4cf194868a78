//! The format of fields in a line of text.

use std::{
    error::Error,
    fmt::{self, Write},
};

use tracing::{
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, FormattedFields, format::Writer},
};

use super::escape::OneLine;

/// Length in bytes from which on the text of a span's fields is not extended.
const LIMIT: usize = 8 * 1024;

/// Formats fields as tracing-subscriber does, but escapes control characters of all values, not only of messages and
/// errors, and [limits](LIMIT) the text of a span, which grows with each recorded value.
#[derive(Debug, Default)]
pub(super) struct HumanFields;

impl<'writer> FormatFields<'writer> for HumanFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor {
            writer,
            is_first: true,
            result: Ok(()),
        };
        fields.record(&mut visitor);
        visitor.result
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        if current.fields.len() >= LIMIT {
            return Ok(());
        }
        if !current.fields.is_empty() {
            current.fields.push(' ');
        }
        self.format_fields(current.as_writer(), fields)
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Events of the `log` crate repeat target and location as fields, and `otel.*` sets name, kind and status of the
        // exported span. The exported span also has version and scheme of a request, which rarely differ.
        let hidden = ["log.", "otel.", "network.protocol.version", "url.scheme"];
        if self.result.is_ok() && !hidden.iter().any(|start| field.name().starts_with(start)) {
            self.result = self.try_write(field.name(), value);
        }
    }

    fn try_write(&mut self, name: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        if name != "message" {
            let name = name.strip_prefix("r#").unwrap_or(name);
            match self.writer.has_ansi_escapes() {
                true => write!(self.writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?,
                false => write!(self.writer, "{name}=")?,
            }
        }
        OneLine(&mut self.writer).write_fmt(value)
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.write(field, format_args!("{value}")),
            _ => self.write(field, format_args!("{value:?}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some(source) = value.source() else {
            return self.write(field, format_args!("{value}"));
        };
        let name = field.name();
        self.write(
            field,
            format_args!("{value} {name}.sources={}", Sources(source)),
        );
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, format_args!("{value:?}"));
    }
}

/// An error and its sources: `[no such host, connection refused]`.
struct Sources<'error>(&'error (dyn Error + 'static));

impl fmt::Display for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sources = f.debug_list();
        let mut next = Some(self.0);
        while let Some(source) = next {
            sources.entry(&format_args!("{source}"));
            next = source.source();
        }
        sources.finish()
    }
}
