//! A page in Markdown: its links, anchors and code blocks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use xtask::workspace;

pub(crate) struct Page {
    /// Relative to the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Targets of links and images.
    pub(crate) links: Vec<String>,
    /// The ids of headings, as forges make them.
    pub(crate) anchors: BTreeSet<String>,
    pub(crate) blocks: Vec<Block>,
}

pub(crate) struct Block {
    /// What follows the fence, such as `rust,no_run`.
    pub(crate) info: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(path: &str) -> Self {
        let text = fs::read_to_string(workspace::root().join(path));
        Self::parse(path, text.unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    fn parse(path: &str, text: String) -> Self {
        let (mut links, mut anchors, mut blocks) = (Vec::new(), BTreeSet::new(), Vec::new());
        let (mut heading, mut block): (Option<String>, Option<Block>) = (None, None);
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let numbered = (1..).map(|number| format!("{slug}-{number}"));
                    let mut ids = std::iter::once(slug.clone()).chain(numbered);
                    anchors.insert(ids.find(|id| !anchors.contains(id)).expect("endless"));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    let text = String::new();
                    block = Some(Block { info, text });
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(block) = &mut block {
                        block.text.push_str(&text);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        Self {
            path: path.to_owned(),
            links,
            anchors,
            blocks,
            text,
        }
    }

    /// The blocks of a language.
    pub(crate) fn code(&self, language: &str) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| {
            let first = block.info.split([',', ' ']).next();
            first == Some(language)
        })
    }

    /// Where a relative link leads: a path from the root of the repository, and the anchor.
    pub(crate) fn resolve(&self, link: &str) -> Option<(String, Option<String>)> {
        if link.contains("://") || link.starts_with("mailto:") {
            return None;
        }
        let (path, anchor) = match link.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor.to_owned())),
            None => (link, None),
        };
        if path.is_empty() {
            return Some((self.path.clone(), anchor));
        }
        let mut parts: Vec<_> = self.path.split('/').collect();
        parts.pop();
        for part in path.split('/') {
            match part {
                ".." => drop(
                    parts
                        .pop()
                        .unwrap_or_else(|| panic!("{}: {link}", self.path)),
                ),
                "." | "" => {}
                _ => parts.push(part),
            }
        }
        Some((parts.join("/"), anchor))
    }
}

/// Every page of the repository, except the texts of others: those that tests compare with, and of bundled libraries.
pub(crate) fn all() -> Vec<Page> {
    let mut paths = Vec::new();
    collect(workspace::root(), &mut paths);
    let mut pages: Vec<_> = paths.iter().map(|path| Page::read(path)).collect();
    pages.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(pages.len() > 40, "{}", pages.len());
    pages
}

/// Those of the book.
pub(crate) fn of_the_book() -> Vec<Page> {
    let pages = all().into_iter();
    pages
        .filter(|page| page.path.starts_with("docs/"))
        .collect()
}

/// The README and the guide: what is shown there must work as it stands.
pub(crate) fn of_the_guide() -> Vec<Page> {
    let is_guide = |page: &Page| page.path == "README.md" || page.path.starts_with("docs/guide/");
    all().into_iter().filter(is_guide).collect()
}

fn collect(folder: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = !name.starts_with('.') || name == ".github";
        if path.is_dir() && ours && !["target", "node_modules", "assets"].contains(&&*name) {
            // `prometheus/tests` has a page; folders of crates have texts to compare with.
            let of_a_crate = name == "tests" && folder.join("Cargo.toml").exists();
            if !of_a_crate {
                collect(&path, paths);
            }
        } else if name.ends_with(".md") {
            let path = path.strip_prefix(workspace::root()).expect("below it");
            paths.push(path.to_string_lossy().into_owned());
        }
    }
}

/// The id that forges give a heading.
fn slug(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
    let kept = heading.chars().filter(kept);
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
