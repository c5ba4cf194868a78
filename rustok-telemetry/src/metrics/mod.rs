//! Metrics: declared once as function signatures, recorded by calling the functions.
//!
//! The functions of this module are the service metrics that every RusToK service has. Each is declared in the file
//! of its domain (`event_bus.rs`, `cache.rs`, …) with the macro [`metrics`](macro@crate::metrics); a service declares
//! its own with the same macro, and both land in one [catalogue](catalogue()).
//!
//! ```
//! use rustok_telemetry::metrics;
//!
//! metrics::record_event_published("ProductCreated", "acme");
//! metrics::update_queue_depth("in_memory", 42);
//! ```
//!
//! Calling them before [`init`](crate::init()) or after shutdown is safe; such records are counted in
//! `rustok_telemetry_records_lost_total`.
//!
//! # Timers
//!
//! Each histogram of seconds has a second function, which starts a [`Timer`]: `time_x` beside `record_x`.
//!
//! ```
//! use rustok_telemetry::metrics;
//!
//! fn build_index() {
//!     let _timer = metrics::time_event_processing_duration("ProductCreated", "index_handler");
//!     // … however this ends, the time that it took is recorded.
//! }
//! # build_index();
//! ```
//!
//! # The journey of a value
//!
//! function → [`Metric::record`](crate::__private::Metric::record) → label budgets and series cache (`series.rs`) →
//! cell (`cell.rs`) → OTLP (`otlp/metrics/`), and [text](crate::prometheus_text).
//!
//! # Label budgets
//!
//! Each label has a budget of distinct values (100 unless declared otherwise). Past it, a new value is recorded as
//! [`OTHER`], while the other labels keep theirs. The number of label sets of a metric is bounded as well
//! ([`Declaration::series_limit`]). What was folded is counted in `rustok_telemetry_label_values_folded_total`. An
//! empty value becomes [`NONE`], since Prometheus takes an empty value for a missing label.

#[cfg(feature = "testing")]
pub(crate) mod capture;
pub(crate) mod catalog;
pub(crate) mod collection;
mod declaration;
pub(crate) mod instrument;
pub(crate) mod label_value;
pub(crate) mod meter_provider;
pub(crate) mod metric;
pub(crate) mod observable;
mod observer_guard;
pub(crate) mod registered;
mod sliding;
pub(crate) mod store;
pub(crate) mod summed;
pub(crate) mod timer;

pub use self::{
    catalog::{
        boundaries::{
            FAST_SECONDS, REQUEST_SECONDS, SIZE_BYTES, STREAM_SECONDS, WAIT_SECONDS,
            assert_boundaries,
        },
        cache::declared::*,
        circuit_breaker::declared::*,
        database::declared::*,
        event_bus::declared::*,
        http::declared::*,
        module::declared::*,
        span::declared::*,
    },
    collection::before_collection,
    declaration::{Declaration, Kind, Label, ValueType, catalogue},
    label_value::LabelValue,
    observer_guard::ObserverGuard,
    timer::Timer,
};
pub(crate) use declaration::duplicates;

/// Value that stands for every value past a label's budget.
pub const OTHER: &str = "other";

/// Value that stands for an empty one.
pub const NONE: &str = "none";

/// Distinct values of a label whose declaration gives no budget.
pub const DEFAULT_LABEL_BUDGET: usize = 100;

/// Label sets of a metric whose declaration gives no limit.
pub const DEFAULT_SERIES_LIMIT: usize = 500;

/// Longest label value in bytes; a longer one is recorded as [`OTHER`].
pub const MAX_LABEL_VALUE_BYTES: usize = 256;
