//! The Prometheus text format and OpenMetrics: encoder, HTTP response and server.

mod accept;
pub(crate) mod encoder;
pub(crate) mod response;
pub(crate) mod server;
mod shared;
pub(crate) mod text;
