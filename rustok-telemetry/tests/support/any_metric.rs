//! Records on any metric of the catalogue.

use rustok_telemetry::__private::{
    Counter, Gauge, Histogram, Kind, Metric, RegisteredMetric, UpDownCounter,
};

/// Labels of a metric at most.
pub(crate) const MOST_LABELS: usize = 3;

/// The labels of a metric that is recorded, rather than observed.
pub(crate) fn recorded_labels(metric: &dyn RegisteredMetric) -> usize {
    let declaration = metric.declaration();
    match declaration.kind {
        Kind::ObservableCounter | Kind::ObservableGauge => 0,
        _ => declaration.labels.len(),
    }
}

/// Records 1 on a metric with these labels, whatever its type.
///
/// # Panics
///
/// If the metric has another number of labels, more than [`MOST_LABELS`], or another type.
pub(crate) fn record(metric: &dyn RegisteredMetric, labels: &[&str]) {
    macro_rules! record {
        ($($instrument:ty => $value:expr),*) => {
            $(record!(@ $instrument, $value, 1 2 3);)*
        };
        (@ $instrument:ty, $value:expr, $($count:literal)*) => {
            $(if let Some(metric) = metric.as_any().downcast_ref::<Metric<$instrument, $count>>() {
                let labels = labels.try_into().expect("a value for each label");
                assert!(metric.record(labels, $value));
                return;
            })*
        };
    }
    record!(
        Counter<u64> => 1,
        Counter<f64> => 1.0,
        Gauge<i64> => 1,
        Gauge<u64> => 1,
        Gauge<f64> => 1.0,
        UpDownCounter<i64> => 1,
        UpDownCounter<f64> => 1.0,
        Histogram<f64> => 1.0,
        Histogram<u64> => 1
    );
    panic!("{} has another type", metric.declaration().name);
}
