//! Spans: what is counted of them, and how they are sampled and sent.
//!
//! # The journey of a span
//!
//! `tracing` span → span metrics layer (`span_metrics.rs`: counts, before any sampling) → tracing-opentelemetry's layer
//! (`typed_values.rs` around it keeps the types of values, `inherited_tenant.rs` adds what it cannot know) → tracer
//! (`tracer.rs`: attributes are unique) → tracer provider (`sampler.rs`, and the batch processor of `tracer_provider.rs`)
//! → OTLP.
//!
//! # What the span metrics count
//!
//! Every span of the application, whatever the sampler decides:
//!
//! - `rustok_spans_created_total{operation,tenant_id}`, at creation;
//! - `rustok_span_duration_seconds{operation}`, at close;
//! - `rustok_spans_with_errors_total{operation,error_type}`, at close, once for a span;
//! - `rustok_spans_cancelled_total{operation}`, at close, once for a span.
//!
//! `operation` is the span's name. `tenant_id` is the span's field of that name, else that of the nearest ancestor
//! that has one, else `none`.
//!
//! A span that **declares** the field without giving a value (`tenant_id = tracing::field::Empty`) says that the
//! tenant will be known later. It is counted when the value is recorded, or at its close if none was; until then its
//! children, too, inherit from farther up. A value recorded a second time changes what later children inherit, but
//! nothing is counted twice.
//!
//! A span has one outcome. It ended in an error if `error.type` was recorded on it, if `otel.status_code` is `ERROR`,
//! or if an event of level ERROR happened directly in it, which is what `#[tracing::instrument(err)]` emits and what
//! tracing-opentelemetry takes for an error. It panicked if the thread unwound through it. `error_type` is the
//! `error.type` of the span, else that of the event, else `panic`, else `error`.
//!
//! It was cancelled, and is no error then, if `rustok.outcome` is `cancelled`, which is what
//! [`instrument`](macro@crate::instrument) records when a future is dropped before it is done, and the
//! [HTTP layer](crate::http) when the client goes away.
//!
//! Spans and events of the exporters' own machinery are neither counted nor exported, see [`is_exporter_target`].

mod callsites;
mod exporter_targets;
mod filter;
mod inherited_tenant;
mod late_attributes;
mod open_spans;
pub(crate) mod panics;
pub(crate) mod recorded;
// B3 produces every state, Jaeger some of them.
#[cfg_attr(not(feature = "b3"), expect(dead_code))]
pub(crate) mod remote_sampling;
mod sampler;
mod span_limits;
mod span_metrics;
mod tenant_field;
mod tracer;
pub(crate) mod tracer_provider;
mod typed_values;
pub(crate) mod unfiltered_lifecycle;
mod visitor;

/// `rustok.outcome` of a call whose future was dropped before it was done.
pub(crate) const CANCELLED: &str = "cancelled";

pub(crate) use self::exporter_targets::ExporterTargets;
pub use self::exporter_targets::is_exporter_target;
pub(crate) use self::filter::SpanFilter;
pub(crate) use self::span_limits::SpanLimits;
pub(crate) use self::span_metrics::{SpanMetricsLayer, as_claim, has_own_tenant, tenant_of};
#[doc(inline)]
pub use self::tenant_field::TENANT_ID;
pub(crate) use self::tenant_field::with_tenant_record;
pub(crate) use self::tracer::UniqueTracerProvider;
