//! An HTTP client that does no more than a benchmark needs, so that it takes little from the server beside it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// The tenant of all requests.
const TENANT: &str = "acme";

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer<'buffer> {
    pub(crate) status: u16,
    head: &'buffer str,
    body: &'buffer [u8],
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            buffer: vec![0; 4 << 20],
        }
    }

    /// Sends what [`request`] wrote, and reads the whole answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Answer<'_> {
        self.send(request);
        self.receive()
    }

    pub(crate) fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("it listens");
    }

    /// Returns what is below HTTP, for an answer without an end.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Reads a whole answer.
    pub(crate) fn receive(&mut self) -> Answer<'_> {
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[filled..]);
            let count = count.expect("it answers");
            assert!(count > 0, "it closed the connection");
            filled += count;
            let Some(head) = head_of(&self.buffer[..filled]) else {
                continue;
            };
            let length: usize = header(head, "content-length")
                .map_or(0, |length| length.parse().expect("a number"));
            let (begin, end) = (head.len(), head.len() + length);
            if filled < end {
                continue;
            }
            let head = head_of(&self.buffer).expect("it was there");
            return Answer {
                status: head
                    .get(9..12)
                    .and_then(|text| text.parse().ok())
                    .expect("a status"),
                head,
                body: &self.buffer[begin..end],
            };
        }
    }
}

impl<'buffer> Answer<'buffer> {
    pub(crate) fn header(&self, name: &str) -> Option<&'buffer str> {
        header(self.head, name)
    }

    pub(crate) fn text(&self) -> &'buffer str {
        std::str::from_utf8(self.body).expect("text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_str(self.text()).expect("JSON")
    }
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    request("GET", path, "")
}

/// A request of the tenant's.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-tenant-id: {TENANT}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Everything in front of the body.
fn head_of(answer: &[u8]) -> Option<&str> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    Some(std::str::from_utf8(&answer[..end]).expect("a head of text"))
}

/// hyper writes the names of headers in small letters.
fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(header, _)| *header == name)
        .map(|(_, value)| value)
}
