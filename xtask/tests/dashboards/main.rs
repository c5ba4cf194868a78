//! The committed dashboards hold what they promise. That their queries have data is seen in `end_to_end/dashboards.rs`.

mod alerts;
mod guide;
mod links;
mod other_names;
mod panels;
mod promql;
mod provisioning;
mod queries;
mod schema;

use xtask::dashboards::{file, selectors};
