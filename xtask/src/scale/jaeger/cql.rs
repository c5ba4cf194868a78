//! Single values from Cassandra, by version 4 of its native protocol.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::scale::Error;

/// The consistency: one replica answers, so no difference between them is found and repaired.
const ONE: u16 = 1;
const STARTUP: u8 = 1;
const READY: u8 = 2;
const QUERY: u8 = 7;
const RESULT: u8 = 8;
const ROWS: u32 = 2;
/// Flag of a response: it begins with warnings.
const WARNINGS: u8 = 8;
/// Flag of a query: no description of the columns in the result.
const SKIP_METADATA: u8 = 2;
/// Flag of a query: it has a page size.
const PAGE_SIZE: u8 = 4;
/// Rows of spans that one node sends another at once. Cassandra fails a count in pages of 10,000, its default.
const ROWS_OF_PAGE: i32 = 1_000;

/// Returns the only value of the only row of one replica: a `bigint` or an `int`.
pub(super) fn number(server: SocketAddr, statement: &str) -> Result<u64, Error> {
    let limit = Duration::from_secs(90);
    let mut stream = TcpStream::connect_timeout(&server, limit)?;
    stream.set_read_timeout(Some(limit))?;
    let mut startup = 1_u16.to_be_bytes().to_vec();
    for text in ["CQL_VERSION", "3.0.0"] {
        startup.extend(u16::try_from(text.len())?.to_be_bytes());
        startup.extend(text.as_bytes());
    }
    call(&mut stream, STARTUP, &startup, READY)?;
    let mut query = u32::try_from(statement.len())?.to_be_bytes().to_vec();
    query.extend(statement.as_bytes());
    query.extend(ONE.to_be_bytes());
    query.push(SKIP_METADATA | PAGE_SIZE);
    query.extend(ROWS_OF_PAGE.to_be_bytes());
    let result = call(&mut stream, QUERY, &query, RESULT)?;
    // Kind, flags, columns, rows, and the length of the value.
    let (numbers, value) = result.split_at_checked(20).ok_or("a short result")?;
    let number = |place: usize| {
        let bytes = numbers[4 * place..][..4].iter();
        bytes.fold(0, |number, &byte| number << 8 | u32::from(byte))
    };
    match (number(0), number(2), number(3)) {
        (ROWS, 1, 1) if value.len() == number(4) as usize && value.len() <= 8 => {
            let bytes = value.iter();
            Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
        }
        _ => Err(format!("{statement}: not a single number: {result:?}").into()),
    }
}

/// Returns the length of a list of texts, which begins with their number; each begins with its length.
fn warnings(body: &[u8]) -> Option<usize> {
    let number = |at| {
        let bytes = body.get(at..at + 2)?;
        Some(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    };
    (0..number(0)?).try_fold(2, |at, _| Some(at + 2 + number(at)?))
}

/// Sends a frame, and returns the body of the response.
fn call(
    stream: &mut TcpStream,
    operation: u8,
    body: &[u8],
    expected: u8,
) -> Result<Vec<u8>, Error> {
    // Version, flags, stream (two bytes).
    let mut frame = vec![4, 0, 0, 0, operation];
    frame.extend(u32::try_from(body.len())?.to_be_bytes());
    frame.extend(body);
    stream.write_all(&frame)?;
    let mut header = [0; 9];
    stream.read_exact(&mut header)?;
    let [_, flags, .., operation, a, b, c, d] = header;
    let mut body = vec![0; u32::from_be_bytes([a, b, c, d]) as usize];
    stream.read_exact(&mut body)?;
    if flags & WARNINGS != 0 {
        body.drain(..warnings(&body).ok_or("a short response")?);
    }
    match operation == expected {
        true => Ok(body),
        // An error has a code of four bytes, and a text with its length.
        false => {
            let text = body.get(6..).unwrap_or_default();
            Err(format!("Cassandra: {}", String::from_utf8_lossy(text)).into())
        }
    }
}
