//! A panic while a lock is held does not spread: the library takes every lock although it is poisoned.

use std::{
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Expr, ExprLet, ExprMatch, ExprMethodCall, ItemMod, Local,
    spanned::Spanned,
    visit::{self, Visit},
};

/// Methods that return a lock's guard, or the poison.
const LOCKS: [&str; 7] = [
    "lock",
    "read",
    "write",
    "try_lock",
    "wait",
    "wait_while",
    "wait_timeout_while",
];

/// Methods of a result that panic at the poison, or go without the lock.
const CARELESS: [&str; 10] = [
    "unwrap",
    "expect",
    "ok",
    "err",
    "is_ok",
    "is_err",
    "map",
    "map_err",
    "and_then",
    "unwrap_or_default",
];

/// The locks of a file, and those of them that heed poison.
#[derive(Default)]
struct Found {
    locks: usize,
    careless: Vec<usize>,
}

fn is_lock(expression: &Expr) -> bool {
    let Expr::MethodCall(call) = expression else {
        return false;
    };
    LOCKS.iter().any(|lock| call.method == lock)
}

impl Found {
    fn check(&mut self, expression: &Expr) {
        if is_lock(expression) {
            self.careless.push(expression.span().start().line);
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let is_test = module.attrs.iter().any(|attribute| {
            let path = attribute.path();
            path.is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|it| it.is_ident("test"))
        });
        if !is_test {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.locks += usize::from(call.method == "lock");
        if CARELESS.iter().any(|method| call.method == method) {
            self.check(&call.receiver);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_let(&mut self, condition: &'ast ExprLet) {
        self.check(&condition.expr);
        visit::visit_expr_let(self, condition);
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        self.check(&expression.expr);
        visit::visit_expr_match(self, expression);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_some()) {
            self.check(&init.expr);
        }
        visit::visit_local(self, local);
    }
}

fn found(code: &str) -> Found {
    let mut found = Found::default();
    found.visit_file(&syn::parse_file(code).expect("valid Rust"));
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    all
}

#[test]
fn no_lock_heeds_poison() {
    let (mut locks, mut careless) = (0, Vec::new());
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let found = found(&fs::read_to_string(&file).expect("a source file"));
        locks += found.locks;
        let lines = found.careless.iter();
        careless.extend(lines.map(|line| format!("{}:{line}", file.display())));
    }
    assert!(locks > 50, "{locks}");
    assert!(
        careless.is_empty(),
        "use `unwrap_or_else(PoisonError::into_inner)`:\n{}",
        careless.join("\n")
    );
}

#[test]
fn careless_locks_are_found() {
    let careless = [
        "it.lock().unwrap();",
        "it.lock().expect(\"no panic\").push(1);",
        "if let Ok(guard) = it.lock() {}",
        "let Ok(guard) = it.read() else { return };",
        "match it.write() { Ok(_) => {} Err(_) => {} }",
        "it.lock().map(|guard| guard.len());",
    ];
    for statement in careless {
        let code = format!("fn f() {{ {statement} }}");
        assert_eq!(found(&code).careless.len(), 1, "{statement}");
    }
    let code = "fn f() { it.lock().unwrap_or_else(PoisonError::into_inner).push(1); }";
    assert!(found(code).careless.is_empty());
}
