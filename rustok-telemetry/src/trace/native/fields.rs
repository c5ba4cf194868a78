//! Visitors of the fields of spans and events, with the rules of tracing-opentelemetry for special fields.

use std::{borrow::Cow, error::Error, fmt};

use opentelemetry::trace::{SpanKind, Status};
use tracing::field::{Field, Visit};

use super::{
    attributes::{Attributes, Owner},
    span_name::SpanName,
};

const EXCEPTION_MESSAGE: &str = "exception.message";
const EXCEPTION_STACKTRACE: &str = "exception.stacktrace";

/// Fields of a span. The special ones are for the caller to apply.
#[derive(Debug)]
pub(super) struct SpanFields<'a> {
    owner: Owner,
    attributes: &'a mut Attributes,
    name: &'a mut SpanName,
    pub(super) kind: Option<SpanKind>,
    code: Option<Status>,
    description: Option<String>,
}

impl<'a> SpanFields<'a> {
    pub(super) fn new(
        owner: Owner,
        attributes: &'a mut Attributes,
        name: &'a mut SpanName,
    ) -> Self {
        Self {
            owner,
            attributes,
            name,
            kind: None,
            code: None,
            description: None,
        }
    }

    /// Returns the status. A description implies an error, unless the code is `OK`.
    pub(super) fn take_status(&mut self) -> Option<Status> {
        match (self.code.take(), self.description.take()) {
            (Some(Status::Ok), _) => Some(Status::Ok),
            (_, Some(description)) => Some(Status::error(description)),
            (code, None) => code,
        }
    }

    /// Takes the value of a special field; returns `false` for any other field.
    fn is_special<'v>(&mut self, name: &str, value: impl Fn() -> Cow<'v, str>) -> bool {
        match name.strip_prefix("otel.") {
            Some("name") => self.name.set(&value()),
            Some("kind") => self.kind = kind(&value()),
            Some("status_code") => self.code = Some(status(&value())),
            Some("status_description") => self.description = Some(value().into_owned()),
            _ => return false,
        }
        true
    }

    /// Sets an integer: as text if it exceeds `i64`.
    fn set_integer(&mut self, field: &Field, value: impl TryInto<i64> + ToString + Copy) {
        let name = field.name();
        if self.is_special(name, || value.to_string().into()) {
            return;
        }
        match value.try_into() {
            Ok(value) if !name.starts_with("otel.") => self.record_i64(field, value),
            _ => self
                .attributes
                .set_text(self.owner, name, &value.to_string()),
        }
    }
}

impl Visit for SpanFields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        set_bool(self.attributes, self.owner, field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        set_f64(self.attributes, self.owner, field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        set_i64(self.attributes, self.owner, field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set_integer(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.set_integer(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.set_integer(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let name = field.name();
        if !self.is_special(name, || value.into()) {
            self.attributes.set_text(self.owner, name, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let error = ErrorTexts::of(value);
        error.set_exception(self.attributes, self.owner);
        error.set(self.attributes, self.owner, field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = field.name();
        if !self.is_special(name, || format!("{value:?}").into()) {
            let attributes = &mut *self.attributes;
            attributes.set_formatted(self.owner, name, format_args!("{value:?}"));
        }
    }
}

/// Fields of an event.
#[derive(Debug)]
pub(super) struct EventFields<'a> {
    pub(super) owner: Owner,
    pub(super) attributes: &'a mut Attributes,
    /// The message, or `exception`.
    pub(super) name: &'a mut String,
    /// What the event adds to its span.
    pub(super) span: Owner,
    pub(super) of_span: &'a mut Attributes,
    /// Description of the span's error.
    pub(super) error: Option<String>,
}

impl EventFields<'_> {
    fn set_name(&mut self, value: fmt::Arguments<'_>) {
        self.name.clear();
        // Fails only if the value's implementation does.
        let _ = fmt::Write::write_fmt(self.name, value);
    }

    /// Sets a text. An `error` in an event without a message is an exception.
    fn set_text(&mut self, name: &str, value: fmt::Arguments<'_>) {
        match name {
            "message" => self.set_name(value),
            "error" if self.name.is_empty() => {
                let error = value.to_string();
                self.attributes
                    .set_text(self.owner, EXCEPTION_MESSAGE, &error);
                self.name.push_str("exception");
                self.error = Some(error);
            }
            _ => self.attributes.set_formatted(self.owner, name, value),
        }
    }

    fn set_integer(&mut self, field: &Field, value: impl TryInto<i64> + ToString + Copy) {
        let name = field.name();
        match value.try_into() {
            Ok(value) if !name.starts_with("otel.") => self.record_i64(field, value),
            _ => self.set_text(name, format_args!("{}", value.to_string())),
        }
    }
}

impl Visit for EventFields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "message" => self.set_name(format_args!("{value}")),
            name => set_bool(self.attributes, self.owner, name, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match field.name() {
            "message" => self.set_name(format_args!("{value}")),
            name => set_f64(self.attributes, self.owner, name, value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "message" => self.set_name(format_args!("{value}")),
            name => set_i64(self.attributes, self.owner, name, value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set_integer(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.set_integer(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.set_integer(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set_text(field.name(), format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let error = ErrorTexts::of(value);
        error.set_exception(self.attributes, self.owner);
        error.set_exception(self.of_span, self.span);
        error.set(self.attributes, self.owner, field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_text(field.name(), format_args!("{value:?}"));
    }
}

/// The texts of an error and of its sources.
struct ErrorTexts {
    message: String,
    chain: Vec<String>,
}

impl ErrorTexts {
    fn of(error: &(dyn Error + 'static)) -> Self {
        let (mut chain, mut source) = (Vec::new(), error.source());
        while let Some(error) = source {
            chain.push(error.to_string());
            source = error.source();
        }
        Self {
            message: error.to_string(),
            chain,
        }
    }

    fn set_exception(&self, attributes: &mut Attributes, owner: Owner) {
        attributes.set_text(owner, EXCEPTION_MESSAGE, &self.message);
        attributes.set_texts(owner, EXCEPTION_STACKTRACE, &self.chain);
    }

    fn set(&self, attributes: &mut Attributes, owner: Owner, field: &str) {
        attributes.set_text(owner, field, &self.message);
        attributes.set_texts(owner, &format!("{field}.chain"), &self.chain);
    }
}

fn set_bool(attributes: &mut Attributes, owner: Owner, name: &str, value: bool) {
    attributes.set_with(owner, name, |into| crate::wire::boolean(value, into));
}

fn set_f64(attributes: &mut Attributes, owner: Owner, name: &str, value: f64) {
    attributes.set_with(owner, name, |into| crate::wire::double(value, into));
}

fn set_i64(attributes: &mut Attributes, owner: Owner, name: &str, value: i64) {
    attributes.set_with(owner, name, |into| crate::wire::signed(value, into));
}

fn kind(text: &str) -> Option<SpanKind> {
    let kinds = [
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
    ];
    let mut kinds = kinds.into_iter();
    kinds.find_map(|(name, kind)| text.eq_ignore_ascii_case(name).then_some(kind))
}

fn status(text: &str) -> Status {
    match text {
        _ if text.eq_ignore_ascii_case("ok") => Status::Ok,
        _ if text.eq_ignore_ascii_case("error") => Status::error(""),
        _ => Status::Unset,
    }
}
