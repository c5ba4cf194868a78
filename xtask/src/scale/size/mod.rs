//! The sizing model: what the stack past one machine needs for a number of instances.
//!
//! - [`constants`]: what one span, sample and series costs, as measured.
//! - [`measure`]: measures the constants, and compares predictions with what 1, 2 and 4 instances need.
//! - [`series`]: measures what many series cost in Prometheus.
//!
//! A part needs a fixed amount at little load, and more in proportion to spans, spans that are kept, and samples.

pub mod constants;
pub mod measure;
pub mod series;

use std::fmt;

use constants as cost;

/// Seconds in a day.
const DAY: f64 = 86_400.0;
/// Share of its cores that a part may use, so that it can catch up after an outage.
const USE: f64 = 0.5;
/// Bytes in a GiB.
const GIB: f64 = (1_u64 << 30) as f64;

/// Inputs of the model.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Instances of services.
    pub instances: f64,
    /// Requests of an instance in a second.
    pub requests: f64,
    /// Spans of a request, those of all services together.
    pub spans: f64,
    /// Series of an instance.
    pub series: f64,
    /// Instances on a node.
    pub per_node: f64,
    /// Seconds from one export of metrics to the next.
    pub interval: f64,
    /// The share of traces that gateways keep, from 0 to 1.
    pub kept: f64,
    /// Days that traces are kept.
    pub trace_days: f64,
    /// Days that metrics are kept.
    pub metric_days: f64,
    /// Hours without Kafka, for which agents keep spans.
    pub outage_hours: f64,
    /// Hours that Kafka keeps spans, read or not.
    pub kafka_hours: f64,
    /// Seconds that a trace waits for the decision of a gateway.
    pub wait: f64,
    /// Prices of a month.
    pub prices: Prices,
}

/// Prices of a month, in one currency.
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    /// Of a core.
    pub core: f64,
    /// Of a GiB of memory.
    pub memory: f64,
    /// Of a GiB of disk.
    pub disk: f64,
}

/// Rates of the telemetry that services export.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Series.
    pub series: f64,
    /// Samples in a second.
    pub samples: f64,
    /// Spans in a second.
    pub spans: f64,
    /// Spans in a second that are kept.
    pub kept: f64,
}

/// Processes of one kind, and what they need together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Their name.
    pub name: &'static str,
    /// How many there are.
    pub processes: f64,
    /// Cores that they use.
    pub cores: f64,
    /// Memory, in bytes.
    pub memory: f64,
    /// Disk, in bytes.
    pub disk: f64,
}

impl Demand {
    /// Returns what comes in.
    pub fn rates(&self) -> Rates {
        let series = self.instances * self.series;
        let spans = self.instances * self.requests * self.spans;
        Rates {
            series,
            samples: series / self.interval,
            spans,
            kept: spans * self.kept,
        }
    }

    /// Returns every part. There are at least two of each, and three brokers and nodes of Cassandra.
    pub fn parts(&self) -> Vec<Part> {
        let Rates {
            series,
            samples,
            spans,
            kept,
        } = self.rates();
        let outage = 3600.0 * self.outage_hours;
        let agents = (self.instances / self.per_node).ceil().max(2.0);
        let gateways = processes(2.0, cost::GATEWAY.work(spans, kept, samples), GATEWAY_CORES)
            .max((self.instances * self.requests * self.wait / TRACES_OF_GATEWAY).ceil());
        let brokers = processes(3.0, cost::KAFKA.work(spans, kept, samples), STORE_CORES);
        let writers = processes(2.0, cost::JAEGER.work(spans, kept, samples), GATEWAY_CORES);
        let stored = kept * DAY * self.trace_days * cost::CASSANDRA_SPAN_BYTES;
        let nodes = processes(3.0, cost::CASSANDRA.work(spans, kept, samples), STORE_CORES)
            .max((REPLICAS * stored / NODE_DISK).ceil());
        let receivers = processes(2.0, cost::RECEIVER.work(spans, kept, samples), STORE_CORES)
            .max((series / SERIES_OF_RECEIVER).ceil());
        let head = series * cost::SERIES_MEMORY;
        let samples_on_disk = samples * DAY * self.metric_days * cost::SAMPLE_BYTES;
        let part = |name, processes: f64, usage: &cost::Usage, memory: f64, disk: f64| Part {
            name,
            processes,
            cores: usage.idle(processes, kept) + usage.work(spans, kept, samples),
            memory: processes * usage.memory + memory,
            disk,
        };
        let waiting = spans * self.wait * cost::WAITING_SPAN_MEMORY;
        vec![
            part(
                AGENTS,
                agents,
                &cost::AGENT,
                0.0,
                spans * outage * cost::QUEUED_SPAN_BYTES,
            ),
            part(
                KAFKA,
                brokers,
                &cost::KAFKA,
                0.0,
                REPLICAS * spans * 3600.0 * self.kafka_hours * cost::KAFKA_SPAN_BYTES,
            ),
            part(
                GATEWAYS,
                gateways,
                &cost::GATEWAY,
                waiting,
                gateways * QUEUE_OF_GATEWAY * cost::QUEUED_SPAN_BYTES,
            ),
            part(JAEGERS, writers + 2.0, &cost::JAEGER, 0.0, 0.0),
            part(CASSANDRA, nodes, &cost::CASSANDRA, 0.0, REPLICAS * stored),
            part(RECEIVERS, receivers, &cost::RECEIVER, head, samples_on_disk),
        ]
    }

    /// Returns the price of a month.
    pub fn price(&self) -> f64 {
        let Prices { core, memory, disk } = self.prices;
        let of = |part: &Part| {
            let cores = part.cores / USE * core;
            cores + part.memory / GIB * memory + part.disk / GIB * disk
        };
        self.parts().iter().map(of).sum()
    }
}

/// The names of the parts.
pub(super) const AGENTS: &str = "agents";
pub(super) const KAFKA: &str = "Kafka";
pub(super) const GATEWAYS: &str = "gateways";
pub(super) const JAEGERS: &str = "Jaegers";
pub(super) const CASSANDRA: &str = "Cassandra";
pub(super) const RECEIVERS: &str = "Thanos receivers";

/// Copies of what Kafka and Cassandra store.
pub(super) const REPLICAS: f64 = 3.0;
/// Cores of a gateway or a Jaeger.
const GATEWAY_CORES: f64 = 4.0;
/// Cores of a broker, a node of Cassandra, or a receiver.
const STORE_CORES: f64 = 8.0;
/// Traces in the memory of a gateway: the default of `SAMPLING_MAX_TRACES`.
pub(super) const TRACES_OF_GATEWAY: f64 = 50_000.0;
/// Spans in a gateway's queue for Jaeger, as in collector/config.yaml.
const QUEUE_OF_GATEWAY: f64 = 100_000.0;
/// Bytes on a node of Cassandra: more make its repairs and replacements slow.
const NODE_DISK: f64 = 1e12;
/// Series of a receiver: 10.5 GiB in memory, without queries.
const SERIES_OF_RECEIVER: f64 = 5e6;

/// Returns how many processes do this work, each with this many cores.
fn processes(at_least: f64, work: f64, cores: f64) -> f64 {
    (work / (USE * cores)).ceil().max(at_least)
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates = self.rates();
        writeln!(
            f,
            "{} instances: {} series, {} samples/s, {} spans/s, of which {} are kept",
            count(self.instances),
            count(rates.series),
            count(rates.samples),
            count(rates.spans),
            count(rates.kept),
        )?;
        writeln!(
            f,
            "{:<18}{:>10}{:>10}{:>14}{:>14}",
            "", "processes", "cores", "memory, GiB", "disk, GiB"
        )?;
        let mut all = Part {
            name: "all",
            processes: 0.0,
            cores: 0.0,
            memory: 0.0,
            disk: 0.0,
        };
        for part in self.parts() {
            writeln!(f, "{part}")?;
            all.processes += part.processes;
            all.cores += part.cores;
            all.memory += part.memory;
            all.disk += part.disk;
        }
        writeln!(f, "{all}")?;
        write!(
            f,
            "a month at {} a core, {} a GiB of memory, {} a GiB of disk, and twice the cores that are used: {}",
            self.prices.core,
            self.prices.memory,
            self.prices.disk,
            count(self.price())
        )
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<18}{:>10}{:>10.1}{:>14.1}{:>14.1}",
            self.name,
            count(self.processes),
            self.cores,
            self.memory / GIB,
            self.disk / GIB
        )
    }
}

/// Returns a number without a fraction, in groups of three digits.
fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(instances: f64) -> Demand {
        Demand {
            instances,
            requests: 30.0,
            spans: 5.0,
            series: 500.0,
            per_node: 10.0,
            interval: 60.0,
            kept: 0.1,
            trace_days: 7.0,
            metric_days: 15.0,
            outage_hours: 1.0,
            kafka_hours: 24.0,
            wait: 10.0,
            prices: Prices {
                core: 20.0,
                memory: 3.0,
                disk: 0.1,
            },
        }
    }

    #[test]
    fn rates_are_in_proportion_to_instances() {
        let rates = demand(10.0).rates();
        assert_eq!(rates.spans, 1500.0);
        assert_eq!(rates.kept, 150.0);
        assert_eq!(rates.series, 5000.0);
        assert_eq!(demand(1000.0).rates().spans, 100.0 * rates.spans);
    }

    #[test]
    fn a_part_has_no_more_work_than_its_processes_can_do() {
        for instances in [10.0, 1_000.0, 100_000.0] {
            for part in demand(instances).parts() {
                let cores = match part.name {
                    AGENTS => f64::MAX,
                    GATEWAYS | JAEGERS => GATEWAY_CORES,
                    _ => STORE_CORES,
                };
                assert!(part.cores <= part.processes * cores, "{part:?}");
            }
        }
    }

    #[test]
    fn cores_at_little_load_grow_with_kept_spans() {
        let of_load = |kept| cost::JAEGER.idle(2.0, kept);
        assert_eq!(of_load(0.0), 0.0);
        assert_eq!(of_load(cost::JAEGER.idle_from), cost::JAEGER.idle);
        assert_eq!(of_load(1e6), 2.0 * cost::JAEGER.idle);
        assert_eq!(cost::KAFKA.idle(2.0, 0.0), 2.0 * cost::KAFKA.idle);
    }

    #[test]
    fn each_part_has_its_average() {
        let loads = [vec![1.0, 3.0], vec![2.0, 7.0]];
        assert_eq!(measure::average(&loads), [1.5, 5.0]);
    }

    #[test]
    fn the_round_in_the_middle_counts_for_each_figure() {
        let figure = |predicted, measured| measure::Compared {
            what: String::new(),
            predicted,
            measured,
            close: 0.02,
        };
        let rounds = [
            vec![figure(1.0, 2.0), figure(0.010, 0.029)],
            vec![figure(1.0, 1.0), figure(0.010, 0.010)],
            vec![figure(1.1, 1.0), figure(0.010, 0.031)],
        ];
        let middle = measure::middle(&rounds);
        assert_eq!(middle[0].measured, 1.0);
        assert_eq!(middle[0].predicted, 1.0);
        assert_eq!(middle[1].measured, 0.029);
        assert!(middle.iter().all(measure::Compared::is_right));
        assert!(!rounds[0][0].is_right());
        assert!(!rounds[2][1].is_right());
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(1_234_567.4), "1,234,567");
        assert_eq!(count(12.0), "12");
    }
}
