//! Ports and names lead to what listens there.

use std::collections::BTreeSet;
use std::fs;

use xtask::stack::Port;
use xtask::{workspace, yaml};

use crate::model::{Model, counterparts, model, model_with};

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn nothing_is_reachable_from_other_machines() {
    let model = model();
    for (name, container) in &model.services {
        for port in &container.ports {
            assert_eq!(port.host_ip, "127.0.0.1", "{name}: {}", port.published);
        }
    }
}

/// The variable that moves each port that people and applications use; by which container it is offered; its number.
const PORTS: [(&str, &str, u16); 6] = [
    ("ALERTMANAGER_PORT", "alertmanager", 9093),
    ("GRAFANA_PORT", "grafana", 3000),
    ("JAEGER_QUERY_PORT", "jaeger", 16686),
    ("COLLECTOR_OTLP_GRPC_PORT", "otel-collector", 4317),
    ("COLLECTOR_OTLP_HTTP_PORT", "otel-collector", 4318),
    ("PROMETHEUS_PORT", "prometheus", 9090),
];

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn the_published_ports_are_those_of_the_guide() {
    let expected = PORTS.map(|(_, container, number)| (container.to_owned(), number, number));
    assert_eq!(published(&model()), BTreeSet::from(expected));
}

/// The variables are those of the stack without containers, and change the outer port alone.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn a_variable_moves_each_port() {
    for port in Port::ALL {
        let number = port.default_number();
        for (variable, _, _) in PORTS.iter().filter(|(_, _, own)| *own == number) {
            assert_eq!(*variable, port.variable());
        }
    }
    for (moved, _, _) in PORTS {
        let expected = PORTS.map(|(variable, container, number)| {
            let outer = if variable == moved { 1001 } else { number };
            (container.to_owned(), outer, number)
        });
        let actual = published(&model_with(&[(moved, "1001")]));
        assert_eq!(actual, BTreeSet::from(expected), "{moved}");
    }
}

/// Each target file of the stack without containers has one here, and what it names listens there.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn prometheus_finds_its_targets() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(workspace::root().join(folder)).expect(folder);
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.into_string().expect("text"))
            .collect()
    };
    let files = names("prometheus/targets-compose");
    assert_eq!(files, names("prometheus/targets"));
    let model = model();
    for file in files.iter().filter(|file| *file != "services.yml") {
        let path = |folder: &str| workspace::root().join("prometheus").join(folder).join(file);
        let target = |folder| {
            let text = fs::read_to_string(path(folder)).expect("a file");
            let target = text.trim().strip_prefix("- targets: [\"");
            let target = target.and_then(|rest| rest.strip_suffix("\"]"));
            let (host, port) = target.expect("one target").split_once(':').expect("a port");
            (host.to_owned(), port.parse().expect("a number"))
        };
        let ((host, port), (_, native)) = (target("targets-compose"), target("targets"));
        assert_eq!(port, native, "{file}");
        match host.as_str() {
            // It scrapes itself.
            "127.0.0.1" => assert_eq!(port, Port::Prometheus.default_number()),
            host => listens(&model, host, port),
        }
    }
}

/// No service is a target until its user says so: a service that was never started should raise no alert. The examples in the
/// comments are right once the `#` is removed.
#[test]
fn service_targets_are_left_to_users() {
    for (folder, host) in [
        ("targets", "127.0.0.1"),
        ("targets-compose", "host.docker.internal"),
    ] {
        let path = format!("prometheus/{folder}/services.yml");
        let text = fs::read_to_string(workspace::root().join(&path)).expect("a file");
        assert!(text.lines().all(|line| line.starts_with('#')), "{path}");
        let examples = text.lines().filter_map(|line| {
            let example = line.strip_prefix("# ")?;
            let is_yaml = example.starts_with("- ") || example.starts_with("  labels");
            is_yaml.then_some(format!("{example}\n"))
        });
        let examples = yaml::parse(&examples.collect::<String>()).expect("YAML");
        let examples = examples.as_array().expect("targets");
        assert_eq!(examples.len(), 2, "{path}");
        for example in examples {
            let address = example["targets"][0].as_str().expect("an address");
            assert_eq!(address.split(':').next(), Some(host), "{path}");
            assert!(example["labels"]["job"].is_string(), "{path}");
        }
        let reference = format!("{host}:{}", Port::Application.default_number());
        assert_eq!(examples[0]["targets"][0], reference.as_str(), "{path}");
    }
}

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn a_container_finds_the_host_on_linux_too() {
    assert_eq!(
        model().services["prometheus"].extra_hosts,
        ["host.docker.internal=host-gateway"]
    );
}

/// Addresses in the environment lead to containers, and to ports on which those listen.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn addresses_in_the_environment_are_reachable() {
    let model = model();
    let mut seen = 0;
    for container in model.services.values() {
        for (variable, value) in &container.environment {
            if !variable.ends_with("_URL") && !variable.ends_with("_ENDPOINT") {
                continue;
            }
            if value.contains("localhost") {
                continue;
            }
            let address = value.trim_start_matches("http://");
            let (host, port) = address.split_once(':').expect("a port");
            listens(&model, host, port.parse().expect("a number"));
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

fn listens(model: &Model, host: &str, port: u16) {
    assert!(model.services.contains_key(host), "no container {host}");
    let counterpart = counterparts().into_iter().find(|(_, name)| *name == host);
    match counterpart {
        Some((service, _)) => {
            let numbers = service.ports().iter().map(|port| port.default_number());
            assert!(numbers.collect::<Vec<_>>().contains(&port), "{host}:{port}");
        }
        None => assert_eq!((host, port), ("alertmanager", 9093)),
    }
}

fn published(model: &Model) -> BTreeSet<(String, u16, u16)> {
    let containers = model.services.iter();
    containers
        .flat_map(|(name, container)| {
            container.ports.iter().map(|port| {
                let published = port.published.parse().expect("a number");
                (name.clone(), published, port.target)
            })
        })
        .collect()
}
