//! Text that is logged may come from callers: it begins no line, and steers no terminal.

use rustok_telemetry::LogFormat;

use crate::{json, lines, start};

/// Messages that would be two lines, or something else than text.
const HOSTILE: &[&str] = &[
    "a\n2026-11-28T00:00:00Z ERROR shop: forged",
    "a\r\nforged",
    "a\rforged",
    "ends\n\n",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "a\u{9b}31mb\u{85}c",
    "a\u{2028}b\u{2029}c",
    "a\u{0}b\u{b}\u{c}d\u{7f}",
];

#[derive(Debug)]
#[allow(dead_code, reason = "shown by `Debug`")]
struct Order {
    item: &'static str,
}

/// Logs hostile text everywhere; how many lines it is.
fn log_all() -> usize {
    for text in HOSTILE {
        tracing::warn!("{text}");
        tracing::warn!(plain = text, shown = %text, seen = ?text, "seen");
        log::warn!("{text}");
        log::warn!(target: text, "by its target");
        let _span = tracing::info_span!("request", plain = text, shown = %text).entered();
        tracing::warn!("in a span");
    }
    tracing::warn!("{:#?}", Order { item: "lamp" });
    log::warn!("{:#?}", Order { item: "lamp" });
    tracing::warn!(
        order = format_args!("{:#?}", Order { item: "lamp" }),
        "seen"
    );
    5 * HOSTILE.len() + 3
}

#[test]
fn hostile_text_is_one_text_line() {
    let test = "hostile_text::hostile_text_is_one_text_line";
    let Some(lines) = lines(test, "info", || {
        let telemetry = start(LogFormat::Human);
        log_all();
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let breaks = |it: char| it.is_control() || matches!(it, '\u{2028}' | '\u{2029}');
    for line in &lines {
        assert!(!line.contains(breaks), "{line:?}");
    }
    assert_eq!(lines.len(), 5 * HOSTILE.len() + 3, "{lines:#?}");
    assert!(
        lines[0].ends_with(r"a\n2026-11-28T00:00:00Z ERROR shop: forged"),
        "{}",
        lines[0]
    );
    let ends = lines
        .iter()
        .find(|line| line.contains("ends"))
        .expect("it is there");
    assert!(ends.ends_with(r"ends\n\n"), "{ends}");
    let order = r#"Order {\n    item: "lamp",\n}"#;
    let shown = lines.iter().filter(|line| line.contains(order));
    assert_eq!(shown.count(), 3, "{lines:#?}");
}

#[test]
fn hostile_text_is_one_line_of_json() {
    let test = "hostile_text::hostile_text_is_one_line_of_json";
    let Some(lines) = lines(test, "info", || {
        let telemetry = start(LogFormat::Json);
        log_all();
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    assert_eq!(lines.len(), 5 * HOSTILE.len() + 3, "{lines:#?}");
    for (lines, text) in lines.chunks(5).zip(HOSTILE) {
        assert_eq!(json(&lines[0])["fields"]["message"], *text);
        assert_eq!(json(&lines[1])["fields"]["plain"], *text);
        assert_eq!(json(&lines[1])["fields"]["shown"], *text);
        assert_eq!(json(&lines[2])["fields"]["message"], *text);
        assert_eq!(json(&lines[3])["target"], *text);
        assert_eq!(json(&lines[4])["span"]["shown"], *text);
    }
}

#[test]
fn values_in_json_keep_their_types() {
    let test = "hostile_text::values_in_json_keep_their_types";
    let Some(lines) = lines(test, "info", || {
        let telemetry = start(LogFormat::Json);
        let _span = tracing::info_span!("work", n = 1_u64, sure = true).entered();
        tracing::info!(
            n = u64::MAX,
            ratio = 0.5,
            some = Some(5_u8),
            none = None::<u8>,
            "seen"
        );
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let line = json(&lines[0]);
    assert_eq!(line["fields"]["n"], u64::MAX);
    assert_eq!(line["fields"]["ratio"], 0.5);
    assert_eq!(line["fields"]["some"], 5);
    assert!(line["fields"].get("none").is_none());
    assert_eq!(
        (&line["span"]["n"], &line["span"]["sure"]),
        (&1.into(), &true.into())
    );
}
