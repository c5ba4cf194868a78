//! The book builds, has every page, and its own links hold.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mdbook_driver::{MDBook, book::BookItem};
use xtask::workspace;

use crate::page;

#[test]
fn the_book_builds_and_its_links_hold() {
    let mut book = MDBook::load(workspace::root().join("docs")).expect("the book loads");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book");
    book.config.build.build_dir = folder.clone();
    book.build().expect("the book builds");

    let chapters: BTreeSet<_> = book.iter().filter_map(file).collect();
    let pages = page::of_the_book().into_iter().map(|page| page.path);
    let pages: BTreeSet<_> = pages.filter(|path| path != "docs/SUMMARY.md").collect();
    assert_eq!(chapters, pages, "chapters of docs/SUMMARY.md, and pages");

    let mut broken = Vec::new();
    let mut seen = 0;
    for path in pages {
        let path = path.trim_start_matches("docs/").replace(".md", ".html");
        let path = folder.join(path.replace("README", "index"));
        let html = fs::read_to_string(&path).expect("a chapter is a file");
        let (_, content) = html.split_once("<main>").expect("the content");
        let (content, _) = content.split_once("</main>").expect("the content");
        for link in content.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            seen += 1;
            if !holds(&folder, &path, link) {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(seen > 300, "{seen}");
}

fn file(item: &BookItem) -> Option<String> {
    let BookItem::Chapter(chapter) = item else {
        return None;
    };
    let path = chapter.source_path.as_ref()?;
    Some(format!("docs/{}", path.display()))
}

/// Links to files outside of the book lead into the repository, where another test follows them.
fn holds(folder: &Path, page: &Path, link: &str) -> bool {
    if link.contains("://") {
        return true;
    }
    let (target, id) = link.split_once('#').unwrap_or((link, ""));
    let target = match target {
        "" => page.to_owned(),
        _ => normalized(&page.with_file_name("").join(target)),
    };
    if !target.starts_with(folder) {
        return true;
    }
    match fs::read_to_string(&target) {
        Ok(html) => id.is_empty() || html.contains(&format!("id=\"{id}\"")),
        Err(_) => target.exists(),
    }
}

fn normalized(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part.as_os_str().to_str() {
            Some("..") => drop(whole.pop()),
            _ => whole.push(part),
        }
    }
    whole
}
