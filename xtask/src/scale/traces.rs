//! Traces of two services, each with two spans, as their exporters would send them.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::{Error, client};

/// The services: the first calls the second.
pub const SERVICES: [&str; 2] = ["front", "back"];
/// Spans of a trace.
pub const SPANS: usize = 4;
/// The tenant of [`Kind::Tenant`].
pub const TENANT: &str = "acme";
/// The operation of [`Kind::Operation`].
pub const OPERATION: &str = "GET /ping";
/// Traces longer than this are slow.
pub const SLOW: Duration = Duration::from_secs(1);

/// Traces of a request.
const BATCH: usize = 100;
/// Time for an agent to accept a request, with retries.
const ACCEPTED_WITHIN: Duration = Duration::from_secs(30);

/// What a sampling policy sees in a trace. Each agent has the spans of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The last span of the second service failed.
    Error,
    /// Each service takes less than [`SLOW`], both together more.
    Slow,
    /// The first service takes longer than [`SLOW`].
    Long,
    /// The second service names [`TENANT`].
    Tenant,
    /// The first service calls it [`OPERATION`].
    Operation,
    /// Nothing of these.
    Rest,
}

/// A trace to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    /// Its kind.
    pub kind: Kind,
}

impl Trace {
    /// Returns a trace with a random id.
    pub fn new(kind: Kind, random: &mut fastrand::Rng) -> Self {
        Self {
            id: random.u128(1..),
            kind,
        }
    }

    /// Returns `count` traces.
    pub fn many(kind: Kind, count: usize, random: &mut fastrand::Rng) -> Vec<Self> {
        (0..count).map(|_| Self::new(kind, random)).collect()
    }

    /// Returns its id in hexadecimal digits.
    pub fn hex(&self) -> String {
        format!("{:032x}", self.id)
    }

    /// Returns the spans of one service, which began at this time.
    fn spans(&self, service: usize, now: Duration) -> [Span; 2] {
        let part = match (self.kind, service) {
            (Kind::Slow, _) => SLOW * 6 / 10,
            (Kind::Long, 0) => 2 * SLOW,
            _ => Duration::from_millis(20),
        };
        let start = now + part * u32::try_from(service).unwrap_or_default();
        // The first one of the second service has the last one of the first service as its parent.
        [0, 1].map(|place| {
            let number = 2 * service + place;
            Span {
                trace_id: self.id.to_be_bytes().to_vec(),
                span_id: self.span_id(number),
                parent_span_id: number
                    .checked_sub(1)
                    .map_or_else(Vec::new, |it| self.span_id(it)),
                name: self.name(number).to_owned(),
                kind: [SpanKind::Server, SpanKind::Client][place].into(),
                start_time_unix_nano: nanoseconds(start),
                end_time_unix_nano: nanoseconds(start + part),
                attributes: self.tenant(number),
                status: (self.kind == Kind::Error && number == SPANS - 1).then(|| Status {
                    code: StatusCode::Error.into(),
                    message: "connection reset".to_owned(),
                }),
                ..Span::default()
            }
        })
    }

    fn span_id(&self, number: usize) -> Vec<u8> {
        let mut id = self.id.to_be_bytes()[8..].to_vec();
        id[7] = id[7] & !3 | number as u8;
        id
    }

    fn name(&self, number: usize) -> &'static str {
        match (number, self.kind) {
            (0, Kind::Operation) => OPERATION,
            (0, _) => "POST /orders",
            (1, _) => "POST",
            (2, _) => "POST /stock",
            _ => "SELECT stock",
        }
    }

    fn tenant(&self, number: usize) -> Vec<KeyValue> {
        let tenant = match self.kind {
            Kind::Tenant => TENANT,
            _ => "globex",
        };
        match number {
            2 => vec![text("tenant_id", tenant)],
            _ => Vec::new(),
        }
    }
}

/// Sends the spans of each service to its receiver, and again until it accepts them.
pub(super) fn send(traces: &[Trace], receivers: &[String; 2]) -> Result<(), Error> {
    let client = client();
    for batch in traces.chunks(BATCH) {
        for (service, receiver) in receivers.iter().enumerate() {
            send_half(&client, batch, service, receiver)?;
        }
    }
    Ok(())
}

/// Sends the spans of one service to its receiver, and again until it accepts them.
pub(super) fn send_half(
    client: &ureq::Agent,
    traces: &[Trace],
    service: usize,
    receiver: &str,
) -> Result<(), Error> {
    let body = request(traces, service).encode_to_vec();
    let started = Instant::now();
    loop {
        let post = client.post(receiver).content_type("application/x-protobuf");
        match post.send(&body) {
            Ok(_) => return Ok(()),
            Err(error) if started.elapsed() > ACCEPTED_WITHIN => {
                return Err(format!("{receiver}: {error}").into());
            }
            Err(_) => sleep(Duration::from_millis(100)),
        }
    }
}

fn request(batch: &[Trace], service: usize) -> ExportTraceServiceRequest {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", SERVICES[service])],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                // Each trace has a microsecond of its own, as a key of Cassandra's index.
                spans: batch
                    .iter()
                    .zip(0..)
                    .flat_map(|(trace, place)| {
                        trace.spans(service, now + Duration::from_micros(place))
                    })
                    .collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
