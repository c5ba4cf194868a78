//! The check of requests to the endpoints of the process: a bearer token, and the network of the peer.

use std::{
    net::IpAddr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HeaderValue},
};

use crate::config::{AccessConfig, Network, Token};

/// The configuration, once telemetry starts.
static CONFIGURED: OnceLock<AccessConfig> = OnceLock::new();

/// Applies the configuration to all endpoints.
pub(crate) fn configure(config: &AccessConfig) {
    // `init` succeeds once in a process.
    let _ = CONFIGURED.set(config.clone());
}

/// What a request needs. Token and networks that are not set here are those of the configuration.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) token: Option<Token>,
    pub(crate) networks: Vec<Network>,
    has_warned: AtomicBool,
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It has no token, or a wrong one.
    NoToken,
    /// Its peer is not allowed, or it does not name this machine.
    Forbidden,
}

impl Denied {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
        }
    }

    /// Returns the sentence of the response.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::NoToken => "a bearer token is required",
            Self::Forbidden => "requests from this address are not allowed",
        }
    }
}

impl Access {
    /// Checks the peer, then the token.
    pub(crate) fn admit(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<(), Denied> {
        self.admit_peer(peer)?;
        match self.token() {
            Some(token) if !has_bearer(headers, token) => Err(Denied::NoToken),
            _ => Ok(()),
        }
    }

    /// Checks the address of the connection. Headers of proxies are not trusted.
    pub(crate) fn admit_peer(&self, peer: Option<IpAddr>) -> Result<(), Denied> {
        let networks = match (&*self.networks, CONFIGURED.get()) {
            ([], Some(config)) => &config.networks.value[..],
            (networks, _) => networks,
        };
        if peer.is_none() && !networks.is_empty() && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "requests to /api/_health/ are refused: only some networks are allowed, and the address of the peer is \
                 unknown; serve with app.into_make_service_with_connect_info::<SocketAddr>()"
            );
        }
        let is_in = |network: &Network| peer.is_some_and(|peer| network.contains(peer));
        match networks.is_empty() || networks.iter().any(is_in) {
            true => Ok(()),
            false => Err(Denied::Forbidden),
        }
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        let configured = || CONFIGURED.get()?.token.value.as_ref();
        self.token.as_ref().or_else(configured)
    }
}

/// Whether a request has the token in its header `Authorization`.
pub(crate) fn has_bearer(headers: &HeaderMap, token: &Token) -> bool {
    let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let given = given.and_then(|value| value.split_at_checked("Bearer ".len()));
    given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case(b"bearer ") && token.matches(given.trim_ascii())
    })
}

/// Returns the address of the connection, if the service passes it to its routes.
#[cfg(feature = "axum")]
pub(crate) fn peer(request: &http::Extensions) -> Option<IpAddr> {
    let peer = request.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>();
    peer.map(|peer| peer.0.ip())
}
