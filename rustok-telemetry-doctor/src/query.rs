//! Queries the HTTP APIs of Jaeger and Prometheus.

use std::{
    env,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls::crypto::ring;
use serde_json::Value;
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};
use url::Url;

use crate::proxy::Proxy;

/// Longest time for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two queries.
const PAUSE: Duration = Duration::from_millis(250);
/// Largest answer, in bytes.
const LIMIT: u64 = 64 << 20;

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Unreachable(#[from] ureq::Error),
    /// With the JSON of the answer, if it is any.
    #[error("the answer has the status {0}")]
    Status(u16, Value),
    #[error("the answer is not the expected JSON")]
    Unexpected,
}

/// An HTTP API with answers in JSON.
pub struct Api<'url> {
    base: &'url Url,
    agent: Agent,
}

impl<'url> Api<'url> {
    /// Connects as the exporters do: through a proxy for `https://` alone, with the certificates that the system trusts.
    pub fn new(base: &'url Url) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .proxy(proxy(base));
        let config = match base.scheme() {
            "https" => config.tls_config(tls()),
            _ => config,
        };
        Self {
            base,
            agent: config.build().into(),
        }
    }

    /// Returns the JSON at this path.
    pub fn get(&self, path: &[&str], parameters: &[(&str, &str)]) -> Result<Value, QueryError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let query = parameters.iter().copied();
        let mut answer = self.agent.get(url.as_str()).query_pairs(query).call()?;
        let body = answer.body_mut().with_config().limit(LIMIT).read_json();
        match (answer.status().as_u16(), body) {
            (200, Ok(body)) => Ok(body),
            (200, Err(ureq::Error::Json(_))) => Err(QueryError::Unexpected),
            (200, Err(error)) => Err(error.into()),
            (status, body) => Err(QueryError::Status(status, body.unwrap_or_default())),
        }
    }
}

/// Queries until there is a result or an error, or `wait` is over.
pub fn eventually<T>(
    wait: Duration,
    mut query: impl FnMut() -> Result<Option<T>, QueryError>,
) -> Result<Option<T>, QueryError> {
    let started = Instant::now();
    loop {
        match query()? {
            None if started.elapsed() < wait => thread::sleep(PAUSE),
            found => return Ok(found),
        }
    }
}

fn proxy(url: &Url) -> Option<ureq::Proxy> {
    let variable = Proxy::of(url)?.variable;
    // With the credentials, which `Proxy` leaves out.
    ureq::Proxy::new(&env::var(variable).ok()?).ok()
}

fn tls() -> TlsConfig {
    let trusted = rustls_native_certs::load_native_certs().certs.into_iter();
    let trusted = trusted.map(|certificate| Certificate::from_der(&certificate).to_owned());
    TlsConfig::builder()
        .root_certs(RootCerts::from(trusted))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build()
}
