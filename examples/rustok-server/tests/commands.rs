//! The commands of the guide that look at this service find what the guide says.

mod common;

use common::Server;

const PAGE: &str = include_str!("../../../docs/guide/troubleshooting.md");

/// Nothing is folded in a service that works.
const NOTHING_TO_FIND: &str = "rustok_telemetry_label_values_folded_total";

#[tokio::test]
async fn commands_of_the_guide_find_something() {
    let server = Server::start(&[]);
    // So that there is a request to find.
    let products = reqwest::get(format!("{}/api/products", server.url)).await;
    assert!(products.is_ok(), "{products:?}");
    let mut commands = 0;
    for line in PAGE.lines().map(str::trim) {
        let Some((options, path)) = line.split_once(" http://127.0.0.1:5150") else {
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
        assert!(!text.is_empty(), "{line}");
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
    assert_eq!(commands, 7);
}
