//! The query type and the table of a statement that another library has executed.
#![cfg(all(feature = "sql", feature = "testing"))]

use std::time::Duration;

use proptest::prelude::*;
use rustok_telemetry::{database::record_statement, testing};

const MAX_NAME: usize = 64;

/// Returns the labels that are recorded for a statement.
fn labels(sql: &str) -> (String, String) {
    let telemetry = testing::capture();
    record_statement(sql, Duration::from_millis(1), false);
    let metric = telemetry.metric("rustok_database_query_duration_seconds");
    let [series] = metric.series().try_into().expect("one series");
    let label = |name: &str| series.labels[name].clone();
    (label("query_type"), label("table"))
}

#[track_caller]
fn assert_read(sql: &str, kind: &str, table: &str) {
    let (read_kind, read_table) = labels(sql);
    assert_eq!((&*read_kind, &*read_table), (kind, table), "{sql}");
}

#[test]
fn statements_of_every_kind() {
    for (sql, kind, table) in [
        ("SELECT * FROM products", "select", "products"),
        (" select id\n from Products p;", "select", "Products"),
        ("INSERT INTO orders (id) VALUES ($1)", "insert", "orders"),
        (
            "INSERT OR REPLACE INTO orders VALUES (?)",
            "insert",
            "orders",
        ),
        ("UPDATE orders SET id = $1", "update", "orders"),
        ("UPDATE OR IGNORE orders SET id = 1", "update", "orders"),
        ("UPDATE ONLY orders SET id = 1", "update", "orders"),
        ("DELETE FROM ONLY orders WHERE id = 1", "delete", "orders"),
        ("DELETE FROM orders", "delete", "orders"),
        ("MERGE INTO stock USING orders ON true", "merge", "stock"),
        ("REPLACE INTO stock VALUES (1)", "replace", "stock"),
        ("SELECT 1", "select", "none"),
        ("CREATE TABLE products (id INT)", "other", "other"),
        ("BEGIN", "other", "other"),
        ("", "other", "other"),
    ] {
        assert_read(sql, kind, table);
    }
}

#[test]
fn names_are_plain_and_without_their_schema() {
    for (name, table) in [
        (r#""products""#, "products"),
        ("`shop`.`products`", "products"),
        ("shop.public.products", "products"),
        (r#""shop" . "products""#, "products"),
        ("[dbo].[products]", "products"),
        ("products, orders", "products"),
        (r#""my products""#, "other"),
        (r#""pro""ducts""#, "other"),
        ("größe", "other"),
        ("orders$2026", "other"),
        ("'products.csv'", "other"),
        ("$1", "other"),
        ("(SELECT * FROM products) p", "other"),
        ("generate_series(1, 3)", "other"),
        ("LATERAL products", "products"),
        ("shop.", "other"),
    ] {
        assert_read(&format!("SELECT * FROM {name}"), "select", table);
    }
    let long = "t".repeat(MAX_NAME + 1);
    assert_read(&format!("SELECT 1 FROM {long}"), "select", "other");
    assert_read(
        &format!("SELECT 1 FROM {}", &long[1..]),
        "select",
        &long[1..],
    );
}

#[test]
fn the_from_that_counts_is_the_statements_own() {
    for columns in [
        "EXTRACT(YEAR FROM created_at)",
        "(SELECT max(id) FROM orders)",
        "a IS DISTINCT FROM b",
        "'text FROM orders'",
        "'it''s FROM orders'",
        r#""odd FROM orders""#,
        "/* FROM orders */ 1",
        "1 -- FROM orders\n",
        "from_date, :from, @from, $1",
        "5 - -1, a->>'b', x[1], 1.5, 2e3",
    ] {
        assert_read(
            &format!("SELECT {columns} FROM products"),
            "select",
            "products",
        );
    }
}

#[test]
fn with_is_what_comes_after_it() {
    let sql = "WITH RECURSIVE seconds (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM seconds), \
               b AS MATERIALIZED (DELETE FROM orders RETURNING *) ";
    assert_read(
        &format!("{sql} SELECT * FROM products JOIN b"),
        "select",
        "products",
    );
    assert_read(
        &format!("{sql} INSERT INTO stock SELECT * FROM b"),
        "insert",
        "stock",
    );
    assert_read(
        "(SELECT a FROM products) UNION (SELECT b FROM c)",
        "select",
        "products",
    );
}

/// Each could be read so that a word of a literal is taken for the table.
#[test]
fn what_can_be_read_in_two_ways_is_not_read() {
    for columns in [
        r"'it\'s FROM secret', 'b'",
        r#""it\"s FROM secret", 'b'"#,
        "$$it's$$, ' FROM secret '",
        "$tag$it's$tag$, ' FROM secret '",
        "q'[it's FROM secret]'",
        "1 # don't\n, ' FROM secret '",
        "1 -- don't\n, ' FROM secret '",
        "1 /* /* */ ' */ , ' FROM secret '",
        "'open FROM secret",
        "(1 FROM secret",
        "/* FROM secret",
    ] {
        assert_read(
            &format!("SELECT {columns} FROM products"),
            "select",
            "other",
        );
    }
}

#[test]
fn what_comes_after_the_limit_is_not_read() {
    let columns = "column_of_some_length, ".repeat(200);
    assert_read(
        &format!("SELECT {columns} 1 FROM products"),
        "select",
        "other",
    );
    // The limit is within the table's name.
    let cut = format!("SELECT {} FROM products", "1".repeat(4078));
    assert!(cut[..4096].ends_with(" FROM produ"));
    assert_read(&cut, "select", "other");
    let values = "('it', 1), ".repeat(1000);
    assert_read(
        &format!("INSERT INTO stock VALUES {values}"),
        "insert",
        "stock",
    );
}

/// Statements in which every literal says where it comes from.
fn sql_with_secrets() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("SELECT".to_owned()),
        Just("FROM".to_owned()),
        Just("INTO".to_owned()),
        Just("WITH a AS".to_owned()),
        Just("products".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(",".to_owned()),
        Just("--x\n".to_owned()),
        Just("/*x*/".to_owned()),
        "[a-z .(),\"`\n-]{0,8}".prop_map(|text| format!("'{text} FROM secret {text}'")),
        "[a-z ']{0,8}".prop_map(|text| {
            format!("'{} INTO secret, FROM secret'", text.replace('\'', "''"))
        }),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.join(" "))
}

proptest! {
    #[test]
    fn no_text_breaks_it_and_labels_are_bounded(sql in any::<String>()) {
        let (kind, table) = labels(&sql);
        prop_assert!(table.len() <= MAX_NAME);
        prop_assert!(kind.len() <= MAX_NAME);
    }

    #[test]
    fn nothing_but_a_plain_name_becomes_a_table(
        before in "(SELECT|INSERT|UPDATE|DELETE|WITH)[ a-z0-9'\"`$#@:.,()\\[\\]\\\\/*\n-]{0,40}",
        name in "\\PC{0,80}",
    ) {
        let sql = format!("{before} FROM {name}");
        let (_, table) = labels(&sql);
        prop_assert!(!table.is_empty() && table.len() <= MAX_NAME);
        prop_assert!(table.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    }

    #[test]
    fn no_literal_becomes_a_table(sql in sql_with_secrets()) {
        let sql = format!("SELECT {sql}");
        prop_assert_ne!(labels(&sql).1, "secret");
    }

    #[test]
    fn case_and_space_do_not_matter(
        columns in "[a-z]{1,5}(, [a-z]{1,5}){0,3}",
        space in "[ \t\n]{1,3}",
    ) {
        prop_assume!(!columns.contains("from") && !columns.contains("distinct"));
        let sql = format!("{space}sElEcT{space}{columns}{space}fRoM{space}products{space}");
        let (kind, table) = labels(&sql);
        prop_assert_eq!((&*kind, &*table), ("select", "products"));
    }
}
