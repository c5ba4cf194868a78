//! Every span is counted once, with one outcome, whatever the sampler decides.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use support::{assert_samples, samples, text, with_variables};
use tracing::{Instrument, field::Empty, info_span, level_filters::LevelFilter};
use tracing_subscriber::{Layer, layer::SubscriberExt};

const CREATED: &str = "rustok_spans_created_total";
const ERRORS: &str = "rustok_spans_with_errors_total";
const CLOSED: &str = "rustok_span_duration_seconds_count";

#[tracing::instrument(err)]
fn attribute(fails: bool) -> Result<(), String> {
    if fails {
        Err("failed".to_owned())
    } else {
        Ok(())
    }
}

#[test_fork::test]
fn sampling_does_not_change_what_is_counted() {
    let telemetry = with_variables(&[
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.01"),
    ])
    .init()
    .expect("telemetry starts");
    for i in 0..1_000 {
        let _span = info_span!("sampled", tenant_id = "acme").entered();
        let _child = info_span!("child").entered();
        if i % 10 == 0 {
            tracing::error!("every tenth fails");
        }
    }
    let text = text();
    assert_samples(
        &text,
        CREATED,
        &[
            ("{operation=\"child\",tenant_id=\"acme\"}", "1000"),
            ("{operation=\"sampled\",tenant_id=\"acme\"}", "1000"),
        ],
    );
    assert_samples(
        &text,
        ERRORS,
        &[("{error_type=\"error\",operation=\"child\"}", "100")],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_tenant_is_inherited_from_the_nearest_ancestor() {
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    {
        let _outer = info_span!("outer").entered();
        let _tenant = info_span!("tenant", tenant_id = %"acme").entered();
        let _between = info_span!("between").entered();
        let _inner = info_span!("inner").entered();
        let _other = info_span!("other", tenant_id = "globex").entered();
    }
    assert_samples(
        &text(),
        CREATED,
        &[
            ("{operation=\"between\",tenant_id=\"acme\"}", "1"),
            ("{operation=\"inner\",tenant_id=\"acme\"}", "1"),
            ("{operation=\"other\",tenant_id=\"globex\"}", "1"),
            ("{operation=\"outer\",tenant_id=\"none\"}", "1"),
            ("{operation=\"tenant\",tenant_id=\"acme\"}", "1"),
        ],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_span_with_a_late_tenant_is_counted_once() {
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    let request = info_span!("request", tenant_id = Empty);
    let _before = info_span!(parent: &request, "before").entered();
    assert!(
        !samples(&text(), CREATED)
            .keys()
            .any(|labels| labels.contains("\"request\""))
    );
    request.record("tenant_id", "acme");
    request.record("tenant_id", "globex");
    drop(info_span!(parent: &request, "after"));
    // Below a span that began before the tenant was known, and with none of its own.
    let never = info_span!("never", tenant_id = Empty);
    drop(never);
    drop(request);
    assert_samples(
        &text(),
        CREATED,
        &[
            ("{operation=\"after\",tenant_id=\"globex\"}", "1"),
            ("{operation=\"before\",tenant_id=\"none\"}", "1"),
            ("{operation=\"never\",tenant_id=\"globex\"}", "1"),
            ("{operation=\"request\",tenant_id=\"acme\"}", "1"),
        ],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn each_span_has_one_outcome() {
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    drop(info_span!("fine"));
    assert!(attribute(true).is_err());
    assert!(attribute(false).is_ok());
    info_span!("typed", error.type = "timeout")
        .in_scope(|| tracing::error!(error.type = "later", "again"));
    info_span!("by_event")
        .in_scope(|| tracing::error!(error.type = "not_found", "no such product"));
    info_span!("by_status", otel.status_code = Empty).record("otel.status_code", "ERROR");
    info_span!("twice").in_scope(|| {
        tracing::error!("one");
        tracing::error!("two");
    });
    info_span!("warned").in_scope(|| tracing::warn!("no error"));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        info_span!("panicked").in_scope(|| {
            info_span!("panicked_inside").in_scope(|| panic!("on purpose"));
        });
    }));
    assert!(unwound.is_err());
    let text = text();
    assert_samples(
        &text,
        ERRORS,
        &[
            ("{error_type=\"error\",operation=\"attribute\"}", "1"),
            ("{error_type=\"error\",operation=\"by_status\"}", "1"),
            ("{error_type=\"error\",operation=\"twice\"}", "1"),
            ("{error_type=\"not_found\",operation=\"by_event\"}", "1"),
            ("{error_type=\"panic\",operation=\"panicked\"}", "1"),
            ("{error_type=\"panic\",operation=\"panicked_inside\"}", "1"),
            ("{error_type=\"timeout\",operation=\"typed\"}", "1"),
        ],
    );
    assert_eq!(samples(&text, CLOSED)["{operation=\"attribute\"}"], "2");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_destructors_span_in_a_panic_is_no_panic() {
    struct CleansUp;
    impl Drop for CleansUp {
        fn drop(&mut self) {
            info_span!("clean_up").in_scope(|| {});
        }
    }
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    let unwound = catch_unwind(|| {
        let _cleans_up = CleansUp;
        panic!("on purpose");
    });
    assert!(unwound.is_err());
    let text = text();
    assert_samples(&text, CLOSED, &[("{operation=\"clean_up\"}", "1")]);
    assert_samples(&text, ERRORS, &[]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn asynchronous_spans_are_counted_when_they_close() {
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    async { tokio::task::yield_now().await }
        .instrument(info_span!("awaited", tenant_id = "acme"))
        .await;
    let task = tokio::spawn(async { panic!("on purpose") }.instrument(info_span!("task")));
    assert!(task.await.is_err());
    let text = text();
    assert_samples(
        &text,
        CLOSED,
        &[
            ("{operation=\"awaited\"}", "1"),
            ("{operation=\"task\"}", "1"),
        ],
    );
    assert_samples(
        &text,
        ERRORS,
        &[("{error_type=\"panic\",operation=\"task\"}", "1")],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn exporter_and_verbose_spans_are_not_counted() {
    let telemetry = with_variables(&[])
        .exporter_target("own_exporter")
        .init()
        .expect("telemetry starts");
    for target in [
        "h2",
        "hyper::client",
        "hyper_util::client",
        "reqwest",
        "tonic::transport",
        "tower::buffer",
    ] {
        assert!(
            rustok_telemetry::trace::is_exporter_target(target),
            "{target}"
        );
    }
    drop(info_span!(target: "hyper::client", "connect"));
    drop(info_span!(target: "opentelemetry_sdk", "export"));
    drop(info_span!(target: "h2::proto", "poll"));
    drop(info_span!(target: "own_exporter::queue", "send"));
    drop(tracing::debug_span!("verbose"));
    drop(info_span!(target: "tower_http::trace", "counted"));
    assert_samples(
        &text(),
        CREATED,
        &[("{operation=\"counted\",tenant_id=\"none\"}", "1")],
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn many_open_spans_keep_their_state() {
    let telemetry = with_variables(&[]).init().expect("telemetry starts");
    let spans: Vec<_> = (0..10_000)
        .map(|_| info_span!("open", error.type = Empty))
        .collect();
    for span in spans.iter().step_by(2) {
        span.record("error.type", "late");
    }
    drop(spans);
    let text = text();
    assert_samples(&text, CLOSED, &[("{operation=\"open\"}", "10000")]);
    let errors = [("{error_type=\"late\",operation=\"open\"}", "5000")];
    assert_samples(&text, ERRORS, &errors);
    let _ = telemetry.shutdown();
}

/// The layer gets enter, exit and close of every span, also of disabled ones.
#[test_fork::test]
fn span_metrics_alone_count_the_same_spans() {
    let builder = with_variables(&[]).exporter_target("own_exporter");
    let builder = builder.without_subscriber();
    let telemetry = builder.init().expect("telemetry starts");
    let everything = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let everything = everything.with_filter(LevelFilter::TRACE);
    let subscriber = tracing_subscriber::registry().with(telemetry.span_metrics_layer());
    let subscriber = subscriber.with(everything);
    tracing::subscriber::with_default(subscriber, || {
        let _counted = info_span!("counted", tenant_id = "acme").entered();
        let _hidden = tracing::debug_span!("hidden").entered();
        let _own = info_span!(target: "own_exporter::queue", "send").entered();
        let panics = || {
            let _panics = info_span!("panics").entered();
            let _hidden = tracing::debug_span!("hidden").entered();
            panic!("expected");
        };
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        tracing::error!("of the nearest span that is counted");
    });
    let text = text();
    let created = [
        ("{operation=\"counted\",tenant_id=\"acme\"}", "1"),
        ("{operation=\"panics\",tenant_id=\"acme\"}", "1"),
    ];
    assert_samples(&text, CREATED, &created);
    let errors = [
        ("{error_type=\"error\",operation=\"counted\"}", "1"),
        ("{error_type=\"panic\",operation=\"panics\"}", "1"),
    ];
    assert_samples(&text, ERRORS, &errors);
    let closed = [
        ("{operation=\"counted\"}", "1"),
        ("{operation=\"panics\"}", "1"),
    ];
    assert_samples(&text, CLOSED, &closed);
    let _ = telemetry.shutdown();
}
