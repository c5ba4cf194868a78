//! The Prometheus text format and OpenMetrics: encoder, SDK reader, HTTP response and server.

mod accept;
pub(crate) mod encoder;
pub(crate) mod reader;
pub(crate) mod response;
pub(crate) mod server;
pub(crate) mod text;
