//! Counts the messages in a body.

use bytes::Buf;

use crate::request::Tally;

/// Counts gRPC messages by their prefixes: a byte for the compression and four for the length. A message may be in
/// several frames, and a frame may have several messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Messages {
    /// The length, and how many bytes of the prefix have been read.
    Prefix { length: u32, read: u8 },
    /// How many bytes of the message are left, at least one.
    Data { left: u32 },
}

const BETWEEN: Messages = Messages::Prefix { length: 0, read: 0 };

const PREFIX: u8 = 5;

impl Default for Messages {
    fn default() -> Self {
        BETWEEN
    }
}

impl Tally for Messages {
    /// Returns the number of messages that end in the data, which must be contiguous, as `Bytes` are.
    fn count(&mut self, data: &impl Buf) -> u64 {
        let mut bytes = data.chunk();
        let mut ended = 0;
        while let Some((first, rest)) = bytes.split_first() {
            *self = match *self {
                Self::Prefix { length, read } => {
                    bytes = rest;
                    // The byte for the compression is shifted out.
                    let length = length << 8 | u32::from(*first);
                    match (read + 1, length) {
                        (PREFIX, 0) => BETWEEN,
                        (PREFIX, left) => Self::Data { left },
                        (read, length) => Self::Prefix { length, read },
                    }
                }
                Self::Data { left } => {
                    let available = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(left);
                    bytes = &bytes[available as usize..];
                    match left - available {
                        0 => BETWEEN,
                        left => Self::Data { left },
                    }
                }
            };
            ended += u64::from(matches!(*self, BETWEEN));
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of 0, 1, 3 and 300 bytes.
    fn body() -> Vec<u8> {
        let mut body = Vec::new();
        for length in [0_u32, 1, 3, 300] {
            body.push(1);
            body.extend(length.to_be_bytes());
            body.resize(body.len() + length as usize, 0xff);
        }
        body
    }

    #[test]
    fn messages_are_counted_however_they_are_split() {
        let body = body();
        for size in 1..=body.len() {
            let mut messages = Messages::default();
            let count: u64 = body.chunks(size).map(|part| messages.count(&part)).sum();
            assert_eq!(count, 4, "in parts of {size} bytes");
        }
    }

    #[test]
    fn an_incomplete_message_is_not_counted() {
        let body = body();
        let mut messages = Messages::default();
        assert_eq!(messages.count(&&body[..body.len() - 1]), 3);
        assert_eq!(messages.count(&&body[body.len() - 1..]), 1);
    }
}
