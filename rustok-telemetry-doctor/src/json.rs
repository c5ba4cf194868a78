//! Prints the findings as JSON. `docs/doctor.md` has the schema. Within a version keys are only added.

use serde_json::{Value, json};

use crate::{
    Findings, Outcome,
    check::Check,
    step::{Step, StepResult},
};

const VERSION: u32 = 1;

pub fn render(findings: &Findings) -> String {
    let report = findings.report();
    let outcome = findings.outcome();
    let settings = report.lines.iter().map(
        |line| json!({"name": line.name, "value": line.value, "source": line.source.to_string()}),
    );
    let diagnostics = report.diagnostics.iter().map(|diagnostic| {
        json!({
            "variable": diagnostic.variable(),
            "value": diagnostic.value(),
            "why": diagnostic.why(),
            "allowed": diagnostic.allowed(),
        })
    });
    let value = json!({
        "version": VERSION,
        "outcome": match outcome {
            Outcome::Ok => "ok",
            Outcome::CheckFailed => "check_failed",
            Outcome::Misconfigured => "misconfigured",
        },
        "exit_status": outcome as u8,
        "settings": settings.collect::<Vec<_>>(),
        "problems": diagnostics.collect::<Vec<_>>(),
        "notices": report.warnings,
        "unknown": report.unknown,
        "check": findings.check.as_ref().map(check),
    });
    format!("{value:#}\n")
}

fn check(check: &Check) -> Value {
    json!({
        "run": check.run,
        "trace_id": check.trace_id,
        "steps": check.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    let (result, seen, cause, remedy) = match &step.result {
        StepResult::Ok(seen) => ("ok", seen, None, None),
        StepResult::Skipped(why) => ("skipped", why, None, None),
        StepResult::Failed {
            seen,
            cause,
            remedy,
        } => ("failed", seen, Some(cause), Some(remedy)),
    };
    json!({
        "step": step.name,
        "target": step.target,
        "result": result,
        "seen": seen,
        "cause": cause,
        "remedy": remedy,
        "milliseconds": u64::try_from(step.elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}
