//! How one signal is sent by OTLP.

use std::time::Duration;

use super::choice::{Choice, choice};
use super::endpoint::Endpoint;
use super::env::Reader;
use super::headers::Headers;
use super::parse;
use super::setting::Setting;
use super::variables::mask_url;

/// How one signal is sent by OTLP. A signal's own variables win over the general ones.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpConfig {
    /// Which signal this is.
    pub signal: Signal,
    /// Where it is sent. [`OtlpConfig::url`] is what to connect to.
    pub endpoint: Setting<Endpoint>,
    /// How it is sent.
    pub protocol: Setting<Protocol>,
    /// Headers of each request.
    pub headers: Setting<Headers>,
    /// Longest time that one export may take. `None`: no limit.
    pub timeout: Setting<Option<Duration>>,
    /// How requests are compressed.
    pub compression: Setting<Compression>,
}

impl OtlpConfig {
    /// The URL to connect to: the endpoint with the signal's path, or without any path for gRPC.
    /// It may hold a secret in its query; [`OtlpConfig::shown_url`] is for printing.
    pub fn url(&self) -> String {
        self.endpoint.url(self.signal, *self.protocol)
    }

    /// [`OtlpConfig::url`] with secrets masked.
    pub fn shown_url(&self) -> String {
        mask_url(&self.url())
    }

    pub(super) fn read(reader: &mut Reader, signal: Signal) -> Self {
        let own = signal.variables();
        let endpoint = [own.endpoint, GENERAL.endpoint];
        let timeout = Some(Duration::from_secs(10));
        Self {
            signal,
            endpoint: reader.first_of(endpoint, Endpoint::default(), |name, text| {
                let parsed = match name == GENERAL.endpoint {
                    true => Endpoint::base(text),
                    false => Endpoint::exact(text),
                };
                parsed.map_err(|error| error.to_string())
            }),
            protocol: reader.first_of(
                [own.protocol, GENERAL.protocol],
                Protocol::HttpProtobuf,
                |_, text| Protocol::parse(text),
            ),
            headers: reader.first_of(
                [own.headers, GENERAL.headers],
                Headers::default(),
                |_, text| Headers::parse(text).map_err(|error| error.to_string()),
            ),
            timeout: reader.first_of([own.timeout, GENERAL.timeout], timeout, |_, text| {
                parse::timeout(text)
            }),
            compression: reader.first_of(
                [own.compression, GENERAL.compression],
                Compression::None,
                |_, text| Compression::parse(text),
            ),
        }
    }
}

/// A kind of telemetry that OTLP carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metrics.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// The path of its requests with `http/protobuf`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// The names of its own variables.
    pub(super) fn variables(self) -> &'static OtlpVariables {
        match self {
            Self::Traces => &TRACES,
            Self::Metrics => &METRICS,
            Self::Logs => &LOGS,
        }
    }
}

/// How OTLP is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP.
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

choice!(Protocol {
    accepted { "http/protobuf" => HttpProtobuf, "grpc" => Grpc }
    refused { "http/json" => "OTLP is sent as protobuf" }
});

/// How requests are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
}

choice!(Compression {
    accepted { "none" => None }
    refused { "gzip" => NO_COMPRESSION, "zstd" => NO_COMPRESSION }
});

const NO_COMPRESSION: &str = "compression is not built in";

/// The names of the variables for one signal, or for all of them.
pub(super) struct OtlpVariables {
    pub(super) endpoint: &'static str,
    pub(super) protocol: &'static str,
    headers: &'static str,
    timeout: &'static str,
    compression: &'static str,
}

macro_rules! names {
    ($signal:literal) => {
        OtlpVariables {
            endpoint: concat!("OTEL_EXPORTER_OTLP_", $signal, "ENDPOINT"),
            protocol: concat!("OTEL_EXPORTER_OTLP_", $signal, "PROTOCOL"),
            headers: concat!("OTEL_EXPORTER_OTLP_", $signal, "HEADERS"),
            timeout: concat!("OTEL_EXPORTER_OTLP_", $signal, "TIMEOUT"),
            compression: concat!("OTEL_EXPORTER_OTLP_", $signal, "COMPRESSION"),
        }
    };
}

pub(super) static GENERAL: OtlpVariables = names!("");
static TRACES: OtlpVariables = names!("TRACES_");
static METRICS: OtlpVariables = names!("METRICS_");
static LOGS: OtlpVariables = names!("LOGS_");
