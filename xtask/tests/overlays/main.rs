//! The Collector's overlays, on the real program: who may send, what can be read on the way, and what is printed.

mod certificates;
mod client;
mod collector;
mod debug;
mod mtls;
mod tap;
mod tls;
mod token;
mod told;
