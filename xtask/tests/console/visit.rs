//! A visit: from the start of a service to the cause of a failed request, through every view.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use xtask::workspace;

use crate::browser::{Chromium, Tab, assert_none};
use crate::scratch::scratch;
use crate::service::Service;

/// Each view: its name in files, its fragment, and what is there once it has data.
const VIEWS: [(&str, &str, &str); 6] = [
    (
        "overview",
        "#/",
        "document.querySelector('#routes ~ * tbody tr, section tbody tr')",
    ),
    (
        "traces",
        "#/traces",
        "document.querySelectorAll('tbody tr').length > 5",
    ),
    (
        "metric",
        "#/metrics/rustok_http_request_duration_seconds",
        "document.querySelector('canvas') && document.querySelector('tbody tr')",
    ),
    (
        "logs",
        "#/logs",
        "document.querySelectorAll('li.line').length > 3",
    ),
    (
        "parts",
        "#/parts",
        "document.querySelectorAll('canvas').length > 3",
    ),
    (
        "telemetry",
        "#/telemetry",
        "document.querySelector('tbody tr')",
    ),
];

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    browser_missing,
    ignore = "needs Chromium and axe-core: run `cargo xtask test`"
)]
async fn a_visitor_finds_what_happened() {
    let folder = scratch("visit");
    let chromium = Chromium::start(&folder).await;
    let service = Service::start(&folder);
    assert!(
        service.first_line.contains("/api/_health/console"),
        "{}",
        service.first_line
    );
    let started = Instant::now();
    let tab = chromium.open(&service.console).await;
    tab.wait("document.querySelector('.tile-value')?.textContent.match(/[1-9]/)")
        .await;
    let live = started.elapsed();
    println!("live data {live:?} after the service had started");
    assert!(
        live < Duration::from_secs(5),
        "live data after {live:?} only"
    );

    charts_move(&tab).await;
    a_failed_request_is_found_in_two_clicks(&tab).await;
    let trace = a_trace_of_two_services_is_one_waterfall(&tab).await;
    a_log_line_leads_to_its_trace(&tab).await;
    a_paused_page_stays_still(&tab).await;
    all_spans_can_be_kept(&tab).await;
    for scheme in ["light", "dark"] {
        for (width, height) in [(1280, 900), (390, 844)] {
            tab.look(width, height, scheme).await;
            let trace = (
                "trace",
                trace.as_str(),
                "document.querySelector('.waterfall')",
            );
            for view in VIEWS.into_iter().chain([trace]) {
                look_at(&tab, view, &format!("{width}-{scheme}"), &folder).await;
            }
        }
    }
    assert_none(&tab.errors());
    if std::env::var_os("UPDATE_SCREENSHOTS").is_some() {
        pictures_for_the_documentation(&tab, &trace).await;
    }
    let origin = service.console.split("/api/").next().expect("an origin");
    let elsewhere: Vec<_> = tab
        .requests()
        .into_iter()
        .filter(|url| {
            !url.starts_with(&format!("{origin}/"))
                && !url.starts_with("data:")
                && url != "about:blank"
        })
        .collect();
    assert_none(&elsewhere);
    // When the service goes, the page says so, and keeps what it has.
    tab.go("#/").await;
    tab.wait("document.querySelector('.tile')").await;
    service.stop();
    tab.wait("document.querySelector('.banner-error')").await;
    let tiles: usize = tab.eval("document.querySelectorAll('.tile').length").await;
    assert!(tiles > 3, "{tiles} tiles");
    chromium.stop().await;
}

async fn charts_move(tab: &Tab) {
    let pixels = "document.querySelector('canvas').toDataURL()";
    tab.wait("document.querySelector('canvas')").await;
    let before: String = tab.eval(pixels).await;
    let before = serde_json::Value::String(before);
    tab.wait(&format!("{pixels} !== {before}")).await;
}

async fn a_failed_request_is_found_in_two_clicks(tab: &Tab) {
    tab.go("#/").await;
    tab.click("section[aria-labelledby=errors] tbody a[href^='#/traces/']")
        .await;
    tab.wait("document.querySelector('.waterfall .row-bad')")
        .await;
    tab.click(".waterfall .row-bad").await;
    tab.wait("document.querySelector('.attributes')").await;
}

/// Returns the fragment of its view.
async fn a_trace_of_two_services_is_one_waterfall(tab: &Tab) -> String {
    tab.go("#/traces?text=inventory").await;
    tab.click("tbody a[href^='#/traces/']").await;
    tab.wait("document.querySelectorAll('.services li').length === 2")
        .await;
    tab.wait("document.querySelectorAll('.waterfall [role=treeitem]').length > 3")
        .await;
    // Every span but the root has its parent: nothing is missing in between.
    let is_whole = "!document.body.innerText.includes('parent not kept')";
    assert!(tab.eval::<bool>(is_whole).await);
    tab.eval("location.hash").await
}

async fn a_log_line_leads_to_its_trace(tab: &Tab) {
    tab.go("#/logs").await;
    tab.click("li.line a[href^='#/traces/']").await;
    tab.wait("document.querySelector('.waterfall .row-log')")
        .await;
}

async fn a_paused_page_stays_still(tab: &Tab) {
    tab.go("#/").await;
    tab.wait("document.querySelector('.tile-value')").await;
    tab.press("p").await;
    tab.wait("document.querySelector('.banner-paused')").await;
    sleep(Duration::from_millis(500)).await;
    let all = "document.body.innerText + [...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())";
    let (before, requests): (String, _) = (tab.eval(all).await, tab.requests().len());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(
        tab.requests().len(),
        requests,
        "a paused page asked for something"
    );
    assert_eq!(tab.eval::<String>(all).await, before);
    tab.click(".banner-paused button").await;
    tab.wait("!document.querySelector('.banner-paused')").await;
}

async fn all_spans_can_be_kept(tab: &Tab) {
    tab.go("#/traces").await;
    tab.click(".capture button").await;
    tab.wait("document.querySelector('.capture').innerText.includes('left')")
        .await;
    tab.click(".capture button").await;
    tab.wait("document.querySelector('.capture').innerText.includes('5 minutes')")
        .await;
}

/// Checks what no view may get wrong, and keeps a picture of it.
async fn look_at(
    tab: &Tab,
    (name, fragment, filled): (&str, &str, &str),
    how: &str,
    folder: &Path,
) {
    tab.go(fragment).await;
    tab.wait(filled).await;
    sleep(Duration::from_millis(300)).await;
    let wide: bool = tab
        .eval("document.documentElement.scrollWidth > innerWidth")
        .await;
    assert!(!wide, "{name} at {how} is wider than the window");
    assert_none(&tab.serious_violations().await);
    tab.screenshot(&folder.join(format!("{name}-{how}.png")))
        .await;
}

/// Writes the picture at the top of the README and those of the console's page, once the charts have some minutes.
async fn pictures_for_the_documentation(tab: &Tab, trace: &str) {
    let images = workspace::root().join("docs/images");
    let picture = async |name: &str, fragment: &str, filled: &str| {
        tab.go(fragment).await;
        tab.wait(filled).await;
        sleep(Duration::from_millis(500)).await;
        tab.screenshot(&images.join(format!("{name}.png"))).await;
    };
    tab.look(1280, 900, "light").await;
    // First, because older spans go first.
    let waterfall = "document.querySelector('.waterfall')";
    picture("console/trace", trace, waterfall).await;
    sleep(Duration::from_secs(240)).await;
    for (name, fragment, filled) in VIEWS {
        let name = match name {
            "overview" => "console".to_owned(),
            name => format!("console/{name}"),
        };
        picture(&name, fragment, filled).await;
    }
}
