//! The service as its clients see it.

#[path = "../../support/http.rs"]
mod http;
#[path = "../../support/program.rs"]
mod program;

use std::{io::Write, net::TcpStream, process::Command};

use http::{get, send};
use program::{Program, assert_lines, wait_for};

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn start() -> (Program, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustok-actix"));
    let command = command.arg("127.0.0.1:0").envs([
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ]);
    let service = Program::start(command);
    let url = service.after("listening on ");
    (service, url)
}

#[test]
fn requests_are_counted_by_route_and_status() {
    let (service, url) = start();
    for (method, path, status) in [
        ("POST", "/rooms/blue/nights/3", 200),
        ("POST", "/rooms/pink/nights/1", 404),
        ("POST", "/rooms/attic/nights/1", 503),
        ("GET", "/wp-login.php", 404),
    ] {
        let answer = send(method, &format!("{url}{path}"), &[]).expect("an answer");
        assert_eq!(answer.0, status, "{path}: {}", answer.1);
    }
    let text = get(&format!("{url}/api/_health/metrics")).expect("the text");
    assert_lines(
        &text,
        &[
            r#"rustok_http_requests_total{method="POST",path="/rooms/{room}/nights/{nights}",status="200"} 1"#,
            r#"rustok_http_requests_total{method="POST",path="/rooms/{room}/nights/{nights}",status="404"} 1"#,
            r#"rustok_http_requests_total{method="POST",path="/rooms/{room}/nights/{nights}",status="503"} 1"#,
            r#"rustok_http_requests_total{method="GET",path="unmatched",status="404"} 1"#,
            r#"rustok_http_request_duration_seconds_count{method="POST",path="/rooms/{room}/nights/{nights}"} 3"#,
            r#"rustok_http_response_size_bytes_sum{endpoint="unmatched",method="GET"} 0"#,
            r#"rustok_module_errors_total{error_type="unknown_room",module="rooms",severity="error"} 1"#,
            r#"rustok_module_errors_total{error_type="under_repair",module="rooms",severity="error"} 1"#,
            r#"hotel_booked_nights_total{room="blue"} 3"#,
            "rustok_http_active_connections 0",
        ],
    );
    let ended = service.interrupt();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("everything was sent"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_request_continues_the_trace_of_its_caller() {
    let (service, url) = start();
    let url = format!("{url}/rooms/green/nights/2");
    let answer = send("POST", &url, &[("traceparent", CALLER)]).expect("an answer");
    assert_eq!(answer, (200, "190 EUR\n".to_owned()));
    let ended = service.interrupt();
    let request = ended.span("POST /rooms/{room}/nights/{nights}");
    assert_eq!(request["kind"], "server");
    assert_eq!(request["trace_id"], CALLER[3..35]);
    assert_eq!(request["parent_span_id"], CALLER[36..52]);
    assert_eq!(request["attributes"]["http.response.status_code"], 200);
    let booking = ended.span("rooms.book");
    assert_eq!(booking["parent_span_id"], request["span_id"]);
    assert_eq!(booking["attributes"]["room"], "green");
}

#[test]
fn a_client_that_disconnects_cancels_its_request() {
    let (service, url) = start();
    let metrics = format!("{url}/api/_health/metrics");
    let has = |line: &str| {
        get(&metrics)?
            .lines()
            .any(|found| found == line)
            .then_some(())
    };
    let address = url.strip_prefix("http://").expect("an address");
    let mut client = TcpStream::connect(address).expect("a connection");
    let request = "GET /bookings/next HTTP/1.1\r\nhost: hotel\r\n\r\n";
    client.write_all(request.as_bytes()).expect("it is sent");
    wait_for("the request", || has("rustok_http_active_connections 1"));
    drop(client);
    let line = r#"rustok_http_requests_total{method="GET",path="/bookings/next",status="client_closed"} 1"#;
    wait_for(line, || has(line));
    let ended = service.interrupt();
    let request = ended.span("GET /bookings/next");
    assert_eq!(request["attributes"]["rustok.outcome"], "cancelled");
}

#[test]
fn the_program_is_shorter_than_120_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines < 120, "{lines}");
}
