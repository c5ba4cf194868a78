//! The console: a page that the service serves itself, with its metrics, traces and log lines of the last minutes.
//!
//! It needs no Collector, no database and no internet: everything is in the memory of the service, within a
//! [limit](Console::memory_limit). The page is at `GET /api/_health/console`, one of the
//! [health routes](crate::http::health_routes).
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use rustok_telemetry::{console::Console, http::{TelemetryLayer, health_routes}};
//! use std::net::SocketAddr;
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = rustok_telemetry::builder().console(Console::new()).init()?;
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "hello" }))
//!     .merge(health_routes())
//!     .layer(TelemetryLayer::new());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:5150").await?;
//! println!("http://127.0.0.1:5150/api/_health/console");
//! // With the address of the peer, the console knows who asks.
//! axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Who may see it
//!
//! A request must come from this machine, and name it: the address of the peer, which
//! `into_make_service_with_connect_info::<SocketAddr>()` provides, is a loopback address, and the `Host` header is
//! `localhost`, an address in `127.0.0.0/8` or `[::1]`. So neither other machines nor web pages of other origins read
//! it, not even by DNS rebinding. A request whose peer is unknown, or that a proxy has forwarded, is refused.
//! [`Console::allow_remote`], [`Console::allowed_host`] and [`Console::bearer_token`] change this. A refusal is 403 and
//! one sentence that names the reason.
//!
//! The console shows what the exporters would send: attributes of spans and texts of log lines as they are. Secrets in
//! the configuration are masked.
//!
//! # What it costs
//!
//! A thread samples all metrics every two seconds, as a scrape does, and keeps what has changed for 15 minutes. Each
//! recorded span and each log record is encoded as for the exporter, once for both, and appended to a list; the thread
//! sorts them in, and they are decoded when a page asks for them. What does not fit is counted. Beyond 500 spans or 250 log
//! records a second, a share of the traces is kept, and of the others those with an error and the slowest.
//! Nothing is kept unless [`Builder::console`](crate::Builder::console) was called.

mod answers;
mod assets;
mod attributes;
mod capture;
mod events;
mod exemplars;
mod follow;
mod frames;
mod guard;
mod history;
mod inbox;
mod json;
mod log_lines;
mod metric_values;
mod overview;
mod problems;
mod query;
mod routes;
mod search;
mod series;
mod spans;
mod state;
mod thinning;
mod trace_store;
mod traces;

use std::fmt;

use crate::config::Token;

pub use self::follow::{FollowError, follow};
pub(crate) use self::{follow::Peer, routes::add_to, state::State};

/// The default of [`Console::memory_limit`]: 32 MiB.
pub const DEFAULT_MEMORY_LIMIT: usize = 32 << 20;

/// The smallest limit: 1 MiB.
const MIN_MEMORY_LIMIT: usize = 1 << 20;

/// Settings of the console, for [`Builder::console`](crate::Builder::console).
///
/// ```
/// use rustok_telemetry::console::Console;
///
/// let console = Console::new().memory_limit(64 << 20).follow("inventory", "http://127.0.0.1:5151");
/// let builder = rustok_telemetry::builder().console(console);
/// # drop(builder);
/// ```
#[derive(Clone)]
#[must_use = "give it to `Builder::console`"]
pub struct Console {
    memory_limit: usize,
    allow_remote: bool,
    allowed_hosts: Vec<String>,
    token: Option<Token>,
    followed: Vec<(String, String)>,
}

impl Console {
    /// Returns the defaults: 32 MiB, for requests from this machine.
    pub fn new() -> Self {
        Self {
            memory_limit: DEFAULT_MEMORY_LIMIT,
            allow_remote: false,
            allowed_hosts: Vec::new(),
            token: None,
            followed: Vec::new(),
        }
    }

    /// Sets the limit of the memory for everything that is kept, in estimated bytes: a half is for spans, a quarter for
    /// log lines and a quarter for metrics. At least 1 MiB.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes.max(MIN_MEMORY_LIMIT);
        self
    }

    /// Sets whether other machines may ask; `false` by default. Their requests also need a `Host` that is
    /// [allowed](Self::allowed_host). Set a [token](Self::bearer_token), and serve by TLS.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Adds a `Host`, without its port, besides those of this machine.
    pub fn allowed_host(mut self, name: impl Into<String>) -> Self {
        self.allowed_hosts.push(name.into());
        self
    }

    /// Requires a token of every request: as `Authorization: Bearer …`, or once as `?token=…` of the page, which sets a
    /// cookie.
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Token::new(token));
        self
    }

    /// Adds the console of another service on this machine to the page, such as `http://127.0.0.1:5151`. If a
    /// [token](Self::bearer_token) is set, the other console gets the same.
    ///
    /// Only `http://` and loopback addresses are valid; others are an error of [`init`](crate::Builder::init).
    /// [`follow`] adds one later.
    pub fn follow(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.followed.push((name.into(), url.into()));
        self
    }

    /// Returns the followed consoles, or the first that is invalid.
    pub(crate) fn peers(&self) -> Result<Vec<Peer>, FollowError> {
        let followed = self.followed.iter();
        followed.map(|(name, url)| Peer::new(name, url)).collect()
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the token.
impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("memory_limit", &self.memory_limit)
            .field("allow_remote", &self.allow_remote)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("has_token", &self.token.is_some())
            .field("followed", &self.followed)
            .finish()
    }
}
