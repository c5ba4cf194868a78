//! Macros of `rustok-telemetry`: declare metrics as function signatures, and instrument functions.
//!
//! Use them through `rustok-telemetry`, which re-exports them and holds what the generated code calls.
//!
//! ```text
//! #[rustok_telemetry::metrics(namespace = "shop", subsystem = "basket")]
//! pub mod basket {
//!     /// Goods put into baskets.
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

/// Declares metrics: each function without a body in the module becomes a metric and the function that records it.
///
/// ```text
/// #[rustok_telemetry::metrics(namespace = "shop", subsystem = "basket")]
/// pub mod basket {
///     use rustok_telemetry::metrics::FAST_SECONDS;
///
///     /// Goods put into baskets.
///     #[counter(name = "goods_added_total")]
///     pub fn record_goods_added(category: &str, #[label(budget = 500)] tenant_id: &str);
///
///     /// Baskets that are open.
///     #[gauge(name = "open")]
///     pub fn update_open(shop: &str, baskets: i64);
///
///     /// Time that a checkout took.
///     #[histogram(name = "checkout_duration_seconds", boundaries = FAST_SECONDS)]
///     pub fn record_checkout_duration(payment: &str, seconds: f64);
///
///     /// Share of baskets that were left behind.
///     #[observable_gauge(name = "abandoned_ratio", unit = "1", observe = super::report_abandoned)]
///     fn abandoned_ratio(shop: &str) -> f64;
/// }
/// ```
///
/// A metric's full name is `namespace`, `subsystem` (which may be absent) and `name`, joined by `_`.
/// The doc comment's first paragraph is the metric's help text.
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
/// `crate = acme::telemetry` beside `namespace` says where `rustok_telemetry` is, if the manifest renames it or another
/// crate re-exports it. The path is looked up within the module.
///
/// # Options
///
/// - `name = "…"`: lower-case words joined by `_`. A counter's name ends in `_total`, and no other kind's does.
/// - `unit = "…"`: as in UCUM. From the name when absent: `…_seconds` gives `s`, `…_bytes` gives `By`.
/// - `series = N`: the most label sets that the metric may have. From the labels' budgets when absent.
/// - `without_total`: this counter's name does not end in `_total`.
/// - `boundaries = …`: the histogram's bucket boundaries, a constant of type `&[f64]` or a list `[0.1, 1.0]`.
/// - `also = path`: a function that is called with the same arguments after recording, if the record was taken.
/// - `observe = path`: a function that reports the values when metrics are collected:
///   `fn report(observe: &mut dyn FnMut([&str; N], T))` for `N` labels and values of type `T`.
///
/// # Parameters
///
/// A `&str` or `impl LabelValue` is a label. The value is the last parameter, and a number.
/// `#[label(name = "path", budget = 50)]` gives a label another name, or another budget of distinct values than 100.
///
/// Other attributes (`#[cfg]`, `#[deprecated]`) stay on the function, and other items stay in the module, as written.
/// Every mistake is reported in one compile, and says what would be right.
///
/// # Timers
///
/// A histogram of seconds (unit `s`, value `f64`) gets a second function, which starts a timer:
/// `time_checkout_duration("card")` beside `record_checkout_duration("card", 0.3)`. `time_` takes the place of `record_`,
/// or is put in front of another name. The timer takes the same labels, an `impl LabelValue` by reference, and records
/// when it is dropped or stopped, as the recording function does, `also` included. Another function of that name in the
/// module is a mistake.
#[proc_macro_attribute]
pub fn metrics(arguments: TokenStream, item: TokenStream) -> TokenStream {
    metrics::expand(arguments.into(), item.into()).into()
}

/// Makes each call of a function a span, and counts how the calls end.
///
/// It is for functions and methods, asynchronous or not, in traits' implementations (with `#[async_trait]`, too), with
/// generics and `impl Trait`. It takes the options of `tracing::instrument`, but **an argument is recorded only when it
/// is named**: no password gets into a trace because somebody forgot to leave it out.
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
/// - `name = "…"`: the span's name, the metrics' `operation`. The function's name when absent. `"…"` alone does, too.
/// - `level = "debug"`: text, a number from 1 to 5, or a constant. `info` when absent.
/// - `target = "…"`: the module's path when absent.
/// - `parent = expression`: a span or its id, instead of the current one.
/// - `follows_from = expression`: spans or ids, as an iterator.
/// - `record(id, user.name, self.shop, pair.0, %order, ?filter)`: arguments, and fields of arguments, to record. The path
///   is the field's name: `user.name`, `self.shop`. Method calls and other values are `fields(…)`.
///   The type decides how: numbers and `bool` as they are; text (`&str`, `String`, `Cow<str>`, `Arc<str>`, …) without
///   quotes; an `Option` by its value, and not at all if it is `None`; other types by `Debug`. `%` takes `Display`, `?`
///   takes `Debug`. In a generic function, a `T: Debug` is recorded by `Debug`.
/// - `fields(order.id = order.id(), %user, late)`: other fields, in the syntax of `tracing`. A name alone is a field that
///   gets its value later.
/// - `tenant_id = expression`: the field `tenant_id`, by which spans are counted. `None` is no tenant. `%` and `?` are
///   possible here, too.
/// - `module = "catalog"`: each error is counted in `rustok_module_errors_total`, with `severity = "…"`, which is `error`
///   when absent. A call that passes on the error of another that has a `module` counts it again: name the module where
///   its work begins.
/// - `err`, `err(Debug)`, `err(level = "warn")`: an event of level `error` with the error, within the span. The error's
///   text is also the description of the span's status.
/// - `ret`, `ret(Display)`, `ret(level = "debug")`: an event of the span's level with the returned value; together with
///   `err` only with that of an `Ok`.
/// - `crate = acme::telemetry`: where `rustok_telemetry` is, if the manifest renames it or another crate re-exports it.
///
/// `skip(…)` and `skip_all` are accepted, so that a function annotated with `tracing::instrument` compiles. They change
/// nothing, since only named arguments are recorded.
///
/// # How a call ends
///
/// | outcome | when | span | metrics |
/// |---|---|---|---|
/// | ok | it returned | | |
/// | error | it returned `Err` | `otel.status_code = "ERROR"`, `otel.status_description`, `error.type` | `rustok_spans_with_errors_total`, and `rustok_module_errors_total` with `module` |
/// | panic | it unwound | the same, `error.type = "panic"`, and an event `exception` | the same, with severity `critical` |
/// | cancelled | its future was dropped before it was done | `rustok.outcome = "cancelled"` | `rustok_spans_cancelled_total` |
///
/// A future that was never polled has not started: it has no span and is not counted. What a span that its level filters
/// out would have counted is not counted either, apart from the errors of the module.
///
/// The description of the status is the error's type, or with `err` the error's text. A field
/// `otel.status_description` of the function's own stays as it is.
///
/// The innermost span that a panic unwinds through gets the event `exception` with the message and the place, and there
/// is one log event of level `error`, with the target `rustok_telemetry::panic`. The message is what Rust prints on
/// standard error; both need the panic hook that `rustok_telemetry::init` installs.
///
/// An event of level `error` that happens directly in the span makes it an error for the span metrics and in the trace,
/// whatever the call returns.
///
/// # What is an error
///
/// Any `Result`, whatever it is called (`crate::Result<T>`, `io::Result<T>`): the type decides, not its name. Behind
/// `impl Trait` it is found, too. In a generic function, a `T` that happens to be a `Result` is not known to be one.
/// A function that returns a future is asynchronous if it ends in `Box::pin(async move { … })` or `async move { … }`.
///
/// # `#[track_caller]`
///
/// Above or below, it has its effect: in the function's body, and for panics in it. A `?` or `return` among the arguments
/// of a macro, as in `println!("{}", load()?)`, is then an error of the type `error` if the function returns a
/// `Result`, and else ok.
///
/// # `error.type`
///
/// What the error says, if it implements `ErrorType`, for which there is a derive. Else the type's name in snake case,
/// without path and generics: `ParseIntError` is `parse_int_error`. A type called just `Error` gets its crate's name, or
/// its module's in the standard library: `sqlx_error`, `io_error`. Of a `Box` or an `Arc`, what is within counts;
/// `Box<dyn Error>` is `error`. In a generic function `E` needs the bound `E: ErrorType` to say its own name.
#[proc_macro_attribute]
pub fn instrument(arguments: TokenStream, item: TokenStream) -> TokenStream {
    instrument::expand(arguments.into(), item.into()).into()
}

/// Gives each variant of an error a name, for `error.type` on spans and `error_type` in metrics.
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
/// A variant has its name in snake case, a struct that of its type. `#[error_type("…")]` gives another.
/// `#[error_type(transparent)]`, on a variant or struct with one field, takes the name of the error within, which
/// implements `ErrorType` itself. `#[error_type(crate = acme::telemetry)]` on the type says where `rustok_telemetry` is.
#[proc_macro_derive(ErrorType, attributes(error_type))]
pub fn derive_error_type(item: TokenStream) -> TokenStream {
    error_type::expand(item.into()).into()
}

/// Makes an enum without fields the values of a label.
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
/// A variant has its name in snake case. `#[label("…")]` gives another; no two variants have the same.
/// `#[label_value(crate = acme::telemetry)]` on the enum says where `rustok_telemetry` is.
#[proc_macro_derive(LabelValue, attributes(label, label_value))]
pub fn derive_label_value(item: TokenStream) -> TokenStream {
    label_value::expand(item.into()).into()
}
