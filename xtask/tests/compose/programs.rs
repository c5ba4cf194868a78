//! The real programs take what their containers are given.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::stack::Service;
use xtask::stack::programs::{self, Program};
use xtask::workspace;

use crate::model::{counterparts, model};

/// With the container's own environment, but for folders that are its volumes and files at its paths.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn collector_and_jaeger_accept_configuration_and_environment() {
    let model = model();
    for (service, name) in counterparts() {
        if service == Service::Prometheus {
            continue;
        }
        let container = &model.services[name];
        let files = container.options("--config=").into_iter().map(|path| {
            let file = container.file_at(path).expect("a mounted file");
            format!("--config={}", file.display())
        });
        let here = |path: &String| {
            let file = container.file_at(path);
            file.unwrap_or_else(|| match path.strip_prefix("/var/lib/") {
                Some(rest) => scratch().join(rest),
                None => PathBuf::from(path),
            })
        };
        let environment = container.environment.iter();
        accept(
            Command::new(programs::path(service.program()).expect("the program"))
                .arg("validate")
                .args(files)
                .envs(environment.map(|(name, value)| (name, here(value)))),
        );
    }
}

/// In a folder like the container's: what is mounted over a folder takes its place.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn prometheus_accepts_its_configuration_with_the_targets_of_containers() {
    let folder = scratch().join("prometheus");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let root = workspace::root().join("prometheus");
    for entry in fs::read_dir(&root).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_name() != "targets" {
            symlink(entry.path(), folder.join(entry.file_name())).expect("a link");
        }
    }
    symlink(root.join("targets-compose"), folder.join("targets")).expect("a link");
    let promtool = programs::path(Program::Promtool).expect("the program");
    accept(
        Command::new(promtool)
            .args(["check", "config"])
            .arg(folder.join("prometheus.yml")),
    );
}

/// Prometheus and its tool know every option that they are given.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn prometheus_knows_its_options() {
    let model = model();
    let container = &model.services["prometheus"];
    let help = |program, arguments: &[&str]| {
        let program = programs::path(program).expect("the program");
        let output = Command::new(program).args(arguments).arg("--help").output();
        let output = output.expect("it runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let known = help(Program::Prometheus, &[]);
    for option in &container.command {
        let (name, _) = option.split_once('=').expect("a value");
        assert!(known.contains(&format!("{name}=")), "{name}");
    }
    let check = &container.healthcheck.as_ref().expect("a check").test;
    assert_eq!(check[1..4], ["promtool", "check", "ready"]);
    assert!(help(Program::Promtool, &["check", "ready"]).contains("--url="));
}

fn accept(command: &mut Command) {
    let output = command
        .current_dir(workspace::root())
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compose")
}
