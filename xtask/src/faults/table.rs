//! The results as Markdown, and their places in `docs/reliability.md`.

use std::fs;
use std::time::Duration;

use super::chaos::{Chaos, Outages};
use super::kills::Kills;
use super::latency::Excess;
use super::matrix::Row;
use super::overload::Overload;
use super::service::Balance;
use super::soak::Soak;
use super::{Error, Protocol};
use crate::workspace;

const PAGE: &str = "docs/reliability.md";
/// Lines above the rows of a table.
const HEAD: usize = 2;

/// A table of `docs/reliability.md`, which is between two comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The fault matrix.
    Matrix,
    /// Random outages.
    Chaos,
    /// Random outages, and kills of the service.
    Kills,
    /// Overload.
    Overload,
    /// The soak.
    Soak,
}

impl Section {
    /// All sections, in the order of the page.
    pub const ALL: [Self; 5] = [
        Self::Matrix,
        Self::Chaos,
        Self::Kills,
        Self::Overload,
        Self::Soak,
    ];

    /// Returns its name in the comment.
    pub fn name(self) -> &'static str {
        match self {
            Self::Matrix => "matrix",
            Self::Chaos => "chaos",
            Self::Kills => "kills",
            Self::Overload => "overload",
            Self::Soak => "soak",
        }
    }

    /// How many of the first cells name a row.
    fn key(self) -> usize {
        match self {
            Self::Matrix => 2,
            Self::Chaos | Self::Kills | Self::Overload | Self::Soak => 1,
        }
    }
}

/// Writes a section. If only a part of its rows was measured, the others stay.
pub fn write(section: Section, text: &str, is_part: bool) -> Result<(), Error> {
    let page = workspace::root().join(PAGE);
    let replaced = replace(&fs::read_to_string(&page)?, section, text, is_part);
    let replaced = replaced.ok_or(format!("{PAGE} has no section {}", section.name()))?;
    fs::write(&page, replaced)?;
    Ok(())
}

fn replace(page: &str, section: Section, text: &str, is_part: bool) -> Option<String> {
    let begin = format!("<!-- cargo xtask faults: {} -->\n", section.name());
    let (before, rest) = page.split_once(&begin)?;
    let (old, after) = rest.split_once("<!-- end -->")?;
    let text = match is_part {
        true => merge(old, text, section.key()),
        false => text.to_owned(),
    };
    Some(format!("{before}{begin}{text}<!-- end -->{after}"))
}

/// Returns the old section with the new head, and with the new rows in the place of the old ones that begin with the
/// same cells.
fn merge(old: &str, new: &str, key: usize) -> String {
    let table = |section: &str| -> Vec<String> {
        let lines = section.split_inclusive('\n').map(str::to_owned);
        lines.take_while(|line| line.starts_with('|')).collect()
    };
    let name = |row: &str| row.split('|').take(key + 1).collect::<String>();
    let (old_rows, mut merged) = (table(old), table(new));
    if old_rows.is_empty() {
        return new.to_owned();
    }
    let rest: String = old.split_inclusive('\n').skip(old_rows.len()).collect();
    let mut rows = merged.split_off(HEAD);
    let measured: Vec<_> = rows.iter().map(|row| name(row)).collect();
    for old_row in old_rows.into_iter().skip(HEAD) {
        let of_old = name(&old_row);
        match measured.contains(&of_old) {
            true => merged.extend(rows.extract_if(.., |row| name(row) == of_old)),
            false => merged.push(old_row),
        }
    }
    merged.extend(rows);
    merged.concat() + &rest
}

/// Returns the fault matrix.
pub fn matrix(rows: &[Row]) -> String {
    let mut text = "\
| fault | protocol | spans at its end: recorded = exported + dropped + queued | log records at its end | \
spans afterwards: recorded = received + dropped | log records afterwards | requests: counted = received | \
sent again | p99 before; during | memory | recovery |\n\
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    rows.iter().for_each(|row| text += &matrix_row(row));
    let [before, during] = [0, 1].map(|phase| {
        let ratios = rows.iter().flat_map(|row| &row.p99_ratios[phase]);
        excess(&ratios.copied().collect::<Vec<_>>())
    });
    text + &format!(
        "\nThe p99 of all rows together is {before} before the fault, and {during} during it.\n"
    )
}

/// Returns a row of the fault matrix.
pub fn matrix_row(row: &Row) -> String {
    let [spans, log_records] = row.during.each_ref().map(equation);
    let [spans_after, log_records_after] = [0, 1].map(|signal| {
        let after = &row.after[signal];
        let (recorded, received) = (after.recorded, row.received[signal]);
        format!(
            "{} = {} + {}",
            count(recorded),
            count(received),
            dropped(after)
        )
    });
    let [counted, received] = row.requests.map(count);
    let [before, during] = row.p99_ratios.each_ref().map(|ratios| excess(ratios));
    format!(
        "| {} | {} | {spans} | {log_records} | {spans_after} | {log_records_after} | {counted} = {received} | \
         {} | {before}, {during} | {} | {} |\n",
        row.fault.title(),
        protocol(row.protocol),
        count(row.received_again),
        megabytes(row.memory),
        seconds(row.recovery),
    )
}

/// Returns the runs with random outages.
pub fn chaos(runs: &[Chaos]) -> String {
    let mut text = "\
| protocol | time | killed, suspended | away | spans: recorded = received + dropped | \
log records | longest queue | sent again | p99 |\n\
|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for run in runs {
        let [spans, log_records] = [0, 1].map(|signal| {
            let balance = &run.balances[signal];
            let received = count(run.received[signal]);
            format!(
                "{} = {received} + {}",
                count(balance.recorded),
                dropped(balance)
            )
        });
        text += &format!(
            "| {} | {} | {spans} | {log_records} | {} | {} | {} |\n",
            protocol(run.protocol),
            outages(&run.outages),
            count(run.longest_queue),
            count(run.received_again),
            excess(&run.p99_ratios),
        );
    }
    text
}

/// Returns the runs with random outages and kills of the service.
pub fn kills(runs: &[Kills]) -> String {
    let mut text = "\
| protocol | time | killed, suspended | away | service killed | spans, log records waiting then | \
spans of answered requests = received + missing | log records | may be missing | dropped | sent again |\n\
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for run in runs {
        let (recorded, missing) = (run.recorded(), run.missing());
        let [spans, log_records] = [0, 1].map(|signal| {
            let items = [recorded[signal], run.received[signal], missing[signal]];
            let [recorded, received, missing] = items.map(count);
            format!("{recorded} = {received} + {missing}")
        });
        let [spans_waiting, log_records_waiting] = run.waited.map(count);
        text += &format!(
            "| {} | {} | {} | {spans_waiting}, {log_records_waiting} | {spans} | {log_records} | {} | {} | {} |\n",
            protocol(run.protocol),
            outages(&run.outages),
            run.kills,
            count(run.most_missing()),
            count(run.dropped.iter().sum()),
            count(run.received_again),
        );
    }
    text
}

/// Returns the cells of the time, of the kills and suspensions, and of the time away.
fn outages(outages: &Outages) -> String {
    format!(
        "{} | {}, {} | {}",
        seconds(outages.lasted),
        outages.killed,
        outages.suspended,
        seconds(outages.away)
    )
}

/// Returns the soaks.
pub fn soak(runs: &[Soak]) -> String {
    let mut text = "\
| protocol | time | faults | requests | spans recorded, dropped | memory first, last third | counters, different |\n\
|---|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for run in runs {
        let [first, last] = run.memory.map(megabytes);
        let [spans, dropped] = run.spans.map(|spans| count(spans as u64));
        text += &format!(
            "| {} | {} | {} | {} | {spans}, {dropped} | {first}, {last} | {}, {} |\n",
            protocol(run.protocol),
            seconds(run.lasted),
            run.faults,
            count(run.requests),
            count(run.counters as u64),
            run.different.len(),
        );
    }
    text
}

/// Returns the overloads.
pub fn overload(runs: &[Overload]) -> String {
    let mut text = "\
| protocol | service | requests a second | requests per processor time | spans: recorded = exported + dropped + queued |\n\
|---|---|---:|---:|---:|\n"
        .to_owned();
    for run in runs {
        let name = protocol(run.protocol);
        let requests = count(run.requests_a_second as u64);
        text += &format!("| {name} | without an exporter | {requests} | | |\n");
        let link = count(run.link >> 10);
        let services = [
            "without an exporter, again (noise)".to_owned(),
            "the Collector accepts everything".to_owned(),
            format!("overloaded: a link of {link} KiB/s"),
        ];
        for (index, service) in services.iter().enumerate() {
            let spans = match index {
                2 => equation(&run.balances[0]),
                _ => String::new(),
            };
            let [throughput, processor] =
                [run.throughput, run.processor].map(|of| percent(of[index]));
            text += &format!("| {name} | {service} | {throughput} | {processor} | {spans} |\n");
        }
    }
    text
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Grpc => "gRPC",
        Protocol::Http => "HTTP",
    }
}

fn equation(balance: &Balance) -> String {
    let sign = if balance.is_exact() { "=" } else { "≠" };
    let [recorded, exported, queued] =
        [balance.recorded, balance.exported, balance.queued].map(count);
    format!(
        "{recorded} {sign} {exported} + {} + {queued}",
        dropped(balance)
    )
}

/// Returns how many items were dropped, with the reasons.
fn dropped(balance: &Balance) -> String {
    let reasons: Vec<_> = balance
        .dropped
        .iter()
        .map(|(reason, items)| format!("{} `{reason}`", count(*items)))
        .collect();
    match reasons.is_empty() {
        true => "0".to_owned(),
        false => reasons.join(" + "),
    }
}

/// Returns a number with a comma after each thousand.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// Returns by how much the first service exceeds the second one, with the interval.
fn excess(ratios: &[f64]) -> String {
    let excess = Excess::of(ratios);
    let [low, high] = [excess.low, excess.high].map(|part| 100.0 * part);
    format!("{} ({low:+.0} to {high:+.0})", percent(excess.estimate))
}

fn percent(part: f64) -> String {
    format!("{:+.1} %", 100.0 * part)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| p | x |\n|---|---|\n| a | 1 |\n| b | 1 |\n| b | 2 |\n| c | 1 |\n";

    #[test]
    fn a_section_is_replaced_between_its_comments() {
        let page = "a\n<!-- cargo xtask faults: chaos -->\nold\n<!-- end -->\nb\n";
        let replaced = replace(page, Section::Chaos, "new\n", false);
        assert_eq!(replaced, Some(page.replace("old", "new")));
        assert_eq!(replace(page, Section::Soak, "new\n", false), None);
    }

    #[test]
    fn a_part_replaces_its_own_rows() {
        let old = format!("{TABLE}\nThe rest.\n");
        let new = "| p | y |\n|---|---|\n| b | 3 |\n| d | 4 |\n\nOf the part.\n";
        let expected =
            "| p | y |\n|---|---|\n| a | 1 |\n| b | 3 |\n| c | 1 |\n| d | 4 |\n\nThe rest.\n";
        assert_eq!(merge(&old, new, 1), expected);
        assert_eq!(merge("Has not been run.\n", new, 1), new);
    }

    #[test]
    fn each_section_is_in_the_page() {
        let page = fs::read_to_string(workspace::root().join(PAGE)).expect("the page");
        for section in Section::ALL {
            assert!(replace(&page, section, "", false).is_some(), "{section:?}");
        }
    }

    #[test]
    fn thousands_have_commas() {
        let counts = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
    }
}
