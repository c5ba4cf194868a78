//! `#[track_caller]` functions: who the caller is, and the outcomes that other functions have, too.

use std::{
    fmt::{Debug, Display},
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe, Location, catch_unwind},
    sync::{Arc, Mutex},
    task::Poll,
};

use rustok_telemetry::instrument;

use crate::{
    Failure, Result,
    metric_names::{CREATED, ERRORS, MODULE_ERRORS},
    spans::{watch, watch_counted},
    support::{assert_samples, text, text_only},
};

#[track_caller]
#[instrument]
fn below() -> u32 {
    Location::caller().line()
}

#[instrument]
#[track_caller]
fn above() -> u32 {
    Location::caller().line()
}

#[instrument]
#[cfg_attr(all(), track_caller)]
fn conditional() -> u32 {
    Location::caller().line()
}

struct Shop;

trait Places {
    #[track_caller]
    fn place(&self) -> u32;
}

impl Places for Shop {
    #[track_caller]
    #[instrument]
    fn place(&self) -> u32 {
        Location::caller().line()
    }
}

impl Shop {
    #[instrument(record(value))]
    #[track_caller]
    fn generic<T: Debug, const N: usize>(&mut self, value: [T; N], _: impl Display) -> u32 {
        assert_eq!(value.len(), N);
        Location::caller().line()
    }
}

#[test]
fn track_caller_reports_the_caller() {
    let lines = [
        (line!(), below()),
        (line!(), above()),
        (line!(), conditional()),
        (line!(), Shop.place()),
        (line!(), Shop.generic([1], "")),
    ];
    for (expected, line) in lines {
        assert_eq!(line, expected);
    }
}

#[allow(clippy::unwrap_used)]
#[track_caller]
#[instrument(
    name = "call",
    module = "catalog",
    severity = "warning",
    tenant_id = "acme"
)]
fn call(how: &str) -> Result<u32> {
    let found = |found: bool| if found { Ok(1) } else { Err(Failure::NotFound) };
    match how {
        "value" => Ok(1),
        "early" => return Ok(2),
        "error" => Err(Failure::NotFound),
        "early error" => return Err(Failure::NotFound),
        "question" => Ok(found(true)? + found(false)?),
        "hidden" => Ok([0, 0, 0, 1].iter().map(|n| n + 1).sum::<u32>() + vec![found(false)?][0]),
        "unwrap" => Ok(found(false).unwrap()),
        "expect" => Ok(found(false).expect("on purpose")),
        _ => panic!("on purpose"),
    }
}

#[test_fork::test]
fn each_call_has_one_outcome() {
    let telemetry = text_only()
        .without_panic_hook()
        .init()
        .expect("telemetry starts");
    let seen = watch_counted(&telemetry);
    let cases = [
        ("value", None),
        ("early", None),
        ("error", Some("not_found")),
        ("early error", Some("not_found")),
        ("question", Some("not_found")),
        // Within the arguments of a macro, `?` cannot be seen.
        ("hidden", Some("error")),
        ("unwrap", Some("panic")),
        ("expect", Some("panic")),
        ("panic", Some("panic")),
    ];
    for (how, _) in cases {
        let _ = catch_unwind(|| call(how));
    }
    let spans = seen.spans("call");
    assert_eq!(spans.len(), cases.len());
    for (span, (how, error_type)) in spans.iter().zip(cases) {
        let actual = span.fields.get("error.type");
        assert_eq!(actual.map(String::as_str), error_type, "{how}");
        assert!(span.closed, "{how}");
    }
    let text = text();
    let created = r#"{operation="call",tenant_id="acme"}"#;
    assert_samples(&text, CREATED, &[(created, "9")]);
    let errors = [
        (r#"{error_type="error",operation="call"}"#, "1"),
        (r#"{error_type="not_found",operation="call"}"#, "3"),
        (r#"{error_type="panic",operation="call"}"#, "3"),
    ];
    assert_samples(&text, ERRORS, &errors);
    let module_errors = [
        (
            r#"{error_type="error",module="catalog",severity="warning"}"#,
            "1",
        ),
        (
            r#"{error_type="not_found",module="catalog",severity="warning"}"#,
            "3",
        ),
        (
            r#"{error_type="panic",module="catalog",severity="critical"}"#,
            "3",
        ),
    ];
    assert_samples(&text, MODULE_ERRORS, &module_errors);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_panic_is_reported_at_the_callers_line() {
    let places = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&places);
    panic::set_hook(Box::new(move |info| {
        let line = info.location().map(Location::line);
        seen.lock().expect("not poisoned").push(line);
    }));
    let mut expected = Vec::new();
    for how in ["unwrap", "expect"] {
        expected.push(Some(line!() + 1));
        let _ = catch_unwind(|| call(how));
    }
    let _ = panic::take_hook();
    assert_eq!(*places.lock().expect("not poisoned"), expected);
}

#[test]
fn returns_in_nested_functions_are_not_rewritten() {
    #[track_caller]
    #[instrument]
    fn nested(values: &[u8]) -> Option<u8> {
        fn inner(value: Option<u8>) -> Option<u8> {
            if value? == 0 {
                return None;
            }
            value
        }
        let closure = |value: u8| {
            if value == 0 {
                return None;
            }
            inner(Some(value))
        };
        drop(async { Some(inner(None)? + 1) });
        for value in values {
            if *value == 9 {
                break;
            }
            let Some(value) = closure(*value) else {
                continue;
            };
            return Some(value);
        }
        let first = 'found: {
            if values.is_empty() {
                break 'found None;
            }
            values.first()
        };
        first.copied()
    }
    let seen = watch();
    assert_eq!(nested(&[0, 3]), Some(3));
    assert_eq!(nested(&[0, 9]), Some(0));
    assert_eq!(nested(&[]), None);
    assert!(
        seen.spans("nested")
            .iter()
            .all(|span| span.closed && span.fields.is_empty())
    );
}

#[test]
fn question_marks_behave_as_without_the_macro() {
    #[derive(Debug)]
    struct Converted(u32);
    impl From<Failure> for Converted {
        #[track_caller]
        fn from(_: Failure) -> Self {
            Self(Location::caller().line())
        }
    }
    #[track_caller]
    #[instrument]
    fn converts() -> Result<(), Converted> {
        Err(Failure::NotFound)?;
        Ok(())
    }
    #[track_caller]
    #[instrument]
    fn boxes(text: &str) -> std::result::Result<i32, Box<dyn std::error::Error + '_>> {
        if text.is_empty() {
            return Err("empty".into());
        }
        Ok(text.parse::<i32>()?.checked_add(1).ok_or("too large")?)
    }
    #[track_caller]
    #[instrument]
    fn option(text: &str) -> Option<char> {
        text.chars().next()?.to_uppercase().next()
    }
    #[track_caller]
    #[instrument]
    fn flow(stop: bool) -> ControlFlow<&'static str, u8> {
        let value = if stop {
            ControlFlow::Break("stopped")
        } else {
            ControlFlow::Continue(1)
        };
        ControlFlow::Continue(value? + 1)
    }
    #[track_caller]
    #[instrument]
    fn poll(result: Poll<Result<u8>>) -> Poll<Result<u8>> {
        result?.map(|value| Ok(value + 1))
    }
    #[track_caller]
    #[instrument]
    fn next(item: Poll<Option<Result<u8>>>) -> Poll<Option<Result<u8>>> {
        item?.map(|value| value.map(Ok))
    }
    let seen = watch();
    let (line, converted) = (line!(), converts());
    assert!(converted.is_err_and(|Converted(at)| at == line));
    assert_eq!(boxes("2").ok(), Some(3));
    assert!(boxes("").is_err() && boxes("two").is_err() && boxes("2147483647").is_err());
    assert_eq!((option("tea"), option("")), (Some('T'), None));
    assert_eq!(flow(true), ControlFlow::Break("stopped"));
    assert_eq!(flow(false), ControlFlow::Continue(2));
    assert!(matches!(poll(Poll::Ready(Ok(1))), Poll::Ready(Ok(2))));
    assert!(matches!(
        poll(Poll::Ready(Err(Failure::NotFound))),
        Poll::Ready(Err(_))
    ));
    assert!(poll(Poll::Pending).is_pending());
    assert!(matches!(next(Poll::Ready(None)), Poll::Ready(None)));
    assert!(matches!(
        next(Poll::Ready(Some(Err(Failure::NotFound)))),
        Poll::Ready(Some(Err(_)))
    ));
    assert_eq!(seen.span("converts").fields["error.type"], "converted");
    let boxes = seen.spans("boxes");
    assert_eq!(
        boxes
            .iter()
            .filter(|span| span.fields.contains_key("error.type"))
            .count(),
        3
    );
}

#[test]
fn unnamed_types_and_diverging_functions() {
    #[track_caller]
    #[instrument]
    fn gives(until: u8) -> impl Iterator<Item = u8> + use<> {
        if until > 9 {
            return 0..9;
        }
        0..until
    }
    #[track_caller]
    #[instrument]
    fn fallible(fails: bool) -> Result<impl Iterator<Item = u8>> {
        if fails {
            return Err(Failure::NotFound);
        }
        Ok(0..3)
    }
    #[track_caller]
    #[instrument]
    fn boxed(by: u8) -> Box<dyn Fn(u8) -> u8> {
        if by == 0 {
            return Box::new(|value| value);
        }
        Box::new(move |value| value * by)
    }
    #[track_caller]
    #[instrument]
    fn unit(stop: bool) {
        if stop {
            return;
        }
        assert!(!stop);
    }
    #[track_caller]
    #[instrument]
    fn only_returns() -> u8 {
        return 3;
    }
    #[track_caller]
    #[instrument]
    fn diverges() -> ! {
        panic!("on purpose")
    }
    #[track_caller]
    #[instrument]
    fn borrows<'a>(text: &'a mut String, _: &str) -> &'a mut String {
        text.push('!');
        text
    }
    let seen = watch();
    assert_eq!((gives(3).count(), gives(10).count()), (3, 9));
    assert_eq!(fallible(false).map(Iterator::count).ok(), Some(3));
    assert!(fallible(true).is_err());
    assert_eq!((boxed(0)(2), boxed(2)(2)), (2, 4));
    unit(true);
    unit(false);
    assert_eq!(only_returns(), 3);
    assert!(catch_unwind(|| diverges()).is_err());
    assert_eq!(borrows(&mut "tea".to_owned(), ""), "tea!");
    assert_eq!(seen.spans("fallible")[1].fields["error.type"], "not_found");
    assert_eq!(seen.span("diverges").fields["error.type"], "panic");
    assert!(seen.spans("unit").iter().all(|span| span.fields.is_empty()));
}

#[test]
fn a_call_in_a_destructor_during_a_panic_did_not_panic() {
    struct CleansUp;
    impl Drop for CleansUp {
        fn drop(&mut self) {
            assert!(call("value").is_ok());
        }
    }
    let seen = watch();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _cleans_up = CleansUp;
        panic!("on purpose");
    }));
    assert!(unwound.is_err());
    assert!(!seen.span("call").fields.contains_key("error.type"));
}
