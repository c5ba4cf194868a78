//! PromQL that knows what it refers to.
//!
//! [`Scope`] looks metrics up, and narrows each to what the dashboard's variables have selected. The kind of a metric
//! decides what can be asked: only a [`Counter`] has a rate, only a [`Histogram`] has quantiles. An [`Expr`] carries
//! the labels of its result and every problem found on the way.

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
