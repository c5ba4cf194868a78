//! The service: its resource, its probes, its time to stop; and what scales and protects the gateways.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use xtask::workspace;

use crate::model::{
    OVERLAYS, container, list, object, objects, of_kind, pod, text, title, variable, workloads,
};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn the_resource_describes_the_pod() {
    for overlay in OVERLAYS {
        let service = object(objects(overlay), "Deployment", "rustok-server");
        let container = container(service);
        let environment = list(&container["env"]);
        let position = |name: &str| environment.iter().position(|one| one["name"] == name);
        let end = position("OTEL_RESOURCE_ATTRIBUTES").expect("attributes");
        let mut seen = BTreeSet::new();
        for attribute in text(&environment[end]["value"]).split(',') {
            let (name, value) = attribute.split_once('=').expect("name=value");
            assert!(seen.insert(name), "{name} twice");
            let Some(used) = value
                .strip_prefix("$(")
                .and_then(|rest| rest.strip_suffix(')'))
            else {
                assert_eq!(value, "rustok-server", "{name}");
                continue;
            };
            // Kubernetes replaces only variables that are defined before.
            let defined = position(used).unwrap_or_else(|| panic!("{used} is not defined"));
            assert!(defined < end, "{overlay}: {used} is defined too late");
            let source = text(&environment[defined]["valueFrom"]["fieldRef"]["fieldPath"]);
            let expected = match name {
                "service.instance.id" | "k8s.pod.name" => "metadata.name",
                "k8s.pod.uid" => "metadata.uid",
                "k8s.namespace.name" => "metadata.namespace",
                "k8s.node.name" => "spec.nodeName",
                _ => "",
            };
            assert_eq!(source, expected, "{name}");
        }
        assert_eq!(seen.len(), 8);
        let name = &service["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"];
        // The job of the scrape, which must be that of the pushed metrics.
        assert_eq!(variable(container, "OTEL_SERVICE_NAME"), name.as_str());
    }
}

/// Each part of the shutdown is bounded, and Kubernetes waits for all of them.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn pods_have_time_to_stop() {
    let bounds = [
        ("examples/rustok-server/src/app.rs", "DRAIN_REQUESTS"),
        ("examples/rustok-server/src/app.rs", "DRAIN_EVENTS"),
        ("examples/rustok-server/src/inventory/child.rs", "STOP_TIME"),
    ];
    // And 10 s of `Telemetry::shutdown`.
    let stop: u64 = 10
        + bounds
            .map(|(file, name)| seconds(file, name))
            .iter()
            .sum::<u64>();
    for overlay in OVERLAYS {
        for workload in workloads(objects(overlay)) {
            let sleep = &container(workload)["lifecycle"]["preStop"]["sleep"]["seconds"];
            let sleep = sleep.as_u64().unwrap_or(0);
            let grace = pod(workload)["terminationGracePeriodSeconds"].as_u64();
            let needed = match text(&workload["metadata"]["name"]) {
                "rustok-server" => sleep + stop,
                _ => sleep + 15,
            };
            assert!(
                grace >= Some(needed),
                "{}: {grace:?} < {needed}",
                title(workload)
            );
        }
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn production_has_several_gateways_on_several_nodes() {
    let objects = objects("production");
    let scaler = &object(objects, "HorizontalPodAutoscaler", "otel-gateway")["spec"];
    assert_eq!(scaler["scaleTargetRef"]["kind"], "StatefulSet");
    assert_eq!(scaler["scaleTargetRef"]["name"], "otel-gateway");
    assert!(scaler["minReplicas"].as_u64() >= Some(2));
    let gateway = object(objects, "StatefulSet", "otel-gateway");
    let spread = list(&pod(gateway)["topologySpreadConstraints"]);
    assert!(spread.iter().any(|one| {
        one["topologyKey"] == "kubernetes.io/hostname"
            && one["whenUnsatisfiable"] == "DoNotSchedule"
    }));
    let labels = &gateway["spec"]["template"]["metadata"]["labels"];
    for one in spread
        .iter()
        .map(|one| &one["labelSelector"])
        .chain([&budget(objects)["selector"]])
    {
        for (label, value) in one["matchLabels"].as_object().expect("labels") {
            assert_eq!(&labels[label], value);
        }
    }
    assert_eq!(budget(objects)["maxUnavailable"], 1);
}

/// The queue of a gateway outlives its pod; that of an agent is bounded, since the node's disk is shared.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn queues_are_on_disk() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        for (kind, name) in [("DaemonSet", "otel-agent"), ("StatefulSet", "otel-gateway")] {
            let collector = container(object(objects, kind, name));
            let mounts = list(&collector["volumeMounts"]);
            let queue = mounts
                .iter()
                .find(|mount| mount["mountPath"] == "/var/lib/otelcol");
            assert_eq!(queue.expect("a queue")["name"], "queue");
            let storage = variable(collector, "COLLECTOR_STORAGE_DIR").expect("a folder");
            assert!(storage.starts_with("/var/lib/otelcol/"), "{storage}");
        }
        let agent = object(objects, "DaemonSet", "otel-agent");
        let mut volumes = list(&pod(agent)["volumes"]).iter();
        let queue = volumes
            .find(|volume| volume["name"] == "queue")
            .expect("a queue");
        assert!(queue["emptyDir"]["sizeLimit"].is_string());
        let gateway = object(objects, "StatefulSet", "otel-gateway");
        let claims = list(&gateway["spec"]["volumeClaimTemplates"]);
        assert_eq!(claims[0]["metadata"]["name"], "queue");
        assert_eq!(
            gateway["spec"]["persistentVolumeClaimRetentionPolicy"],
            json!({ "whenDeleted": "Retain", "whenScaled": "Retain" })
        );
    }
}

/// Everything is in a namespace that enforces the Pod Security Standard, and refuses what no policy allows.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn namespaces_are_restricted() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let namespaces: BTreeSet<_> = of_kind(objects, "Namespace")
            .map(|namespace| text(&namespace["metadata"]["name"]))
            .collect();
        assert_eq!(namespaces, BTreeSet::from(["observability", "rustok"]));
        for namespace in of_kind(objects, "Namespace") {
            let labels = &namespace["metadata"]["labels"];
            assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
        }
        for object in objects
            .iter()
            .filter(|object| object["kind"] != "Namespace")
        {
            let namespace = text(&object["metadata"]["namespace"]);
            assert!(namespaces.contains(namespace), "{}", title(object));
        }
        let deny = of_kind(objects, "NetworkPolicy").filter(|policy| {
            policy["spec"]["podSelector"] == json!({})
                && policy["spec"]["ingress"].is_null()
                && policy["spec"]["egress"].is_null()
        });
        let denied: BTreeSet<_> = deny
            .map(|policy| text(&policy["metadata"]["namespace"]))
            .collect();
        assert_eq!(denied, namespaces);
    }
}

/// The Secrets that an overlay does not create are those that its first lines name.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn secrets_exist_or_are_named() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let file = format!("kubernetes/overlays/{overlay}/kustomization.yaml");
        let explained = fs::read_to_string(workspace::root().join(file)).expect("the overlay");
        let created: Vec<_> = of_kind(objects, "Secret")
            .map(|secret| &secret["metadata"]["name"])
            .collect();
        for workload in workloads(objects) {
            for one in list(&container(workload)["env"]) {
                let secret = &one["valueFrom"]["secretKeyRef"];
                let name = &secret["name"];
                if name.is_null() || created.contains(&name) {
                    continue;
                }
                let named = |name: &Value| explained.contains(&format!("`{}`", text(name)));
                assert!(named(name) && named(&secret["key"]), "{overlay}: {secret}");
            }
        }
    }
}

fn budget(objects: &[Value]) -> &Value {
    &object(objects, "PodDisruptionBudget", "otel-gateway")["spec"]
}

/// The value of a constant `Duration::from_secs(…)`.
fn seconds(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(workspace::root().join(file)).expect(file);
    let start = format!("const {name}: Duration = Duration::from_secs(");
    let (_, rest) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {name} in {file}"));
    let (number, _) = rest.split_once(')').expect("a number");
    number.parse().expect("a number")
}
