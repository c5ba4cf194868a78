//! The commands of `docs/guide/getting-started.md` print what the page shows.

mod common;

use common::Running;

const PAGE: &str = include_str!("../../../docs/guide/getting-started.md");

#[test]
fn commands_print_what_the_page_shows() {
    let mut commands = 0;
    for section in PAGE.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or_default();
        let blocks: Vec<_> = section.split("```console\n").skip(1).collect();
        if blocks.is_empty() {
            continue;
        }
        // The page's reader restarts the service in each step, and its counters with it.
        let service = Running::start();
        for block in blocks {
            let block = block.split("```").next().unwrap_or_default();
            let mut printed = String::new();
            for line in block.lines() {
                if let Some(command) = line.strip_prefix("$ ") {
                    printed = run(command, &service.address);
                    commands += 1;
                } else {
                    let shown = printed.lines().any(|actual| fits(line, actual));
                    assert!(shown, "{heading}: {line}\nis not in\n{printed}");
                }
            }
        }
    }
    assert_eq!(commands, 8);
}

/// Does what `curl` would do with the URL and the options that the page uses. A `grep` behind it only shortens.
fn run(command: &str, address: &str) -> String {
    let curl = command.split(" | grep ").next().unwrap_or_default();
    let mut words = curl.split(' ');
    assert_eq!(words.next(), Some("curl"), "{command}");
    let (mut with_head, mut url) = (false, "");
    for word in words {
        match word {
            "-i" => with_head = true,
            "-s" | "-o" | "/dev/null" => {}
            _ => url = word,
        }
    }
    let url = url.replace("127.0.0.1:5151", address);
    let (head, body) = common::get(&url).unwrap_or_else(|error| panic!("{command}: {error}"));
    if with_head {
        format!("{head}\n{body}")
    } else {
        body
    }
}

/// Whether a line of the page is the actual one, in which `…` stands for any text.
fn fits(shown: &str, actual: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = actual.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut ends_open = false;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        ends_open = part.is_empty();
    }
    ends_open || rest.is_empty()
}
