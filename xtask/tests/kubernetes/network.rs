//! Every connection that the programs make leads to a port that listens, and the network policies allow it.

use serde_json::Value;

use crate::model::{OVERLAYS, container, list, object, objects, of_kind, text, title, workloads};

/// A pod, as Services, monitors and policies select it.
struct Pod<'a> {
    namespace: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    ports: Vec<(&'a str, u64)>,
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn addresses_lead_to_a_service_that_the_policies_allow() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let mut seen = 0;
        for workload in workloads(objects) {
            let from = pod(workload);
            for value in list(&container(workload)["env"]) {
                let mut value = text(&value["value"]).to_owned();
                if value.ends_with(".svc") {
                    // The agent has the name of the gateways without their port.
                    value.push_str(":4317");
                }
                let Some((host, port)) = address(&value) else {
                    continue;
                };
                let (to, port) = listener(objects, &host, port);
                let name = title(workload);
                assert!(allowed(objects, &from, &to, port), "{name}: {host}");
                seen += 1;
            }
        }
        assert_eq!(seen, 6, "{overlay}");
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn every_monitor_finds_a_port_that_prometheus_may_scrape() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for monitor in of_kind(objects, "PodMonitor") {
            let namespaces = list(&monitor["spec"]["namespaceSelector"]["matchNames"]);
            let own = [monitor["metadata"]["namespace"].clone()];
            let namespaces = if namespaces.is_empty() {
                &own
            } else {
                namespaces
            };
            let mut found = 0;
            for to in pods(objects) {
                let there = namespaces.iter().any(|name| name == to.namespace);
                if !there || !selects(&monitor["spec"]["selector"], &to) {
                    continue;
                }
                for endpoint in list(&monitor["spec"]["podMetricsEndpoints"]) {
                    let port = number(&to, &endpoint["port"]);
                    let port = port.unwrap_or_else(|| panic!("{}", title(monitor)));
                    assert!(
                        allowed(objects, &prometheus(), &to, port),
                        "{}",
                        title(monitor)
                    );
                    found += 1;
                }
            }
            assert!(found > 0, "{} finds no pod", title(monitor));
        }
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn other_connections_are_refused() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let named = |name: &str| {
            let mut all = workloads(objects);
            pod(all.find(|one| one["metadata"]["name"] == name).expect(name))
        };
        for (from, to, port) in [
            ("rustok-server", "otel-gateway", 4317),
            ("rustok-server", "jaeger", 16686),
            ("rustok-server", "grafana", 3000),
            ("rustok-server", "otel-agent", 8888),
            ("otel-agent", "jaeger", 14317),
            ("otel-gateway", "rustok-server", 5150),
            ("grafana", "otel-gateway", 4317),
            ("jaeger", "otel-agent", 4317),
        ] {
            let refused = !allowed(objects, &named(from), &named(to), port);
            assert!(refused, "{from} reaches {to}:{port}");
        }
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn ports_of_services_and_policies_exist() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for service in of_kind(objects, "Service") {
            let selector = serde_json::json!({ "matchLabels": service["spec"]["selector"] });
            let mut pods = pods(objects).into_iter();
            let pod = pods.find(|pod| {
                service["metadata"]["namespace"] == pod.namespace && selects(&selector, pod)
            });
            let pod = pod.unwrap_or_else(|| panic!("{} has no pod", title(service)));
            for port in list(&service["spec"]["ports"]) {
                assert!(
                    number(&pod, &port["targetPort"]).is_some(),
                    "{}",
                    title(service)
                );
            }
        }
        for policy in of_kind(objects, "NetworkPolicy") {
            let rules = ["ingress", "egress"].map(|direction| list(&policy["spec"][direction]));
            for port in rules
                .iter()
                .copied()
                .flatten()
                .flat_map(|rule| list(&rule["ports"]))
            {
                let exists = port["port"].is_u64()
                    || pods(objects)
                        .iter()
                        .any(|pod| number(pod, &port["port"]).is_some());
                assert!(exists, "{}: {port}", title(policy));
            }
        }
    }
}

/// Host and port of `http://host.namespace.svc:port` or without the scheme.
fn address(value: &str) -> Option<(String, u64)> {
    let (host, port) = value
        .strip_prefix("http://")
        .unwrap_or(value)
        .split_once(".svc:")?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// The pod behind a Service, and its port.
fn listener<'a>(objects: &'a [Value], host: &str, port: u64) -> (Pod<'a>, u64) {
    let (name, namespace) = host.split_once('.').expect("a name and a namespace");
    if name == "prometheus-operated" {
        // The operator creates it.
        return (prometheus(), port);
    }
    let service = object(objects, "Service", name);
    assert_eq!(service["metadata"]["namespace"], namespace);
    let mut ports = list(&service["spec"]["ports"]).iter();
    let found = ports.find(|one| one["port"] == port).expect("a port");
    let selector = serde_json::json!({ "matchLabels": service["spec"]["selector"] });
    let mut pods = pods(objects).into_iter();
    let pod = pods.find(|pod| pod.namespace == namespace && selects(&selector, pod));
    let pod = pod.unwrap_or_else(|| panic!("{name} has no pod"));
    let port = number(&pod, &found["targetPort"]).expect("a port of the pod");
    // A Service without an address of its own cannot translate ports.
    let headless = service["spec"]["clusterIP"] == "None";
    assert!(!headless || found["port"] == port, "{name}");
    (pod, port)
}

/// Whether the policies let one pod connect to another: both its own, outwards, and the other's, inwards.
fn allowed(objects: &[Value], from: &Pod<'_>, to: &Pod<'_>, port: u64) -> bool {
    passes(objects, "Egress", from, to, to, port) && passes(objects, "Ingress", to, from, to, port)
}

fn passes(
    objects: &[Value],
    direction: &str,
    owner: &Pod<'_>,
    peer: &Pod<'_>,
    listener: &Pod<'_>,
    port: u64,
) -> bool {
    let policies = of_kind(objects, "NetworkPolicy").filter(|policy| {
        policy["metadata"]["namespace"] == owner.namespace
            && list(&policy["spec"]["policyTypes"]).contains(&direction.into())
            && selects(&policy["spec"]["podSelector"], owner)
    });
    let (rules, peers) = match direction {
        "Egress" => ("egress", "to"),
        _ => ("ingress", "from"),
    };
    let mut isolated = false;
    for policy in policies {
        isolated = true;
        for rule in list(&policy["spec"][rules]) {
            let (ports, peers) = (list(&rule["ports"]), list(&rule[peers]));
            let fits = |one: &Value| number(listener, &one["port"]) == Some(port);
            let is_peer = |one: &Value| {
                let same = match &one["namespaceSelector"] {
                    Value::Null => peer.namespace == owner.namespace,
                    selector => in_namespace(selector, peer.namespace),
                };
                same && (one["podSelector"].is_null() || selects(&one["podSelector"], peer))
            };
            if (ports.is_empty() || ports.iter().any(fits))
                && (peers.is_empty() || peers.iter().any(is_peer))
            {
                return true;
            }
        }
    }
    !isolated
}

fn in_namespace(selector: &Value, namespace: &str) -> bool {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    labels
        .into_iter()
        .all(|(name, value)| name == "kubernetes.io/metadata.name" && value == namespace)
}

fn selects(selector: &Value, pod: &Pod<'_>) -> bool {
    let value = |name: &str| {
        pod.labels
            .iter()
            .find(|label| label.0 == name)
            .map(|label| label.1)
    };
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = list(&selector["matchExpressions"]);
    labels
        .into_iter()
        .all(|(name, wanted)| value(name) == wanted.as_str())
        && expressions.iter().all(|one| {
            assert_eq!(one["operator"], "In", "the only one that is used");
            let value = value(text(&one["key"]));
            list(&one["values"])
                .iter()
                .any(|wanted| wanted.as_str() == value)
        })
}

/// The number of a port, which may be a name.
fn number(pod: &Pod<'_>, port: &Value) -> Option<u64> {
    match port.as_str() {
        Some(name) => pod
            .ports
            .iter()
            .find(|port| port.0 == name)
            .map(|port| port.1),
        None => port.as_u64(),
    }
}

fn pods(objects: &[Value]) -> Vec<Pod<'_>> {
    workloads(objects).map(pod).chain([prometheus()]).collect()
}

fn pod(workload: &Value) -> Pod<'_> {
    let labels = workload["spec"]["template"]["metadata"]["labels"].as_object();
    let labels = labels.expect("labels").iter();
    let ports = list(&container(workload)["ports"]).iter();
    Pod {
        namespace: text(&workload["metadata"]["namespace"]),
        labels: labels
            .map(|(name, value)| (name.as_str(), text(value)))
            .collect(),
        ports: ports
            .map(|port| {
                (
                    text(&port["name"]),
                    port["containerPort"].as_u64().expect("a number"),
                )
            })
            .collect(),
    }
}

/// The pod that the operator creates for a `Prometheus`.
fn prometheus() -> Pod<'static> {
    Pod {
        namespace: "observability",
        labels: vec![("app.kubernetes.io/name", "prometheus")],
        ports: vec![("web", 9090)],
    }
}
