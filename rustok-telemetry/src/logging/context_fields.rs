//! The attributes that [`Builder::enrich_log_records`](crate::Builder::enrich_log_records) adds to OTLP log records: the
//! key-values of the `log` crate, and the fields of the spans around the event.

use std::{cell::RefCell, error::Error, fmt};

use opentelemetry::{Key, StringValue, logs::AnyValue};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_log::{LogTracer, NormalizeEvent, log};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use crate::trace::TENANT_ID;

/// Attributes, those with the highest precedence first.
type Fields = Vec<(Key, AnyValue)>;

thread_local! {
    /// Key-values of the `log` record that this thread is logging.
    static KEY_VALUES: RefCell<Fields> = const { RefCell::new(Vec::new()) };
    /// Attributes to add to the OTLP record that this thread is creating.
    static FIELDS: RefCell<Fields> = const { RefCell::new(Vec::new()) };
}

/// Calls `emit`, which creates a record and gets the attributes with [`take`]. Formatting a field may log, so events
/// nest.
pub(super) fn with_fields_of<S>(event: &Event<'_>, context: &Context<'_, S>, emit: impl FnOnce())
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let outer = FIELDS.replace(fields_of(event, context));
    emit();
    FIELDS.set(outer);
}

/// Takes the attributes for the record that this thread is creating.
pub(super) fn take() -> Fields {
    FIELDS.take()
}

fn fields_of<S>(event: &Event<'_>, context: &Context<'_, S>) -> Fields
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let mut fields = match event.is_log() {
        true => KEY_VALUES.with_borrow(Clone::clone),
        false => Fields::new(),
    };
    for span in context.event_scope(event).into_iter().flatten() {
        if let Some(SpanFields(stored)) = span.extensions().get() {
            fields.extend(stored.iter().cloned());
        }
    }
    fields
}

/// The fields of a span with their last values, an extension of the span.
#[derive(Default)]
struct SpanFields(Fields);

/// Stores the fields of a new span.
pub(super) fn store<S>(attributes: &Attributes<'_>, id: &Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let mut fields = SpanFields::default();
    attributes.record(&mut fields);
    if let Some(span) = context.span(id).filter(|_| !fields.0.is_empty()) {
        span.extensions_mut().replace(fields);
    }
}

/// Stores values that are recorded on a span.
pub(super) fn store_recorded<S>(record: &Record<'_>, id: &Id, context: &Context<'_, S>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // Values are formatted before the span is locked, because `Debug` and `Display` may use the span.
    let mut recorded = SpanFields::default();
    record.record(&mut recorded);
    let Some(span) = context.span(id) else { return };
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<SpanFields>() {
        Some(fields) => recorded
            .0
            .into_iter()
            .for_each(|(key, value)| fields.set(key, value)),
        None => extensions.insert(recorded),
    }
}

impl SpanFields {
    fn set(&mut self, key: Key, value: AnyValue) {
        match self.0.iter_mut().find(|(stored, _)| *stored == key) {
            Some((_, stored)) => *stored = value,
            None => self.0.push((key, value)),
        }
    }

    fn visit(&mut self, field: &Field, value: impl Into<AnyValue>) {
        // The record has the tenant of the nearest span, and `otel.*` fields control the exported span.
        let name = field.name();
        if name != TENANT_ID && !name.starts_with("otel.") {
            self.set(Key::from_static_str(name), value.into());
        }
    }
}

impl Visit for SpanFields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.visit(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.visit(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.visit(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.visit(field, integer(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.visit(field, integer(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.visit(field, integer(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.visit(field, text(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.visit(field, text(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.visit(field, text(format_args!("{value:?}")));
    }
}

fn text(value: impl fmt::Display) -> AnyValue {
    AnyValue::String(StringValue::from(value.to_string()))
}

/// Returns an integer, or text if it exceeds `i64`.
fn integer(value: impl TryInto<i64> + fmt::Display + Copy) -> AnyValue {
    value.try_into().map_or_else(|_| text(value), AnyValue::Int)
}

/// A logger of the `log` crate that forwards records to `tracing`, and stores their key-values, which a `tracing` event
/// cannot have.
pub(super) struct KeyValueLogger(LogTracer);

impl KeyValueLogger {
    /// Installs the logger of the process.
    pub(super) fn install() -> Result<(), log::SetLoggerError> {
        log::set_boxed_logger(Box::new(Self(LogTracer::new())))?;
        log::set_max_level(log::LevelFilter::max());
        Ok(())
    }
}

impl log::Log for KeyValueLogger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.0.enabled(record.metadata()) {
            return;
        }
        let mut values = KeyValues(Fields::new());
        // Fails only if the visitor does, which never happens.
        let _ = record.key_values().visit(&mut values);
        let outer = KEY_VALUES.replace(values.0);
        self.0.log(record);
        KEY_VALUES.set(outer);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

struct KeyValues(Fields);

impl<'kvs> log::kv::VisitSource<'kvs> for KeyValues {
    fn visit_pair(
        &mut self,
        key: log::kv::Key<'kvs>,
        value: log::kv::Value<'kvs>,
    ) -> Result<(), log::kv::Error> {
        let mut typed = KeyValue(None);
        value.visit(&mut typed)?;
        if let Some(value) = typed.0 {
            // The last value of a key wins.
            self.0
                .retain(|(earlier, _)| earlier.as_str() != key.as_str());
            self.0.push((Key::from(key.as_str().to_owned()), value));
        }
        Ok(())
    }
}

/// A value of the `log` crate; `None` for null.
struct KeyValue(Option<AnyValue>);

impl KeyValue {
    fn set(&mut self, value: AnyValue) -> Result<(), log::kv::Error> {
        self.0 = Some(value);
        Ok(())
    }
}

impl<'v> log::kv::VisitValue<'v> for KeyValue {
    fn visit_any(&mut self, value: log::kv::Value<'_>) -> Result<(), log::kv::Error> {
        self.set(text(value))
    }

    fn visit_null(&mut self) -> Result<(), log::kv::Error> {
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), log::kv::Error> {
        self.set(value.into())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), log::kv::Error> {
        self.set(value.into())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), log::kv::Error> {
        self.set(value.into())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), log::kv::Error> {
        self.set(integer(value))
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), log::kv::Error> {
        self.set(integer(value))
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), log::kv::Error> {
        self.set(integer(value))
    }

    fn visit_str(&mut self, value: &str) -> Result<(), log::kv::Error> {
        self.set(text(value))
    }
}
