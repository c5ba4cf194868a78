//! A console that another one follows.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustok_telemetry::{
    InitError,
    console::{Console, FollowError, follow},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    service::{Service, items, keys, with_console},
    support::{text_only, with_variables},
};

const AS_PEER: &str = "CONSOLE_TEST_PEER";

/// Runs the test of this name again in another process, as the followed service. Returns its address.
fn start_peer(test: &str) -> (Child, String) {
    let mut process = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", test, "--nocapture"])
        .env(AS_PEER, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test runs again");
    let stdout = process.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let address = lines.find_map(|line| {
        line.split_once("peer at ")
            .map(|(_, address)| address.to_owned())
    });
    (process, address.expect("an address"))
}

/// Not forked: it starts another process itself, and telemetry once in each.
#[tokio::test(flavor = "multi_thread")]
async fn a_followed_console_has_the_same_interface() {
    if std::env::var_os(AS_PEER).is_some() {
        let console = Console::new().bearer_token("both");
        let telemetry = with_variables(&[("OTEL_SERVICE_NAME", "inventory")])
            .console(console)
            .init();
        let _telemetry = telemetry.expect("telemetry starts");
        let service = Service::start().await;
        service.work("there").await;
        #[expect(clippy::print_stdout, reason = "the other process reads it")]
        {
            println!("peer at {}", service.url(""));
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        return;
    }
    let (mut peer, address) = start_peer("follow::a_followed_console_has_the_same_interface");
    let console = Console::new()
        .follow("inventory", &address)
        .bearer_token("both");
    let _telemetry = text_only()
        .console(console)
        .init()
        .expect("telemetry starts");
    let mut service = Service::start().await;
    let token = reqwest::header::HeaderMap::from_iter([(
        reqwest::header::AUTHORIZATION,
        "Bearer both".parse().expect("a header"),
    )]);
    service.client = reqwest::Client::builder()
        .no_proxy()
        .default_headers(token)
        .build()
        .expect("a client");
    let own = service.get("/api/state").await;
    assert_eq!(
        own["peers"],
        json!([{"name": "inventory", "url": format!("{address}/api/_health/console/")}])
    );
    let state = service.get("/peer/inventory/api/state").await;
    assert_eq!(
        (&own["service"], &state["service"]),
        (&json!("shop"), &json!("inventory"))
    );
    let traces = service
        .wait_for("/peer/inventory/api/traces?operation=step", |traces| {
            !items(traces).is_empty()
        })
        .await;
    let id = traces[0]["trace_id"].as_str().expect("an id");
    let trace = service
        .get(&format!("/peer/inventory/api/traces/{id}"))
        .await;
    assert_eq!(trace["spans"][1]["attributes"]["task"], "there");
    let (status, answer) = service.answer("/peer/inventory/api/traces/none").await;
    assert_eq!((status, keys(&answer)), (404, vec!["error"]));
    let (status, capture) = service.capture("/peer/inventory/api/capture", 1000).await;
    assert_eq!((status, capture["all_spans_until"].is_u64()), (200, true));
    assert!(service.get("/api/state").await["capture"]["all_spans_until"].is_null());
    for path in [
        "/peer/none/api/state",
        "/peer/inventory/assets/app.js",
        "/peer/inventory/api/events",
    ] {
        assert_eq!(service.answer(path).await.0, 404, "{path}");
    }
    peer.kill().expect("it runs");
    peer.wait().expect("it ends");
    let (status, answer) = service.answer("/peer/inventory/api/state").await;
    assert_eq!(status, 502);
    let why = answer["error"].as_str().expect("a reason");
    assert!(
        why.contains("inventory") && why.contains("refused"),
        "{why}"
    );
}

#[tokio::test]
#[test_fork::fork]
async fn other_machines_cannot_be_followed() {
    let console = Console::new().follow("metadata", "http://169.254.169.254");
    let error = text_only()
        .console(console)
        .init()
        .expect_err("not this machine");
    assert!(matches!(error, InitError::Pipeline { .. }));
    assert!(
        format!("{error:?}").contains("169.254.169.254"),
        "{error:?}"
    );
    assert_eq!(follow("a", "http://127.0.0.1:1"), Err(FollowError::Off));
    let _telemetry = with_console().init().expect("telemetry starts");
    for url in [
        "https://127.0.0.1:1",
        "http://10.0.0.1",
        "http://example.com",
        "http://169.254.169.254/",
        "nonsense",
        "file:///etc/passwd",
    ] {
        let error = FollowError::Address(url.to_owned());
        assert_eq!(follow("a", url), Err(error));
    }
    let service = Service::start().await;
    // The same name replaces the address.
    for (url, origin) in [
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://localhost:2/", "http://127.0.0.1:2"),
        ("http://[::1]:3/inner", "http://[::1]:3/inner"),
        (
            "http://127.0.0.1:4/api/_health/console/",
            "http://127.0.0.1:4",
        ),
    ] {
        assert_eq!(follow("a", url), Ok(()));
        let page = format!("{origin}/api/_health/console/");
        assert_eq!(
            service.get("/api/state").await["peers"],
            json!([{"name": "a", "url": page}])
        );
    }
}

#[tokio::test]
#[test_fork::fork]
async fn a_peer_that_hangs_or_floods_fails_alone() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    for (name, answer, endless) in [
        ("hangs", "", false),
        (
            "redirects",
            "HTTP/1.1 302 x\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        (
            "page",
            "HTTP/1.1 200 x\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
            false,
        ),
        (
            "floods",
            "HTTP/1.1 200 x\r\ncontent-type: application/json\r\n\r\n",
            true,
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.expect("a connection");
            let _ = connection.read(&mut [0; 4096]).await;
            let _ = connection.write_all(answer.as_bytes()).await;
            while endless && connection.write_all(&[b' '; 65536]).await.is_ok() {}
            tokio::time::sleep(Duration::from_secs(30)).await;
        });
        follow(name, format!("http://{address}")).expect("a loopback address");
        let started = Instant::now();
        let (status, answer) = service.answer(&format!("/peer/{name}/api/state")).await;
        assert_eq!((status, keys(&answer)), (502, vec!["error"]), "{name}");
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{name}: {:?}",
            started.elapsed()
        );
    }
}
