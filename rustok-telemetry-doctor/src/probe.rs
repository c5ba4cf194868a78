//! What a port speaks, found out by asking.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::endpoint::Address;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1, and perhaps HTTP/2 besides.
    Http1,
    /// HTTP/2 alone, as gRPC servers do.
    Http2,
    /// TLS, with whatever inside.
    Tls,
    /// It takes connections, and answers neither.
    Nothing,
}

/// Asks in HTTP/1.1 first, since some servers for it know HTTP/2 as well.
pub fn ask(address: &Address) -> Speaks {
    let http1 = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    match exchange(address, http1.as_bytes()) {
        Speaks::Nothing => exchange(address, HTTP2),
        answered => answered,
    }
}

/// The preface of HTTP/2, and an empty SETTINGS frame.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn exchange(address: &Address, request: &[u8]) -> Speaks {
    let answer = address.connect().and_then(|mut stream| {
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request)?;
        Ok(read(&mut stream))
    });
    recognise(&answer.unwrap_or_default())
}

/// What comes, until there is enough, no more, or no time.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while answer.len() < 4096 {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(&part[..read]),
        }
        if recognise(&answer) == Speaks::Http2 {
            break;
        }
    }
    answer
}

fn recognise(answer: &[u8]) -> Speaks {
    const SETTINGS: u8 = 4;
    const ALERT: u8 = 0x15;
    match answer {
        [ALERT, 3, ..] => Speaks::Tls,
        _ if answer.starts_with(b"HTTP/1.") => match says_https(answer) {
            true => Speaks::Tls,
            false => Speaks::Http1,
        },
        [0, 0, _, SETTINGS, ..] => Speaks::Http2,
        _ => Speaks::Nothing,
    }
}

/// Go's and nginx's servers for TLS answer a plain request in plain text.
fn says_https(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    text.contains(" 400 ") && (text.contains("https server") || text.contains("https port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell() {
        let go_tls =
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
        for (answer, speaks) in [
            (&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], Speaks::Http1),
            (b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0", Speaks::Http2),
            (b"\x15\x03\x01\0\x02\x02\x46", Speaks::Tls),
            (go_tls, Speaks::Tls),
            (b"", Speaks::Nothing),
            (b"220 mail ready\r\n", Speaks::Nothing),
        ] {
            assert_eq!(recognise(answer), speaks);
        }
    }
}
