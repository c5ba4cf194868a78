//! Every alert has a heading in the runbook, and every heading an alert.

use std::collections::BTreeSet;
use std::fs;

use xtask::workspace;

use crate::files::alerts;

/// The paragraphs of each section, in this order.
const PARTS: [&str; 5] = [
    "**Meaning.**",
    "**Impact.**",
    "**Diagnose.**",
    "**Fix.**",
    "**Silence.**",
];

#[test]
fn every_alert_has_a_heading_and_vice_versa() {
    let alerts: BTreeSet<_> = alerts().into_iter().map(|alert| alert.name).collect();
    let runbook = runbook();
    let headings: Vec<_> = sections(&runbook)
        .into_iter()
        .map(|(heading, _)| heading.to_owned())
        .collect();
    let unique: BTreeSet<_> = headings.iter().cloned().collect();
    assert_eq!(unique, alerts);
    assert_eq!(unique.len(), headings.len(), "a heading is there twice");
}

#[test]
fn every_section_is_complete() {
    for (heading, text) in sections(&runbook()) {
        let mut rest = text;
        for part in PARTS {
            let (_, after) = rest
                .split_once(part)
                .unwrap_or_else(|| panic!("{heading}: {part} is missing, or not in its place"));
            rest = after;
        }
        let steps = &text
            [text.find(PARTS[2]).expect("seen above")..text.find(PARTS[3]).expect("seen above")];
        for number in ["\n1. ", "\n2. ", "\n3. "] {
            assert!(
                steps.contains(number),
                "{heading}: three steps are expected"
            );
        }
        assert!(
            steps.contains('`') || steps.contains("]("),
            "{heading}: no query and no link"
        );
    }
}

fn runbook() -> String {
    fs::read_to_string(workspace::root().join("docs/runbook.md")).expect("the runbook")
}

/// The headings of the third level, each with the text below.
fn sections(runbook: &str) -> Vec<(&str, &str)> {
    runbook
        .split("\n### ")
        .skip(1)
        .map(|section| {
            let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
            (heading.trim(), text.split("\n## ").next().unwrap_or(text))
        })
        .collect()
}
