//! What the service can be told: arguments, then environment, then defaults.
//!
//! All values are checked before anything starts, and every problem is reported at once.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, parser::ValueSource,
};
use url::Url;

use crate::db::Location;
use crate::errors::{Exit, Fatal};

/// The command line of `rustok-server`.
#[derive(Debug, Parser)]
#[command(
    name = "rustok-server",
    version,
    about,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What the catalogue service takes.
    #[command(flatten)]
    pub server: ServerArgs,
    /// What it is, if not the catalogue service.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// Reads the process's arguments. Help, version and mistakes end the process.
    #[must_use]
    pub fn read() -> Self {
        let matches = Self::command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        cli.server.database_source = match matches.value_source("database") {
            Some(ValueSource::CommandLine) => "--database",
            Some(ValueSource::EnvVariable) => "DATABASE_URL",
            _ => "the default",
        };
        cli
    }
}

/// The other things that the program can be.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The inventory service, which the catalogue starts when it is given none.
    #[command(hide = true)]
    Inventory(InventoryArgs),
}

/// Arguments of the catalogue service.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 5150)]
    port: u16,
    /// Address to listen on.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// A file for the embedded database, or postgres://user:password@host/name.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "rustok.db",
        hide_env_values = true
    )]
    database: String,
    /// Address of the inventory service. Without it, one is started beside this service.
    #[arg(long, env = "INVENTORY_URL")]
    inventory_url: Option<String>,
    /// How the inventory is called; `both` alternates [default: http, with --traffic both].
    #[arg(long, value_name = "PROTOCOL")]
    inventory_protocol: Option<Protocol>,
    /// Tenants that the cache holds [default: 1000, with --traffic 4].
    #[arg(long)]
    tenant_cache_capacity: Option<u64>,
    /// Seconds that a cached tenant is trusted [default: 60, with --traffic 5].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    tenant_cache_ttl: Option<u64>,
    /// Send requests to itself, so that there is something to see.
    #[arg(long)]
    traffic: bool,
    /// Send requests to itself for so many seconds, then stop.
    #[arg(long, value_name = "SECONDS")]
    traffic_seconds: Option<u64>,
    /// Events that can wait for the handlers.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    event_queue_capacity: u32,
    /// Start without the console, the page at /api/_health/console.
    #[arg(long)]
    no_console: bool,
    /// Let everybody who can reach this service break it by PUT /drills/{fault}, to see alerts fire. Not at work.
    #[arg(long)]
    drills: bool,
    /// Write the metrics in Prometheus text format to this file on the way out.
    #[arg(long, value_name = "FILE")]
    metrics_on_exit: Option<PathBuf>,
    #[arg(skip = "the default")]
    database_source: &'static str,
}

/// Arguments of the inventory service.
#[derive(Debug, Parser)]
#[command(
    name = "rustok-inventory",
    version,
    about = "Stock levels for rustok-server."
)]
pub struct InventoryArgs {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 5151)]
    pub port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Start without the console, the page at /api/_health/console.
    #[arg(long)]
    pub no_console: bool,
    /// Stop when standard input ends, which it does when the parent process does.
    #[arg(long)]
    pub stop_with_stdin: bool,
}

/// The settings of the catalogue service, checked.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Where the data is.
    pub database: Location,
    /// The inventory service; none: start one.
    pub inventory_url: Option<Url>,
    /// How the inventory is called.
    pub inventory_protocol: Protocol,
    /// How many tenants the cache holds.
    pub tenant_cache_capacity: u64,
    /// How long a cached tenant is trusted.
    pub tenant_cache_ttl: Duration,
    /// Whether, and for how long, to send requests to itself.
    pub traffic: Option<Traffic>,
    /// How many events can wait.
    pub event_queue_capacity: usize,
    /// Whether the service serves the console.
    pub console: bool,
    /// Whether faults can be switched on.
    pub drills: bool,
    /// File that takes the last Prometheus text.
    pub metrics_on_exit: Option<PathBuf>,
}

/// How the inventory is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Over HTTP.
    Http,
    /// Over gRPC.
    Grpc,
    /// Over each in turn.
    Both,
}

/// How long the service sends requests to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Until something else stops the service.
    Endless,
    /// So long; then the service stops.
    For(Duration),
}

impl Config {
    /// Checks the arguments.
    ///
    /// # Errors
    /// One [`Fatal`] with a line for each value that isn't right.
    pub fn resolve(args: ServerArgs) -> Result<Self, Fatal> {
        let mut problems = Vec::new();
        let database = Location::parse(&args.database)
            .map_err(|problem| problems.push(format!("{problem}; from {}", args.database_source)));
        let inventory_url = args
            .inventory_url
            .as_deref()
            .map(parse_http_url)
            .transpose();
        let inventory_url = inventory_url.map_err(|problem| problems.push(problem));
        let with_traffic = args.traffic || args.traffic_seconds.is_some();
        let (capacity, ttl, protocol) = match with_traffic {
            true => (4, 5, Protocol::Both),
            false => (1000, 60, Protocol::Http),
        };
        match (database, inventory_url) {
            (Ok(database), Ok(inventory_url)) => Ok(Self {
                host: args.host,
                port: args.port,
                database,
                inventory_url,
                inventory_protocol: args.inventory_protocol.unwrap_or(protocol),
                tenant_cache_capacity: args.tenant_cache_capacity.unwrap_or(capacity),
                tenant_cache_ttl: Duration::from_secs(args.tenant_cache_ttl.unwrap_or(ttl)),
                traffic: with_traffic.then(|| match args.traffic_seconds {
                    Some(seconds) => Traffic::For(Duration::from_secs(seconds)),
                    None => Traffic::Endless,
                }),
                event_queue_capacity: usize::try_from(args.event_queue_capacity)
                    .unwrap_or(usize::MAX),
                console: !args.no_console,
                drills: args.drills,
                metrics_on_exit: args.metrics_on_exit,
            }),
            _ => Err(Fatal::new(Exit::Config, problems.join("\n"))),
        }
    }
}

fn parse_http_url(text: &str) -> Result<Url, String> {
    let wanted = "an address such as http://127.0.0.1:5151";
    let url = Url::parse(text).map_err(|error| {
        format!("inventory `{text}`: {error}; give {wanted}; from INVENTORY_URL or --inventory-url")
    })?;
    if url.scheme() == "http" && url.has_host() {
        Ok(url)
    } else {
        Err(format!(
            "inventory `{text}`: only http is supported; give {wanted}; from INVENTORY_URL or --inventory-url"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: &[&str]) -> Result<Config, Fatal> {
        let cli = Cli::parse_from([&["rustok-server"], args].concat());
        Config::resolve(cli.server)
    }

    #[test]
    fn seconds_of_traffic_imply_traffic() {
        let config = resolve(&["--database", "x.db", "--traffic-seconds", "3"]).expect("valid");
        assert_eq!(config.traffic, Some(Traffic::For(Duration::from_secs(3))));
        assert_eq!(config.tenant_cache_capacity, 4);
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let fatal = resolve(&["--database", "mysql://x/y", "--inventory-url", "ftp://x"])
            .expect_err("both values are wrong");
        let lines: Vec<String> = fatal.to_string().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("mysql"), "{lines:?}");
        assert!(lines[1].contains("ftp"), "{lines:?}");
    }
}
