//! Consoles of other services on this machine, whose interface this one passes on.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::AbortHandle, time::timeout};
use url::{Host, Url};

use super::{
    guard::is_loopback,
    routes::{OF_PAGE, PATH},
    state,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// Time that the other console has.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Size of its answer.
const MAX_ANSWER: usize = 16 << 20;

/// Adds the console of another service on this machine to the page, such as `http://127.0.0.1:5151`; replaces one with
/// the same name. Use it for a service whose port is known only after the start; see
/// [`Console::follow`](super::Console::follow).
///
/// # Errors
///
/// See [`FollowError`].
///
/// ```
/// use rustok_telemetry::console::{FollowError, follow};
///
/// // Telemetry has not been started with a console.
/// assert!(matches!(follow("inventory", "http://127.0.0.1:5151"), Err(FollowError::Off)));
/// ```
pub fn follow(name: impl Into<String>, url: impl AsRef<str>) -> Result<(), FollowError> {
    let name = name.into();
    let peer = Peer::new(&name, url.as_ref())?;
    let mut peers = state::current().ok_or(FollowError::Off)?.peers();
    peers.retain(|other| other.name != name);
    peers.push(peer);
    Ok(())
}

/// Why a console cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The console of this service is off.
    #[error(
        "the console is off: start telemetry with rustok_telemetry::builder().console(Console::new())"
    )]
    Off,
    /// The URL is not `http://` with a loopback address.
    #[error("{0} is not http:// with an address of this machine, such as http://127.0.0.1:5151")]
    Address(String),
}

/// A followed console.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(super) name: String,
    address: SocketAddr,
    path: String,
}

impl Peer {
    pub(super) fn new(name: &str, url: &str) -> Result<Self, FollowError> {
        let wrong = || FollowError::Address(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let address = match parsed.host().ok_or_else(wrong)? {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            // Not resolved: it is this machine, whatever its files say.
            Host::Domain("localhost") => Ipv4Addr::LOCALHOST.into(),
            Host::Domain(_) => return Err(wrong()),
        };
        if parsed.scheme() != "http" || !is_loopback(address) {
            return Err(wrong());
        }
        let path = parsed.path().trim_end_matches('/');
        Ok(Self {
            name: name.to_owned(),
            address: SocketAddr::new(address, parsed.port().unwrap_or(80)),
            path: path.strip_suffix(PATH).unwrap_or(path).to_owned(),
        })
    }

    /// Returns the address of its page.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}{PATH}/", self.address, self.path)
    }

    /// Asks for a path of its interface, such as `/api/state`; with a body, posts it. Returns the status and the JSON of
    /// its answer.
    ///
    /// # Errors
    ///
    /// Returns a sentence about what failed.
    pub(super) async fn ask(
        &self,
        path_and_query: &str,
        body: Option<Bytes>,
        token: Option<&str>,
    ) -> Result<(StatusCode, Bytes), String> {
        let asked = timeout(TIMEOUT, self.asked(path_and_query, body, token)).await;
        let late = |_| Err(format!("no answer within {} s", TIMEOUT.as_secs()).into());
        asked
            .unwrap_or_else(late)
            .map_err(|why| format!("the console of {} does not answer: {why}", self.name))
    }

    async fn asked(
        &self,
        path_and_query: &str,
        body: Option<Bytes>,
        token: Option<&str>,
    ) -> Result<(StatusCode, Bytes), BoxError> {
        let method = match body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{PATH}{path_and_query}", self.path))
            .header(HOST, self.address.to_string())
            .header(OF_PAGE, "1")
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body.unwrap_or_default()))?;
        let (response, _connection) = send(self.address, request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
        let json = HeaderValue::from_static("application/json");
        match head.headers.get(CONTENT_TYPE) {
            Some(content_type) if *content_type == json => Ok((head.status, body)),
            _ => Err(refusal(head.status, &body).into()),
        }
    }
}

/// Returns the sentence of an answer that is not JSON, such as a 403.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let text = match status {
        StatusCode::FORBIDDEN => String::from_utf8_lossy(body),
        _ => "".into(),
    };
    format!("status {} {}", status.as_u16(), text.trim())
        .trim_end()
        .to_owned()
}

/// Ends a connection when it is dropped.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request on a connection of its own, without proxies, redirects and spans.
async fn send(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<(Response<Incoming>, Connection), BoxError> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = Connection(tokio::spawn(connection).abort_handle());
    Ok((sender.send_request(request).await?, connection))
}
