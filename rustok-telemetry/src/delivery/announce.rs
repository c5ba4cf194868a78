//! What a person is told of failing exports: one line, and one when it is over.

use std::{io, net::TcpStream, time::Duration};

/// How long to look whether anything listens, once, after a first failure.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Said once, until the backend has answered again.
pub(super) fn announce_failure(signal: &str, endpoint: &str, error: &str) {
    // The HTTP exporter says no more than "network error": see for ourselves whether anything listens.
    let error = match connect(endpoint) {
        Err(refused) => refused.to_string(),
        Ok(()) => error.to_owned(),
    };
    tracing::warn!(
        "no OpenTelemetry Collector takes the {signal} at {endpoint}: {error}. The service goes on without; what is \
         lost is counted in rustok_telemetry_* at the text endpoint. This is said once, until one answers."
    );
}

/// Said once after that.
pub(super) fn announce_recovery(endpoint: &str) {
    tracing::info!("the OpenTelemetry Collector at {endpoint} answers again");
}

fn connect(endpoint: &str) -> io::Result<()> {
    let Ok(url) = url::Url::parse(endpoint) else {
        return Ok(());
    };
    let mut last = Ok(());
    for address in url.socket_addrs(|| None)? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(_) => return Ok(()),
            Err(error) => last = Err(error),
        }
    }
    last
}
