//! The results as Markdown, and their places in `docs/reliability.md`.

use std::fs;
use std::time::Duration;

use super::chaos::Chaos;
use super::load::median;
use super::matrix::Row;
use super::overload::Overload;
use super::service::Balance;
use super::soak::Soak;
use super::{Error, Protocol};
use crate::workspace;

const PAGE: &str = "docs/reliability.md";

/// Replaces a section of `docs/reliability.md`, which is between two comments.
pub fn write(section: &str, text: &str) -> Result<(), Error> {
    let page = workspace::root().join(PAGE);
    let replaced = replace(&fs::read_to_string(&page)?, section, text);
    fs::write(
        &page,
        replaced.ok_or(format!("{PAGE} has no section {section}"))?,
    )?;
    Ok(())
}

fn replace(page: &str, section: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- cargo xtask faults: {section} -->\n");
    let (before, after) = page.split_once(&begin)?;
    let (_, after) = after.split_once("<!-- end -->")?;
    Some(format!("{before}{begin}{text}<!-- end -->{after}"))
}

/// Returns the fault matrix.
pub fn matrix(rows: &[Row]) -> String {
    let mut text = "\
| fault | protocol | spans at its end: recorded = exported + dropped + queued | log records at its end | \
spans afterwards: recorded = received + dropped | log records afterwards | requests: counted = received | \
sent again | p99 before, during | memory | recovery |\n\
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        .to_owned();
    rows.iter().for_each(|row| text += &matrix_row(row));
    let [before, during] = [0, 1].map(|phase| {
        let rows = rows.iter().map(|row| row.p99_excess[phase]);
        percent(median(rows.collect()))
    });
    text + &format!(
        "\nThe median of p99 over all rows is {before} before the fault, and {during} during it.\n"
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
    let [before, during] = row.p99_excess.map(percent);
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
        let [killed, suspended] = run.outages;
        text += &format!(
            "| {} | {} | {killed}, {suspended} | {} | {spans} | {log_records} | {} | {} | {} |\n",
            protocol(run.protocol),
            seconds(run.lasted),
            seconds(run.away),
            count(run.longest_queue),
            count(run.received_again),
            percent(run.p99_excess),
        );
    }
    text
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

    #[test]
    fn a_section_is_replaced_between_its_comments() {
        let page = "a\n<!-- cargo xtask faults: chaos -->\nold\n<!-- end -->\nb\n";
        let replaced = replace(page, "chaos", "new\n").expect("the section");
        assert_eq!(replaced, page.replace("old", "new"));
        assert_eq!(replace(page, "soak", "new\n"), None);
    }

    #[test]
    fn thousands_have_commas() {
        let counts = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
    }
}
