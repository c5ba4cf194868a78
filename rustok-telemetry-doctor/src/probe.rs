//! Detects which protocol a port speaks.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::endpoint::Address;

/// Longest time to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// HTTP/1.1, and perhaps HTTP/2 too.
    Http1,
    /// HTTP/2 only, as gRPC servers do.
    Http2,
    Tls,
    /// It answers none of these.
    Unknown,
}

/// Tries HTTP/1.1 first, because some servers speak both.
pub fn detect(address: &Address) -> Detected {
    let http1 = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    match exchange(address, http1.as_bytes()) {
        Detected::Unknown => exchange(address, HTTP2),
        answered => answered,
    }
}

/// The client preface of HTTP/2 with an empty SETTINGS frame.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn exchange(address: &Address, request: &[u8]) -> Detected {
    let answer = address.connect().and_then(|mut stream| {
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.write_all(request)?;
        Ok(read(&mut stream))
    });
    recognise(&answer.unwrap_or_default())
}

/// Reads until it is recognised, or the end, or the timeout.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while answer.len() < 4096 {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(&part[..read]),
        }
        if recognise(&answer) == Detected::Http2 {
            break;
        }
    }
    answer
}

fn recognise(answer: &[u8]) -> Detected {
    const SETTINGS: u8 = 4;
    const ALERT: u8 = 0x15;
    match answer {
        [ALERT, 3, ..] => Detected::Tls,
        _ if answer.starts_with(b"HTTP/1.") => match says_https(answer) {
            true => Detected::Tls,
            false => Detected::Http1,
        },
        [0, 0, _, SETTINGS, ..] => Detected::Http2,
        _ => Detected::Unknown,
    }
}

/// TLS servers of Go and nginx answer a request without TLS in plain text.
fn says_https(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    text.contains(" 400 ") && (text.contains("https server") || text.contains("https port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_is_recognised_by_the_first_bytes() {
        let go_tls =
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
        for (answer, detected) in [
            (&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], Detected::Http1),
            (b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0", Detected::Http2),
            (b"\x15\x03\x01\0\x02\x02\x46", Detected::Tls),
            (go_tls, Detected::Tls),
            (b"", Detected::Unknown),
            (b"220 mail ready\r\n", Detected::Unknown),
        ] {
            assert_eq!(recognise(answer), detected);
        }
    }
}
