//! Span processors, span exporters and the sampler of a service.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId, Tracer, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    trace::{
        InMemorySpanExporter, SamplingDecision, SamplingResult, ShouldSample, Span, SpanData,
        SpanProcessor,
    },
};
use rustok_telemetry::instrument;

use crate::support::{assert_samples, exported::attribute, text, text_only, with_variables};

/// Keeps the ended spans, and counts the started ones.
#[derive(Debug, Clone, Default)]
struct Recorder {
    started: Arc<Mutex<usize>>,
    ended: Arc<Mutex<Vec<SpanData>>>,
    fails: bool,
}

impl SpanProcessor for Recorder {
    fn on_start(&self, _: &mut Span, _: &Context) {
        *self.started.lock().expect("no panic") += 1;
    }

    fn on_end(&self, span: SpanData) {
        self.ended.lock().expect("no panic").push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        match self.fails {
            true => Err(OTelSdkError::InternalFailure("the disk is full".to_owned())),
            false => Ok(()),
        }
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Recorder {
    fn names(&self) -> Vec<String> {
        let ended = self.ended.lock().expect("no panic");
        ended.iter().map(|span| span.name.to_string()).collect()
    }
}

#[instrument(record(number))]
fn inner(number: u32) {}

#[instrument(name = "outer")]
async fn outer() {
    inner(1);
    inner(2);
    tokio::task::yield_now().await;
}

#[tokio::test]
#[test_fork::fork]
async fn a_processor_sees_every_span_once() {
    let (first, second) = (Recorder::default(), Recorder::default());
    let exporter = InMemorySpanExporter::default();
    let telemetry = text_only()
        .with_span_processor(first.clone())
        .with_span_processor(second.clone())
        .with_span_exporter(exporter.clone())
        .init()
        .expect("telemetry starts");
    outer().await;
    let span = tracing::info_span!("replaced", city = "Bern");
    span.in_scope(|| span.record("city", "Zürich"));
    drop(span);
    let provider = telemetry.tracer_provider().expect("telemetry is enabled");
    provider.tracer("test").in_span("of the API", |_| {});
    opentelemetry::global::tracer("test").in_span("of the global API", |_| {});
    tracing::debug_span!("too verbose").in_scope(|| ());
    let expected = [
        "inner",
        "inner",
        "outer",
        "replaced",
        "of the API",
        "of the global API",
    ];
    let report = telemetry.force_flush(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    for recorder in [&first, &second] {
        assert_eq!(recorder.names(), expected);
        assert_eq!(*recorder.started.lock().expect("no panic"), expected.len());
    }
    let exported = exporter.get_finished_spans().expect("spans");
    let by_id: BTreeMap<_, _> = exported
        .iter()
        .map(|span| (span.span_context.span_id().to_string(), span))
        .collect();
    assert_eq!(
        (by_id.len(), exported.len()),
        (expected.len(), expected.len())
    );
    let seen = first.ended.lock().expect("no panic").clone();
    for (span, exported) in seen.iter().zip(&exported) {
        assert_eq!(span.span_context, exported.span_context);
        assert_eq!(span.attributes, exported.attributes);
    }
    let replaced = &seen[3];
    assert_eq!(attribute(replaced, "city"), "Zürich");
    let keys = replaced.attributes.iter();
    let keys = keys.filter(|attribute| attribute.key.as_str() == "city");
    assert_eq!(keys.count(), 1);
    drop(telemetry);
}

#[derive(Debug, Clone)]
struct ByName;

impl ShouldSample for ByName {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: match name.starts_with("keep") {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            attributes: vec![KeyValue::new("sampled.by", "name")],
            trace_state: Default::default(),
        }
    }
}

#[test_fork::test]
fn a_sampler_decides() {
    let exporter = InMemorySpanExporter::default();
    let telemetry = with_variables(&[("OTEL_TRACES_SAMPLER", "always_off")])
        .with_sampler(ByName)
        .with_span_exporter(exporter.clone())
        .init()
        .expect("telemetry starts");
    tracing::info_span!("keep this").in_scope(|| {
        tracing::info_span!("drop this").in_scope(|| drop(tracing::info_span!("keep that")));
    });
    let created = [
        (r#"{operation="drop this",tenant_id="none"}"#, "1"),
        (r#"{operation="keep that",tenant_id="none"}"#, "1"),
        (r#"{operation="keep this",tenant_id="none"}"#, "1"),
    ];
    assert_samples(&text(), "rustok_spans_created_total", &created);
    let report = telemetry.force_flush(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    let spans = exporter.get_finished_spans().expect("spans");
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["keep that", "keep this"]);
    assert_eq!(attribute(&spans[0], "sampled.by"), "name");
    drop(telemetry);
}

#[test_fork::test]
fn a_failed_flush_is_reported() {
    let failing = Recorder {
        fails: true,
        ..Recorder::default()
    };
    let telemetry = text_only()
        .with_span_processor(failing)
        .init()
        .expect("telemetry starts");
    let report = telemetry.force_flush(Duration::from_secs(20));
    let error = report.traces_error.expect("an error");
    assert!(error.contains("the disk is full"), "{error}");
    drop(telemetry);
}
