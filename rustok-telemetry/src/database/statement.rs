//! Query type and table of a SQL statement.

mod tokens;

use std::time::Duration;

use self::tokens::{Token, Tokens};
use crate::metrics::{self, NONE, OTHER};

/// Records a statement that has been executed. For libraries with a hook after each statement.
///
/// Needs the Cargo feature `sql`. Records `rustok_database_query_duration_seconds{query_type,table}`, and, if it
/// `failed`, `rustok_database_query_errors_total{query_type,error_type="error"}`. There is no span, because the
/// statement has already ended; [`query`](super::query) creates one.
///
/// The labels are derived from the beginning of the statement:
///
/// - `query_type` is `select`, `insert`, `update`, `delete`, `merge` or `replace`, otherwise `other`. For a statement
///   with `WITH`, it is the type of the main statement.
/// - `table` is the first table of the statement without its schema: `products` for
///   `SELECT … FROM "shop"."products"`. It is `none` without a table, as in `SELECT 1`. It is `other` if the name has
///   other characters than ASCII letters, digits and underscores, if a subquery or function is in its place, or if the
///   quoting is ambiguous between dialects. A value never becomes a label.
///
/// Does not allocate, and reads at most the first 4 KiB.
///
/// ```
/// use std::time::Duration;
/// use rustok_telemetry::database;
///
/// let sql = r#"SELECT "id", "name" FROM "products" WHERE "tenant_id" = $1"#;
/// database::record_statement(sql, Duration::from_millis(3), false); // select, products
/// ```
pub fn record_statement(sql: &str, elapsed: Duration, failed: bool) {
    let Statement { kind, table } = Statement::read(sql);
    metrics::record_db_query_duration(kind, table, elapsed.as_secs_f64());
    if failed {
        metrics::record_db_query_error(kind, "error");
    }
}

/// Query type and table of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement<'sql> {
    pub(super) kind: &'static str,
    pub(super) table: &'sql str,
}

/// Maximum length of a table name in bytes. PostgreSQL and MySQL allow up to 64.
const MAX_NAME: usize = 64;

/// Each query type with the keyword before the table name.
const KINDS: [(&str, Option<&str>); 6] = [
    ("select", Some("from")),
    ("insert", Some("into")),
    ("update", None),
    ("delete", Some("from")),
    ("merge", Some("into")),
    ("replace", Some("into")),
];

/// Keywords that may precede the table name.
const MODIFIERS: [&str; 4] = ["only", "lateral", "low_priority", "ignore"];

impl<'sql> Statement<'sql> {
    pub(super) fn read(sql: &'sql str) -> Self {
        let mut tokens = Tokens::of(sql);
        let Some((kind, before_table)) = kind(&mut tokens) else {
            return Self {
                kind: OTHER,
                table: OTHER,
            };
        };
        let named = before_table.is_none_or(|word| tokens.skip_to(word).is_some());
        let table = if named {
            table(kind, &mut tokens).unwrap_or(OTHER)
        } else if kind == "select" && tokens.are_all_read() {
            NONE
        } else {
            OTHER
        };
        Self { kind, table }
    }
}

/// Reads the query type: the first word, or after `WITH` the first query type outside of parentheses.
fn kind(tokens: &mut Tokens<'_>) -> Option<(&'static str, Option<&'static str>)> {
    let first = tokens.next()?;
    if first.is_word("with") {
        return tokens.find_map(|token| known(&token));
    }
    known(&first)
}

fn known(token: &Token<'_>) -> Option<(&'static str, Option<&'static str>)> {
    KINDS.into_iter().find(|(kind, _)| token.is_word(kind))
}

/// Reads the table name, without schemas before dots. `OTHER` unless it is a plain name.
fn table<'sql>(kind: &str, tokens: &mut Tokens<'sql>) -> Option<&'sql str> {
    let mut token = tokens.next()?;
    loop {
        if token.is_word("or") {
            // UPDATE OR IGNORE of SQLite.
            tokens.next()?;
        } else if !MODIFIERS.iter().any(|word| token.is_word(word)) {
            break;
        }
        token = tokens.next()?;
    }
    loop {
        let (Token::Word(name) | Token::Quoted(name)) = token else {
            return Some(OTHER);
        };
        match tokens.next() {
            Some(Token::Dot) => token = tokens.next()?,
            // A function instead of a table. After INSERT INTO it is the list of columns.
            Some(Token::Parentheses) if kind == "select" => return Some(OTHER),
            None if !tokens.are_all_read() => return Some(OTHER),
            _ if is_plain(name) => return Some(name),
            _ => return Some(OTHER),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut letters = name.bytes();
    name.len() <= MAX_NAME
        && letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}
