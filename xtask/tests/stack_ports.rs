//! A port that something else listens on is named, with the way out; nothing is started.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::progress::Reporter;
use xtask::stack::{Port, Ports, Stack, UpError};

#[test]
fn all_ports_in_use_are_reported_at_once() {
    let (first, second) = (taken_port(), taken_port());
    let ports = Ports::free()
        .expect("free ports")
        .with(Port::Prometheus, port_of(&first))
        .with(Port::JaegerQuery, port_of(&second));

    let error = Stack::builder()
        .run_dir(run_dir("ports-library"))
        .ports(ports)
        .reporter(Reporter::silent())
        .up()
        .expect_err("two ports are in use");

    let UpError::PortsInUse(conflicts) = &error else {
        panic!("another error: {error}");
    };
    let conflicts: Vec<_> = conflicts.ports().map(|(port, _)| port).collect();
    assert_eq!(conflicts, [Port::JaegerQuery, Port::Prometheus]);
}

#[test]
fn the_command_names_purpose_and_variable_of_a_port_in_use() {
    let taken = taken_port();
    let ports = Ports::free()
        .expect("free ports")
        .with(Port::Prometheus, port_of(&taken));

    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["stack", "up", "--dir"])
        .arg(run_dir("ports-command"))
        .envs(Port::ALL.map(|port| (port.variable(), ports.get(port).to_string())))
        .output()
        .expect("xtask runs");

    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let expected = format!(
        "{} (Prometheus, API and web UI): in use; set PROMETHEUS_PORT to choose another",
        port_of(&taken)
    );
    assert!(stderr.contains(&expected), "{stderr}");
}

fn taken_port() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("bound").port()
}

fn run_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
