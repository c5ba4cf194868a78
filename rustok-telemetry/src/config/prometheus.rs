//! A listener for the Prometheus text, besides the service's own route.

use super::{env::Reader, setting::Setting, visitor::settings};

const HOST: &str = "OTEL_EXPORTER_PROMETHEUS_HOST";
const PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";

settings! {
    /// A listener for the Prometheus text, at `/metrics`.
    ///
    /// It is used if the exporter `prometheus` is chosen and one of the two is set. By default nothing listens, unlike
    /// what the specification says: the text is a route of the service, which has a port already, and two replicas on
    /// one machine could not both have the default one.
    #[derive(Eq)]
    pub struct PrometheusConfig() {
        /// The host to listen on.
        host: Setting<String> = setting("host", [HOST], "localhost".to_owned()),
        /// The port to listen on; 0 for any that is free.
        port: Setting<u16> = setting("port", [PORT], 9464),
    }
}

/// Refuses the two variables: without the exporter they take no effect.
pub(super) fn refuse_prometheus(reader: &mut Reader) {
    for name in [HOST, PORT] {
        reader.refuse(
            name,
            "takes no effect without `prometheus` in OTEL_METRICS_EXPORTER",
        );
    }
}
