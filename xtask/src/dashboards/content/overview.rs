//! The overview, which shows the HTTP requests of a service: the seven panels of RusToK's
//! Metrics Dashboard Guide.

use super::http::Http;
use crate::dashboards::dashboard::Dashboard;
use crate::dashboards::link::Traces;
use crate::dashboards::panel::{Look, Panel, Unit};
use crate::dashboards::query::{Range, Scope};
use crate::dashboards::variable::{METRICS, TRACES, instance, job};

const REQUESTS: &str = "rustok_http_requests_total";
const SCOPE: Scope = Scope::of(&[("job", "job"), ("instance", "instance")]);

pub(crate) fn dashboard() -> Dashboard {
    Dashboard {
        path: "grafana/dashboards/rustok-overview.json",
        uid: "rustok-overview",
        title: "RusToK Overview",
        description: "The health of a service at a glance: traffic, latency and errors of its HTTP requests.",
        from: "now-1h",
        refresh: "30s",
        variables: vec![METRICS, TRACES, job(REQUESTS), instance(REQUESTS)],
        items: panels(&Http::new(SCOPE))
            .into_iter()
            .map(Into::into)
            .collect(),
    }
}

fn panels(http: &Http) -> [Panel; 7] {
    [
        Panel::new(
            1,
            "HTTP request rate",
            Look::TimeSeries,
            Unit::RequestsPerSecond,
            "Requests per second, without health checks. If the rate drops without a deployment, check the load \
             balancer and the clients. If it rises, watch latency and active connections.",
        )
        .query("{{job}}", http.rate(["job"])),
        Panel::new(
            2,
            "Request latency (P50, P95, P99)",
            Look::TimeSeries,
            Unit::Seconds,
            "Time from the arrival of a request until its response has been sent. If P95 is above the line, open the \
             slow traces of the service and find the span that takes the time. If only P99 is, look for single \
             endpoints.",
        )
        .query("P50 {{job}}", http.latency(0.5))
        .query("P95 {{job}}", http.latency(0.95))
        .query("P99 {{job}}", http.latency(0.99))
        .watched_by("SlowRequestLatency")
        .slow_traces()
        .exemplars(),
        Panel::new(
            3,
            "Error rate",
            Look::TimeSeries,
            Unit::Share,
            "Share of failed requests: those that ended in a 5xx, a panic or an incomplete response body. Disconnected \
             clients do not count as failures. Compare with the deployments, then open the failed traces.",
        )
        .query("{{job}}", http.error_share())
        .watched_by("HighErrorRate")
        .traces(Traces::Failed),
        Panel::new(
            4,
            "Active connections",
            Look::TimeSeries,
            Unit::Count,
            "Requests in progress. If they rise while the request rate does not, a resource that the requests wait \
             for is slow: look at the database and the circuit breakers.",
        )
        .query(
            "{{job}}",
            SCOPE
                .gauge("rustok_http_active_connections")
                .value()
                .sum_by(["job"]),
        ),
        Panel::new(
            5,
            "Top endpoints",
            Look::BarGauge,
            Unit::RequestsPerSecond,
            "The ten endpoints with the most requests. A new endpoint in this list means that a client has changed. \
             `unmatched` are requests for paths that do not exist.",
        )
        .query(
            "{{method}} {{endpoint}}",
            SCOPE
                .counter("rustok_http_requests_by_endpoint")
                .rate(Range::Rate)
                .sum_by(["job", "method", "endpoint"])
                .top(10),
        ),
        Panel::new(
            6,
            "Status code distribution",
            Look::PieChart,
            Unit::Count,
            "Requests by status in the selected time range. Many 4xx: a client sends invalid requests. \
             `client_closed`: clients disconnect before the response, so look at the latency. `panic`: a bug, so open \
             the failed traces.",
        )
        .query("{{status}} {{job}}", http.count(Range::Shown, ["job", "status"]))
        .colours(&[
            ("^2", "green"),
            ("^[13]", "blue"),
            ("^4", "yellow"),
            ("^client_closed", "orange"),
            ("^(5|panic|incomplete)", "red"),
        ]),
        Panel::new(
            7,
            "Response times heatmap",
            Look::Heatmap,
            Unit::Seconds,
            "Number of requests by duration. Two bands are two kinds of requests, such as hits and misses of a cache. \
             A band that moves up is a dependency that gets slower. Quantiles hide both.",
        )
        .query("{{le}}", http.buckets())
        .watched_by("SlowRequestLatency")
        .slow_traces()
        .exemplars(),
    ]
}
