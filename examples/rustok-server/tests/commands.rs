//! The commands of the documentation that look at this service find what their page says.

mod common;

use std::time::{Duration, Instant};

use common::Server;

const PAGES: [&str; 2] = [
    include_str!("../../../docs/guide/troubleshooting.md"),
    include_str!("../../../docs/console.md"),
];

/// Nothing is folded in a service that works.
const NOTHING_TO_FIND: &str = "rustok_telemetry_label_values_folded_total";

/// Answers of the console without an item end so.
const NOTHING: [&str; 3] = ["[]", "{\"lines\":[],\"older\":false}", "\"ticks\":[]}"];

/// How long an answer may be empty.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn commands_of_the_guide_find_something() {
    let server = Server::start(&["--traffic"]);
    // So that there is a request to find.
    let products = reqwest::get(format!("{}/api/products", server.url)).await;
    assert!(products.is_ok(), "{products:?}");
    let mut commands = 0;
    let lines = PAGES.iter().flat_map(|page| page.lines().map(str::trim));
    for line in lines.filter(|line| line.starts_with("curl")) {
        let command = line.replace('\'', "");
        let Some((options, path)) = command.split_once(" http://127.0.0.1:5150") else {
            continue;
        };
        commands += 1;
        let (path, patterns) = path.split_once(" | grep ").unwrap_or((path, ""));
        let url = format!("{}{path}", server.url);
        let asked = Instant::now();
        let text = loop {
            let text = ask(options, &url).await;
            // The console takes a sample of the metrics every two seconds.
            let is_nothing = NOTHING.iter().any(|nothing| text.ends_with(nothing));
            if !text.is_empty() && !is_nothing {
                break text;
            }
            assert!(asked.elapsed() < PATIENCE, "{line}: {text}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let patterns = patterns
            .split(' ')
            .filter(|word| !word.is_empty() && *word != "-e");
        for pattern in patterns.filter(|pattern| *pattern != NOTHING_TO_FIND) {
            assert!(
                text.contains(pattern),
                "{line}: {pattern} is not in\n{text}"
            );
        }
    }
    assert_eq!(commands, 10);
}

/// Returns what curl would print with these options.
async fn ask(options: &str, url: &str) -> String {
    let answer = reqwest::get(url).await.expect(url);
    match options {
        // Whatever the status.
        "curl -si" => format!("{:?} {:?}", answer.version(), answer.headers()),
        "curl -s" => {
            let answer = answer.error_for_status().expect(url);
            answer.text().await.expect("text")
        }
        _ => panic!("{options} {url}"),
    }
}
