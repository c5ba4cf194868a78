//! A job: sums sales by product, `cargo run -p rustok-job examples/job/sales.csv totals.csv`. It exports its telemetry
//! after each step, and exits with 1 if its work fails.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::Path,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use rustok_telemetry::{ErrorType, Telemetry, instrument};

/// How long a step waits for the export of its telemetry.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// `EX_USAGE` and `EX_CONFIG` of BSD's `sysexits.h`.
const USAGE: u8 = 64;
const CONFIG: u8 = 78;

#[rustok_telemetry::metrics(namespace = "sales")]
mod sales {
    /// Rows summed.
    #[counter(name = "rows_total")]
    pub fn record_rows(rows: u64);

    /// When the job last succeeded, in seconds since 1970. Alert on its age.
    #[gauge(name = "last_success_timestamp_seconds")]
    pub fn update_last_success(seconds: f64);
}

#[derive(Debug, ErrorType)]
enum JobError {
    Read(io::Error),
    InvalidRow { line: usize },
    Write(io::Error),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "cannot read the sales: {error}"),
            Self::InvalidRow { line } => write!(f, "line {line} is not `product,cents`"),
            Self::Write(error) => write!(f, "cannot write the totals: {error}"),
        }
    }
}

#[instrument(name = "sales.read")]
fn read(sales: &Path) -> Result<String, JobError> {
    fs::read_to_string(sales).map_err(JobError::Read)
}

#[instrument(name = "sales.sum")]
fn sum(sales: &str) -> Result<BTreeMap<&str, i64>, JobError> {
    let mut totals = BTreeMap::new();
    for (line, row) in (1..).zip(sales.lines()) {
        let row = row.split_once(',');
        let (product, cents) = row.ok_or(JobError::InvalidRow { line })?;
        let cents: i64 = cents.parse().map_err(|_| JobError::InvalidRow { line })?;
        *totals.entry(product).or_default() += cents;
        sales::record_rows(1);
    }
    Ok(totals)
}

#[instrument(name = "sales.write", fields(products = totals.len()))]
fn write(totals: &BTreeMap<&str, i64>, to: &Path) -> Result<(), JobError> {
    let rows = totals
        .iter()
        .map(|(product, cents)| format!("{product},{cents}\n"));
    fs::write(to, rows.collect::<String>()).map_err(JobError::Write)
}

#[instrument(name = "sales.job", module = "sales")]
fn run(telemetry: &Telemetry, sales: &Path, to: &Path) -> Result<(), JobError> {
    let text = read(sales)?;
    flush(telemetry);
    let totals = sum(&text)?;
    flush(telemetry);
    write(&totals, to)?;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    sales::update_last_success(now.as_secs_f64());
    Ok(())
}

/// Exports what was recorded so far: a job that is killed later has its finished steps in the traces.
fn flush(telemetry: &Telemetry) {
    let report = telemetry.force_flush(FLUSH_LIMIT);
    if !report.is_complete() {
        tracing::warn!("{report}"); // the job goes on
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [sales, totals] = arguments.as_slice() else {
        eprintln!("usage: rustok-job SALES TOTALS");
        return ExitCode::from(USAGE);
    };
    let builder = rustok_telemetry::builder().default_service_name(env!("CARGO_PKG_NAME"));
    let telemetry = match builder.init() {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(CONFIG);
        }
    };
    let done = run(&telemetry, Path::new(sales), Path::new(totals));
    if let Err(error) = &done {
        tracing::error!("{error}");
    }
    eprintln!("{}", telemetry.shutdown()); // its own failures do not fail the job
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
