//! What is mounted is there, and is what runs without containers.

use std::collections::BTreeSet;
use std::fs;

use xtask::stack::Service;
use xtask::workspace;

use crate::model::{counterparts, model, native_files};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn every_mounted_path_exists_and_cannot_be_written() {
    let model = model();
    let mut seen = 0;
    for (name, container) in &model.services {
        for mount in &container.volumes {
            let Some(file) = mount.file() else { continue };
            assert!(workspace::root().join(file).exists(), "{name}: {file}");
            assert!(mount.read_only, "{name}: {file} can be written");
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn configurations_are_those_of_the_stack_without_containers() {
    let model = model();
    for (service, name) in counterparts() {
        let container = &model.services[name];
        let option = match service {
            Service::Prometheus => "--config.file=",
            _ => "--config=",
        };
        let used: Vec<_> = container
            .options(option)
            .into_iter()
            .map(|path| container.file_at(path).unwrap_or_else(|| panic!("{path}")))
            .collect();
        let native = native_files(service).into_iter();
        let native: Vec<_> = native.map(|file| workspace::root().join(file)).collect();
        assert_eq!(used, native, "{name}");
    }
}

/// The other files that are mounted: each is the one and only of its kind in the workspace.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn nothing_else_is_mounted_but_what_these_programs_read() {
    let model = model();
    let known = BTreeSet::from([
        "collector/config.yaml",
        "docs/runbook.md",
        "grafana/dashboards",
        "grafana/provisioning/dashboards",
        "grafana/provisioning/datasources",
        "jaeger/backends/badger.yaml",
        "jaeger/config.yaml",
        "jaeger/ui.json",
        "prometheus",
        "prometheus/alertmanager.yml",
        "prometheus/receivers",
        "prometheus/targets-compose",
    ]);
    let mounted: BTreeSet<_> = model
        .services
        .values()
        .flat_map(|container| &container.volumes)
        .filter_map(|mount| mount.file())
        .collect();
    assert_eq!(mounted, known);
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn volumes_are_declared_used_and_where_the_programs_write() {
    let model = model();
    let used: BTreeSet<_> = model
        .services
        .values()
        .flat_map(|container| &container.volumes)
        .filter(|mount| mount.kind == "volume")
        .map(|mount| mount.source.as_str())
        .collect();
    let declared: BTreeSet<_> = model.volumes.keys().map(String::as_str).collect();
    assert_eq!(used, declared);
    for (container, path) in [
        (
            "otel-collector",
            &model.services["otel-collector"].environment["COLLECTOR_STORAGE_DIR"],
        ),
        (
            "otel-collector",
            &model.services["otel-collector"].environment["COLLECTOR_LOGS_FILE"],
        ),
        (
            "jaeger",
            &model.services["jaeger"].environment["JAEGER_STORAGE_DIR"],
        ),
        ("prometheus", &"/prometheus".to_owned()),
        ("alertmanager", &"/alertmanager".to_owned()),
        ("grafana", &"/var/lib/grafana".to_owned()),
    ] {
        let kept = model.services[container].volumes.iter().any(|mount| {
            mount.kind == "volume" && !mount.read_only && path.starts_with(&mount.target)
        });
        assert!(kept, "{container}: {path} is lost with the container");
    }
    let container = &model.services["prometheus"];
    assert_eq!(container.options("--storage.tsdb.path="), ["/prometheus"]);
    let container = &model.services["alertmanager"];
    assert_eq!(container.options("--storage.path="), ["/alertmanager"]);
}

/// What the sample of Alertmanager's configuration names is in the folder that it is given.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn alertmanager_finds_its_receivers_where_the_folder_is_mounted() {
    let model = model();
    let receivers = &model.services["alertmanager"];
    let config = fs::read_to_string(workspace::root().join("prometheus/alertmanager.yml"));
    let config = config.expect("the sample");
    let explained = fs::read_to_string(workspace::root().join("prometheus/receivers/README.md"));
    let explained = explained.expect("what goes there");
    let files = config
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- url_file: "));
    let mut seen = 0;
    for file in files {
        let place = receivers
            .file_at(file)
            .unwrap_or_else(|| panic!("{file} is not mounted"));
        let folder = place.parent().expect("a folder");
        assert_eq!(folder, workspace::root().join("prometheus/receivers"));
        let name = place.file_name().expect("a name").to_string_lossy();
        assert!(explained.contains(&format!("`{name}`")), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
