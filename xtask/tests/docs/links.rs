//! Every relative link leads to a file and, with an anchor, to a heading. Every page can be reached from the README.

use std::collections::{BTreeMap, BTreeSet};

use xtask::workspace;

use crate::page::{self, Page};

#[test]
fn every_relative_link_and_anchor_holds() {
    let pages = by_path();
    let mut broken = Vec::new();
    let mut seen = 0;
    for page in pages.values() {
        for link in &page.links {
            let Some((path, anchor)) = page.resolve(link) else {
                continue;
            };
            seen += 1;
            let holds = match (pages.get(&path), anchor) {
                (Some(target), Some(anchor)) => target.anchors.contains(&anchor),
                (None, Some(_)) => false,
                (_, None) => workspace::root().join(&path).exists(),
            };
            if !holds {
                broken.push(format!("{}: {link}", page.path));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(seen > 300, "{seen}");
}

#[test]
fn every_page_is_reachable_from_the_readme() {
    let pages = by_path();
    let (mut reached, mut next) = (BTreeSet::new(), vec!["README.md".to_owned()]);
    while let Some(path) = next.pop() {
        if let Some(page) = pages.get(&path)
            && reached.insert(path)
        {
            let targets = page.links.iter().filter_map(|link| page.resolve(link));
            next.extend(targets.map(|(path, _)| path));
        }
    }
    // What forges and registries show in their own places.
    let elsewhere = |path: &str| {
        path.starts_with(".github/") || path.starts_with("rustok-telemetry") && is_of_a_crate(path)
    };
    let unreached = pages.keys().filter(|path| !reached.contains(*path));
    let unreached: Vec<_> = unreached.filter(|path| !elsewhere(path)).collect();
    assert!(unreached.is_empty(), "{unreached:#?}");
}

fn is_of_a_crate(path: &str) -> bool {
    path.matches('/').count() == 1 && path.ends_with("/README.md")
}

fn by_path() -> BTreeMap<String, Page> {
    let pages = page::all().into_iter();
    pages.map(|page| (page.path.clone(), page)).collect()
}
