//! The gRPC layers around a tonic server and a tonic client, over real connections.
#![cfg(all(feature = "testing", feature = "tonic"))]

mod context;
mod disconnects;
mod methods;
mod service;
mod table;
