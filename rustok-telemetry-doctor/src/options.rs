//! The command line.

use std::time::Duration;

use clap::{
    Parser,
    builder::{RangedU64ValueParser, TypedValueParser},
};
use url::Url;

/// Shows the settings that the OTEL_* variables give a service, and checks whether its telemetry arrives.
#[derive(Debug, Parser)]
#[command(version, args_override_self = true, after_help = AFTER_HELP)]
pub struct Options {
    /// Send a marked span, counter and log record as a service does
    #[arg(long)]
    check: bool,

    /// Look for the span in Jaeger, such as http://localhost:16686 (implies --check)
    #[arg(long, value_name = "URL", value_parser = url)]
    pub jaeger: Option<Url>,

    /// Look for the counter in Prometheus, such as http://localhost:9090 (implies --check)
    #[arg(long, value_name = "URL", value_parser = url)]
    pub prometheus: Option<Url>,

    /// Longest time to send
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds())]
    pub timeout: Duration,

    /// Longest time to look in each of Jaeger and Prometheus
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds())]
    pub wait: Duration,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Options {
    /// Returns whether to send anything.
    pub fn wants_check(&self) -> bool {
        self.check || self.jaeger.is_some() || self.prometheus.is_some()
    }
}

const AFTER_HELP: &str = "\
Exit status:
   0  the configuration is valid, and the check passed if there was one
   1  the check failed
   2  an option is wrong
  78  the configuration is invalid";

fn url(text: &str) -> Result<Url, &'static str> {
    match Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("credentials in the URL are not supported")
        }
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(url),
        _ => Err("not a URL such as http://localhost:9090"),
    }
}

fn seconds() -> impl TypedValueParser<Value = Duration> {
    RangedU64ValueParser::<u64>::new()
        .range(1..=3600)
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["rustok-telemetry-doctor"], arguments].concat())
    }

    #[test]
    fn url_implies_the_check() {
        let options = parse(&["--jaeger=http://j:1", "--wait", "5"]).expect("right options");
        assert!(options.wants_check() && !options.json);
        let jaeger = options.jaeger.map(String::from);
        assert_eq!(jaeger.as_deref(), Some("http://j:1/"));
        assert_eq!(options.wait, Duration::from_secs(5));
        assert!(parse(&["--prometheus=http://p:1"]).is_ok_and(|options| options.wants_check()));
        assert!(parse(&["--json"]).is_ok_and(|options| !options.wants_check()));
    }

    #[test]
    fn the_last_of_an_option_counts() {
        let options = parse(&["--check", "--check", "--wait", "5", "--wait", "6"]);
        assert!(options.is_ok_and(|options| options.wait == Duration::from_secs(6)));
    }

    #[test]
    fn errors_name_the_option_and_exit_with_2() {
        for (arguments, expected) in [
            (&["--chek"][..], "'--chek'"),
            (&["--jaeger"], "'--jaeger <URL>'"),
            (
                &["--jaeger", "j:1"],
                "not a URL such as http://localhost:9090",
            ),
            (
                &["--prometheus=http://me:secret@p"],
                "credentials in the URL",
            ),
            (&["--wait", "0"], "0 is not in 1..=3600"),
            (&["--timeout=1m"], "'--timeout <SECONDS>'"),
            (&["--json=1"], "'--json'"),
        ] {
            let error = parse(arguments).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
