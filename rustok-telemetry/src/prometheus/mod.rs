//! The Prometheus text format: encoder, HTTP response and server.

mod accept_encoding;
pub(crate) mod encoder;
pub(crate) mod response;
pub(crate) mod server;
pub(crate) mod text;
