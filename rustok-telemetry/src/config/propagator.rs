//! Formats of the context that travels between services.

use super::choice;

choice! {
    /// A format in which context travels between services.
    pub enum Propagator {
        /// W3C trace context: the headers `traceparent` and `tracestate`.
        "tracecontext" => TraceContext,
        /// W3C baggage: the header `baggage`.
        "baggage" => Baggage,
        /// B3 in one header: `b3`. Needs the Cargo feature `b3`.
        "b3" => B3 ["B3", "b3"],
        /// B3 in several headers: `X-B3-TraceId` and others. Needs the Cargo feature `b3`.
        "b3multi" => B3Multi ["B3", "b3"],
        /// Jaeger: the headers `uber-trace-id` and `uberctx-*`. Needs the Cargo feature `jaeger`.
        "jaeger" => Jaeger ["Jaeger's format", "jaeger"],
    }
    refused {
        "xray" => "AWS X-Ray takes W3C trace context too",
        "ottrace" => "the OpenTracing format is out of use; b3 and jaeger are not",
    }
}
