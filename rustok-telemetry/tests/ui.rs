//! What the macros accept, and what they say when they do not.
//!
//! `TRYBUILD=overwrite cargo test -p rustok-telemetry --test ui` writes the expected messages anew.

#[test]
fn macros() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
