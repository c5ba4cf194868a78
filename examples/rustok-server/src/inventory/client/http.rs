//! Calls of the inventory over HTTP.

use std::borrow::Cow;

use reqwest::{Method, Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use rustok_telemetry::http::client::{TelemetryMiddleware, UrlTemplate};
use url::Url;

use super::{Answer, Ask, CallError, TIMEOUT};
use crate::errors::{Exit, Fatal};
use crate::faults::NOWHERE;
use crate::inventory::server::{Level, Reservation};

/// What is asked for, as the spans name it: the paths themselves are as many as there are products.
const STOCK: UrlTemplate = UrlTemplate(Cow::Borrowed("/stock/{tenant}/{sku}"));
const RESERVATIONS: UrlTemplate = UrlTemplate(Cow::Borrowed("/stock/{tenant}/{sku}/reservations"));

/// The inventory behind an HTTP client, and an address that doesn't answer.
#[derive(Debug, Clone)]
pub(super) struct HttpBackend {
    base: Url,
    nowhere: Url,
    client: ClientWithMiddleware,
}

impl HttpBackend {
    pub(super) fn new(base: Url) -> Result<Self, Fatal> {
        let nowhere = Url::parse(NOWHERE).map_err(|error| Fatal::new(Exit::Software, error))?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Fatal::new(Exit::Software, format!("the HTTP client: {error}")))?;
        // Only `rustok-server` calls the inventory, so the inventory trusts the received tenant.
        let client = ClientBuilder::new(client)
            .with(TelemetryMiddleware::new().send_tenant())
            .build();
        Ok(Self {
            base,
            nowhere,
            client,
        })
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, CallError> {
        let Some(quantity) = ask.quantity else {
            let request = Request::new(Method::GET, self.stock_url(&ask, None));
            return read(self.send(request, STOCK).await?).await;
        };
        let mut request = Request::new(Method::POST, self.stock_url(&ask, Some("reservations")));
        let body = serde_json::to_vec(&Reservation { quantity })
            .map_err(|error| CallError::Unreadable(error.to_string()))?;
        let json = http::HeaderValue::from_static("application/json");
        request
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, json);
        *request.body_mut() = Some(body.into());
        read(self.send(request, RESERVATIONS).await?).await
    }

    /// The client makes the span, and the inventory's spans become children of that.
    async fn send(&self, request: Request, template: UrlTemplate) -> Result<Response, CallError> {
        let mut extensions = http::Extensions::new();
        extensions.insert(template);
        let answer = self
            .client
            .execute_with_extensions(request, &mut extensions);
        let response = answer.await.map_err(|error| {
            if error.is_timeout() {
                CallError::Timeout
            } else {
                CallError::Unreachable
            }
        })?;
        if response.status().is_server_error() {
            return Err(CallError::Status(response.status().as_u16()));
        }
        Ok(response)
    }

    /// `/stock/{tenant}/{sku}`, and what follows it.
    fn stock_url(&self, ask: &Ask, rest: Option<&str>) -> Url {
        let mut url = match ask.is_reachable {
            true => self.base.clone(),
            false => self.nowhere.clone(),
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["stock", &ask.tenant, &ask.sku])
                .extend(rest);
        }
        url
    }
}

async fn read(response: Response) -> Result<Answer, CallError> {
    let status = response.status();
    if !status.is_success() && status != StatusCode::CONFLICT {
        return Err(CallError::Unreadable(format!("status {}", status.as_u16())));
    }
    let level: Level = response
        .json()
        .await
        .map_err(|error| CallError::Unreadable(error.to_string()))?;
    Ok(Answer {
        available: level.available,
        is_enough: status != StatusCode::CONFLICT,
    })
}
