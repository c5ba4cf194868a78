//! Keeps the types of values on their way to tracing-opentelemetry, which
//!
//! - has no visitor for unsigned and 128-bit integers, so that it exports them as text;
//! - quotes text in an event's field `error`;
//! - drops a status description when a status code is recorded after it.

use std::{any::TypeId, error::Error, fmt, sync::OnceLock};

use tracing::{
    Dispatch, Event, Metadata, Subscriber, Value,
    dispatcher::{self, WeakDispatch},
    field::{DisplayValue, Field, FieldSet, Visit, display},
    metadata::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{forward::forward_to, span_metrics};

const STATUS_CODE: &str = "otel.status_code";
const STATUS_DESCRIPTION: &str = "otel.status_description";

/// Wraps the layer of tracing-opentelemetry and converts values for it. Spans and events without such values are passed
/// on unchanged.
pub(super) struct TypedValues<L> {
    layer: L,
    /// The layer's subscriber.
    dispatch: OnceLock<WeakDispatch>,
}

impl<L> TypedValues<L> {
    pub(super) fn new(layer: L) -> Self {
        Self {
            layer,
            dispatch: OnceLock::new(),
        }
    }

    /// Starts the SDK span of a span that has not been entered. From then on records go to the SDK span, which replaces
    /// values and resolves the status; before, tracing-opentelemetry buffers them without a bound.
    fn start(&self, id: &Id) {
        let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
        let dispatch = dispatch.unwrap_or_else(|| dispatcher::get_default(Dispatch::clone));
        get_otel_context(id, &dispatch);
    }
}

impl<S, L> Layer<S> for TypedValues<L>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    L: Layer<S>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut needs = Needs::default();
        attributes.record(&mut needs);
        if !needs.copy() {
            return self.layer.on_new_span(attributes, id, context);
        }
        let metadata = attributes.metadata();
        let values = Values::new(metadata.fields(), &needs, |values| {
            attributes.record(values)
        });
        values.present(|values| {
            let attributes = match attributes.parent() {
                Some(parent) => Attributes::child_of(parent.clone(), metadata, values),
                None if attributes.is_contextual() => Attributes::new(metadata, values),
                None => Attributes::new_root(metadata, values),
            };
            self.layer.on_new_span(&attributes, id, context);
        });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let mut needs = Needs::default();
        record.record(&mut needs);
        if needs.status() || span_metrics::is_recorded_often() {
            self.start(id);
        }
        let Some(fields) = needs.fields.filter(|_| needs.copy()) else {
            return self.layer.on_record(id, record, context);
        };
        let values = Values::new(fields, &needs, |values| record.record(values));
        values.present(|values| self.layer.on_record(id, &Record::new(values), context));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut needs = Needs {
            event: true,
            ..Needs::default()
        };
        event.record(&mut needs);
        if !needs.copy() {
            return self.layer.on_event(event, context);
        }
        let metadata = event.metadata();
        let values = Values::new(metadata.fields(), &needs, |values| event.record(values));
        values.present(|values| {
            let event = match event.is_contextual() {
                true => Event::new(metadata, values),
                false => Event::new_child_of(event.parent().cloned(), metadata, values),
            };
            self.layer.on_event(&event, context);
        });
    }

    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // A layer is in one subscriber only.
        let _ = self.dispatch.set(dispatch.downgrade());
        self.layer.on_register_dispatch(dispatch);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.layer.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.layer.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.layer.on_close(id, context);
    }

    // `OpenTelemetrySpanExt` downcasts to the layer of tracing-opentelemetry.
    forward_to!(layer);
}

/// Whether values have to be converted. Visits them without formatting.
#[derive(Default)]
struct Needs {
    event: bool,
    typed: bool,
    status_code: bool,
    status_description: bool,
    /// The fields of the callsite.
    fields: Option<&'static FieldSet>,
}

impl Needs {
    /// Whether the values have to be converted.
    fn copy(&self) -> bool {
        self.typed || (self.status_code && self.status_description)
    }

    /// Whether a part of the status is recorded.
    fn status(&self) -> bool {
        self.status_code || self.status_description
    }

    fn typed(&mut self, field: &Field) {
        self.typed = true;
        self.fields = Some(field.callsite().0.metadata().fields());
    }

    fn visit_status(&mut self, field: &Field) {
        match field.name() {
            STATUS_CODE => self.status_code = true,
            STATUS_DESCRIPTION => self.status_description = true,
            _ => return,
        }
        self.fields = Some(field.callsite().0.metadata().fields());
    }
}

impl Visit for Needs {
    fn record_u64(&mut self, field: &Field, _: u64) {
        self.typed(field);
    }

    fn record_u128(&mut self, field: &Field, _: u128) {
        self.typed(field);
    }

    fn record_i128(&mut self, field: &Field, _: i128) {
        self.typed(field);
    }

    fn record_str(&mut self, field: &Field, _: &str) {
        match self.event {
            true if field.name() == "error" => self.typed(field),
            true => {}
            false => self.visit_status(field),
        }
    }

    fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
        if !self.event {
            self.visit_status(field);
        }
    }
}

/// Values of a span or an event, in types that tracing-opentelemetry has a visitor for.
struct Values<'a> {
    fields: &'a FieldSet,
    values: Vec<Option<OwnedValue>>,
}

impl<'a> Values<'a> {
    fn new(fields: &'a FieldSet, needs: &Needs, record: impl FnOnce(&mut Self)) -> Self {
        let mut values = Self {
            fields,
            values: fields.iter().map(|_| None).collect(),
        };
        record(&mut values);
        if !needs.event {
            values.resolve_status();
        }
        values
    }

    /// Removes one of status code and description: the description of an `OK` status, and otherwise the code, because a
    /// description implies an error.
    fn resolve_status(&mut self) {
        let index = |name| self.fields.field(name).map(|field| field.index());
        let (Some(code), Some(description)) = (index(STATUS_CODE), index(STATUS_DESCRIPTION))
        else {
            return;
        };
        if let (Some(Some(value)), Some(Some(_))) =
            (self.values.get(code), self.values.get(description))
        {
            let redundant = if value.is_ok() { description } else { code };
            self.values[redundant] = None;
        }
    }

    fn present(&self, take: impl FnOnce(&tracing::field::ValueSet<'_>)) {
        let values = self.values.iter();
        let values: Vec<_> = values
            .map(|value| value.as_ref().map(OwnedValue::as_value))
            .collect();
        take(&self.fields.value_set_all(&values));
    }

    fn set(&mut self, field: &Field, value: OwnedValue) {
        if let Some(slot) = self.values.get_mut(field.index()) {
            *slot = Some(value);
        }
    }

    /// Sets an integer; as text if it exceeds `i64` or the field is one of `otel.*`.
    fn set_integer(&mut self, field: &Field, value: impl TryInto<i64> + ToString + Copy) {
        let value = match value.try_into() {
            Ok(integer) if !field.name().starts_with("otel.") => OwnedValue::I64(integer),
            _ => OwnedValue::Text(display(value.to_string())),
        };
        self.set(field, value);
    }
}

impl Visit for Values<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, OwnedValue::Bool(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, OwnedValue::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, OwnedValue::I64(value));
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
        // A `str` in an event's `error` would be quoted.
        self.set(field, OwnedValue::Text(display(value.to_owned())));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field, OwnedValue::Error(Box::new(OwnedError::of(value))));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, OwnedValue::Text(display(format!("{value:?}"))));
    }
}

enum OwnedValue {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(DisplayValue<String>),
    Error(Box<dyn Error + 'static>),
}

impl OwnedValue {
    fn as_value(&self) -> &dyn Value {
        match self {
            Self::Bool(value) => value,
            Self::I64(value) => value,
            Self::F64(value) => value,
            Self::Text(value) => value,
            Self::Error(value) => value,
        }
    }

    fn is_ok(&self) -> bool {
        matches!(self, Self::Text(text) if text.to_string().eq_ignore_ascii_case("ok"))
    }
}

/// The messages of an error and its sources.
#[derive(Debug)]
struct OwnedError {
    message: String,
    source: Option<Box<OwnedError>>,
}

impl OwnedError {
    fn of(error: &(dyn Error + 'static)) -> Self {
        Self {
            message: error.to_string(),
            source: error.source().map(|source| Box::new(Self::of(source))),
        }
    }
}

impl fmt::Display for OwnedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for OwnedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
