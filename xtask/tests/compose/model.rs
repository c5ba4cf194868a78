//! The compose file, as Docker Compose understands it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use xtask::stack::programs::{self, Program};
use xtask::stack::{Service, Setup};
use xtask::workspace;

pub(crate) const FILE: &str = "docker-compose.observability.yml";

/// The whole file. What is not named here is not looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) services: BTreeMap<String, Container>,
    pub(crate) volumes: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Container {
    pub(crate) image: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) command: Vec<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) ports: Vec<Published>,
    #[serde(default)]
    pub(crate) volumes: Vec<Mount>,
    #[serde(default)]
    pub(crate) depends_on: BTreeMap<String, Value>,
    pub(crate) healthcheck: Option<HealthCheck>,
    /// In bytes.
    pub(crate) mem_limit: String,
    pub(crate) restart: String,
    #[serde(default)]
    pub(crate) extra_hosts: Vec<String>,
    pub(crate) logging: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    #[serde(default)]
    pub(crate) host_ip: String,
    pub(crate) published: String,
    pub(crate) target: u16,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Mount {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) read_only: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct HealthCheck {
    pub(crate) test: Vec<String>,
}

impl Mount {
    /// Where what is mounted comes from, from the root of the workspace; none if it is a volume.
    pub(crate) fn file(&self) -> Option<&str> {
        let source = (self.kind == "bind").then_some(self.source.as_str())?;
        let root = workspace::root().to_str().expect("text");
        let path = source.strip_prefix(root).expect("within the workspace");
        Some(path.trim_start_matches('/'))
    }
}

impl Container {
    /// The file of the workspace that is at this path in the container.
    pub(crate) fn file_at(&self, path: &str) -> Option<PathBuf> {
        self.volumes.iter().find_map(|mount| {
            let rest = path.strip_prefix(&mount.target)?;
            let file = format!("{}{rest}", mount.file()?);
            Some(workspace::root().join(file))
        })
    }

    /// The value of an option.
    pub(crate) fn options(&self, name: &str) -> Vec<&str> {
        let options = self.command.iter();
        options.filter_map(|one| one.strip_prefix(name)).collect()
    }
}

/// What is not given, or given as nothing.
fn or_none<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The file without any variable in the environment.
pub(crate) fn model() -> Model {
    model_with(&[])
}

/// The file with these variables in the environment.
pub(crate) fn model_with(variables: &[(&str, &str)]) -> Model {
    let output = read(&workspace::root().join(FILE), variables);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("what the tests know of a compose file")
}

/// What Docker Compose's own library makes of a file.
pub(crate) fn read(file: &Path, variables: &[(&str, &str)]) -> Output {
    let program = programs::path(Program::ComposeModel).expect("the program");
    Command::new(program)
        .arg(file)
        .current_dir(workspace::root())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("it runs")
}

/// The containers of what also runs without any.
pub(crate) fn counterparts() -> [(Service, &'static str); 3] {
    [
        (Service::Collector, "otel-collector"),
        (Service::Jaeger, "jaeger"),
        (Service::Prometheus, "prometheus"),
    ]
}

/// The configuration files that this service has by `cargo xtask stack`.
pub(crate) fn native_files(service: Service) -> Vec<&'static str> {
    service.configuration(Setup::default())
}

/// A schema that takes everything would prove nothing.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn a_key_that_compose_does_not_know_is_refused() {
    let text = std::fs::read_to_string(workspace::root().join(FILE)).expect("the file");
    for (known, unknown) in [
        (
            "    restart: unless-stopped",
            "    restarts: unless-stopped",
        ),
        ("    healthcheck:", "    health_check:"),
        ("    mem_limit: 1g", "    mem_limit: [1g]"),
        ("{ condition: service_healthy }", "{ condition: healthy }"),
        (
            "      - grafana:/var/lib/grafana",
            "      - graphana:/var/lib/grafana",
        ),
        (
            "      prometheus: { condition",
            "      promotheus: { condition",
        ),
    ] {
        assert!(text.contains(known), "{known}");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compose.yml");
        std::fs::write(&file, text.replacen(known, unknown, 1)).expect("a file");
        assert!(!read(&file, &[]).status.success(), "{unknown} is taken");
    }
}
