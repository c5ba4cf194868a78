//! Where the metrics are served as text, besides the service's own route.

use super::env::Reader;
use super::parse;
use super::setting::Setting;

const HOST: &str = "OTEL_EXPORTER_PROMETHEUS_HOST";
const PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";

/// An address of its own for the metrics as text, at `/metrics`.
///
/// It is used if the exporter `prometheus` is chosen and one of the two is set. By default nothing listens, other than
/// the specification says: the text is a route of the service, which has a port already, and two replicas on one
/// machine could not both have the default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusConfig {
    /// The host to listen on.
    pub host: Setting<String>,
    /// The port to listen on; 0 for any that is free.
    pub port: Setting<u16>,
}

impl PrometheusConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            host: reader.setting(HOST, "localhost".to_owned(), parse::text),
            port: reader.setting(PORT, 9464, port),
        }
    }

    /// They take no effect.
    pub(super) fn refuse(&self, reader: &mut Reader) {
        for name in [HOST, PORT] {
            let why = "takes no effect without `prometheus` in OTEL_METRICS_EXPORTER";
            reader.refuse(name, why);
        }
    }
}

fn port(text: &str) -> Result<u16, String> {
    let port = parse::integer(text, 0..=u32::from(u16::MAX))?;
    u16::try_from(port).map_err(|error| error.to_string())
}
