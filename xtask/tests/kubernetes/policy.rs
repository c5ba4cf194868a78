//! Rules beyond the Pod Security Standard "restricted", which Kubernetes' own code checks in [`crate::model::read`].

use serde_json::{Value, json};
use xtask::workspace;

use crate::model::{OVERLAYS, container, list, objects, pod, text, title, variable, workloads};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn every_pod_follows_the_policy() {
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let broken: Vec<_> = workloads(objects).flat_map(violations).collect();
        assert!(broken.is_empty(), "{overlay}: {broken:#?}");
        assert_eq!(workloads(objects).count(), 5, "{overlay}");
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn each_rule_finds_a_pod_that_breaks_it() {
    let gateway = workloads(objects("dev")).find(|one| one["metadata"]["name"] == "otel-gateway");
    let gateway = gateway.expect("the gateway");
    for (path, value, finding) in [
        (
            "/image",
            json!("otel/opentelemetry-collector-contrib:latest"),
            "image",
        ),
        (
            "/image",
            json!("otel/opentelemetry-collector-contrib"),
            "image",
        ),
        (
            "/image",
            json!("otel/opentelemetry-collector-contrib:0"),
            "image",
        ),
        ("/image", json!("host:5000/otel"), "image"),
        ("/resources/limits/memory", Value::Null, "limit of memory"),
        (
            "/resources/limits/ephemeral-storage",
            Value::Null,
            "limit of disk",
        ),
        ("/resources/requests/cpu", Value::Null, "request of cpu"),
        (
            "/resources/requests/memory",
            Value::Null,
            "request of memory",
        ),
        (
            "/securityContext/readOnlyRootFilesystem",
            json!(false),
            "root file system",
        ),
        ("/readinessProbe", Value::Null, "readinessProbe"),
        ("/livenessProbe", Value::Null, "livenessProbe"),
        ("/resources/limits/memory", json!("400Mi"), "GOMEMLIMIT"),
        ("/env", json!([]), "GOMEMLIMIT"),
    ] {
        let mut bad = gateway.clone();
        let place = format!("/spec/template/spec/containers/0{path}");
        *bad.pointer_mut(&place).expect(path) = value.clone();
        let found = violations(&bad).join(", ");
        assert!(found.contains(finding), "{path} {value}: {found:?}");
    }
    for (path, value, finding) in [
        ("/automountServiceAccountToken", json!(true), "token"),
        ("/serviceAccountName", json!("default"), "account"),
    ] {
        let mut bad = gateway.clone();
        let place = format!("/spec/template/spec{path}");
        *bad.pointer_mut(&place).expect(path) = value;
        let found = violations(&bad).join(", ");
        assert!(found.contains(finding), "{path}: {found:?}");
    }
}

/// Images of the stack are those of the compose file, whose versions the other tests run.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn images_are_those_of_the_compose_file() {
    let compose = workspace::root().join("docker-compose.observability.yml");
    let compose = std::fs::read_to_string(compose).expect("the compose file");
    for overlay in OVERLAYS {
        let objects = objects(overlay);
        let prometheus = crate::model::object(objects, "Prometheus", "rustok");
        let mut images = vec![text(&prometheus["spec"]["image"])];
        images.extend(workloads(objects).map(|one| text(&container(one)["image"])));
        let (ours, others): (Vec<_>, Vec<_>) = images
            .into_iter()
            .partition(|image| image.contains("rustok-server:"));
        for image in &others {
            assert!(compose.contains(&format!("image: {image}\n")), "{image}");
        }
        assert_eq!(others.len(), 5, "{overlay}");
        let version = concat!("rustok-server:", env!("CARGO_PKG_VERSION"));
        assert!(ours.len() == 1 && ours[0].ends_with(version), "{ours:?}");
    }
}

fn violations(workload: &Value) -> Vec<String> {
    let (pod, container) = (pod(workload), container(workload));
    let resources = &container["resources"];
    let is_given = |value: &Value| !value.is_null();
    let checks = [
        (
            "image without a full version",
            is_pinned(text(&container["image"])),
        ),
        (
            "no limit of memory",
            is_given(&resources["limits"]["memory"]),
        ),
        (
            "no limit of disk",
            is_given(&resources["limits"]["ephemeral-storage"]),
        ),
        ("no request of cpu", is_given(&resources["requests"]["cpu"])),
        (
            "no request of memory",
            is_given(&resources["requests"]["memory"]),
        ),
        (
            "root file system can be written",
            container["securityContext"]["readOnlyRootFilesystem"] == true,
        ),
        ("no readinessProbe", is_given(&container["readinessProbe"])),
        ("no livenessProbe", is_given(&container["livenessProbe"])),
        (
            "GOMEMLIMIT does not fit the memory",
            knows_its_memory(container),
        ),
        (
            "token of the API server",
            pod["automountServiceAccountToken"] == false,
        ),
        (
            "account of others",
            pod["serviceAccountName"] == workload["metadata"]["name"],
        ),
    ];
    let broken = checks.into_iter().filter(|(_, holds)| !holds);
    broken
        .map(|(rule, _)| format!("{}: {rule}", title(workload)))
        .collect()
}

/// A tag of three numbers.
fn is_pinned(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    let tag = name.split_once(':').map_or("", |(_, tag)| tag);
    let numbers: Vec<_> = tag.trim_start_matches('v').split('.').collect();
    numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
}

/// Returns whether `GOMEMLIMIT` is 80 % of the memory that the program may use: of the Collector's own limit, which is
/// below that of the container, otherwise of the container's limit. A Rust program needs no such variable.
fn knows_its_memory(container: &Value) -> bool {
    if text(&container["image"]).contains("rustok-server:") {
        return true;
    }
    let limit = mebibytes(text(&container["resources"]["limits"]["memory"]));
    let own = variable(container, "COLLECTOR_MEMORY_LIMIT_MIB");
    let usable = own.and_then(|own| own.parse().ok()).or(limit);
    let told =
        variable(container, "GOMEMLIMIT").and_then(|told| mebibytes(told.trim_end_matches('B')));
    match (told, usable, limit) {
        (Some(told), Some(usable), Some(limit)) => told == usable * 8 / 10 && usable <= limit,
        _ => false,
    }
}

fn mebibytes(quantity: &str) -> Option<u64> {
    let (number, factor) = match quantity.strip_suffix("Gi") {
        Some(number) => (number, 1024),
        None => (quantity.strip_suffix("Mi")?, 1),
    };
    Some(number.parse::<u64>().ok()? * factor)
}

/// Nothing in the manifests needs more of the API server than to find pods.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn roles_only_find_pods() {
    for overlay in OVERLAYS {
        let mut seen = 0;
        for object in objects(overlay) {
            let kind = text(&object["kind"]);
            assert!(!kind.starts_with("ClusterRole"), "{}", title(object));
            if kind == "Role" {
                for rule in list(&object["rules"]) {
                    assert_eq!(rule["resources"], json!(["pods"]));
                    assert_eq!(rule["verbs"], json!(["get", "list", "watch"]));
                }
                seen += 1;
            }
        }
        assert_eq!(seen, 2, "{overlay}");
    }
}
