//! The commands of the documentation that look at this service find what their page says.

mod common;

use std::time::Duration;

use common::Server;

const PAGES: [&str; 2] = [
    include_str!("../../../docs/guide/troubleshooting.md"),
    include_str!("../../../docs/console.md"),
];

/// Nothing is folded in a service that works.
const NOTHING_TO_FIND: &str = "rustok_telemetry_label_values_folded_total";

#[tokio::test]
async fn commands_of_the_guide_find_something() {
    let server = Server::start(&[]);
    // So that there is a request to find.
    let products = reqwest::get(format!("{}/api/products", server.url)).await;
    assert!(products.is_ok(), "{products:?}");
    let mut commands = 0;
    // The console takes its first sample of the metrics.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let lines = PAGES.iter().flat_map(|page| page.lines().map(str::trim));
    for line in lines.filter(|line| line.starts_with("curl")) {
        let command = line.replace('\'', "");
        let Some((options, path)) = command.split_once(" http://127.0.0.1:5150") else {
            continue;
        };
        commands += 1;
        let (path, patterns) = path.split_once(" | grep ").unwrap_or((path, ""));
        let answer = reqwest::get(format!("{}{path}", server.url)).await;
        let answer = answer.expect(line);
        let head = format!("{:?} {:?}", answer.version(), answer.headers());
        let text = match options {
            // Whatever the status.
            "curl -si" => head,
            "curl -s" => {
                let answer = answer.error_for_status().expect(line);
                answer.text().await.expect("text")
            }
            _ => panic!("{line}"),
        };
        assert!(!text.is_empty() && text != "[]", "{line}");
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
