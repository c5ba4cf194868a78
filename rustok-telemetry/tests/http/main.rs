//! The HTTP layer with real connections, bodies of every shape, and what others put around it.
#![cfg(all(feature = "axum", feature = "testing"))]

mod attributes;
mod bodies;
mod compositions;
mod options;
mod routes;
mod streams;
mod support;
