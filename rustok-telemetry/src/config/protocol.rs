//! Protocols and compression of OTLP, and the Cargo features that they need.

use super::choice::choice;

/// How OTLP is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP: the Cargo feature `http`.
    HttpProtobuf,
    /// gRPC: the Cargo feature `grpc`.
    Grpc,
}

choice!(Protocol {
    accepted { "http/protobuf" => HttpProtobuf, "grpc" => Grpc }
    refused { "http/json" => "OTLP is sent as protobuf" }
    features { HttpProtobuf: "HTTP" => "http", Grpc: "gRPC" => "grpc" }
});

/// The specification's `http/protobuf`, unless it is disabled at compile time.
impl Default for Protocol {
    fn default() -> Self {
        match cfg!(feature = "http") {
            true => Self::HttpProtobuf,
            false => Self::Grpc,
        }
    }
}

/// How requests are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// No compression.
    None,
    /// gzip, which every OTLP receiver supports.
    Gzip,
    /// zstd: the Cargo feature `zstd`.
    Zstd,
}

choice!(Compression {
    accepted { "none" => None, "gzip" => Gzip, "zstd" => Zstd }
    refused { "deflate" => NOT_OTLP, "snappy" => NOT_OTLP }
    features { Zstd: "zstd" => "zstd" }
});

const NOT_OTLP: &str = "OTLP is compressed by gzip or zstd";
