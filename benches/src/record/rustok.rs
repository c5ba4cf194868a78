//! This SDK, through the functions that a service calls.

use super::{Kind, Series, seconds};
use crate::{
    contender::Contender,
    declared::{held, metrics},
};

pub(super) fn contender(kind: Kind, series: Series) -> Contender {
    match (kind, series) {
        (Kind::Counter, Series::One) => counter(metrics::count_one, series),
        (Kind::Counter, Series::Hundred) => counter(metrics::count_hundred, series),
        (Kind::Counter, Series::Many) => counter(metrics::count_many, series),
        (Kind::Counter, Series::LongOne) => counter(metrics::count_long_one, series),
        (Kind::Counter, Series::Long) => counter(metrics::count_long, series),
        (Kind::Gauge, Series::One) => gauge(metrics::set_one, series),
        (Kind::Gauge, Series::Hundred) => gauge(metrics::set_hundred, series),
        (Kind::Gauge, Series::Many) => gauge(metrics::set_many, series),
        (Kind::Gauge, Series::LongOne) => gauge(metrics::set_long_one, series),
        (Kind::Gauge, Series::Long) => gauge(metrics::set_long, series),
        (Kind::Histogram, Series::One) => histogram(metrics::time_one, series),
        (Kind::Histogram, Series::Hundred) => histogram(metrics::time_hundred, series),
        (Kind::Histogram, Series::Many) => histogram(metrics::time_many, series),
        (Kind::Histogram, Series::LongOne) => histogram(metrics::time_long_one, series),
        (Kind::Histogram, Series::Long) => histogram(metrics::time_long, series),
    }
}

/// Name of the metric that is recorded on.
pub(super) fn name(kind: Kind, series: Series) -> &'static str {
    match (kind, series) {
        (Kind::Counter, Series::One) => "bench_record_one_total",
        (Kind::Counter, Series::Hundred) => "bench_record_hundred_total",
        (Kind::Counter, Series::Many) => "bench_record_many_total",
        (Kind::Counter, Series::LongOne) => "bench_record_long_one_total",
        (Kind::Counter, Series::Long) => "bench_record_long_total",
        (Kind::Gauge, Series::One) => "bench_record_one_size",
        (Kind::Gauge, Series::Hundred) => "bench_record_hundred_size",
        (Kind::Gauge, Series::Many) => "bench_record_many_size",
        (Kind::Gauge, Series::LongOne) => "bench_record_long_one_size",
        (Kind::Gauge, Series::Long) => "bench_record_long_size",
        (Kind::Histogram, Series::One) => "bench_record_one_seconds",
        (Kind::Histogram, Series::Hundred) => "bench_record_hundred_seconds",
        (Kind::Histogram, Series::Many) => "bench_record_many_seconds",
        (Kind::Histogram, Series::LongOne) => "bench_record_long_one_seconds",
        (Kind::Histogram, Series::Long) => "bench_record_long_seconds",
    }
}

const NAME: &str = "**rustok-telemetry**";

fn counter(add: impl Fn(&str, &str) + Clone + Sync + 'static, series: Series) -> Contender {
    let add = move |[event_type, tenant]: [&str; 2], _| add(event_type, tenant);
    Contender::new(NAME, add, move || held(name(Kind::Counter, series)))
}

fn gauge(set: impl Fn(&str, &str, i64) + Clone + Sync + 'static, series: Series) -> Contender {
    let set = move |[event_type, tenant]: [&str; 2], number| set(event_type, tenant, number as i64);
    Contender::new(NAME, set, move || held(name(Kind::Gauge, series)))
}

fn histogram(
    record: impl Fn(&str, &str, f64) + Clone + Sync + 'static,
    series: Series,
) -> Contender {
    let record =
        move |[event_type, tenant]: [&str; 2], set| record(event_type, tenant, seconds(set));
    Contender::new(NAME, record, move || {
        held(&format!("{}_count", name(Kind::Histogram, series)))
    })
}
