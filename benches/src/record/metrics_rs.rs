//! The crate `metrics` with `metrics-exporter-prometheus`.

use std::sync::OnceLock;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{Kind, Series, seconds};
use crate::{
    contender::Contender,
    declared::{BOUNDARIES, sum_in_text},
};

pub(super) fn contender(kind: Kind, series: Series) -> Contender {
    let recorder = recorder();
    let held = move |sample: String| move || sum_in_text(&recorder.render(), &sample);
    match (kind, name(kind, series)) {
        (Kind::Counter, name) => {
            let add = move |[event_type, tenant]: [&str; 2], _| {
                counter!(name, "event_type" => event_type.to_owned(), "tenant_id" => tenant.to_owned()).increment(1);
            };
            Contender::new(
                "metrics, `counter!` and Prometheus recorder",
                add,
                held(name.to_owned()),
            )
        }
        (Kind::Gauge, name) => {
            let set = move |[event_type, tenant]: [&str; 2], number| {
                gauge!(name, "event_type" => event_type.to_owned(), "tenant_id" => tenant.to_owned())
                    .set(number as f64);
            };
            Contender::new(
                "metrics, `gauge!` and Prometheus recorder",
                set,
                held(name.to_owned()),
            )
        }
        (Kind::Histogram, name) => {
            let record = move |[event_type, tenant]: [&str; 2], set| {
                histogram!(name, "event_type" => event_type.to_owned(), "tenant_id" => tenant.to_owned())
                    .record(seconds(set));
            };
            Contender::new(
                "metrics, `histogram!` and Prometheus recorder",
                record,
                held(format!("{name}_count")),
            )
        }
    }
}

fn name(kind: Kind, series: Series) -> &'static str {
    match (kind, series) {
        (Kind::Counter, Series::One) => "one_total",
        (Kind::Counter, Series::Hundred) => "hundred_total",
        (Kind::Counter, Series::Many) => "many_total",
        (Kind::Counter, Series::LongOne) => "long_one_total",
        (Kind::Counter, Series::Long) => "long_total",
        (Kind::Gauge, Series::One) => "one_size",
        (Kind::Gauge, Series::Hundred) => "hundred_size",
        (Kind::Gauge, Series::Many) => "many_size",
        (Kind::Gauge, Series::LongOne) => "long_one_size",
        (Kind::Gauge, Series::Long) => "long_size",
        (Kind::Histogram, Series::One) => "one_seconds",
        (Kind::Histogram, Series::Hundred) => "hundred_seconds",
        (Kind::Histogram, Series::Many) => "many_seconds",
        (Kind::Histogram, Series::LongOne) => "long_one_seconds",
        (Kind::Histogram, Series::Long) => "long_seconds",
    }
}

/// The recorder of this process, which the macros write to.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(BOUNDARIES)
            .expect("boundaries")
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).expect("the first recorder");
        handle
    })
}
