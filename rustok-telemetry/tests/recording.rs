//! Recorded values are in the text under the declared names, within budgets.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Barrier,
};

use rustok_telemetry::{Telemetry, metrics, testing};
use support::{check_golden, samples, text};

fn start() -> Telemetry {
    support::text_only().init().expect("telemetry starts")
}

#[test_fork::test]
fn every_domain_has_its_declared_names() {
    let telemetry = start();
    metrics::record_event_published("ProductCreated", "acme");
    metrics::record_event_published("ProductCreated", "acme");
    metrics::record_event_dispatched("ProductCreated", "index_handler");
    metrics::update_queue_depth("in_memory", 42);
    metrics::record_event_processing_duration("ProductCreated", "index_handler", 0.003);
    metrics::record_event_error("ProductCreated", "handler_error");
    metrics::record_event_lag("ProductCreated", 0.02);
    metrics::update_circuit_breaker_state("redis", 1);
    metrics::record_circuit_breaker_transition("redis", "closed", "open");
    metrics::record_circuit_breaker_call("redis", "rejected");
    metrics::update_circuit_breaker_failures("redis", 3);
    metrics::record_cache_operation("tenant_cache", "get", "hit");
    metrics::record_cache_operation("tenant_cache", "get", "hit");
    metrics::record_cache_operation("tenant_cache", "get", "hit");
    metrics::record_cache_operation("tenant_cache", "get", "miss");
    metrics::update_cache_size("tenant_cache", 1234);
    metrics::record_cache_eviction("tenant_cache", "ttl");
    metrics::record_cache_duration("tenant_cache", "get", 0.00002);
    metrics::record_module_error("catalog", "not_found", "warning");
    metrics::record_db_query_duration("select", "products", 0.004);
    metrics::update_db_connections("idle", 7);
    metrics::record_db_query_error("insert", "unique_violation");
    metrics::record_http_request("GET", "/api/products/{id}", "200");
    metrics::record_http_request_by_endpoint("GET", "/api/products/{id}", "200");
    metrics::record_http_request_duration("GET", "/api/products/{id}", 0.012);
    metrics::record_http_stream_duration("GET", "/api/events", 42.0);
    metrics::record_http_request_size("GET", "/api/products/{id}", 0);
    metrics::record_http_response_size("GET", "/api/products/{id}", 300);
    metrics::add_http_active_connections(1);
    support::record_grpc();
    {
        let _span = tracing::info_span!("load_product", tenant_id = "acme").entered();
        tracing::error!(error.type = "not_found", "no such product");
    }

    // The second text: the counters of observations are observed in arbitrary order.
    let _ = text();
    let text = text();
    // Without the lines that differ between runs: versions and measurements.
    let golden: String = text
        .lines()
        .filter(|line| {
            !line.contains("target_info") && !line.starts_with("rustok_span_duration_seconds")
        })
        .filter(|line| !line.starts_with("rustok_module_error_rate") && !line.contains("process_"))
        .flat_map(|line| [line, "\n"])
        .collect();
    check_golden("every_domain.txt", &golden);
    let rates = samples(&text, "rustok_module_error_rate");
    assert_eq!(rates.keys().collect::<Vec<_>>(), ["{module=\"catalog\"}"]);
    // One error in five minutes, although the process is younger.
    let rate: f64 = rates["{module=\"catalog\"}"].parse().expect("a number");
    assert_eq!(rate, 1.0 / 300.0);
    let count = samples(&text, "rustok_span_duration_seconds_count");
    assert_eq!(count["{operation=\"load_product\"}"], "1");
    assert!(text.contains("service_name=\"shop\""), "{text}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn only_metrics_with_series_have_fold_counters() {
    let telemetry = start();
    metrics::record_event_published("ProductCreated", "acme");
    metrics::record_cache_operation("tenants", "get", "hit");
    let text = text();
    let of = |name: &str| -> BTreeSet<String> {
        let samples = samples(&text, name);
        let names = samples.keys().filter_map(|labels| {
            let (_, rest) = labels.split_once("metric=\"")?;
            Some(rest.split_once('"')?.0.to_owned())
        });
        names.collect()
    };
    let folded = of("rustok_telemetry_label_values_folded_total");
    let recorded = [
        "rustok_cache_operations_total",
        "rustok_event_bus_published_total",
    ];
    assert_eq!(folded, recorded.map(str::to_owned).into());
    for metric in &folded {
        assert!(!samples(&text, metric).is_empty(), "{metric}");
    }
    // Alerts need these zeros to see the first increase.
    for (name, series) in [
        ("rustok_telemetry_exports_total", 6),
        ("rustok_telemetry_spans_lost_total", 3),
        ("rustok_telemetry_records_lost_total", 4),
    ] {
        assert_eq!(samples(&text, name).len(), series, "{name}");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn records_before_init_and_after_shutdown_are_counted() {
    metrics::record_cache_operation("tenant_cache", "get", "miss");
    assert_eq!(
        rustok_telemetry::prometheus_text(),
        Err(rustok_telemetry::TextError::NotStarted)
    );
    let telemetry = start();
    metrics::record_cache_duration("tenant_cache", "get", f64::NAN);
    metrics::record_event_lag("ProductCreated", f64::INFINITY);
    // Clock skew gives a negative lag; a decreasing sum would look like a restart.
    metrics::record_event_lag("ProductCreated", -0.001);
    metrics::record_cache_operation("tenant_cache", "get", "hit");
    let text = text();
    let lost = samples(&text, "rustok_telemetry_records_lost_total");
    assert_eq!(lost["{reason=\"before_init\"}"], "1");
    assert_eq!(lost["{reason=\"not_finite\"}"], "2");
    assert_eq!(lost["{reason=\"negative\"}"], "1");
    assert_eq!(
        samples(&text, "rustok_event_bus_lag_seconds_count").len(),
        0
    );
    // The dropped miss is not in the derived hit rate either.
    assert_eq!(
        samples(&text, "rustok_cache_hit_rate")["{cache=\"tenant_cache\"}"],
        "1"
    );
    assert!(samples(&text, "rustok_event_bus_published_total").is_empty());
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    metrics::record_event_published("TooLate", "acme");
    assert_eq!(rustok_telemetry::lost_records().after_shutdown, 1);
    assert_eq!(
        rustok_telemetry::prometheus_text(),
        Err(rustok_telemetry::TextError::ShutDown)
    );
}

#[test_fork::test]
fn only_the_label_beyond_its_budget_is_folded() {
    let telemetry = start();
    for tenant in 0..10_000 {
        metrics::record_event_published("ProductCreated", &format!("tenant-{tenant}"));
    }
    // Event types are still separate when tenants are folded.
    metrics::record_event_published("ProductDeleted", "tenant-9999");
    let text = text();
    let published = samples(&text, "rustok_event_bus_published_total");
    assert_eq!(published.len(), 502);
    assert_eq!(
        published["{event_type=\"ProductCreated\",tenant_id=\"tenant-499\"}"],
        "1"
    );
    assert_eq!(
        published["{event_type=\"ProductCreated\",tenant_id=\"other\"}"],
        "9500"
    );
    assert_eq!(
        published["{event_type=\"ProductDeleted\",tenant_id=\"other\"}"],
        "1"
    );
    let folded = samples(&text, "rustok_telemetry_label_values_folded_total");
    let of = |label: &str| {
        let labels = format!("{{label=\"{label}\",metric=\"rustok_event_bus_published_total\"}}");
        folded[&labels].clone()
    };
    assert_eq!(of("tenant_id"), "9501");
    assert_eq!(of("event_type"), "0");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_series_limit_holds_without_sdk_overflow() {
    let telemetry = start();
    let mut recorded = 0_u64;
    for event in 0..60 {
        for tenant in 0..600 {
            metrics::record_event_published(&format!("Event{event}"), &format!("tenant-{tenant}"));
            recorded += 1;
        }
    }
    let text = text();
    assert!(
        !text.contains("otel_metric_overflow"),
        "the SDK's own overflow was reached"
    );
    let published = samples(&text, "rustok_event_bus_published_total");
    assert!(published.len() <= 1500, "{}", published.len());
    let total: u64 = published
        .values()
        .filter_map(|value| value.parse::<u64>().ok())
        .sum();
    assert_eq!(total, recorded, "every record is in some series");
    // A new event type beyond the limit is still separate.
    assert!(
        published.contains_key("{event_type=\"Event40\",tenant_id=\"other\"}"),
        "{published:?}"
    );
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn unusual_label_values_are_escaped_or_folded() {
    let telemetry = start();
    let huge = "x".repeat(5_000);
    for service in [
        "",
        "line\nbreak \"quoted\" back\\slash",
        "ünïcode",
        &huge,
        "other",
    ] {
        metrics::record_circuit_breaker_call(service, "success");
    }
    // Label sets that are equal when concatenated.
    metrics::record_circuit_breaker_call("ab", "c");
    metrics::record_circuit_breaker_call("a", "bc");
    let calls = samples(&text(), "rustok_circuit_breaker_calls_total");
    let expected = [
        ("{result=\"bc\",service=\"a\"}", "1"),
        ("{result=\"c\",service=\"ab\"}", "1"),
        (
            "{result=\"success\",service=\"line\\nbreak \\\"quoted\\\" back\\\\slash\"}",
            "1",
        ),
        ("{result=\"success\",service=\"none\"}", "1"),
        ("{result=\"success\",service=\"other\"}", "2"),
        ("{result=\"success\",service=\"ünïcode\"}", "1"),
    ];
    let calls: Vec<_> = calls
        .iter()
        .map(|(labels, value)| (labels.as_str(), value.as_str()))
        .collect();
    assert_eq!(calls, expected);
    let _ = telemetry.shutdown();
}

#[rustok_telemetry::metrics(namespace = "test")]
mod contended {
    /// Halves.
    #[counter(name = "halves_total")]
    pub fn add_half(value: f64);

    /// The level.
    #[up_down_counter(name = "level")]
    pub fn change_level(change: i64);

    /// Times.
    #[histogram(name = "times_seconds", boundaries = [1.0, 2.0])]
    pub fn record_time(seconds: f64);

    /// Sizes.
    #[histogram(name = "size_bytes", boundaries = [1.0, 2.0])]
    pub fn record_size(bytes: u64);
}

/// On the thread that creates the series, and on others, with contention.
#[test_fork::test]
fn contention_loses_no_record() {
    let telemetry = start();
    let begin = Barrier::new(4);
    let record = || {
        begin.wait();
        for size in (0..50_000).map(|number| number % 4) {
            contended::add_half(0.5);
            contended::change_level(-3);
            contended::record_time(size as f64);
            contended::record_size(size);
        }
    };
    std::thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(record)));
        record();
    });
    let text = text();
    for (series, value) in [
        ("halves_total", "100000"),
        ("level", "-600000"),
        ("times_seconds_bucket{le=\"1\"}", "100000"),
        ("times_seconds_bucket{le=\"2\"}", "150000"),
        ("times_seconds_sum", "300000"),
        ("times_seconds_count", "200000"),
        ("size_bytes_bucket{le=\"1\"}", "100000"),
        ("size_bytes_bucket{le=\"2\"}", "150000"),
        ("size_bytes_sum", "300000"),
        ("size_bytes_count", "200000"),
    ] {
        let line = format!("\ntest_{series} {value}\n");
        assert!(text.contains(&line), "no {line} in {text}");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn concurrent_records_are_all_counted() {
    let telemetry = start();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            std::thread::spawn(move || {
                for i in 0..5_000_u32 {
                    metrics::record_cache_operation(
                        "tenant_cache",
                        "get",
                        if i % 4 == 0 { "miss" } else { "hit" },
                    );
                    metrics::record_module_error(
                        &format!("module-{}", (i + thread) % 50),
                        "broken",
                        "error",
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    let text = text();
    let operations = samples(&text, "rustok_cache_operations_total");
    assert_eq!(
        operations["{cache=\"tenant_cache\",operation=\"get\",result=\"hit\"}"],
        "30000"
    );
    assert_eq!(
        operations["{cache=\"tenant_cache\",operation=\"get\",result=\"miss\"}"],
        "10000"
    );
    assert_eq!(
        samples(&text, "rustok_cache_hit_rate")["{cache=\"tenant_cache\"}"],
        "0.75"
    );
    let errors: u64 = samples(&text, "rustok_module_errors_total")
        .values()
        .filter_map(|value| value.parse::<u64>().ok())
        .sum();
    assert_eq!(errors, 40_000);
    // 30 modules have a rate of their own.
    let rates = samples(&text, "rustok_module_error_rate");
    assert_eq!(rates.len(), 31);
    assert!(rates.contains_key("{module=\"other\"}"), "{rates:?}");
    let rate: f64 = rates
        .values()
        .filter_map(|rate| rate.parse::<f64>().ok())
        .sum();
    assert!((rate * 300.0 - 40_000.0).abs() < 1e-6, "{rate}");
    let _ = telemetry.shutdown();
}

#[test]
fn the_catalogue_has_less_than_twelve_thousand_series() {
    let limits: usize = metrics::catalogue()
        .iter()
        .filter(|metric| metric.module.starts_with("rustok_telemetry"))
        .map(|metric| metric.series_limit())
        .sum();
    assert!(limits < 12_000, "{limits}");
}

#[test_fork::test]
fn the_default_label_budget_applies() {
    #[rustok_telemetry::metrics(namespace = "test")]
    mod own {
        /// Things that happened.
        #[counter(name = "things_total")]
        pub fn record_thing(kind: &str);
    }
    own::record_thing("one");
    let catalogue = metrics::catalogue();
    let thing = catalogue
        .iter()
        .find(|metric| metric.name == "test_things_total")
        .expect("in the catalogue");
    assert_eq!(thing.labels[0].budget, metrics::DEFAULT_LABEL_BUDGET);
}

#[rustok_telemetry::metrics(namespace = "test")]
mod many {
    /// Records of one of many ids.
    #[counter(name = "many_total", series = 2001)]
    pub fn count(#[label(budget = 2000)] id: &str, number: u64);
}

/// Records to 2,000 label sets, enough for collisions of slots.
#[track_caller]
fn assert_separate(id: impl Fn(u64) -> String) {
    let telemetry = testing::capture();
    let expected: BTreeMap<_, _> = (0..2_000)
        .map(|number| (id(number), number as f64))
        .collect();
    assert_eq!(expected.len(), 2_000, "the ids differ");
    for _ in 0..3 {
        for (id, number) in &expected {
            many::count(id, *number as u64);
        }
    }
    let series = telemetry.metric("test_many_total").series().into_iter();
    let recorded: BTreeMap<_, _> = series
        .map(|series| (series.labels["id"].clone(), series.value / 3.0))
        .collect();
    assert_eq!(recorded, expected);
}

#[test]
fn label_sets_that_differ_have_separate_series() {
    assert_separate(|number| format!("{number}"));
    assert_separate(|number| format!("tenant-{number:05}"));
    // Long values that differ in the middle, and in their length.
    assert_separate(|number| format!("3f2504e0-{number:04}-41d3-9a0c-0305e82c3301"));
    assert_separate(|number| {
        let (length, letter) = (number % 200, char::from(b'a' + (number / 200) as u8));
        let middle = "x".repeat(length as usize);
        format!("{letter}beginning{middle}the-end")
    });
    // Values of each length that differ in one letter.
    assert_separate(|number| {
        let length = ((8 * number + 1).isqrt() - 1) / 2;
        let at = (number - length * (length + 1) / 2) as usize;
        let mut id = "a".repeat(length as usize + 1);
        id.replace_range(at..=at, "b");
        id
    });
}
