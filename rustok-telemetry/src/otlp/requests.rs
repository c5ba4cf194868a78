//! Encodes items into requests of limited size.
//!
//! The messages of all signals nest in the same way: a request has resources, a resource has scopes, a scope has spans,
//! log records or metrics, and a metric has data points. Each message around an item is a level, and each request repeats
//! the head of the open levels.

use bytes::Bytes;
use prost::{
    DecodeError, Message,
    encoding::{
        DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint,
        encoded_len_varint, skip_field,
    },
};

/// Most bytes of a request before it is compressed.
///
/// A gRPC server accepts 4 MiB by default, and the Collector keeps that default. It accepts 20 MiB over HTTP, where
/// larger requests gain nothing, so both protocols have the same limit.
pub(super) const LARGEST_REQUEST: usize = 4 << 20;

/// The field numbers of resources in a request, scopes in a resource and items in a scope, of all signals.
pub(super) const RESOURCE: u32 = 1;
pub(super) const SCOPE: u32 = 2;
pub(super) const ITEM: u32 = 2;

/// Encoded requests, and the items that fit in none.
#[derive(Debug)]
pub(super) struct Requests {
    limit: usize,
    /// A request is ended at this size. One with a single item can be larger, up to the limit.
    target: usize,
    /// The current request and the messages that are open in it, outermost first.
    levels: Vec<Level>,
    /// Items in the current request.
    items: usize,
    full: Vec<Request>,
    too_large: TooLarge,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) message: Bytes,
    /// Spans, log records or data points.
    pub(super) items: usize,
}

/// Items that fit in no request.
#[derive(Debug, Default)]
pub(super) struct TooLarge {
    pub(super) items: usize,
    /// The first of them with its size, and the limit.
    pub(super) first: Option<String>,
}

#[derive(Debug)]
struct Level {
    /// Its field number in the outer level.
    field: u32,
    bytes: Vec<u8>,
    /// Length of the head, which each request repeats, in `bytes`.
    head: usize,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self::with_limit(LARGEST_REQUEST)
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            target: limit,
            levels: vec![Level::new(0, Vec::new())],
            items: 0,
            full: Vec::new(),
            too_large: TooLarge::default(),
        }
    }

    /// Opens a message in the open one. `head` is the message without items.
    pub(super) fn open(&mut self, field: u32, head: &impl Message) {
        self.levels.push(Level::new(field, head.encode_to_vec()));
    }

    /// Closes the message that was opened last. A message without items is not written.
    pub(super) fn close(&mut self) {
        if let (Some(closed), Some(outside)) = (self.levels.pop(), self.levels.last_mut())
            && closed.has_content()
        {
            write_prefix(closed.field, closed.bytes.len(), &mut outside.bytes);
            outside.bytes.extend(closed.bytes);
        }
    }

    /// Adds an item to the open message. `name` describes an item that is too large.
    pub(super) fn add(&mut self, field: u32, item: &impl Message, name: impl FnOnce() -> String) {
        let size = item.encoded_len();
        if let Some(into) = self.room_for(field, size, name) {
            item.encode_raw(into);
        }
    }

    /// Adds an encoded item, like [`add`](Self::add).
    pub(super) fn add_encoded(&mut self, field: u32, item: &[u8], name: impl FnOnce() -> String) {
        if let Some(into) = self.room_for(field, item.len(), name) {
            into.extend_from_slice(item);
        }
    }

    /// Returns the open message, with the prefix of an item of this size; `None` if it is too large.
    fn room_for(
        &mut self,
        field: u32,
        size: usize,
        name: impl FnOnce() -> String,
    ) -> Option<&mut Vec<u8>> {
        if self.size_with(size) > self.target {
            self.end_request();
        }
        if self.size_with(size) > self.limit {
            self.too_large.note(&name(), size, self.limit);
            return None;
        }
        let level = self.levels.last_mut()?;
        write_prefix(field, size, &mut level.bytes);
        self.items += 1;
        Some(&mut level.bytes)
    }

    /// Returns all requests, and the items that fit in none.
    pub(super) fn finish(mut self) -> (Vec<Request>, TooLarge) {
        self.end_request();
        (self.full, self.too_large)
    }

    /// Returns the size of the current request with one more item of this size.
    fn size_with(&self, item: usize) -> usize {
        let levels = self.levels.iter().rev();
        levels.fold(item, |inside, level| {
            level.bytes.len() + prefix_len(inside) + inside
        })
    }

    /// Ends the current request, unless it has no items. Open messages are open in the next request, too.
    fn end_request(&mut self) {
        if self.items == 0 {
            return;
        }
        let mut message = Vec::with_capacity(size(&self.levels));
        write(&self.levels, &mut message);
        self.full.push(Request {
            message: message.into(),
            items: self.items,
        });
        self.items = 0;
        for level in &mut self.levels {
            level.bytes.truncate(level.head);
        }
    }
}

impl Request {
    /// Splits a request with spans or log records into requests of at most `target` bytes, or with one item.
    pub(super) fn split(self, target: usize) -> Vec<Self> {
        if self.message.len() <= target || self.items < 2 {
            return vec![self];
        }
        match self.parts(target) {
            Ok(parts) if parts.iter().map(|part| part.items).sum::<usize>() == self.items => parts,
            // A file of the spool that has another form.
            _ => vec![self],
        }
    }

    fn parts(&self, target: usize) -> Result<Vec<Self>, DecodeError> {
        let mut requests = Requests::new();
        requests.target = target;
        for resource in children(&self.message, RESOURCE)?.1 {
            let (head, scopes) = children(resource, SCOPE)?;
            requests.levels.push(Level::new(RESOURCE, head));
            for scope in scopes {
                let (head, items) = children(scope, ITEM)?;
                requests.levels.push(Level::new(SCOPE, head));
                for item in items {
                    requests.add_encoded(ITEM, item, String::new);
                }
                requests.close();
            }
            requests.close();
        }
        Ok(requests.finish().0)
    }
}

/// Returns the messages in a field of a message, and the message without them.
fn children(mut message: &[u8], field: u32) -> Result<(Vec<u8>, Vec<&[u8]>), DecodeError> {
    let (mut head, mut children) = (Vec::new(), Vec::new());
    while !message.is_empty() {
        let start = message;
        let (key, wire_type) = decode_key(&mut message)?;
        let prefixed = message;
        skip_field(wire_type, key, &mut message, DecodeContext::default())?;
        if key == field && wire_type == WireType::LengthDelimited {
            let (mut child, _) = prefixed.split_at(prefixed.len() - message.len());
            decode_varint(&mut child)?;
            children.push(child);
        } else {
            head.extend_from_slice(&start[..start.len() - message.len()]);
        }
    }
    Ok((head, children))
}

impl Level {
    fn new(field: u32, head: Vec<u8>) -> Self {
        Self {
            field,
            head: head.len(),
            bytes: head,
        }
    }

    fn has_content(&self) -> bool {
        self.bytes.len() > self.head
    }
}

impl TooLarge {
    fn note(&mut self, name: &str, size: usize, limit: usize) {
        self.items += 1;
        self.first.get_or_insert_with(|| {
            format!("{name} has {size} bytes, and a request holds at most {limit}")
        });
    }
}

/// Writes nested levels, without empty inner ones.
fn write(levels: &[Level], into: &mut Vec<u8>) {
    let Some((outermost, inside)) = levels.split_first() else {
        return;
    };
    into.extend_from_slice(&outermost.bytes);
    if let Some(next) = inside.first().filter(|_| has_content(inside)) {
        write_prefix(next.field, size(inside), into);
        write(inside, into);
    }
}

/// Returns the size of what [`write`] writes.
fn size(levels: &[Level]) -> usize {
    let Some((outermost, inside)) = levels.split_first() else {
        return 0;
    };
    let inside = match has_content(inside) {
        true => prefix_len(size(inside)) + size(inside),
        false => 0,
    };
    outermost.bytes.len() + inside
}

fn has_content(levels: &[Level]) -> bool {
    levels.iter().any(Level::has_content)
}

/// Writes the prefix of an inner message: the field number and the length.
fn write_prefix(field: u32, length: usize, into: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, into);
    encode_varint(length as u64, into);
}

/// Returns the length of the prefix. A field number below 16 takes one byte.
fn prefix_len(length: usize) -> usize {
    1 + encoded_len_varint(length as u64)
}

#[cfg(test)]
mod tests {
    use std::iter::zip;

    use opentelemetry_proto::tonic::{
        collector::trace::v1::ExportTraceServiceRequest,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };

    use super::*;

    const RESOURCE_URL: &str = "https://resource.example";

    /// Adds spans with names of these sizes to three scopes, the second without spans.
    fn requests(limit: usize, sizes: &[usize]) -> Vec<Request> {
        let mut requests = Requests::with_limit(limit);
        let schema_url = RESOURCE_URL.to_owned();
        requests.open(
            RESOURCE,
            &ResourceSpans {
                schema_url,
                ..ResourceSpans::default()
            },
        );
        for (scope, sizes) in [("first", sizes), ("empty", &[]), ("last", sizes)] {
            let schema_url = scope.to_owned();
            requests.open(
                SCOPE,
                &ScopeSpans {
                    schema_url,
                    ..ScopeSpans::default()
                },
            );
            for size in sizes {
                let span = Span {
                    name: "x".repeat(*size),
                    ..Span::default()
                };
                requests.add(ITEM, &span, String::new);
            }
            requests.close();
        }
        requests.close();
        let (requests, too_large) = requests.finish();
        assert_eq!(too_large.items, 0, "{limit}");
        requests
    }

    /// For each limit: each item is in one request, in order, within its scope and resource.
    #[test]
    fn no_request_is_larger_than_the_limit() {
        let sizes = [0, 1, 100, 126, 127, 128, 129, 5, 300, 16];
        let expected = ["first", "last"].map(|scope| sizes.map(|size| (scope.to_owned(), size)));
        for limit in 500..2_500 {
            let mut spans = Vec::new();
            for request in requests(limit, &sizes) {
                assert!(request.message.len() <= limit, "{limit}");
                let before = spans.len();
                let decoded = ExportTraceServiceRequest::decode(request.message);
                for resource in decoded.expect("protobuf").resource_spans {
                    assert_eq!(resource.schema_url, RESOURCE_URL);
                    for ScopeSpans {
                        schema_url,
                        spans: of_scope,
                        ..
                    } in resource.scope_spans
                    {
                        assert!(!of_scope.is_empty());
                        let sizes = of_scope.iter().map(|span| span.name.len());
                        spans.extend(sizes.map(|size| (schema_url.clone(), size)));
                    }
                }
                assert_eq!(request.items, spans.len() - before);
            }
            assert_eq!(spans, expected.concat(), "{limit}");
        }
    }

    /// Each part contains the number of items that it declares. Together they contain the request's items, in order.
    #[test]
    fn a_request_is_split_into_smaller_ones() {
        let sizes = [0, 1, 100, 126, 127, 128, 129, 5, 300, 16];
        let whole = requests(10_000, &sizes).remove(0);
        let expected = items(&whole);
        for target in (200..1_300).chain([1, whole.message.len()]) {
            let parts = Request {
                message: whole.message.clone(),
                items: whole.items,
            };
            let parts = parts.split(target);
            for part in &parts {
                assert!(part.message.len() <= target || part.items == 1, "{target}");
                assert_eq!(part.items, items(part).len());
            }
            let least = whole.message.len().div_ceil(target).min(whole.items);
            assert!(parts.len() >= least, "{target}");
            assert_eq!(parts.iter().flat_map(items).collect::<Vec<_>>(), expected);
        }
    }

    /// Returns the URL of the resource, that of the scope, and the size of each item.
    fn items(request: &Request) -> Vec<(String, String, usize)> {
        let decoded = ExportTraceServiceRequest::decode(request.message.clone());
        let resources = decoded.expect("protobuf").resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| {
            let scopes = resource.scope_spans.into_iter();
            scopes.map(move |scope| (resource.schema_url.clone(), scope))
        });
        let items = scopes.flat_map(|(resource, scope)| {
            let spans = scope.spans.into_iter();
            spans.map(move |span| (resource.clone(), scope.schema_url.clone(), span.name.len()))
        });
        items.collect()
    }

    #[test]
    fn what_is_no_request_is_not_split() {
        let whole = requests(10_000, &[300, 300]).remove(0);
        let cut = whole.message.slice(..whole.message.len() - 1);
        for (message, items) in [(cut, whole.items), (whole.message, whole.items + 1)] {
            let request = Request {
                message: message.clone(),
                items,
            };
            assert_eq!(request.split(100), [Request { message, items }]);
        }
    }

    #[test]
    fn requests_are_filled_up_to_the_limit() {
        let exact = requests(10_000, &[50])[0].message.len();
        for (limit, count) in zip([exact, exact - 1], [1, 2]) {
            assert_eq!(requests(limit, &[50]).len(), count);
        }
        assert_eq!(requests(300, &[]), []);
    }
}
