//! How one signal is sent by OTLP.

use std::time::Duration;

use super::{
    Compression, Endpoint, Headers, Protocol, Rules, Setting, Source, TlsConfig, Visitor, mask_url,
    settings, table_name, timeout,
};
use super::{rules::Value, tls::TLS_DISABLED, tls::visit_tls};

settings! {
    /// How one signal is sent by OTLP. A signal's own variables win over the general ones.
    pub struct OtlpConfig(signal: Signal) {
        /// The signal.
        signal: Signal = is(signal),
        /// The protocol.
        protocol: Setting<Protocol> = setting("protocol", signal.variables("PROTOCOL"), Protocol::default()),
        /// Headers of each request.
        headers: Setting<Headers> = setting("headers", signal.variables("HEADERS"), Headers::default()),
        /// Maximum duration of one export. `None`: no limit.
        timeout: Setting<Option<Duration>> =
            setting("timeout", signal.variables("TIMEOUT"), Some(Duration::from_secs(10)), timeout()),
        /// Compression of requests.
        compression: Setting<Compression> =
            setting("compression", signal.variables("COMPRESSION"), Compression::None),
        /// Whether gRPC is without TLS where the endpoint has no scheme.
        insecure: Setting<bool> = setting("insecure", signal.variables("INSECURE"), false),
        /// The configured endpoint. [`OtlpConfig::url`] is what to connect to.
        endpoint: Setting<Endpoint> = by("", visit_endpoint, signal, protocol.value, insecure.value),
        /// Certificates and keys, for `https://`.
        tls: TlsConfig = by("", visit_tls, signal),
    }
}

impl OtlpConfig {
    /// Returns the URL to connect to: the endpoint with the signal's path, or without any path for gRPC.
    /// Its query may contain a secret; print [`OtlpConfig::shown_url`] instead.
    pub fn url(&self) -> String {
        let (protocol, insecure) = (self.protocol.value, self.insecure.value);
        self.endpoint.value.url(self.signal, protocol, insecure)
    }

    /// Returns [`OtlpConfig::url`] with secrets masked.
    pub fn shown_url(&self) -> String {
        mask_url(&self.url())
    }

    /// Whether the exporter connects with TLS.
    pub fn is_secure(&self) -> bool {
        self.endpoint.value.tls().unwrap_or(!self.insecure.value)
    }
}

/// Visits the endpoint. The general one gets the signal's path; the signal's own is used unchanged.
fn visit_endpoint(
    old: Option<&Setting<Endpoint>>,
    visitor: &mut Visitor<'_>,
    signal: Signal,
    protocol: Protocol,
    insecure: bool,
) -> Setting<Endpoint> {
    let names = signal.variables("ENDPOINT");
    let rules = Rules::new()
        .parse(|text| {
            let endpoint = <Endpoint as Value>::parse(text)?;
            scheme_missing(&endpoint, protocol).map_or(Ok(endpoint), Err)
        })
        .check(|endpoint: &Endpoint| {
            scheme_missing(endpoint, protocol).or_else(|| {
                let why = TLS_DISABLED.filter(|_| endpoint.tls().unwrap_or(!insecure))?;
                Some(format!("this is with TLS. {why}"))
            })
        });
    let mut endpoint = visitor.setting(old, "url", &names, Endpoint::default(), &rules);
    if endpoint.source == Source::Environment(names[1]) {
        endpoint.value.for_all_signals();
    }
    endpoint
}

/// Returns an error for an HTTP endpoint without a scheme. gRPC endpoints need none.
fn scheme_missing(endpoint: &Endpoint, protocol: Protocol) -> Option<String> {
    let missing = protocol == Protocol::HttpProtobuf && endpoint.tls().is_none();
    let why = format!("the scheme is missing; write http://{endpoint}");
    missing.then(|| why.trim_end_matches('/').to_owned())
}

/// A signal of OpenTelemetry.
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
    /// Returns the path of its requests with `http/protobuf`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// Returns its name in variables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }

    /// Returns the names of its own variable and of the general one, of which `setting` is the end.
    pub(super) fn variables(self, setting: &str) -> [&'static str; 2] {
        [
            table_name(&["OTEL_EXPORTER_OTLP_", self.name(), "_", setting]),
            table_name(&["OTEL_EXPORTER_OTLP_", setting]),
        ]
    }
}
