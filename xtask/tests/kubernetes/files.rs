//! What the pods mount are files of this repository, byte for byte, and is where the programs look for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use xtask::workspace;

use crate::model::{
    OVERLAYS, container, list, object, objects, of_kind, pod, text, title, workloads,
};

/// The ConfigMap, without the hash that kustomize appends, with its key, and the file.
const FILES: [(&str, &str); 15] = [
    (
        "grafana-dashboard-folders/dashboards.yml",
        "grafana/provisioning/dashboards/dashboards.yml",
    ),
    (
        "grafana-dashboards/rustok-advanced.json",
        "grafana/dashboards/rustok-advanced.json",
    ),
    (
        "grafana-dashboards/rustok-overview.json",
        "grafana/dashboards/rustok-overview.json",
    ),
    (
        "grafana-dashboards/rustok-slo.json",
        "grafana/dashboards/rustok-slo.json",
    ),
    (
        "grafana-dashboards/rustok-telemetry.json",
        "grafana/dashboards/rustok-telemetry.json",
    ),
    (
        "grafana-dashboards/rustok-traces.json",
        "grafana/dashboards/rustok-traces.json",
    ),
    (
        "grafana-datasources/datasources.yml",
        "grafana/provisioning/datasources/datasources.yml",
    ),
    ("grafana-runbook/runbook.md", "docs/runbook.md"),
    ("jaeger/badger.yaml", "jaeger/backends/badger.yaml"),
    ("jaeger/config.yaml", "jaeger/config.yaml"),
    ("jaeger/ui.json", "jaeger/ui.json"),
    ("otel-agent/agent.yaml", "collector/agent.yaml"),
    (
        "otel-agent/gateways-dns.yaml",
        "collector/overlays/gateways-dns.yaml",
    ),
    ("otel-gateway/config.yaml", "collector/config.yaml"),
    ("otel-gateway/gateway.yaml", "collector/gateway.yaml"),
];

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn mounted_files_are_those_of_the_repository() {
    for overlay in OVERLAYS {
        let mut mounted = BTreeMap::new();
        for map in of_kind(objects(overlay), "ConfigMap") {
            assert!(map["binaryData"].is_null(), "{}", title(map));
            let (name, _hash) = text(&map["metadata"]["name"])
                .rsplit_once('-')
                .expect("a hash");
            for (key, content) in map["data"].as_object().expect("files") {
                mounted.insert(format!("{name}/{key}"), text(content));
            }
        }
        for (place, file) in FILES {
            let content = fs::read_to_string(workspace::root().join(file)).expect(file);
            let same = mounted
                .remove(place)
                .is_some_and(|mounted| mounted == content);
            assert!(same, "{place} is not {file}");
        }
        assert!(mounted.is_empty(), "not in this list: {:?}", mounted.keys());
    }
}

#[test]
fn every_dashboard_is_mounted() {
    let folder = fs::read_dir(workspace::root().join("grafana/dashboards")).expect("the folder");
    let files = folder.map(|entry| entry.expect("an entry").file_name());
    let mounted = FILES
        .iter()
        .filter_map(|(_, file)| file.strip_prefix("grafana/dashboards/"));
    let files: BTreeSet<_> = files.collect();
    assert_eq!(files, mounted.map(Into::into).collect());
}

/// Programs get paths as options and variables: each leads to a mounted file, or into a volume that can be written.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn programs_find_their_files() {
    for (overlay, writable) in OVERLAYS.into_iter().zip([5, 4]) {
        let objects = objects(overlay);
        let (mut read, mut written) = (0, 0);
        for workload in workloads(objects) {
            let container = container(workload);
            let options = list(&container["args"]).iter().map(text);
            let options = options.filter_map(|option| option.strip_prefix("--config="));
            let variables = list(&container["env"])
                .iter()
                .map(|one| text(&one["value"]));
            for path in options
                .chain(variables)
                .filter(|path| path.starts_with('/'))
            {
                match found(objects, workload, path) {
                    Found::File => read += 1,
                    Found::Writable => written += 1,
                    Found::Nothing => panic!("{}: {path}", title(workload)),
                }
            }
        }
        assert_eq!(read, 8, "{overlay}");
        assert_eq!(written, writable, "{overlay}");
    }
}

enum Found {
    File,
    Writable,
    Nothing,
}

fn found(objects: &[Value], workload: &Value, path: &str) -> Found {
    let mounts = list(&container(workload)["volumeMounts"]);
    let mount = mounts.iter().find(|mount| {
        let rest = path.strip_prefix(text(&mount["mountPath"]));
        rest.is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
    });
    let Some(mount) = mount else {
        return Found::Nothing;
    };
    let volume = list(&pod(workload)["volumes"])
        .iter()
        .find(|volume| volume["name"] == mount["name"]);
    let Some(map) = volume.and_then(|volume| volume["configMap"]["name"].as_str()) else {
        return Found::Writable;
    };
    let file = path[text(&mount["mountPath"]).len()..].trim_start_matches('/');
    match object(objects, "ConfigMap", map)["data"][file].is_string() {
        true => Found::File,
        false => Found::Nothing,
    }
}
