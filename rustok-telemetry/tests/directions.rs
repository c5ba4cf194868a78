//! Dependencies within the crate run one way: a module uses only those below it.

use std::{collections::BTreeMap, fs, path::Path};

use syn::{UseTree, spanned::Spanned, visit::Visit};

/// The modules of the crate, from top to bottom. A module may use those that come after it.
const ORDER: [&str; 30] = [
    "start",
    "grpc",
    "http",
    "request",
    "console",
    "event_bus",
    "task",
    "testing",
    "logging",
    "health",
    "propagation",
    "otlp",
    "stdout",
    "database",
    "cache",
    "circuit_breaker",
    "tenant",
    "operation",
    "trace",
    "prometheus",
    "metrics",
    "access",
    "delivery",
    "error",
    "config",
    "lifecycle",
    "lock",
    "error_type",
    "attributes",
    "wire",
];

#[test]
fn modules_use_only_those_below() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let exports = exports_of_root(&source);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files(&source) {
        let relative = file.strip_prefix(&source).expect("in the folder");
        let module = module_path(relative);
        let Some(top) = module.first() else {
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file");
        let mut uses = Uses::of(module.clone());
        uses.visit_file(&syn::parse_file(&text).expect("valid Rust"));
        for (line, path) in uses.found {
            let name = &path[0];
            let target = exports.get(name).unwrap_or(name);
            if target == top || !is_module(&source, target) {
                continue;
            }
            seen += 1;
            if rank(target) <= rank(top) {
                let shown = relative.display();
                wrong.push(format!(
                    "{shown}:{line}: {top} uses {target} ({})",
                    path.join("::")
                ));
            }
        }
    }
    assert!(seen > 300, "{seen} uses between modules");
    assert!(wrong.is_empty(), "against the order:\n{}", wrong.join("\n"));
}

fn rank(module: &str) -> usize {
    let rank = ORDER.iter().position(|name| *name == module);
    rank.unwrap_or_else(|| panic!("`{module}` has no place in the order"))
}

/// What `crate::Name` stands for, where the root re-exports it: the module that it comes from.
fn exports_of_root(source: &Path) -> BTreeMap<String, String> {
    let root = fs::read_to_string(source.join("lib.rs")).expect("lib.rs");
    let mut exports = BTreeMap::new();
    for item in syn::parse_file(&root).expect("valid Rust").items {
        let syn::Item::Use(item) = item else { continue };
        for (path, name) in flatten(&item.tree) {
            if let ["self", module, ..] = path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                exports.insert(name, module.to_owned());
            }
        }
    }
    exports.retain(|name, module| name != module);
    exports
}

fn is_module(source: &Path, name: &str) -> bool {
    source.join(name).is_dir() || source.join(format!("{name}.rs")).is_file()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module that a file holds: `trace/tracer.rs` is `[trace, tracer]`, `lib.rs` the root.
fn module_path(file: &Path) -> Vec<String> {
    let mut path: Vec<_> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if let Some("mod" | "lib") = path.last().map(String::as_str) {
        path.pop();
    }
    path
}

/// Paths into this crate, outside of its tests, from the root and with their line.
struct Uses {
    module: Vec<String>,
    found: Vec<(usize, Vec<String>)>,
}

impl Uses {
    fn of(module: Vec<String>) -> Self {
        let found = Vec::new();
        Self { module, found }
    }

    fn add(&mut self, line: usize, path: &[String]) {
        let up = path.iter().take_while(|part| *part == "super").count();
        let from_root = match path[0].as_str() {
            "crate" => path[1..].to_vec(),
            "super" => {
                let above = &self.module[..self.module.len().saturating_sub(up)];
                [above, &path[up..]].concat()
            }
            _ => return,
        };
        if !from_root.is_empty() {
            self.found.push((line, from_root));
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|attribute| {
            let tokens = attribute
                .meta
                .require_list()
                .map(|list| list.tokens.to_string());
            attribute.path().is_ident("cfg") && tokens.is_ok_and(|tokens| tokens == "test")
        });
        if !is_test {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for (path, _) in flatten(&item.tree) {
            self.add(item.span().start().line, &path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        self.add(path.span().start().line, &parts);
        syn::visit::visit_path(self, path);
    }
}

/// Each path of a `use`, with the name that it gets.
fn flatten(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let mut below = flatten(&path.tree);
            for (parts, _) in &mut below {
                parts.insert(0, first.clone());
            }
            below
        }
        UseTree::Group(group) => group.items.iter().flat_map(flatten).collect(),
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Glob(_) => vec![(vec!["*".to_owned()], "*".to_owned())],
    }
}
