//! Protocols and compression of OTLP, and which of them this build has.

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

impl Protocol {
    /// Why it cannot be used, if it is disabled at compile time.
    pub(super) fn disabled(self) -> Option<&'static str> {
        match self {
            Self::HttpProtobuf if !cfg!(feature = "http") => Some(
                "HTTP is disabled in this build: turn on the Cargo feature `http` of rustok-telemetry",
            ),
            Self::Grpc if !cfg!(feature = "grpc") => Some(
                "gRPC is disabled in this build: turn on the Cargo feature `grpc` of rustok-telemetry",
            ),
            Self::HttpProtobuf | Self::Grpc => None,
        }
    }
}

/// How requests are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip, which every receiver of OTLP knows.
    Gzip,
    /// By zstd: the Cargo feature `zstd`.
    Zstd,
}

choice!(Compression {
    accepted { "none" => None, "gzip" => Gzip, "zstd" => Zstd }
    refused { "deflate" => NOT_OTLP, "snappy" => NOT_OTLP }
});

const NOT_OTLP: &str = "OTLP is compressed by gzip or zstd";

impl Compression {
    /// Why it cannot be used, if it is disabled at compile time.
    pub(super) fn disabled(self) -> Option<&'static str> {
        (self == Self::Zstd && !cfg!(feature = "zstd")).then_some(
            "zstd is disabled in this build: turn on the Cargo feature `zstd` of rustok-telemetry",
        )
    }
}
