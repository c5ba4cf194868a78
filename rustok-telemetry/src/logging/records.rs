//! Log events as OTLP log records: those that are log lines, without those of exporter-internal targets.

use std::{cell::RefCell, sync::Arc};

use opentelemetry::{
    Context, InstrumentationScope,
    logs::{AnyValue, LogRecord, LoggerProvider},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider},
};
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, filter_fn},
    layer,
    registry::LookupSpan,
};

use super::{
    LogFilter, context_fields, directives_of, env_filter, filtered, limits::LimitedLogger,
    origin::Spans,
};
use crate::{
    InitError,
    attributes::value_length::ValueLength,
    config::TelemetryConfig,
    otlp::{LogObserver, drop_log_record_if_full},
    trace::{ExporterTargets, TENANT_ID},
};

/// The source of the layers that emit log records.
#[derive(Debug, Clone)]
pub(crate) struct RecordSender {
    logger: LimitedLogger,
    exporter_targets: ExporterTargets,
    log_filter: LogFilter,
    enriches: bool,
    observer: Option<Arc<dyn LogObserver>>,
    is_only_exported: bool,
}

impl RecordSender {
    /// Call this before the providers are installed: a later logger would count itself in the metrics.
    pub(crate) fn new(
        provider: &SdkLoggerProvider,
        exporter_targets: ExporterTargets,
        config: &TelemetryConfig,
        log_filter: LogFilter,
    ) -> Self {
        Self {
            logger: LimitedLogger::new(provider.logger(""), &config.logs.limits),
            exporter_targets,
            log_filter,
            enriches: false,
            observer: None,
            is_only_exported: false,
        }
    }

    /// Sets whether records get the fields of their spans, and the key-values of the `log` crate.
    pub(crate) fn enriching(self, enriches: bool) -> Self {
        Self { enriches, ..self }
    }

    /// Creates only records that the observer wants, if one is given.
    pub(crate) fn for_observer(self, observer: Option<Arc<dyn LogObserver>>) -> Self {
        Self { observer, ..self }
    }

    /// Creates no record while the queue of the OTLP exporter is full, if no other exporter or processor gets it.
    pub(crate) fn only_exported(self, is_only_exported: bool) -> Self {
        Self {
            is_only_exported,
            ..self
        }
    }
}

/// Returns the layer that emits the events that `RUST_LOG` enables; none without a sender.
pub(crate) fn records<S>(
    sender: Option<&RecordSender>,
) -> Result<impl Layer<S> + Send + Sync + use<S>, InitError>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let (directives, exporter_targets) = match sender {
        Some(sender) => (
            directives_of(&sender.log_filter)?.to_owned(),
            sender.exporter_targets.clone(),
        ),
        None => ("off".to_owned(), ExporterTargets::default()),
    };
    // Exporting the events of an exporter would cause further events, without end.
    let of_others = filter_fn(move |metadata| !exporter_targets.includes(metadata.target()));
    let filter = env_filter(&directives)?.and(of_others);
    let spans = Spans::default();
    let capture = spans.layer();
    let bridge = sender.map(OpenTelemetryTracingBridge::new);
    let records = Records {
        bridge,
        enriches: sender.is_some_and(|sender| sender.enriches),
        observer: sender.and_then(|sender| sender.observer.clone()),
        is_only_exported: sender.is_some_and(|sender| sender.is_only_exported),
        spans,
    };
    let records = records.and_then(capture);
    Ok(filtered(records, filter, &directives))
}

/// Returns the same logger for each scope.
impl LoggerProvider for RecordSender {
    type Logger = LimitedLogger;

    fn logger_with_scope(&self, _: InstrumentationScope) -> LimitedLogger {
        self.logger.clone()
    }
}

thread_local! {
    /// The tenant of the record that this thread is creating.
    static TENANT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// Passes events to the bridge, with their span and tenant.
struct Records {
    bridge: Option<OpenTelemetryTracingBridge<RecordSender, LimitedLogger>>,
    enriches: bool,
    observer: Option<Arc<dyn LogObserver>>,
    is_only_exported: bool,
    spans: Spans,
}

impl<S> Layer<S> for Records
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        if self.enriches {
            context_fields::store(attributes, id, &context);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: layer::Context<'_, S>) {
        if self.enriches {
            context_fields::store_recorded(record, id, &context);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let Some(bridge) = &self.bridge else { return };
        if Context::is_current_telemetry_suppressed() {
            return;
        }
        let level = *event.metadata().level();
        if self.is_only_exported && drop_log_record_if_full(level) {
            return;
        }
        let origin = self.spans.origin(event, context.event_scope(event));
        let trace_id = origin.span.as_ref().map(SpanContext::trace_id);
        let mut observer = self.observer.iter();
        if observer.any(|observer| !observer.wants(level, trace_id)) {
            return;
        }
        // The SDK takes the current span, which is wrong for an event with an explicit parent.
        let _attached = (!event.is_contextual()).then(|| {
            let root = Context::new();
            let of_parent = origin.span.map(|span| root.with_remote_span_context(span));
            of_parent.unwrap_or(root).attach()
        });
        let names_tenant = event.metadata().fields().field(TENANT_ID).is_some();
        let tenant = origin.tenant.filter(|_| !names_tenant);
        // Formatting a field may log, so events nest.
        let outer = TENANT.replace(tenant);
        match self.enriches {
            true => context_fields::with_fields_of(event, &context, || {
                bridge.on_event(event, context.clone());
            }),
            false => bridge.on_event(event, context),
        }
        TENANT.set(outer);
    }
}

/// Sets what the bridge does not: the timestamp, the target of the `log` crate and the tenant.
#[derive(Debug)]
pub(super) struct Completing {
    pub(super) value_length: ValueLength,
}

impl LogProcessor for Completing {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        if let Some(now) = record.observed_timestamp() {
            record.set_timestamp(now);
        }
        // The default name of a `tracing` event is its source location.
        if record.event_name().is_some_and(is_default_name) {
            record.set_event_name("");
        }
        if let Some(target) = target_of_log_crate(record) {
            record.set_target(target);
        }
        if let Some(tenant) = TENANT.with_borrow(Clone::clone) {
            let mut tenant = AnyValue::String(tenant.into());
            self.value_length.cut_any(&mut tenant);
            record.add_attribute(TENANT_ID, tenant);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

/// Whether this is `event src/main.rs:42` or `log event`.
fn is_default_name(name: &str) -> bool {
    name.starts_with("event ") || name == "log event"
}

/// Returns the target of a record of the `log` crate, which is in the attribute `log.target`.
fn target_of_log_crate(record: &SdkLogRecord) -> Option<String> {
    if record.target().is_none_or(|target| target != "log") {
        return None;
    }
    let mut attributes = record.attributes_iter();
    let (_, target) = attributes.find(|(key, _)| key.as_str() == "log.target")?;
    match target {
        AnyValue::String(target) => Some(target.as_str().to_owned()),
        _ => None,
    }
}
