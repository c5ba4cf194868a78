//! Every command in the README and in the guide is run by a test, or listed with the reason why not.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use percent_encoding::percent_decode_str;
use xtask::workspace;

use crate::page::{self, Page};

enum Checked {
    /// By this test.
    Here,
    /// By a test in another file.
    By(&'static str, &'static str),
    /// By none, for this reason.
    Not(&'static str),
}

use Checked::{By, Here, Not};

const MINIMAL: Checked = By(
    "examples/minimal/tests/getting_started.rs",
    "commands_print_what_the_page_shows",
);
const DEMO: Checked = By(
    "xtask/tests/printed_addresses.rs",
    "what_demo_prints_answers_when_it_is_printed",
);
const DOCTOR: Checked = By(
    "xtask/tests/end_to_end/doctor.rs",
    "the_doctor_names_the_hop_that_drops_telemetry",
);
const SERVICE: Checked = By(
    "examples/rustok-server/tests/commands.rs",
    "commands_of_the_guide_find_something",
);
const LOG_LINES: Checked = By(
    "rustok-telemetry/tests/log_lines/main.rs",
    "a_text_line_ends_with_the_ids",
);

/// The beginning of a command, and what checks it. The first entry that fits is taken.
const COMMANDS: [(&str, Checked); 18] = [
    (
        "cargo run -p rustok-server -- --traffic 2>&1 | grep",
        LOG_LINES,
    ),
    ("cargo run -p rustok-server -- --traffic", DEMO),
    ("cargo xtask demo", DEMO),
    ("cargo xtask test", Not("it runs this test")),
    (
        "cargo xtask stack up",
        By(
            "xtask/tests/stack_up_down.rs",
            "two_stacks_run_at_once_and_stop_independently",
        ),
    ),
    (
        "docker compose",
        Not("tests start no containers; xtask/tests/compose checks the files"),
    ),
    ("cargo run -p rustok-telemetry-doctor -- --jaeger", DOCTOR),
    ("rustok-telemetry-doctor --jaeger", DOCTOR),
    (
        "rustok-telemetry-doctor --check",
        By(
            "rustok-telemetry-doctor/tests/doctor/receivers.rs",
            "receiver_that_accepts_everything_is_ok",
        ),
    ),
    (
        "rustok-telemetry-doctor",
        By(
            "rustok-telemetry-doctor/tests/doctor/configuration.rs",
            "every_setting_is_shown_with_its_value_and_its_source",
        ),
    ),
    ("curl http://127.0.0.1:5151/", MINIMAL),
    ("curl -i http://127.0.0.1:5151/", MINIMAL),
    ("curl -s http://127.0.0.1:5151/", MINIMAL),
    ("curl -s -o /dev/null http://127.0.0.1:5151/", MINIMAL),
    ("curl -s http://127.0.0.1:5150/", SERVICE),
    ("curl -si http://127.0.0.1:5150/", SERVICE),
    ("curl -s 'http://127.0.0.1:9090/", Here),
    ("cargo tree", Here),
];

#[test]
fn every_command_is_run_by_a_test() {
    let mut used = BTreeSet::new();
    for page in page::of_the_guide() {
        for command in commands(&page) {
            let found = COMMANDS
                .iter()
                .position(|(start, _)| command.starts_with(start));
            let index = found.unwrap_or_else(|| panic!("{}: no test runs {command}", page.path));
            used.insert(index);
            match COMMANDS[index].1 {
                Here => run(&command),
                By(file, name) => {
                    let test = fs::read_to_string(workspace::root().join(file));
                    let test = test.unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert!(test.contains(&format!("fn {name}(")), "{file}: {name}");
                }
                Not(reason) => assert!(!reason.is_empty()),
            }
        }
    }
    assert_eq!(used.len(), COMMANDS.len(), "each entry is a command");
}

/// The lines of `sh` blocks, and those of `console` blocks behind the prompt.
fn commands(page: &Page) -> Vec<String> {
    let scripts = page.code("sh").flat_map(|block| block.text.lines());
    let sessions = page.code("console").flat_map(|block| block.text.lines());
    let sessions = sessions.filter_map(|line| line.strip_prefix("$ "));
    let lines = scripts.chain(sessions).map(|line| line.trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

fn run(command: &str) {
    if let Some((_, query)) = command.split_once("/api/v1/query?query=") {
        let query = query.trim_end_matches('\'').replace('+', " ");
        let query = percent_decode_str(&query).decode_utf8_lossy();
        let parsed = promql_parser::parser::parse(&query);
        assert!(parsed.is_ok(), "{query}: {parsed:?}");
        return;
    }
    // As if in the folder of a service, and without a network.
    let output = Command::new("sh")
        .args(["-c", &command.replace("cargo tree", "cargo tree --offline")])
        .current_dir(workspace::root().join("examples/minimal"))
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !output.stdout.is_empty(),
        "{said}"
    );
}
