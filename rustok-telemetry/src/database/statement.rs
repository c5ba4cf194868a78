//! Statements that were run elsewhere: what they do and to which table, as far as their text says it plainly.

mod tokens;

use std::time::Duration;

use self::tokens::{Token, Tokens};
use crate::metrics::{self, NONE, OTHER};

/// Records a statement that has been run: for libraries that call back after each one.
///
/// `rustok_database_query_duration_seconds{query_type,table}`, and, if it `failed`,
/// `rustok_database_query_errors_total{query_type,error_type="error"}`. There is no span, since it would begin in the
/// past; [`query`](super::query) makes one.
///
/// The labels are taken from the statement's beginning, and nothing else of the text is looked at twice or kept:
///
/// - `query_type` is `select`, `insert`, `update`, `delete`, `merge` or `replace`, else `other`. A statement with
///   `WITH` is what comes after that.
/// - `table` is the first table that the statement names, without its schema: `products` for
///   `SELECT … FROM "shop"."products"`. It is `none` where there is no table, as in `SELECT 1`, and `other` where the
///   name isn't plain letters, digits and underscores, where a query, a function or nothing is in its place, or where
///   text in quotes can be read in two ways. A value never becomes a label.
///
/// It doesn't allocate, and reads at most the first 4 KiB.
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

/// What a statement does, and to which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Statement<'sql> {
    kind: &'static str,
    table: &'sql str,
}

/// Longest name of a table; that of PostgreSQL and MySQL.
const MAX_NAME: usize = 64;

/// Each kind with the word that the table's name follows.
const KINDS: [(&str, Option<&str>); 6] = [
    ("select", Some("from")),
    ("insert", Some("into")),
    ("update", None),
    ("delete", Some("from")),
    ("merge", Some("into")),
    ("replace", Some("into")),
];

/// Words that may stand in front of the table's name, or between `UPDATE` and it.
const MODIFIERS: [&str; 4] = ["only", "lateral", "low_priority", "ignore"];

impl<'sql> Statement<'sql> {
    fn read(sql: &'sql str) -> Self {
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

/// The first word, or with `WITH` the first outside of parentheses that says what is done.
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

/// The name that comes next: the last of those between dots. Anything but a plain name is `other`.
fn table<'sql>(kind: &str, tokens: &mut Tokens<'sql>) -> Option<&'sql str> {
    let mut token = tokens.next()?;
    loop {
        if token.is_word("or") {
            // UPDATE OR IGNORE, as SQLite has it.
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
            // A function in the place of a table; after INSERT INTO it is the list of columns.
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

#[cfg(test)]
mod tests;
