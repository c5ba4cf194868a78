//! What one span, sample and series costs. Measured by `cargo xtask size --measure`.

/// What one process of a part needs.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Cores at little load.
    pub idle: f64,
    /// Kept spans in a second from which it needs `idle`. With fewer it needs less in proportion.
    pub idle_from: f64,
    /// Seconds of a core for a span.
    pub span: f64,
    /// Seconds of a core for a span that is kept.
    pub kept: f64,
    /// Seconds of a core for a sample.
    pub sample: f64,
    /// Memory at little load, in bytes.
    pub memory: f64,
}

impl Usage {
    /// Returns the cores of this many processes at little load, or fewer for fewer kept spans than `idle_from` in each.
    pub fn idle(&self, processes: f64, kept: f64) -> f64 {
        let little = processes * self.idle_from;
        let share = if kept < little { kept / little } else { 1.0 };
        processes * self.idle * share
    }

    /// Returns the cores that the load needs, for rates in a second.
    pub fn work(&self, spans: f64, kept: f64, samples: f64) -> f64 {
        spans * self.span + kept * self.kept + samples * self.sample
    }
}

pub(super) const MIB: f64 = 1_048_576.0;

/// An agent with Kafka.
pub const AGENT: Usage = Usage {
    idle: 0.0011,
    idle_from: 0.0,
    span: 14e-6,
    kept: 0.0,
    sample: 3.1e-6,
    memory: 113.0 * MIB,
};
/// A gateway.
pub const GATEWAY: Usage = Usage {
    idle: 0.003,
    idle_from: 0.0,
    span: 10e-6,
    kept: 90e-6,
    sample: 6.3e-6,
    memory: 118.0 * MIB,
};
/// A broker of Kafka, of which the measured one has no replicas.
pub const KAFKA: Usage = Usage {
    idle: 0.014,
    idle_from: 0.0,
    span: 20e-6,
    kept: 0.0,
    sample: 0.0,
    memory: 460.0 * MIB,
};
/// A Jaeger.
pub const JAEGER: Usage = Usage {
    idle: 0.025,
    idle_from: 6.0,
    span: 0.0,
    kept: 0.7e-3,
    sample: 0.0,
    memory: 63.0 * MIB,
};
/// A node of Cassandra, with three replicas.
pub const CASSANDRA: Usage = Usage {
    idle: 0.155,
    idle_from: 8.0,
    span: 0.0,
    kept: 5.2e-3,
    sample: 0.0,
    memory: 1035.0 * MIB,
};
/// A receiver of Thanos.
pub const RECEIVER: Usage = Usage {
    idle: 0.003,
    idle_from: 0.0,
    span: 0.0,
    kept: 0.0,
    sample: 9.5e-6,
    memory: 120.0 * MIB,
};

/// Requests that `rustok-server --traffic` handles in a second.
pub const REQUESTS: f64 = 28.0;
/// Spans of a request, those of the inventory included.
pub const SPANS: f64 = 6.65;
/// The share of its spans that gateways keep with 10 % of the traces without an error.
pub const KEPT: f64 = 0.175;
/// Series of it and of its inventory.
pub const SERIES: f64 = 2136.0;

/// Seconds that a trace waits for the decision of a gateway, by default.
pub const SAMPLING_WAIT: f64 = 10.0;
/// Bytes of memory of a span that waits for its decision.
pub const WAITING_SPAN_MEMORY: f64 = 1450.0;
/// Bytes of a span in an agent's queue, on disk.
pub const QUEUED_SPAN_BYTES: f64 = 380.0;
/// Bytes of a span in Kafka, on disk.
pub const KAFKA_SPAN_BYTES: f64 = 69.0;
/// Bytes of a span in one replica of Cassandra, on disk.
pub const CASSANDRA_SPAN_BYTES: f64 = 870.0;
/// Bytes of memory of a series.
pub const SERIES_MEMORY: f64 = 2250.0;
/// Bytes of a sample on disk.
pub const SAMPLE_BYTES: f64 = 1.78;
