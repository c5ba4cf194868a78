//! Instructions of one record, counted by callgrind. The counts hardly vary between machines and runs.

use std::process::Command;

use xtask::workspace;

use super::Error;

/// The contenders: the row in the table, and a part of the name in the program.
const WHO: [(&str, &str); 4] = [
    ("floor: an atomic add, series known", "an atomic"),
    ("**rustok-telemetry**", "rustok"),
    ("prometheus, `with_label_values`", "prometheus,"),
    ("OpenTelemetry, `add` or `record`, one reader", "one reader"),
];
const KINDS: [&str; 2] = ["counter", "histogram"];
const SERIES: [(&str, &str); 3] = [
    ("100 series", "hundred"),
    ("10,000 series", "many"),
    ("400 series of long labels", "long"),
];

/// Returns a Markdown table, or the reason why there is none.
pub(super) fn table(quick: bool) -> Result<String, Error> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok("\nNot counted: valgrind is not on the PATH.\n".to_owned());
    }
    let records = if quick { 1_000 } else { 1_000_000 };
    let mut table = String::from("\n### Instructions of a record, counted by callgrind\n\n|");
    for kind in KINDS {
        for (series, _) in SERIES {
            table.push_str(&format!(" | {kind}, {series}"));
        }
    }
    table.push_str(" |\n|---|");
    table.push_str(&"---:|".repeat(KINDS.len() * SERIES.len()));
    table.push('\n');
    for (name, who) in WHO {
        table.push_str(&format!("| {name}"));
        for kind in KINDS {
            for (_, series) in SERIES {
                let arguments = ["--kind", kind, "--series", series, "--who", who];
                let [fewer, more] = [0, records].map(|records| count(&arguments, records + 1_000));
                // Subtracts the start-up, which varies a little between runs.
                let each = (more? as f64 - fewer? as f64) / records as f64;
                table.push_str(&format!(" | {each:.0}"));
            }
        }
        table.push_str(" |\n");
    }
    Ok(table)
}

/// Counts the instructions of a whole run with `records` records.
fn count(arguments: &[&str], records: u64) -> Result<u64, Error> {
    let program = workspace::root().join("target/release/rustok-benches");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--outlets", "text", "repeat"])
        .args(arguments)
        .args(["--records", &records.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let counted = said
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    counted
        .filter(|_| output.status.success())
        .ok_or_else(|| format!("callgrind counted nothing: {said}").into())
}
