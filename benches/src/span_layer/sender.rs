//! The HTTP client of the peers' exporter: one connection that is kept, in the thread that exports.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};

/// Speaks to the Collector of the benchmarks, whose answers have no body.
#[derive(Debug)]
pub(super) struct Sender(Mutex<BufReader<TcpStream>>);

impl Sender {
    pub(super) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the Collector listens");
        stream.set_nodelay(true).expect("a socket");
        Self(Mutex::new(BufReader::new(stream)))
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, body) = (request.uri().path(), request.body());
        let head = format!(
            "POST {path} HTTP/1.1\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        connection.get_mut().write_all(head.as_bytes())?;
        connection.get_mut().write_all(body)?;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            connection.read_line(&mut line)?;
        }
        Ok(Response::new(Bytes::new()))
    }
}
