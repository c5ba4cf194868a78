//! The command line.

use std::time::Duration;

use url::Url;

const HELP: &str = "\
Shows what the OTEL_* variables make of a service's telemetry, and whether it arrives.

Usage: rustok-telemetry-doctor [OPTIONS]

Options:
      --check             Send a marked span, metric and log record as a service would
      --jaeger <URL>      Look for the span in Jaeger, such as http://localhost:16686 (implies --check)
      --prometheus <URL>  Look for the metric in Prometheus, such as http://localhost:9090 (implies --check)
      --timeout <SECONDS> Longest time to send [default: 15]
      --wait <SECONDS>    Longest time to look for each of the two [default: 30]
      --json              Print JSON
  -h, --help              Print this
  -V, --version           Print the version

Exit status: 0 all is well; 1 the check failed; 2 a wrong option; 78 the configuration is wrong.
";

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    pub check: bool,
    pub jaeger: Option<Url>,
    pub prometheus: Option<Url>,
    pub timeout: Duration,
    pub wait: Duration,
    pub json: bool,
}

/// A command line that was understood.
#[derive(Debug)]
pub enum Parsed {
    Run(Options),
    /// Only this is to be printed.
    Say(String),
}

impl Options {
    /// Options are `--name value` or `--name=value`.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Parsed, String> {
        let mut options = Self {
            check: false,
            jaeger: None,
            prometheus: None,
            timeout: Duration::from_secs(15),
            wait: Duration::from_secs(30),
            json: false,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let (name, given) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let flag = ["--check", "--json", "--help", "-h", "--version", "-V"].contains(&name);
            if flag && given.is_some() {
                return Err(format!("{name} takes no value"));
            }
            let mut value = || given.clone().or_else(|| arguments.next());
            match name {
                "--check" => options.check = true,
                "--json" => options.json = true,
                "--jaeger" => options.jaeger = Some(url(name, value())?),
                "--prometheus" => options.prometheus = Some(url(name, value())?),
                "--timeout" => options.timeout = seconds(name, value())?,
                "--wait" => options.wait = seconds(name, value())?,
                "--help" | "-h" => return Ok(Parsed::Say(HELP.to_owned())),
                "--version" | "-V" => {
                    let version = env!("CARGO_PKG_VERSION");
                    return Ok(Parsed::Say(format!("rustok-telemetry-doctor {version}\n")));
                }
                _ => return Err(format!("unknown option {name}; see --help")),
            }
        }
        options.check |= options.jaeger.is_some() || options.prometheus.is_some();
        Ok(Parsed::Run(options))
    }
}

fn url(name: &str, value: Option<String>) -> Result<Url, String> {
    let value = value.ok_or_else(|| format!("{name} needs a URL"))?;
    match Url::parse(&value) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(url),
        _ => Err(format!("{name} needs a URL such as http://localhost:9090")),
    }
}

fn seconds(name: &str, value: Option<String>) -> Result<Duration, String> {
    let number = value.and_then(|value| value.parse::<u32>().ok());
    match number {
        Some(seconds) if (1..=3600).contains(&seconds) => {
            Ok(Duration::from_secs(u64::from(seconds)))
        }
        _ => Err(format!("{name} needs a number of seconds from 1 to 3600")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Parsed, String> {
        Options::parse(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn an_address_to_look_at_implies_the_check() {
        let Ok(Parsed::Run(options)) = parse(&["--jaeger=http://j:1", "--wait", "5"]) else {
            panic!("right options");
        };
        assert!(options.check && !options.json);
        assert_eq!(
            options.jaeger.map(String::from).as_deref(),
            Some("http://j:1/")
        );
        assert_eq!(options.wait, Duration::from_secs(5));
    }

    #[test]
    fn mistakes_name_the_option() {
        for (arguments, told) in [
            (&["--chek"][..], "unknown option --chek; see --help"),
            (&["--jaeger"], "--jaeger needs a URL"),
            (
                &["--jaeger", "j:1"],
                "--jaeger needs a URL such as http://localhost:9090",
            ),
            (
                &["--wait", "0"],
                "--wait needs a number of seconds from 1 to 3600",
            ),
            (&["--json=1"], "--json takes no value"),
        ] {
            assert_eq!(parse(arguments).expect_err(told), told);
        }
    }
}
