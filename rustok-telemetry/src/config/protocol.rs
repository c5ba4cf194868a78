//! Protocols and compression of OTLP, and the Cargo features that they need.

use super::choice;

choice! {
    /// How OTLP is sent.
    pub enum Protocol {
        /// Protobuf over HTTP: the Cargo feature `http`.
        "http/protobuf" => HttpProtobuf ["HTTP", "http"],
        /// gRPC: the Cargo feature `grpc`.
        "grpc" => Grpc ["gRPC", "grpc"],
    }
    refused { "http/json" => "OTLP is sent as protobuf", }
}

/// The specification's `http/protobuf`, unless it is disabled at compile time.
impl Default for Protocol {
    fn default() -> Self {
        match cfg!(feature = "http") {
            true => Self::HttpProtobuf,
            false => Self::Grpc,
        }
    }
}

choice! {
    /// How requests are compressed.
    pub enum Compression {
        /// No compression.
        "none" => None,
        /// gzip, which every OTLP receiver supports.
        "gzip" => Gzip,
        /// zstd: the Cargo feature `zstd`.
        "zstd" => Zstd ["zstd", "zstd"],
    }
    refused { "deflate" => NOT_OTLP, "snappy" => NOT_OTLP, }
}

const NOT_OTLP: &str = "OTLP is compressed by gzip or zstd";
