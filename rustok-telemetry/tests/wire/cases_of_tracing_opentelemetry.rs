//! The cases of tracing-opentelemetry 0.34's own tests of spans. Each runs on both paths, and checks what a receiver
//! received.
//!
//! | its file | here |
//! |---|---|
//! | `batch_global_subscriber` | `many`; its other test is ignored there |
//! | `errors` | `errors`. Its two options have no counterpart: an error event sets both the status and an exception |
//! | `filtered` | `filtered` |
//! | `follows_from` | `follows` |
//! | `otel_context` | `SeparateLayer` |
//! | `parallel` | `parallel` |
//! | `parents` | `events_with_parents` |
//! | `span_ext` | `extensions` |
//! | `trace_state_propagation` | `propagation`, and `sampling_follows_the_new_parent` |
//! | `metrics_publishing` | none: it is about `MetricsLayer`, which this crate does not have |

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue, global,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::{SpanContext, Status, TraceContextExt, Tracer},
};
use opentelemetry_proto::tonic::trace::v1::{Span, span::Event};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use rustok_telemetry::Builder;
use tracing::{
    Dispatch, Subscriber, debug_span, dispatcher::WeakDispatch, info, info_span, span::Id,
};
use tracing_opentelemetry::{OpenTelemetrySpanExt, get_otel_context};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context as LayerContext, SubscriberExt},
    registry::LookupSpan,
};

use crate::{
    builder,
    receiver::Receiver,
    span_paths::{native, sdk},
};

#[test_fork::test]
fn native_spans() {
    check(native);
}

#[test_fork::test]
fn spans_of_the_sdk() {
    check(sdk);
}

fn check(path: fn(Builder) -> Builder) {
    let separate = SeparateLayer::default();
    let layer = separate.clone();
    let variables = [("OTEL_SPAN_EVENT_COUNT_LIMIT", "10000")];
    let spans = arrived(path, &variables, layer, || {
        many();
        errors();
        filtered();
        follows();
        parallel();
        events_with_parents();
        extensions();
        propagation();
    });

    assert_eq!(named(&spans, "one of many").len(), 1_000);

    let failed = only(&spans, "fails");
    let status = failed.status.as_ref().expect("a status");
    assert_eq!((status.code, &*status.message), (2, "out of tea"));
    let exception = &failed.events[0];
    assert_eq!(exception.name, "exception");
    assert_eq!(text(exception, "exception.message"), "out of tea");

    assert_eq!(named(&spans, "of a filtered parent").len(), 2);
    assert!(named(&spans, "filtered").is_empty());
    assert_eq!(named(&spans, "follows").len(), 2);
    assert_eq!(only(&spans, "in parallel").events.len(), 10_000);

    let names = |span: &Span| {
        let events = span.events.iter().map(|event| event.name.clone());
        events.collect::<Vec<_>>()
    };
    let outer = names(only(&spans, "outer of events"));
    assert_eq!(outer, ["1", "2", "5", "8", "9", "13"]);
    let inner = names(only(&spans, "inner of events"));
    assert_eq!(inner, ["4", "6", "10", "14"]);

    let ok = only(&spans, "is ok").status.as_ref().expect("a status");
    assert_eq!(ok.code, 1);
    let extended = only(&spans, "extended");
    let status = extended.status.as_ref().expect("a status");
    assert_eq!((status.code, &*status.message), (2, "set"));
    assert_eq!(names(extended), ["now", "earlier"]);
    assert_eq!(text(&extended.events[0], "key"), "value");
    assert_eq!(extended.events[1].time_unix_nano, 10_000_000_000);
    let links: Vec<_> = extended
        .links
        .iter()
        .map(|it| it.attributes.len())
        .collect();
    assert_eq!(links, [0, 1]);
    for link in &extended.links {
        assert_eq!(
            link.trace_id,
            remote().span().span_context().trace_id().to_bytes()
        );
    }

    for (parent, child) in [
        ("of the API, attached", "below the attached"),
        ("of the API, assigned", "below the assigned"),
        ("outer", "inner"),
        ("without a caller", "inner without a caller"),
    ] {
        let (parent, child) = (only(&spans, parent), only(&spans, child));
        assert_eq!(child.trace_id, parent.trace_id);
        assert_eq!(child.parent_span_id, parent.span_id);
    }
    assert!(only(&spans, "without a caller").parent_span_id.is_empty());

    let contexts = separate.contexts.lock().expect("no panic");
    let of = |name| {
        let of_name = contexts.iter().filter(|(entered, _)| *entered == name);
        of_name.map(|(_, context)| context).collect::<Vec<_>>()
    };
    for name in ["outer", "inner", "outer of events"] {
        let ids = of(name)[0];
        let span = only(&spans, name);
        assert_eq!(ids.trace_id().to_bytes(), *span.trace_id, "{name}");
        assert_eq!(ids.span_id().to_bytes(), *span.span_id, "{name}");
    }
}

#[test_fork::test]
fn sampling_of_native_spans_follows_the_new_parent() {
    sampling_follows_the_new_parent(native);
}

#[test_fork::test]
fn sampling_of_spans_of_the_sdk_follows_the_new_parent() {
    sampling_follows_the_new_parent(sdk);
}

fn sampling_follows_the_new_parent(path: fn(Builder) -> Builder) {
    let variables = [("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let spans = arrived(path, &variables, SeparateLayer::default(), || {
        let root = global::tracer("foreign").start_with_context("root", &remote());
        let child = info_span!("child");
        let set = child.set_parent(Context::current_with_span(root));
        set.expect("it has not started");
        assert!(child.context().span().span_context().is_sampled());
        info_span!("another root").in_scope(|| ());
    });
    let mut names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["child", "root"]);
}

/// Does `work` with a subscriber of its own, and returns the spans that arrived.
fn arrived(
    path: fn(Builder) -> Builder,
    variables: &[(&str, &str)],
    separate: SeparateLayer,
    work: impl FnOnce(),
) -> Vec<Span> {
    let receiver = Receiver::start();
    let endpoint = receiver.plain();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    all.extend(variables);
    let builder = path(builder(&all)).without_subscriber();
    let telemetry = builder.init().expect("telemetry starts");
    let subscriber = tracing_subscriber::registry()
        .with(telemetry.layer().with_filter(LevelFilter::INFO))
        .with(separate)
        .with(SlowToClose);
    tracing::subscriber::set_global_default(subscriber).expect("the first one");
    work();
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    receiver.spans()
}

fn many() {
    for _ in 0..1_000 {
        let _entered = info_span!("one of many").entered();
    }
}

fn errors() {
    #[tracing::instrument(err)]
    fn fails() -> Result<(), &'static str> {
        Err("out of tea")
    }
    assert!(fails().is_err());
}

/// The parent is enabled for another layer alone.
fn filtered() {
    let filtered = debug_span!("filtered");
    info_span!(parent: &filtered, "of a filtered parent").in_scope(|| ());
    filtered.in_scope(|| info_span!("of a filtered parent").in_scope(|| ()));
}

/// What is followed has closed, or is closing on another thread.
fn follows() {
    let closed = info_span!("closed");
    let id = closed.id().expect("enabled");
    drop(closed);
    info_span!("follows").follows_from(id);

    let closing = info_span!("slow to close");
    let id = closing.id().expect("enabled");
    thread::scope(|scope| {
        scope.spawn(|| drop(closing));
        thread::sleep(Duration::from_millis(5));
        info_span!("follows").follows_from(id);
    });
}

fn parallel() {
    let span = info_span!("in parallel");
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let _entered = span.enter();
                (0..1_000).for_each(|_| info!("event"));
            });
        }
    });
}

fn events_with_parents() {
    let outer = info_span!("outer of events").entered();
    info!("1");
    info!(parent: &outer, "2");
    info!(parent: None, "3");
    let inner = info_span!(parent: &outer, "inner of events");
    inner.in_scope(|| {
        info!("4");
        info!(parent: &outer, "5");
        info!(parent: &inner, "6");
        info!(parent: None, "7");
    });
    info!("8");
    info!(parent: &outer, "9");
    info!(parent: &inner, "10");
    info!(parent: None, "11");
    let outer = outer.exit();
    info!("12");
    info!(parent: &outer, "13");
    info!(parent: &inner, "14");
    info!(parent: None, "15");
}

fn extensions() {
    info_span!("is ok").in_scope(|| tracing::Span::current().set_status(Status::Ok));
    let span = info_span!("extended");
    let link = remote().span().span_context().clone();
    span.add_link(link.clone());
    span.in_scope(|| {
        span.add_link_with_attributes(link, vec![KeyValue::new("key", 1)]);
        span.set_status(Status::error("set"));
        span.add_event("now", vec![KeyValue::new("key", "value")]);
        let at = std::time::UNIX_EPOCH + Duration::from_secs(10);
        span.add_event_with_timestamp("earlier", at, vec![]);
    });
}

fn propagation() {
    let tracer = global::tracer("foreign");
    let attached = Context::current_with_span(tracer.start("of the API, attached")).attach();
    info_span!("below the attached").in_scope(|| ());
    drop(attached);
    let child = info_span!("below the assigned");
    let assigned = Context::current_with_span(tracer.start("of the API, assigned"));
    child.set_parent(assigned).expect("it has not started");
    drop(child);

    info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| ()));
    let no_caller = TraceContextPropagator::new().extract(&HashMap::<String, String>::new());
    let root = info_span!("without a caller");
    root.set_parent(no_caller).expect("it has not started");
    root.in_scope(|| info_span!("inner without a caller").in_scope(|| ()));

    let propagator = TextMapCompositePropagator::new(vec![
        Box::new(BaggagePropagator::new()),
        Box::new(TraceContextPropagator::new()),
    ]);
    let incoming = HashMap::from([
        ("traceparent".to_owned(), TRACEPARENT.to_owned()),
        ("tracestate".to_owned(), "vendor=value".to_owned()),
        ("baggage".to_owned(), "a=1;property,b=2".to_owned()),
    ]);
    let mut outgoing = HashMap::new();
    let root = info_span!("of a caller");
    let set = root.set_parent(propagator.extract(&incoming));
    set.expect("it has not started");
    root.in_scope(|| {
        let child = info_span!("to another service");
        propagator.inject_context(&child.context(), &mut outgoing);
        assert!(root.set_parent(Context::new()).is_err(), "it has started");
    });
    let parts = |headers: &HashMap<String, String>| {
        let trace = headers["traceparent"].split('-').nth(1).map(str::to_owned);
        let mut baggage: Vec<_> = headers["baggage"].split(',').map(str::to_owned).collect();
        baggage.sort_unstable();
        (trace, baggage, headers["tracestate"].clone())
    };
    assert_eq!(parts(&incoming), parts(&outgoing));
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn remote() -> Context {
    let headers = HashMap::from([("traceparent".to_owned(), TRACEPARENT.to_owned())]);
    TraceContextPropagator::new().extract(&headers)
}

/// Asks for the context of each span that is entered, as another library's layer does.
#[derive(Debug, Clone, Default)]
struct SeparateLayer {
    dispatch: Arc<OnceLock<WeakDispatch>>,
    contexts: Arc<Mutex<Vec<(&'static str, SpanContext)>>>,
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for SeparateLayer {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_enter(&self, id: &Id, of: LayerContext<'_, S>) {
        let dispatch = self.dispatch.get().and_then(WeakDispatch::upgrade);
        let name = of.metadata(id).map(|span| span.name());
        if let (Some(dispatch), Some(name)) = (dispatch, name)
            && let Some(context) = get_otel_context(id, &dispatch)
        {
            let ids = context.span().span_context().clone();
            self.contexts.lock().expect("no panic").push((name, ids));
        }
    }
}

struct SlowToClose;

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for SlowToClose {
    fn on_close(&self, id: Id, of: LayerContext<'_, S>) {
        if of
            .metadata(&id)
            .is_some_and(|span| span.name() == "slow to close")
        {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[track_caller]
fn only<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    match *named(spans, name) {
        [span] => span,
        ref all => panic!("{} spans are called {name}", all.len()),
    }
}

fn text(event: &Event, key: &str) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    let attribute = event.attributes.iter().find(|it| it.key == key);
    match attribute.and_then(|it| it.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("{key} is {other:?}"),
    }
}
