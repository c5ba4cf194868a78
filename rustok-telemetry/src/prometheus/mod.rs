//! The Prometheus text format: its encoder, the reader that collects for it, and how the text is served.

mod accept_encoding;
pub(crate) mod encoder;
pub(crate) mod reader;
pub(crate) mod response;
pub(crate) mod server;
pub(crate) mod text;
