//! How one signal is sent by OTLP.

use std::time::Duration;

use super::choice::Choice;
use super::endpoint::Endpoint;
use super::env::Reader;
use super::headers::Headers;
use super::parse;
use super::protocol::{Compression, Protocol};
use super::setting::Setting;
use super::setting_diagnostic::SettingDiagnostic;
use super::tls::{TLS_DISABLED, TlsConfig, TlsVariables};
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
    /// Whether gRPC goes without TLS where the endpoint has no scheme.
    pub insecure: Setting<bool>,
    /// Certificates and keys, for `https://`.
    pub tls: TlsConfig,
}

impl OtlpConfig {
    /// The URL to connect to: the endpoint with the signal's path, or without any path for gRPC.
    /// It may hold a secret in its query; [`OtlpConfig::shown_url`] is for printing.
    pub fn url(&self) -> String {
        self.endpoint
            .value
            .url(self.signal, self.protocol.value, self.insecure.value)
    }

    /// [`OtlpConfig::url`] with secrets masked.
    pub fn shown_url(&self) -> String {
        mask_url(&self.url())
    }

    /// Whether it is sent with TLS.
    pub fn is_secure(&self) -> bool {
        self.endpoint.value.tls().unwrap_or(!self.insecure.value)
    }

    pub(super) fn read(reader: &mut Reader, signal: Signal) -> Self {
        let own = signal.variables();
        let timeout = Some(Duration::from_secs(10));
        let protocol = reader.first_of(
            [own.protocol, GENERAL.protocol],
            Protocol::default(),
            |_, text| Protocol::parse(text),
        );
        let config = Self {
            signal,
            endpoint: reader.first_of(
                [own.endpoint, GENERAL.endpoint],
                Endpoint::default(),
                |name, text| endpoint(name, text, protocol.value),
            ),
            protocol,
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
            insecure: reader.first_of([own.insecure, GENERAL.insecure], false, |_, text| {
                parse::boolean(text)
            }),
            tls: TlsConfig::read(reader, &own.tls, &GENERAL.tls),
        };
        for diagnostic in config.setting_diagnostics() {
            diagnostic.refuse(reader);
        }
        config
    }

    /// What cannot be used, or not together, wherever it came from.
    pub(super) fn setting_diagnostics(&self) -> Vec<SettingDiagnostic> {
        let own = self.signal.variables();
        let mut setting_diagnostics = self.tls.setting_diagnostics(&own.tls);
        setting_diagnostics.extend(SettingDiagnostic::of(
            own.protocol,
            &self.protocol,
            self.protocol.value.left_out(),
        ));
        setting_diagnostics.extend(SettingDiagnostic::of(
            own.compression,
            &self.compression,
            self.compression.value.left_out(),
        ));
        setting_diagnostics.extend(SettingDiagnostic::of(
            own.endpoint,
            &self.endpoint,
            self.endpoint_fault(),
        ));
        setting_diagnostics
    }

    /// Puts the specification's default in the place of each value that cannot be used.
    pub(super) fn apply_defaults(&mut self) {
        let own = self.signal.variables();
        if !self.tls.setting_diagnostics(&own.tls).is_empty() {
            self.tls = TlsConfig::default();
        }
        if self.protocol.value.left_out().is_some() {
            self.protocol = Setting::default_value(Protocol::default());
        }
        if self.compression.value.left_out().is_some() {
            self.compression = Setting::default_value(Compression::None);
        }
        if self.endpoint_fault().is_some() {
            self.endpoint = Setting::default_value(Endpoint::default());
        }
    }

    fn endpoint_fault(&self) -> Option<String> {
        scheme_missing(&self.endpoint.value, self.protocol.value).or_else(|| {
            let why = TLS_DISABLED.filter(|_| self.is_secure())?;
            Some(format!("this is with TLS. {why}"))
        })
    }
}

/// The general endpoint gets each signal's path; a signal's own is used as it is.
fn endpoint(name: &'static str, text: &str, protocol: Protocol) -> Result<Endpoint, String> {
    let parsed = match name == GENERAL.endpoint {
        true => Endpoint::base(text),
        false => Endpoint::exact(text),
    };
    let endpoint = parsed.map_err(|error| error.to_string())?;
    scheme_missing(&endpoint, protocol).map_or(Ok(endpoint), Err)
}

/// gRPC's endpoints need no scheme, those of HTTP do.
fn scheme_missing(endpoint: &Endpoint, protocol: Protocol) -> Option<String> {
    let missing = protocol == Protocol::HttpProtobuf && endpoint.tls().is_none();
    missing.then(|| {
        let shown = endpoint.to_string();
        format!(
            "the scheme is missing; write http://{}",
            shown.trim_end_matches('/')
        )
    })
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

/// The names of the variables for one signal, or for all of them.
pub(super) struct OtlpVariables {
    pub(super) endpoint: &'static str,
    pub(super) protocol: &'static str,
    headers: &'static str,
    timeout: &'static str,
    compression: &'static str,
    pub(super) insecure: &'static str,
    tls: TlsVariables,
}

macro_rules! names {
    ($signal:literal) => {
        OtlpVariables {
            endpoint: concat!("OTEL_EXPORTER_OTLP_", $signal, "ENDPOINT"),
            protocol: concat!("OTEL_EXPORTER_OTLP_", $signal, "PROTOCOL"),
            headers: concat!("OTEL_EXPORTER_OTLP_", $signal, "HEADERS"),
            timeout: concat!("OTEL_EXPORTER_OTLP_", $signal, "TIMEOUT"),
            compression: concat!("OTEL_EXPORTER_OTLP_", $signal, "COMPRESSION"),
            insecure: concat!("OTEL_EXPORTER_OTLP_", $signal, "INSECURE"),
            tls: TlsVariables {
                certificate: concat!("OTEL_EXPORTER_OTLP_", $signal, "CERTIFICATE"),
                client_certificate: concat!("OTEL_EXPORTER_OTLP_", $signal, "CLIENT_CERTIFICATE"),
                client_key: concat!("OTEL_EXPORTER_OTLP_", $signal, "CLIENT_KEY"),
            },
        }
    };
}

pub(super) static GENERAL: OtlpVariables = names!("");
static TRACES: OtlpVariables = names!("TRACES_");
static METRICS: OtlpVariables = names!("METRICS_");
static LOGS: OtlpVariables = names!("LOGS_");
