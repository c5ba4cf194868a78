//! The headers of requests.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT},
};

use crate::config::OtlpConfig;

/// The configured headers, and no others.
///
/// The exporters read the headers of the environment by themselves, decode values a second time, and let them win over
/// what code says. Whatever they have added is taken out here.
#[derive(Debug, Clone)]
pub(super) struct ExactHeaders(HeaderMap);

impl ExactHeaders {
    pub(super) fn of(config: &OtlpConfig) -> Self {
        Self(config.headers.to_header_map())
    }

    pub(super) fn replace_in(&self, headers: &mut HeaderMap) {
        let others = headers
            .keys()
            .filter(|name| !PROTOCOL_HEADERS.contains(name))
            .cloned();
        for name in others.collect::<Vec<_>>() {
            headers.remove(name);
        }
        for (name, value) in &self.0 {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// How an exporter of our own names itself, as the specification of OTLP wants it.
pub(super) const USER_AGENT_VALUE: HeaderValue = HeaderValue::from_static(concat!(
    "OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION"),
    " (rustok-telemetry)"
));

/// What belongs to the protocol and not to the configuration.
const PROTOCOL_HEADERS: [HeaderName; 4] =
    [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, USER_AGENT];
