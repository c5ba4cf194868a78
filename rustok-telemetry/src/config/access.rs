//! Who may read the endpoints of the process.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use subtle::ConstantTimeEq as _;

use super::{
    Diagnostic, Rules, Setting, debug_is_display, list::show_list, rules::Value, settings,
};

pub(super) const TOKEN: &str = "RUSTOK_TELEMETRY_ACCESS_TOKEN";
pub(super) const NETWORKS: &str = "RUSTOK_TELEMETRY_ACCESS_NETWORKS";

settings! {
    /// Who may read the endpoints of the process: the routes below `/api/_health/` and the port for Prometheus.
    ///
    /// `HealthRoutes` (feature `axum`) can override both for its routes.
    #[derive(Eq)]
    pub struct AccessConfig() {
        /// The bearer token that a request needs. `None`: it needs none.
        token: Setting<Option<Token>> =
            setting("token", [TOKEN], None, Rules::optional("none")),
        /// The networks whose requests are answered. Empty: all of them.
        networks: Setting<Vec<Network>> =
            setting("networks", [NETWORKS], Vec::new()),
    }
}

impl AccessConfig {
    /// Denies every request if a variable has a diagnostic: ignoring it would admit every request.
    pub(super) fn deny_if_invalid(&mut self, diagnostics: &[Diagnostic]) {
        let mut variables = diagnostics.iter().map(Diagnostic::variable);
        if variables.any(|name| [TOKEN, NETWORKS].contains(&name)) {
            self.token.value = Some(Token::new(""));
        }
    }
}

/// A bearer token. `Debug` and `Display` mask it. An empty one matches no request.
///
/// ```
/// let token = rustok_telemetry::config::Token::new("s3cret");
/// assert_eq!(format!("{token} {token:?}"), "*** Token(***)");
/// ```
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Creates a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// Whether a request gives this token. The time does not depend on the bytes, only on the length.
    pub(crate) fn matches(&self, given: &[u8]) -> bool {
        !self.0.is_empty() && self.0.as_bytes().ct_eq(given).into()
    }

    #[cfg(feature = "console")]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Token {}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

impl Value for Token {
    fn parse(text: &str) -> Result<Self, String> {
        let token = text.trim();
        match token.bytes().all(|byte| byte.is_ascii_graphic()) && !token.is_empty() {
            true => Ok(Self::new(token)),
            false => Err("not a token of visible ASCII characters without spaces".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A network of IP addresses, such as `10.0.0.0/8`, or one address.
///
/// ```
/// use rustok_telemetry::config::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains([10, 1, 2, 3].into()));
/// assert!(!network.contains([11, 1, 2, 3].into()));
/// # Ok::<(), rustok_telemetry::config::NetworkError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether the address is in this network. An IPv4 address that is mapped to IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network = text.parse().or_else(|_| text.parse().map(IpAddr::into));
        network.map(Self).map_err(|_| NetworkError(text.to_owned()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is neither an IP address nor a network.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is neither an IP address nor a network such as 10.0.0.0/8", .0.escape_debug())]
pub struct NetworkError(String);

debug_is_display!(NetworkError);

impl Value for Vec<Network> {
    fn parse(text: &str) -> Result<Self, String> {
        let networks = text.split(',').map(|network| network.trim().parse());
        let networks = networks.collect::<Result<_, NetworkError>>();
        networks.map_err(|error| error.to_string())
    }

    fn show(&self) -> String {
        match self.is_empty() {
            true => "all".to_owned(),
            false => show_list(self.iter().map(Network::to_string)),
        }
    }
}
