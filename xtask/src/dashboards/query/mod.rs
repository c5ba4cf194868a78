//! PromQL, checked against the catalogue.
//!
//! [`Scope`] looks up metrics, and filters their series by the dashboard's variables. The type of a metric limits the
//! queries: only a [`Counter`] has a rate, only a [`Histogram`] has quantiles. An [`Expr`] contains the labels of its
//! result and all errors.

mod expr;
mod metric;
mod range;
mod scope;
mod third_party;

pub use expr::Expr;
pub use metric::{Counter, Gauge, Histogram, Match};
pub use range::Range;
pub use scope::Scope;
pub use third_party::{THIRD_PARTY, ThirdParty};
