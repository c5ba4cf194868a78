//! Macros of `rustok-telemetry`: metrics declared as function signatures, and instrumented functions.
//!
//! Use them through `rustok-telemetry`, which re-exports them and has the runtime of the generated code.
//!
//! ```text
//! #[rustok_telemetry::metrics(namespace = "shop", subsystem = "basket")]
//! pub mod basket {
//!     /// Goods added to baskets.
//!     #[counter(name = "goods_added_total")]
//!     pub fn record_goods_added(category: &str, #[label(budget = 500)] tenant_id: &str);
//! }
//!
//! basket::record_goods_added("books", "acme");
//! ```

mod error_type;
mod instrument;
mod label_value;
mod metrics;
mod root;
mod snake_case;

use proc_macro::TokenStream;

/// Declares metrics: each function without a body in the module becomes a metric and a function that records it.
///
/// ```text
/// #[rustok_telemetry::metrics(namespace = "shop", subsystem = "basket")]
/// pub mod basket {
///     use rustok_telemetry::metrics::FAST_SECONDS;
///
///     /// Goods added to baskets.
///     #[counter(name = "goods_added_total")]
///     pub fn record_goods_added(category: &str, #[label(budget = 500)] tenant_id: &str);
///
///     /// Open baskets.
///     #[gauge(name = "open")]
///     pub fn update_open(shop: &str, baskets: i64);
///
///     /// Duration of a checkout.
///     #[histogram(name = "checkout_duration_seconds", boundaries = FAST_SECONDS)]
///     pub fn record_checkout_duration(payment: &str, seconds: f64);
///
///     /// Share of baskets that were abandoned.
///     #[observable_gauge(name = "abandoned_ratio", unit = "1", observe = super::report_abandoned)]
///     fn abandoned_ratio(shop: &str) -> f64;
/// }
/// ```
///
/// The full name of a metric is `namespace`, `subsystem` (optional) and `name`, joined by `_`. Its help text is the
/// first paragraph of the doc comment.
///
/// # Kinds
///
/// | attribute | value | options besides `name`, `unit`, `series` |
/// |---|---|---|
/// | `#[counter]` | `u64`, `f64`, or none to add 1 | `without_total`, `also` |
/// | `#[gauge]` | `i64`, `u64`, `f64` | `also` |
/// | `#[up_down_counter]` | `i64`, `f64` | `also` |
/// | `#[histogram]` | `f64`, `u64` | `boundaries`, `also` |
/// | `#[observable_gauge]` | returns `i64`, `u64`, `f64` | `observe` |
/// | `#[observable_counter]` | returns `u64`, `f64` | `observe`, `without_total` |
///
/// If the manifest renames `rustok_telemetry` or another crate re-exports it, set its path with
/// `crate = acme::telemetry` beside `namespace`. The path is resolved within the module.
///
/// # Options
///
/// - `name = "…"`: lower-case words joined by `_`. The names of counters, and only they, end in `_total`.
/// - `unit = "…"`: the unit in UCUM notation. By default it is derived from the name: `s` for `…_seconds`, `By` for
///   `…_bytes`.
/// - `series = N`: the maximum number of series. By default it is derived from the label budgets.
/// - `without_total`: allows a counter whose name does not end in `_total`.
/// - `boundaries = …`: the bucket boundaries of a histogram, a constant of type `&[f64]` or a list `[0.1, 1.0]`.
/// - `also = path`: a function that is called with the same arguments after a value has been recorded.
/// - `observe = path`: the callback of an observable, called at each collection:
///   `fn report(observe: &mut dyn FnMut([&str; N], T))` for `N` labels and values of type `T`.
///
/// # Parameters
///
/// A parameter is a label if its type is `&str`, an enum that implements [`LabelValue`](derive@LabelValue), or
/// `impl LabelValue`. The last parameter, a number, is the value.
/// `#[label(name = "path", budget = 50)]` sets the name of a label, which is the parameter's by default, and its budget
/// of distinct values, which is 100 by default.
///
/// A single metric needs no module: `#[metrics::counter(name = "shop_goods_added_total")]` and the attributes of the other
/// kinds declare it on a function alone, by its full name.
///
/// Other attributes (`#[cfg]`, `#[deprecated]`) stay on the function, and other items stay in the module. All errors
/// are reported in one compilation, each with a suggestion.
///
/// # Timers
///
/// A histogram of seconds (unit `s`, value `f64`) also gets a function that starts a timer:
/// `time_checkout_duration("card")` beside `record_checkout_duration("card", 0.3)`. `time_` replaces `record_`, or is
/// prepended to another name. The function takes the same labels, an enum by reference. When the timer is
/// stopped or dropped, it records like the recording function, `also` included. It is an error if the module has
/// another function with that name.
#[proc_macro_attribute]
pub fn metrics(arguments: TokenStream, item: TokenStream) -> TokenStream {
    metrics::expand(arguments.into(), item.into()).into()
}

macro_rules! alone {
    ($($kind:ident: $variant:ident, $example:literal;)*) => {$(
        #[doc = concat!("Declares one metric: the same as `#[", stringify!($kind), "]` in a module with")]
        /// [`#[metrics]`](macro@metrics), with the full name of the metric.
        ///
        /// ```text
        #[doc = $example]
        /// ```
        ///
        /// Kinds, options and parameters are those of [`metrics`](macro@metrics). `crate = acme::telemetry` sets the
        /// path of `rustok_telemetry`.
        #[proc_macro_attribute]
        pub fn $kind(arguments: TokenStream, item: TokenStream) -> TokenStream {
            metrics::alone::expand(metrics::kind::Kind::$variant, arguments.into(), item.into()).into()
        }
    )*};
}

alone! {
    counter: Counter, "/// Goods added to baskets.\n#[metrics::counter(name = \"shop_goods_added_total\")]\nfn record_goods_added(category: &str);";
    gauge: Gauge, "/// Open baskets.\n#[metrics::gauge(name = \"shop_baskets_open\")]\nfn update_open(shop: &str, baskets: i64);";
    up_down_counter: UpDownCounter, "/// Open connections.\n#[metrics::up_down_counter(name = \"shop_connections\")]\nfn add_connections(change: i64);";
    histogram: Histogram, "/// Duration of a checkout.\n#[metrics::histogram(name = \"shop_checkout_seconds\", boundaries = metrics::FAST_SECONDS)]\nfn record_checkout(payment: &str, seconds: f64);";
    observable_gauge: ObservableGauge, "/// Share of baskets that were abandoned.\n#[metrics::observable_gauge(name = \"shop_abandoned_ratio\", observe = report_abandoned)]\nfn abandoned_ratio(shop: &str) -> f64;";
    observable_counter: ObservableCounter, "/// Messages that were lost.\n#[metrics::observable_counter(name = \"shop_lost_total\", observe = report_lost)]\nfn lost(queue: &str) -> u64;";
}

/// Makes each call of a function a span and counts its outcome.
///
/// Supports functions and methods, asynchronous or not, in trait implementations (also with `#[async_trait]`), with
/// generics and `impl Trait`. The options are those of `tracing::instrument`, but **an argument is recorded only if it
/// is named**, so that no secret gets into a trace by accident.
///
/// ```
/// use rustok_telemetry::{ErrorType, instrument};
///
/// #[derive(Debug, ErrorType)]
/// enum CatalogError {
///     NotFound,
/// }
///
/// #[instrument(record(sku), tenant_id = tenant, module = "catalog", severity = "warning")]
/// async fn load(tenant: &str, sku: u64, password: &str) -> Result<String, CatalogError> {
///     if sku == 0 { Err(CatalogError::NotFound) } else { Ok(format!("product {sku} of {tenant}")) }
/// }
/// # let _ = load("acme", 1, "hunter2");
/// ```
///
/// # Options
///
/// - `name = "…"` or `"…"`: the name of the span, and the `operation` of the metrics; by default the function's name.
/// - `level = "debug"`: a string, a number from 1 to 5, or a constant; by default `info`.
/// - `target = "…"`: by default the path of the module.
/// - `parent = expression`: a span or its id, instead of the current span.
/// - `follows_from = expression`: an iterator of spans or ids.
/// - `record(id, user.name, self.shop, pair.0, %order, ?filter)`: arguments and fields of arguments to record. The path
///   is the name of the field: `user.name`, `self.shop`. Use `fields(…)` for method calls and other values. Numbers and
///   `bool` keep their type; text (`&str`, `String`, `Cow<str>`, `Arc<str>`, …) is recorded without quotes; an `Option`
///   as its value, and not at all if it is `None`; other types by `Debug`. `%` uses `Display`, `?` uses `Debug`. In a
///   generic function, a `T: Debug` is recorded by `Debug`.
/// - `fields(order.id = order.id(), %user, late)`: other fields, in the syntax of `tracing`. A name alone declares a
///   field whose value is recorded later.
/// - `tenant_id = expression`: the field `tenant_id`, the label of the span metrics. `None` is no tenant. `%` and `?`
///   are supported.
/// - `module = "catalog"`: counts each error in `rustok_module_errors_total`, with `severity = "…"`, by default
///   `error`. A function that returns the error of another one with a `module` counts it again, so set it on the
///   outermost function of a module.
/// - `err`, `err(Debug)`, `err(level = "warn")`: emits an event with the error in the span, by default of level
///   `error`. The text of the error is also the description of the span's status.
/// - `ret`, `ret(Display)`, `ret(level = "debug")`: emits an event with the returned value, by default of the span's
///   level; together with `err` only with the value of an `Ok`.
/// - `crate = acme::telemetry`: the path of `rustok_telemetry`, if the manifest renames it or another crate re-exports
///   it.
///
/// `skip(…)` and `skip_all` are accepted, so that a function annotated with `tracing::instrument` compiles. They have
/// no effect, because only named arguments are recorded.
///
/// # Outcomes
///
/// | outcome | condition | span | metrics |
/// |---|---|---|---|
/// | ok | returned | | |
/// | error | returned `Err` | `otel.status_code = "ERROR"`, `otel.status_description`, `error.type` | `rustok_spans_with_errors_total`, and `rustok_module_errors_total` with `module` |
/// | panic | panicked | the same, `error.type = "panic"`, and an event `exception` | the same, with severity `critical` |
/// | cancelled | the future was dropped before completion | `rustok.outcome = "cancelled"` | `rustok_spans_cancelled_total` |
///
/// A future that is never polled has no span and is not counted. A span that is disabled by its level is not counted
/// either, but the errors of its module are.
///
/// The description of the status is the type of the error, or with `err` its text. A field `otel.status_description` of
/// the function has precedence.
///
/// The innermost span that a panic unwinds through gets the event `exception` with message and location, and one log
/// event of level `error` is emitted, with the target `rustok_telemetry::panic`. Message and location need the panic
/// hook that `rustok_telemetry::init` installs.
///
/// An event of level `error` directly in the span makes the span an error in metrics and traces, whatever the function
/// returns.
///
/// # Errors of a function
///
/// The returned type decides, not its name: `crate::Result<T>` and `io::Result<T>` are recognized, also behind `impl
/// Trait`. In a generic function, a `T` that is a `Result` is not recognized. A function that returns a future is
/// asynchronous if it ends in `Box::pin(async move { … })` or `async move { … }`.
///
/// # `#[track_caller]`
///
/// The attribute takes effect above or below this one, for the function's body and for panics in it. A `?` or `return`
/// among the arguments of a macro, as in `println!("{}", load()?)`, then counts as an error of the type `error` if the
/// function returns a `Result`, and as ok otherwise.
///
/// # `error.type`
///
/// The name that `ErrorType` returns, if the error implements it; there is a derive. Otherwise the name of the type in
/// snake case, without path and generics: `parse_int_error` for `ParseIntError`. A type called `Error` is prefixed by
/// its crate, or by its module in the standard library: `sqlx_error`, `io_error`. A `Box` or an `Arc` has the name of
/// its content; `Box<dyn Error>` is `error`. In a generic function, `E` needs the bound `E: ErrorType` for its own
/// name.
#[proc_macro_attribute]
pub fn instrument(arguments: TokenStream, item: TokenStream) -> TokenStream {
    instrument::expand(arguments.into(), item.into()).into()
}

/// Implements `ErrorType`: names each variant of an error, for `error.type` on spans and `error_type` in metrics.
///
/// ```
/// use rustok_telemetry::ErrorType;
///
/// #[derive(ErrorType)]
/// struct ConnectionLost;
///
/// #[derive(ErrorType)]
/// enum DatabaseError {
///     Timeout { seconds: u64 },
///     #[error_type("gone")]
///     ConnectionWasClosedByPeer,
///     #[error_type(transparent)]
///     Lost(ConnectionLost),
/// }
///
/// assert_eq!(DatabaseError::Timeout { seconds: 3 }.error_type(), "timeout");
/// assert_eq!(DatabaseError::ConnectionWasClosedByPeer.error_type(), "gone");
/// assert_eq!(DatabaseError::Lost(ConnectionLost).error_type(), "connection_lost");
/// ```
///
/// The name is that of the variant or struct, in snake case; `#[error_type("…")]` sets another one.
/// `#[error_type(transparent)]`, on a variant or struct with one field, uses the name of the inner error, which must
/// implement `ErrorType`. `#[error_type(crate = acme::telemetry)]` on the type sets the path of `rustok_telemetry`.
#[proc_macro_derive(ErrorType, attributes(error_type))]
pub fn derive_error_type(item: TokenStream) -> TokenStream {
    error_type::expand(item.into()).into()
}

/// Implements `LabelValue` for an enum without fields.
///
/// ```
/// use rustok_telemetry::LabelValue;
///
/// #[derive(LabelValue)]
/// enum Outcome {
///     Hit,
///     NotFound,
///     #[label("gone")]
///     Expired,
/// }
///
/// assert_eq!(Outcome::NotFound.as_label(), "not_found");
/// assert_eq!(Outcome::Expired.as_label(), "gone");
/// ```
///
/// The value is the name of the variant, in snake case; `#[label("…")]` sets another one. Values must be unique.
/// `#[label_value(crate = acme::telemetry)]` on the enum sets the path of `rustok_telemetry`.
#[proc_macro_derive(LabelValue, attributes(label, label_value))]
pub fn derive_label_value(item: TokenStream) -> TokenStream {
    label_value::expand(item.into()).into()
}
