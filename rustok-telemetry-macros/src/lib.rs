//! Macros of `rustok-telemetry`: declare metrics as function signatures.
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

mod metrics;

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
#[proc_macro_attribute]
pub fn metrics(arguments: TokenStream, item: TokenStream) -> TokenStream {
    metrics::expand(arguments.into(), item.into()).into()
}
