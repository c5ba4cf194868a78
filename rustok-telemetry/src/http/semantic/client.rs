//! Requests of HTTP clients.

use std::{
    hash::BuildHasher,
    sync::{LazyLock, Mutex, PoisonError},
    thread,
    time::Instant,
};

use reqwest_middleware::{
    Result,
    reqwest::{Request, Response},
};

use super::{Attributes, HASHER, METRICS};
use crate::{
    ErrorType,
    http::{
        method::{known_method, protocol_version},
        request_tracker::PANIC,
    },
    metrics::{DEFAULT_LABEL_BUDGET, OTHER, store::read_table::ReadTable},
};

/// A request of a client, which is recorded when this is dropped.
#[derive(Debug)]
pub(crate) struct SentRequest {
    started: Instant,
    attributes: Attributes<'static>,
    request_size: Option<u64>,
    response_size: Option<u64>,
}

impl SentRequest {
    /// Begins a request, if the metrics are recorded.
    pub(crate) fn begin(request: &Request) -> Option<Self> {
        METRICS.get()?;
        let url = request.url();
        let host = url.host_str().map(known_host);
        // A port of a folded host says nothing.
        let port = url.port_or_known_default().filter(|_| host != Some(OTHER));
        let request_size = match request.body() {
            Some(body) => body.as_bytes().map(|bytes| bytes.len() as u64),
            None => Some(0),
        };
        Some(Self {
            started: Instant::now(),
            attributes: Attributes {
                method: known_method(request.method()),
                server: host.map(|host| (host, port)),
                ..Attributes::default()
            },
            request_size,
            response_size: None,
        })
    }

    pub(crate) fn end(mut self, result: &Result<Response>) {
        match result {
            Ok(response) => {
                let status = response.status();
                self.attributes.status = Some(status.as_u16());
                self.attributes.status_is_error =
                    status.is_client_error() || status.is_server_error();
                self.attributes.version = protocol_version(response.version());
                self.response_size = response.content_length();
            }
            Err(error) => self.attributes.error = Some(error.error_type()),
        }
    }
}

impl Drop for SentRequest {
    fn drop(&mut self) {
        if thread::panicking() {
            self.attributes.error = Some(PANIC);
        }
        let bound = METRICS
            .get()
            .and_then(|all| all.client.get(&self.attributes));
        if let Some(bound) = bound {
            let seconds = self.started.elapsed().as_secs_f64();
            bound.record(seconds, self.request_size, self.response_size);
        }
    }
}

/// Returns one of the first hosts, which are kept, or else [`OTHER`].
fn known_host(host: &str) -> &'static str {
    static HOSTS: LazyLock<ReadTable<&'static str>> =
        LazyLock::new(|| ReadTable::new(DEFAULT_LABEL_BUDGET));
    static ADDING: Mutex<()> = Mutex::new(());

    let hash = HASHER.hash_one(host);
    let find = || HOSTS.find(hash, |known| *known == host).copied();
    find().unwrap_or_else(|| {
        let _one_at_a_time = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
        find().unwrap_or_else(|| {
            if HOSTS.len() == DEFAULT_LABEL_BUDGET {
                return OTHER;
            }
            let host: &'static str = host.to_owned().leak();
            HOSTS.insert(hash, host);
            host
        })
    })
}
