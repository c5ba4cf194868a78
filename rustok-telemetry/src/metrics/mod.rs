//! Metrics: declared once as function signatures, recorded by calling the functions.
//!
//! The functions of this module record the metrics that every RusToK service has. Each is declared in the file of its
//! domain (`catalog/event_bus.rs`, `catalog/cache.rs`, …) with the macro [`metrics`](macro@crate::metrics). Those of the
//! service itself are in the same [catalogue](catalogue()).
//!
//! ```
//! use rustok_telemetry::metrics;
//!
//! metrics::record_event_published("ProductCreated", "acme");
//! metrics::update_queue_depth("in_memory", 42);
//! ```
//!
//! A service declares a metric of its own by its full name, or several [in a module](macro@crate::metrics):
//!
//! ```
//! use rustok_telemetry::metrics;
//!
//! /// Orders placed.
//! #[metrics::counter(name = "shop_orders_placed_total")]
//! fn record_order(channel: &str);
//!
//! record_order("web");
//! ```
//!
//! Records before [`init`](crate::init()) and after shutdown are dropped, and counted by
//! `rustok_telemetry_records_lost_total`.
//!
//! # Timers
//!
//! Each histogram of seconds also has a function that starts a [`Timer`]: `time_x` beside `record_x`.
//!
//! ```
//! use rustok_telemetry::metrics;
//!
//! fn build_index() {
//!     let _timer = metrics::time_event_processing_duration("ProductCreated", "index_handler");
//!     // The timer records when it is dropped: at a return, a `?` or a panic.
//! }
//! # build_index();
//! ```
//!
//! # Label budgets
//!
//! Each label has a budget of distinct values ([`DEFAULT_LABEL_BUDGET`] unless declared otherwise). Beyond it, a new
//! value is folded to [`OTHER`], while the other labels keep their values. The number of series of a metric is bounded
//! as well ([`Declaration::series_limit`]). `rustok_telemetry_label_values_folded_total` counts folded values. An empty
//! value becomes [`NONE`], because an empty label is a missing one in Prometheus.
//!
//! # The path of a value
//!
//! function → [`Metric::record`](crate::__private::Metric::record) → label budgets and series (`store/series.rs`) →
//! cell (`store/cell.rs`) → `snapshot.rs` → OTLP (`otlp/metrics/`) and [Prometheus text](crate::prometheus_text). With
//! a [reader or a view](crate::Builder::with_metric_reader) of the service, the cell is a bound instrument of
//! OpenTelemetry's SDK.

pub(crate) mod bridge;
pub(crate) mod callbacks;
#[cfg(feature = "testing")]
pub(crate) mod capture;
pub(crate) mod catalog;
pub(crate) mod collection;
pub(crate) mod current_span;
mod declaration;
#[cfg(feature = "metrics-facade")]
pub(crate) mod facade;
pub(crate) mod global_meters;
pub(crate) mod instrument;
pub(crate) mod label_value;
pub(crate) mod meter_provider;
pub(crate) mod metric;
pub(crate) mod naming;
pub(crate) mod observable;
mod observer_guard;
pub(crate) mod on_demand_reader;
pub(crate) mod push_reader;
pub(crate) mod registered;
mod sliding;
pub(crate) mod snapshot;
pub(crate) mod store;
pub(crate) mod summed;
pub(crate) mod timer;

pub use rustok_telemetry_macros::{
    counter, gauge, histogram, observable_counter, observable_gauge, up_down_counter,
};

#[cfg(feature = "tonic")]
pub use self::catalog::grpc::declared::*;
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

/// Label value that replaces every new value beyond the label's budget.
pub const OTHER: &str = "other";

/// Label value that replaces an empty one.
pub const NONE: &str = "none";

/// Distinct values of a label whose declaration sets no budget.
pub const DEFAULT_LABEL_BUDGET: usize = 100;

/// Series of a metric whose declaration sets no limit.
pub const DEFAULT_SERIES_LIMIT: usize = 500;

/// Longest label value, in bytes; a longer one is folded to [`OTHER`].
pub const MAX_LABEL_VALUE_BYTES: usize = 256;
