//! Spans: span metrics, sampling and export.
//!
//! # Span metrics
//!
//! Every span of the application is counted, whatever the sampler decides:
//!
//! | metric | recorded |
//! |---|---|
//! | `rustok_spans_created_total{operation,tenant_id}` | at creation |
//! | `rustok_span_duration_seconds{operation}` | at close |
//! | `rustok_spans_with_errors_total{operation,error_type}` | at close, if the span ended in an error or a panic |
//! | `rustok_spans_cancelled_total{operation}` | at close, if the span was cancelled |
//!
//! `operation` is the name of the span. Spans and events of the exporters are neither counted nor exported, see
//! [`is_exporter_target`].
//!
//! # Tenant
//!
//! `tenant_id` is the span's field with this name, or else that of the nearest ancestor that has one, or else `none`.
//!
//! A span that **declares** the field without a value (`tenant_id = tracing::field::Empty`) is counted when the value
//! is recorded, or at its close. Until then its children inherit the tenant of a farther ancestor. A second value
//! changes what later children inherit, but the span is counted once.
//!
//! # Outcome
//!
//! A span has one outcome:
//!
//! - **error**, if `error.type` is recorded, `otel.status_code` is `ERROR`, or an event of level `ERROR` occurs
//!   directly in the span. `#[tracing::instrument(err)]` emits such an event. `error_type` is the `error.type` of the
//!   span, or else that of the event, or else `error`.
//! - **panic**, if the thread unwinds through the span. `error_type` is `panic`, unless there is an `error.type`.
//! - **cancelled**, which is no error, if `rustok.outcome` is `cancelled`. [`instrument`](macro@crate::instrument)
//!   records it if a future is dropped before it completes, and the [HTTP layer](crate::http) if the client
//!   disconnects.
//!
//! # Ids
//!
//! [`current_ids`] returns the ids of the current span, for error responses, audit rows and support tickets.
//!
//! # The path of a span
//!
//! `tracing` span → this crate's own layer (`native/`), which also records the span metrics (`span_metrics.rs`) → queue
//! (`otlp/spans.rs`) → OTLP.
//!
//! If something needs spans of the SDK: span metrics layer → layer of tracing-opentelemetry (inside `typed_values.rs`,
//! which keeps the types of values; followed by `inherited_tenant.rs`) → tracer with unique attributes (`tracer.rs`) →
//! sampler (`sampler.rs`) → encoder and queue (`otlp/spans.rs`) → OTLP.

mod callsites;
mod completing;
mod current_ids;
mod exporter_targets;
mod filter;
mod forward;
mod inherited_tenant;
mod late_attributes;
pub(crate) mod native;
mod open_spans;
pub(crate) mod panics;
pub(crate) mod recorded;
// B3 produces every state, Jaeger some of them.
#[cfg_attr(not(feature = "b3"), expect(dead_code))]
pub(crate) mod remote_sampling;
mod sampler;
mod sequential_close;
pub(crate) mod sink;
mod span_limits;
mod span_metrics;
mod tenant_field;
mod tracer;
pub(crate) mod tracer_provider;
mod typed_values;
pub(crate) mod unfiltered_lifecycle;
mod visitor;

/// `rustok.outcome` of a cancelled operation.
pub(crate) const CANCELLED: &str = "cancelled";

pub(crate) use self::completing::CompletingProcessor;
pub use self::current_ids::{SpanIds, current_ids};
pub(crate) use self::exporter_targets::ExporterTargets;
pub use self::exporter_targets::is_exporter_target;
pub(crate) use self::filter::SpanFilter;
pub use self::sequential_close::SequentialClose;
pub(crate) use self::span_limits::SpanLimits;
pub(crate) use self::span_metrics::{SpanMetricsLayer, as_claim, has_own_tenant, tenant_of};
#[doc(inline)]
pub use self::tenant_field::TENANT_ID;
pub(crate) use self::tenant_field::with_tenant_record;
pub(crate) use self::tracer::UniqueTracerProvider;
