//! `cargo xtask scale stores`: metrics in Thanos and in VictoriaMetrics.

use std::fs;
use std::process::ExitCode;
use std::thread::sleep;

use clap::Args;
use xtask::scale::stores::site::Site;
use xtask::scale::stores::{Programs, dashboards, receivers, replicas, rules};
use xtask::stack::programs::{self, Program};
use xtask::stack::shortened::EVALUATION_INTERVAL;
use xtask::workspace;

use super::Error;

/// Push metrics to Prometheus, Thanos and VictoriaMetrics: compare every query of the dashboards, evaluate the rule
/// files, fire an alert, kill a receiver, and let two Collectors write the same series.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Run these parts alone: dashboards, rules, replicas.
    #[arg(long, value_delimiter = ',', value_parser = ["dashboards", "rules", "replicas"])]
    part: Vec<String>,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Error> {
    let programs = Programs {
        collector: programs::path(Program::Otelcol)?,
        jaeger: programs::path(Program::Jaeger)?,
        prometheus: programs::path(Program::Prometheus)?,
        thanos: programs::path(Program::Thanos)?,
        victoria_metrics: programs::path(Program::VictoriaMetrics)?,
        vmalert: programs::path(Program::VmAlert)?,
        server: super::server()?,
        folder: workspace::root().join("target/scale/stores"),
    };
    let problems = run_parts(options, &programs).map_err(|error| error.to_string())?;
    for problem in &problems {
        eprintln!("failed: {problem}");
    }
    Ok(ExitCode::from(u8::from(!problems.is_empty())))
}

fn run_parts(
    options: &Options,
    programs: &Programs,
) -> Result<Vec<String>, xtask::scale::stores::Error> {
    let is_chosen =
        |part: &str| options.part.is_empty() || options.part.iter().any(|it| it == part);
    let mut problems = Vec::new();
    if is_chosen("dashboards") {
        let site = Site::start(
            programs,
            &fresh(programs, "dashboards")?,
            1,
            dashboards::EVALUATION,
        )?;
        sleep(dashboards::TRAFFIC);
        let (selectors, samples, different) = dashboards::compare_samples(&site.stores)?;
        println!(
            "samples: {samples} of {selectors} selectors compared, {} selectors different",
            different.len()
        );
        problems.extend(different);
        let comparisons = dashboards::compare(&site.stores)?;
        let mut table = String::new();
        dashboards::print(&comparisons, &mut table)?;
        println!("{table}");
        problems.extend(comparisons.iter().flat_map(|it| it.problems()));
        let (variables, different) = dashboards::compare_variables(&site.stores)?;
        println!(
            "values of variables: {variables} compared, {} different",
            different.len()
        );
        problems.extend(different);
    }
    if is_chosen("rules") {
        let folder = fresh(programs, "rules")?;
        let mut site = Site::start(programs, &folder, rules::DIVISOR, EVALUATION_INTERVAL)?;
        println!(
            "rules evaluated by each: {}",
            rules::all_are_evaluated(&site.rulers)?
        );
        for fired in rules::drill(&site)? {
            println!("{fired:?}");
        }
        let outcome = receivers::kill(&mut site)?;
        println!("receiver killed: {outcome:?}");
        problems.extend(outcome.problems());
    }
    if is_chosen("replicas") {
        for shown in replicas::run(programs, &fresh(programs, "replicas")?)? {
            println!("{shown:?}");
            problems.extend(shown.problem());
        }
    }
    Ok(problems)
}

/// Returns an empty folder for a part.
fn fresh(programs: &Programs, part: &str) -> std::io::Result<std::path::PathBuf> {
    let folder = programs.folder.join(part);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(&folder).map(|()| folder),
    }
}
