//! Values reach the traces with their type.
//!
//! tracing-opentelemetry has no visitor for unsigned and for 128-bit integers, so that they would arrive as text; it puts
//! text of an event's field `error` in quotes; and a status' code that is recorded after its description removes that.

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

use super::span_metrics;

const STATUS_CODE: &str = "otel.status_code";
const STATUS_DESCRIPTION: &str = "otel.status_description";

/// The layer of tracing-opentelemetry, which is given each value in a form that keeps its type. Spans and events that
/// need nothing are passed on as they are.
pub(super) struct TypedValues<L> {
    layer: L,
    /// The subscriber that the layer is in.
    dispatch: OnceLock<WeakDispatch>,
}

impl<L> TypedValues<L> {
    pub(super) fn new(layer: L) -> Self {
        Self {
            layer,
            dispatch: OnceLock::new(),
        }
    }

    /// Starts a span that was not entered yet. What is recorded from then on goes to its span of the SDK's, which
    /// replaces values and completes the status; before, it is gathered without bound.
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

    fn on_layer(&mut self, subscriber: &mut S) {
        self.layer.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.layer.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.layer.enabled(metadata, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.layer.max_level_hint()
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        self.layer.on_follows_from(id, follows, context);
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        self.layer.event_enabled(event, context)
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

    fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
        self.layer.on_id_change(old, new, context);
    }

    // `OpenTelemetrySpanExt` looks for tracing-opentelemetry's layer among the subscriber's.
    #[allow(unsafe_code, reason = "the method is unsafe")]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        // SAFETY: the pointer is to be to a value of the type `id` that lives as long as `self` and stays where it is. The
        // layer gives one to itself or to a part of it, for as long as it lives; it is a field of `self`, never
        // replaced. The caller's obligations are passed on unchanged.
        unsafe { self.layer.downcast_raw(id) }
    }
}

/// Whether values have to be copied to be passed on. Formats nothing.
#[derive(Default)]
struct Needs {
    event: bool,
    typed: bool,
    status_code: bool,
    status_description: bool,
    /// The fields that the values belong to.
    fields: Option<&'static FieldSet>,
}

impl Needs {
    fn copy(&self) -> bool {
        self.typed || (self.status_code && self.status_description)
    }

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

/// Values of a span or an event, in forms for which tracing-opentelemetry has a visitor.
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
            values.settle_status();
        }
        values
    }

    /// A description says that there is an error, unless the code says that there is none.
    fn settle_status(&mut self) {
        let index = |name| self.fields.field(name).map(|field| field.index());
        let (Some(code), Some(description)) = (index(STATUS_CODE), index(STATUS_DESCRIPTION))
        else {
            return;
        };
        if let (Some(Some(value)), Some(Some(_))) =
            (self.values.get(code), self.values.get(description))
        {
            let useless = if value.is_ok() { description } else { code };
            self.values[useless] = None;
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
        if let Some(own) = self.values.get_mut(field.index()) {
            *own = Some(value);
        }
    }

    /// An integer, where tracing-opentelemetry takes one; as text where it is too large, or is a name.
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
        // As a `str`, an event's `error` would be put in quotes.
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

/// What an error and its sources say.
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
