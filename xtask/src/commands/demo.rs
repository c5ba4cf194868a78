//! `cargo xtask demo`: the stack, and the reference service sending telemetry to it.

use std::os::unix::process::CommandExt;
use std::process::{Child, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use xtask::stack::{Port, Ports, Setup, Stack, TraceStorage, query};
use xtask::workspace;

use super::Error;
use super::stack::{Up, WasUp, ensure_up, print_addresses};

/// Time for the service to export its telemetry and end.
const GRACE: Duration = Duration::from_secs(20);
/// The package, and its `service.name`.
const SERVICE: &str = "rustok-server";
/// The name of the service's own page.
const METRICS: &str = "service";
const POLL: Duration = Duration::from_millis(100);

/// Starts the stack unless it is up, runs the service until Ctrl-C, and stops the stack if it was started here.
pub(crate) fn run(options: &Up, cancelled: Arc<AtomicBool>) -> Result<ExitCode, Error> {
    if !options.free_ports {
        // Fails before anything is built or started.
        Ports::from_env()?
            .check_free(&[Port::Application])
            .map_err(|taken| {
                format!("{taken}\nStop the service on that port, or set RUSTOK_SERVER_PORT to another port.")
            })?;
    }
    let setup = Setup {
        traces: TraceStorage::Memory,
        explore: true,
    };
    let (stack, WasUp(was_up)) = ensure_up(options, setup, Arc::clone(&cancelled))?;
    println!("The stack is up:");
    print_addresses(&stack);
    if !stack.setup().explore {
        println!(
            "It was started without VictoriaMetrics, which has a page for queries. \
             To add it, run `cargo xtask stack down`, then `cargo xtask demo`."
        );
    }
    let result = serve(&stack, &cancelled);
    if was_up {
        println!("The stack was up before and stays up.");
    } else {
        stack.down()?;
        println!("The stack is down again.");
    }
    let status = result?;
    let ended_as_asked = cancelled.load(Ordering::Relaxed) || status.success();
    Ok(ExitCode::from(u8::from(!ended_as_asked)))
}

fn serve(stack: &Stack, cancelled: &AtomicBool) -> Result<ExitStatus, Error> {
    let ports = stack.ports();
    ports.check_free(&[Port::Application])?;
    println!("Building and starting {SERVICE}. Ctrl-C stops it.");
    let mut service = workspace::cargo()
        .args(["run", "--package", SERVICE, "--", "--traffic"])
        .args(["--port", &ports.get(Port::Application).to_string()])
        .envs(environment(ports))
        .stdin(Stdio::null())
        // A separate process group: Ctrl-C does not reach it, `stop` signals it.
        .process_group(0)
        .spawn()?;
    let ended = watch(&mut service, stack, cancelled);
    // Before the service ends, so that ServiceDown does not fire. Fails if the target file was never written.
    let _ = stack.forget_service();
    match ended {
        Ok(Some(status)) => Ok(status),
        Ok(None) => Ok(stop(&mut service)?),
        Err(error) => {
            stop(&mut service)?;
            Err(error)
        }
    }
}

/// Prints each page as soon as it has content, until the service ends or Ctrl-C is pressed.
fn watch(
    service: &mut Child,
    stack: &Stack,
    cancelled: &AtomicBool,
) -> Result<Option<ExitStatus>, Error> {
    let address = stack.ports().address(Port::Application);
    let mut pages = pages(stack.ports());
    let mut is_scraped = false;
    while !cancelled.load(Ordering::Relaxed) {
        if let Some(status) = service.try_wait()? {
            return Ok(Some(status));
        }
        pages.retain(|page| {
            let shows_it = query::shows(&page.url, page.content);
            if shows_it {
                println!("  {:<16}{}", page.name, page.url);
            }
            !shows_it
        });
        if !is_scraped && pages.iter().all(|page| page.name != METRICS) {
            stack.scrape_service(SERVICE, &address)?;
            is_scraped = true;
        }
        sleep(POLL);
    }
    Ok(None)
}

/// A page with a result of the demo.
struct Page {
    name: &'static str,
    url: String,
    /// Text that the page contains once its data has arrived.
    content: &'static str,
}

fn pages(ports: &Ports) -> Vec<Page> {
    let page = |name, port, path: &str, content| Page {
        name,
        url: format!("{}{path}", ports.url(port)),
        content,
    };
    let sent = "/api/v1/query?query=rustok_http_requests_total";
    let traces = format!("/api/traces?service={SERVICE}&limit=5");
    vec![
        page(
            METRICS,
            Port::Application,
            "/api/_health/metrics",
            "rustok_",
        ),
        page(
            "console",
            Port::Application,
            "/api/_health/console",
            "RusToK console",
        ),
        page("in Prometheus", Port::Prometheus, sent, SERVICE),
        page("in Jaeger", Port::JaegerQuery, &traces, "traceID"),
    ]
}

/// Where the service listens and sends its telemetry; what the user has set stays.
fn environment(ports: &Ports) -> Vec<(&'static str, String)> {
    let mut variables = Vec::new();
    for (variable, value) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            ports.url(Port::CollectorOtlpGrpc),
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()),
        // Every 5 s instead of every minute: a demonstration is looked at.
        ("OTEL_METRIC_EXPORT_INTERVAL", "5000".to_owned()),
    ] {
        if std::env::var_os(variable).is_none() {
            variables.push((variable, value));
        }
    }
    variables
}

fn stop(service: &mut Child) -> std::io::Result<ExitStatus> {
    let group = i32::try_from(service.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It fails only if the group has ended by itself, which the loop below sees.
        let _ = kill_process_group(group, Signal::INT);
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        if let Some(status) = service.try_wait()? {
            return Ok(status);
        }
        sleep(POLL);
    }
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    service.wait()
}
