//! Prints the findings as text. The check fits on a screen.

use std::fmt::Write as _;

use rustok_telemetry::config::{Report, ReportLine, Source};

use crate::{
    Findings, Outcome,
    check::Check,
    options::Options,
    step::{Step, StepResult},
};

/// With a check, only settings are shown that are set and have an effect.
pub fn render(findings: &Findings, options: &Options) -> String {
    let report = findings.report();
    let mut text = String::new();
    settings(&mut text, &report, options.wants_check());
    warnings(&mut text, &report, findings.config.strict.value);
    if let Some(check) = &findings.check {
        steps(&mut text, check);
    }
    if findings.not_checked {
        text.push_str("\nnot checked: a service does not start with this configuration\n");
    }
    let check = findings.check.as_ref();
    let nothing_was_tried = check.is_some_and(|check| !check.steps.iter().any(Step::is_ok));
    let verdict = match findings.outcome() {
        Outcome::Ok if nothing_was_tried => "nothing was checked",
        Outcome::Ok if findings.check.is_some() => "the check passed",
        Outcome::Ok => {
            "the configuration is valid; run with --check to see whether telemetry arrives"
        }
        Outcome::CheckFailed => "the check failed",
        Outcome::Misconfigured => "the configuration is invalid",
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}

fn settings(text: &mut String, report: &Report, brief: bool) {
    let shown = |line: &&ReportLine| {
        !brief || (line.source != Source::Default && matters(report, &line.name))
    };
    let lines: Vec<_> = report.lines.iter().filter(shown).collect();
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    text.push_str("settings\n");
    for line in &lines {
        let (name, value, source) = (&line.name, &line.value, line.source);
        let _ = writeln!(text, "  {name:width$}  {value}  ({source})");
    }
    let others = report.lines.len() - lines.len();
    if others > 0 {
        let _ = writeln!(
            text,
            "  {others} others are defaults or have no effect; run without --check to see them"
        );
    }
}

/// Settings of OTLP matter only for a signal that OTLP exports.
fn matters(report: &Report, name: &str) -> bool {
    let Some((signal, _)) = name
        .split_once(".otlp.")
        .or_else(|| name.split_once(".batch."))
    else {
        return true;
    };
    let exporters = format!("{signal}.exporters");
    let mut lines = report.lines.iter();
    lines.any(|line| line.name == exporters && line.value.contains("otlp"))
}

fn warnings(text: &mut String, report: &Report, strict: bool) {
    let consequence = match strict {
        true => "a service does not start",
        false => "ignored: strict mode is off",
    };
    if !report.diagnostics.is_empty() {
        let _ = writeln!(
            text,
            "\nerrors: {} ({consequence})",
            report.diagnostics.len()
        );
    }
    for diagnostic in &report.diagnostics {
        let _ = writeln!(text, "  {diagnostic}");
    }
    if !report.warnings.is_empty() || !report.unknown.is_empty() {
        text.push_str("\nwarnings\n");
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "  {warning}");
    }
    for name in &report.unknown {
        let _ = writeln!(
            text,
            "  {} is not a known variable and has no effect",
            name.escape_debug()
        );
    }
}

fn steps(text: &mut String, check: &Check) {
    let _ = writeln!(text, "\ncheck, run {}", check.run);
    let widths = check.steps.iter().map(|step| step.name.len());
    let width = widths.max().unwrap_or(0);
    for step in &check.steps {
        let (name, target) = (step.name, &step.target);
        let _ = match &step.result {
            StepResult::Ok(seen) => {
                let time = step.elapsed.as_millis();
                writeln!(
                    text,
                    "  ok       {name:width$}  {target}  {seen} ({time} ms)"
                )
            }
            StepResult::Skipped(why) if target.is_empty() => {
                writeln!(text, "  skipped  {name:width$}  {why}")
            }
            StepResult::Skipped(why) => writeln!(text, "  skipped  {name:width$}  {target}  {why}"),
            StepResult::Failed {
                seen,
                cause,
                remedy,
            } => {
                let _ = writeln!(text, "  FAILED   {name:width$}  {target}");
                let indent = " ".repeat(13);
                writeln!(
                    text,
                    "{indent}seen    {seen}\n{indent}cause   {cause}\n{indent}remedy  {remedy}"
                )
            }
        };
    }
}
