//! Every Rust block is compiled.

use std::fs;

use xtask::workspace;

use crate::page::{self, Page};

/// Pages whose blocks are compiled elsewhere, or not.
const ELSEWHERE: [(&str, &str); 6] = [
    ("README.md", "`readme.rs` builds a crate of it"),
    (
        "docs/dashboards.md",
        "a shortened part of xtask/src/dashboards/content",
    ),
    ("rustok-telemetry/README.md", "`readme.rs` compares it"),
    (
        "docs/upstream/tracing-opentelemetry-values.md",
        "examples for the maintainers of that crate",
    ),
    (
        "docs/upstream/tracing-subscriber-close.md",
        "examples for the maintainers of that crate",
    ),
    (
        "docs/upstream/tracing-subscriber-spans.md",
        "examples for the maintainers of that crate",
    ),
];

#[test]
fn every_rust_block_is_compiled() {
    let library = fs::read_to_string(workspace::root().join("rustok-telemetry/src/lib.rs"));
    let library = library.expect("the library");
    let mut pages = 0;
    for page in page::all() {
        if page.code("rust").next().is_none() {
            continue;
        }
        pages += 1;
        let line = format!("include_str!(\"../../{}\")", page.path);
        let elsewhere = ELSEWHERE.iter().any(|(path, _)| *path == page.path);
        assert!(
            elsewhere != library.contains(&line),
            "{}: its Rust blocks are compiled if rustok-telemetry/src/lib.rs includes it",
            page.path
        );
        if !elsewhere {
            assert_compiled(&page);
        }
    }
    assert!(pages > 20, "{pages}");
}

fn assert_compiled(page: &Page) {
    for block in page.code("rust") {
        let known = ["rust", "rust,no_run"].contains(&block.info.as_str());
        assert!(known, "{}: {}", page.path, block.info);
    }
    // Rustdoc compiles blocks without a language too.
    for block in &page.blocks {
        assert!(
            !block.info.is_empty() || page.path == "README.md",
            "{}",
            page.path
        );
    }
}
