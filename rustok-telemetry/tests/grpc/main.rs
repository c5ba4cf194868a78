//! The gRPC layers around a tonic server and a tonic client, over real connections.
#![cfg(all(feature = "testing", feature = "tonic"))]

mod service;
mod table;
