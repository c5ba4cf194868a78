//! The tenant.

use std::collections::BTreeMap;

use http::HeaderMap;
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    logs::v1::LogRecord,
    trace::v1::Span,
};
use rustok_telemetry::{
    Telemetry,
    propagation::{EventContext, inject_headers, inject_headers_with_tenant},
    tenant,
};

use crate::{
    receiver::Receiver,
    request,
    support::{samples, text, with_variables},
    table::{AUTHENTICATED, CLAIMS, Case, table},
};

/// What a request left behind in the process.
struct Seen {
    /// The tenant that it was counted for.
    counted: Vec<String>,
    /// By name: what the handler read and sent.
    handled: BTreeMap<String, String>,
}

async fn handle(is_authenticated: bool, case: String) -> String {
    // As a function that authenticates: within a span of its own.
    let authenticate = tracing::info_span!("authenticate");
    let within = authenticate.in_scope(|| {
        if is_authenticated {
            tenant::set(AUTHENTICATED);
        }
        tenant::label()
    });
    tracing::info!("handled {case}");
    let baggage = |inject: fn(&mut HeaderMap)| {
        let mut headers = HeaderMap::new();
        inject(&mut headers);
        let baggage = headers.get("baggage");
        baggage
            .map_or("", |value| value.to_str().expect("text"))
            .to_owned()
    };
    let event = EventContext::current();
    let entries: Vec<_> = event.entries().map(|(key, _)| key.to_owned()).collect();
    let sent = event.send_tenant();
    let received = EventContext::from_entries(sent.entries()).trust_tenant();
    format!(
        "within\t{}\ncurrent\t{}\nrequest\t{}\nrequest with tenant\t{}\nevent\t{}\nentries\t{}",
        within,
        tenant::label(),
        baggage(inject_headers),
        baggage(inject_headers_with_tenant),
        received.tenant().map_or("none", |tenant| tenant.as_str()),
        entries.join(" "),
    )
}

async fn run(case: &Case) -> Seen {
    let created = || samples(&text(), "rustok_spans_created_total");
    let before = created();
    let headers: Vec<_> = case
        .baggage
        .iter()
        .map(|value| ("baggage", *value))
        .collect();
    let (is_authenticated, name) = (case.is_authenticated, case.name.clone());
    let path = format!("/{name}");
    let response = request(case.layer.clone(), &path, &headers, move |_| {
        handle(is_authenticated, name.clone())
    });
    let body = response.await.into_body().collect().await.expect("a body");
    let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    let line = |line: &str| {
        let (name, value) = line.split_once('\t').expect("a value");
        (name.to_owned(), value.to_owned())
    };
    let counted = created()
        .into_iter()
        .filter(|(labels, count)| before.get(labels) != Some(count))
        .filter_map(|(labels, _)| {
            let tenant = labels.strip_prefix("{operation=\"http_request\",tenant_id=\"")?;
            Some(tenant.strip_suffix("\"}")?.to_owned())
        })
        .collect();
    Seen {
        counted,
        handled: body.lines().map(line).collect(),
    }
}

fn start(receiver: &Receiver) -> Telemetry {
    let endpoint = receiver.plain();
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
    ];
    let telemetry = with_variables(&variables).init();
    telemetry.expect("telemetry starts")
}

/// Runs the whole table, and gives what was sent.
async fn all() -> (Vec<(Case, Seen)>, Vec<Span>, Vec<LogRecord>) {
    let receiver = Receiver::start();
    let telemetry = start(&receiver);
    let mut seen = Vec::new();
    for case in table() {
        let of_case = run(&case).await;
        seen.push((case, of_case));
    }
    let report = tokio::task::spawn_blocking(move || telemetry.shutdown()).await;
    assert!(report.expect("no panic").is_complete());
    let records = receiver.requests();
    let records = records.iter().filter(|request| request.is_of("logs"));
    let records = records.flat_map(|request| request.log_records()).collect();
    (seen, receiver.spans(), records)
}

/// The values of all attributes `tenant_id`.
fn tenants(attributes: &[KeyValue]) -> Vec<String> {
    values(attributes, "tenant_id")
}

fn values(attributes: &[KeyValue], key: &str) -> Vec<String> {
    let attributes = attributes.iter().filter(|attribute| attribute.key == key);
    attributes
        .map(|attribute| {
            match attribute
                .value
                .as_ref()
                .and_then(|value| value.value.as_ref())
            {
                Some(Value::StringValue(text)) => text.clone(),
                other => panic!("{key} is {other:?}"),
            }
        })
        .collect()
}

fn collected(tenant: Option<&str>) -> Vec<String> {
    tenant.map(str::to_owned).into_iter().collect()
}

/// Collects what is wrong of all cases, so that a failure shows the whole table.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        case: &Case,
        signal: &str,
        seen: T,
        right: T,
    ) {
        if seen != right {
            self.0.push(format!(
                "{}: {signal} is {seen:?} instead of {right:?}",
                case.name
            ));
        }
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

#[tokio::test]
#[test_fork::fork]
async fn logs_metrics_requests_and_events_have_the_right_tenant() {
    let (seen, _, records) = all().await;
    let mut wrong = Wrong::default();
    for (case, seen) in &seen {
        let expected = case.expected.unwrap_or("none").to_owned();
        wrong.compare(
            case,
            "the label",
            &*seen.counted,
            std::slice::from_ref(&expected),
        );
        let handled = |name: &str| seen.handled[name].clone();
        for name in ["within", "current", "event"] {
            wrong.compare(case, name, handled(name), expected.clone());
        }
        let sent = case
            .expected
            .map(|tenant| format!("tenant_id={}", tenant.replace('=', "%3D")));
        let with_tenant = handled("request with tenant");
        let mut members: Vec<_> = with_tenant
            .split(',')
            .filter(|member| *member != "a=1")
            .collect();
        members.retain(|member| !member.is_empty());
        let right: Vec<_> = sent.as_deref().into_iter().collect();
        wrong.compare(case, "a request with the tenant", members, right);
        // Another member of the caller's goes on, but not from a public edge.
        let passes_on = !case.name.starts_with("edge") && case.baggage.join(",").contains("a=1");
        let right = if passes_on { "a=1" } else { "" };
        wrong.compare(case, "a request", handled("request"), right.to_owned());
        let right = if passes_on {
            "baggage traceparent"
        } else {
            "traceparent"
        };
        wrong.compare(
            case,
            "an event's entries",
            handled("entries"),
            right.to_owned(),
        );

        let message = format!("handled {}", case.name);
        let is_of_case = |record: &&LogRecord| {
            let body = record.body.as_ref().and_then(|body| body.value.as_ref());
            body == Some(&Value::StringValue(message.clone()))
        };
        let records: Vec<_> = records.iter().filter(is_of_case).collect();
        assert_eq!(records.len(), 1, "{message}");
        wrong.compare(
            case,
            "the record",
            tenants(&records[0].attributes),
            collected(case.expected),
        );
    }
    wrong.assert_none();
}

#[test_fork::test]
fn an_authenticated_tenant_overrides_that_of_an_event() {
    let receiver = Receiver::start();
    let telemetry = start(&receiver);
    let sender = tracing::info_span!("publish", tenant_id = "acme");
    let sent = sender.in_scope(EventContext::current).send_tenant();
    let received = EventContext::from_entries(sent.entries()).trust_tenant();
    let span = tracing::info_span!(parent: None, "handle", tenant_id = tracing::field::Empty);
    received.follow(&span);
    span.in_scope(|| {
        assert_eq!(&*tenant::label(), "acme");
        tenant::set(AUTHENTICATED);
        assert_eq!(&*tenant::label(), AUTHENTICATED);
        let sent = EventContext::current().send_tenant();
        let received = EventContext::from_entries(sent.entries()).trust_tenant();
        assert_eq!(
            received.tenant().map(|tenant| tenant.as_str()),
            Some(AUTHENTICATED)
        );
    });
    drop((span, sender));
    let created = samples(&text(), "rustok_spans_created_total");
    let handled: Vec<_> = created
        .keys()
        .filter(|labels| labels.contains("handle"))
        .collect();
    assert_eq!(handled, ["{operation=\"handle\",tenant_id=\"from-token\"}"]);
    assert!(telemetry.shutdown().is_complete());
}

#[tokio::test]
#[test_fork::fork]
async fn a_span_has_exactly_the_right_tenant() {
    let (seen, spans, _) = all().await;
    let mut wrong = Wrong::default();
    for (case, _) in &seen {
        let path = format!("/{}", case.name);
        let is_of_case = |span: &&Span| values(&span.attributes, "url.path") == [path.clone()];
        let of_case: Vec<_> = spans.iter().filter(is_of_case).collect();
        assert_eq!(of_case.len(), 1, "{path}");
        let request = of_case[0];
        wrong.compare(
            case,
            "the span",
            tenants(&request.attributes),
            collected(case.expected),
        );
        let is_child = |span: &&Span| span.parent_span_id == request.span_id;
        let children: Vec<_> = spans.iter().filter(is_child).collect();
        assert_eq!(children.len(), 1, "{path}");
        // A child that begins before the tenant is known is told later only if it has inherited another.
        let child = tenants(&children[0].attributes);
        if has_claim_believed(case) || !case.is_authenticated {
            wrong.compare(case, "the child", child, collected(case.expected));
        }
    }
    wrong.assert_none();
}

/// Whether the request had a tenant before it was authenticated.
fn has_claim_believed(case: &Case) -> bool {
    let claim = CLAIMS
        .iter()
        .find(|(_, baggage, _)| *baggage == case.baggage);
    case.name.starts_with("trusting") && claim.is_some_and(|(_, _, believed)| believed.is_some())
}
