//! Items put into requests, none of which is larger than what receivers take.
//!
//! The messages of all signals nest alike: a request has resources, a resource has scopes, a scope has spans, log
//! records or metrics, and a metric has data points. What is around an item is a level here, which each request repeats.

use bytes::Bytes;
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint},
};

/// Most bytes of a request before it is compressed.
///
/// A server of gRPC takes 4 MiB unless it is configured otherwise, and the Collector keeps that default. It takes 20 MiB
/// over HTTP, but the limit is the same for both protocols: a request that is larger gains nothing.
pub(super) const LARGEST_REQUEST: usize = 4 << 20;

/// The field of a request, of a resource and of a scope that holds what is in it, for all signals.
pub(super) const RESOURCE: u32 = 1;
pub(super) const SCOPE: u32 = 2;
pub(super) const ITEM: u32 = 2;

/// Encoded requests, and what does not fit into any.
#[derive(Debug)]
pub(super) struct Requests {
    limit: usize,
    /// The request that is being filled, and what is open in it, from the outside in.
    levels: Vec<Level>,
    /// Items in the request that is being filled.
    items: usize,
    full: Vec<Request>,
    too_large: TooLarge,
}

/// One request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) message: Bytes,
    /// Spans, log records or data points.
    pub(super) items: usize,
}

/// Items that no request can hold.
#[derive(Debug, Default)]
pub(super) struct TooLarge {
    pub(super) items: usize,
    /// Which was the first, its size, and the limit.
    pub(super) first: Option<String>,
}

/// A message that holds items, as far as it is written.
#[derive(Debug)]
struct Level {
    /// Its field in the level outside.
    field: u32,
    bytes: Vec<u8>,
    /// Length of what each request repeats, at the beginning of `bytes`.
    head: usize,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self::with_limit(LARGEST_REQUEST)
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            levels: vec![Level::new(0, &())],
            items: 0,
            full: Vec::new(),
            too_large: TooLarge::default(),
        }
    }

    /// Opens a message in the one that is open: `head` without its items, which is repeated in each request.
    pub(super) fn open(&mut self, field: u32, head: &impl Message) {
        self.levels.push(Level::new(field, head));
    }

    /// Closes what was opened last. It is left out if it has no items.
    pub(super) fn close(&mut self) {
        let last = self.levels.len() - 1;
        if self.levels[last].has_content() {
            let closed = self.levels.remove(last);
            let outside = &mut self.levels[last - 1].bytes;
            write_prefix(closed.field, closed.bytes.len(), outside);
            outside.extend(closed.bytes);
        } else {
            self.levels.truncate(last);
        }
    }

    /// Adds an item to what is open. `name` says what it is, if it is too large.
    pub(super) fn add(&mut self, field: u32, item: &impl Message, name: impl FnOnce() -> String) {
        let size = item.encoded_len();
        if self.size_with(size) > self.limit {
            self.end_request();
        }
        if self.size_with(size) > self.limit {
            self.too_large.note(&name(), size, self.limit);
            return;
        }
        if let Some(level) = self.levels.last_mut() {
            write_prefix(field, size, &mut level.bytes);
            item.encode_raw(&mut level.bytes);
            self.items += 1;
        }
    }

    /// All requests, and what is in none of them.
    pub(super) fn finish(mut self) -> (Vec<Request>, TooLarge) {
        self.end_request();
        (self.full, self.too_large)
    }

    /// The size of the request with one more item of this size.
    fn size_with(&self, item: usize) -> usize {
        let levels = self.levels.iter().rev();
        levels.fold(item, |inside, level| {
            level.bytes.len() + prefix_len(inside) + inside
        })
    }

    /// Ends the request that is being filled, unless it has no items. What is open is open in the next one.
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

impl Level {
    fn new(field: u32, head: &impl Message) -> Self {
        let bytes = head.encode_to_vec();
        Self {
            field,
            head: bytes.len(),
            bytes,
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

/// Writes nested levels, without those inside that hold nothing.
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

/// The size of what [`write`] writes.
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

/// Writes what is in front of a message in another: the field, and its length.
fn write_prefix(field: u32, length: usize, into: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, into);
    encode_varint(length as u64, into);
}

/// The length of the prefix: every field here has a number below 16, which takes one byte.
fn prefix_len(length: usize) -> usize {
    1 + encoded_len_varint(length as u64)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        collector::trace::v1::ExportTraceServiceRequest,
        common::v1::InstrumentationScope,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };

    use super::*;

    fn scope(name: &str, spans: Vec<Span>) -> ScopeSpans {
        ScopeSpans {
            scope: Some(InstrumentationScope {
                name: name.to_owned(),
                ..InstrumentationScope::default()
            }),
            spans,
            schema_url: "https://scope.example".to_owned(),
        }
    }

    fn resource(scope_spans: Vec<ScopeSpans>) -> ResourceSpans {
        ResourceSpans {
            resource: None,
            scope_spans,
            schema_url: "https://resource.example".to_owned(),
        }
    }

    fn span(name: String) -> Span {
        Span {
            name,
            ..Span::default()
        }
    }

    /// Three scopes, the second without spans.
    fn requests(limit: usize, sizes: &[usize]) -> (Vec<Request>, TooLarge) {
        let mut requests = Requests::with_limit(limit);
        requests.open(RESOURCE, &resource(Vec::new()));
        for (name, sizes) in [("first", sizes), ("empty", &[]), ("last", sizes)] {
            requests.open(SCOPE, &scope(name, Vec::new()));
            for (number, size) in sizes.iter().enumerate() {
                let name = format!("{number}{}", "x".repeat(*size));
                let item = span(name);
                requests.add(ITEM, &item, || format!("span {number}"));
            }
            requests.close();
        }
        requests.close();
        requests.finish()
    }

    fn decode(request: &Request) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(request.message.clone()).expect("protobuf")
    }

    #[test]
    fn what_fits_is_one_request_with_all_in_it() {
        let (requests, too_large) = requests(1_000, &[1, 200]);
        assert_eq!((requests.len(), too_large.items), (1, 0));
        let spans = || vec![span("0x".to_owned()), span(format!("1{}", "x".repeat(200)))];
        let expected = ExportTraceServiceRequest {
            resource_spans: vec![resource(vec![
                scope("first", spans()),
                scope("last", spans()),
            ])],
        };
        assert_eq!(decode(&requests[0]), expected);
        assert_eq!(requests[0].items, 4);
    }

    /// For each limit: no request is larger, each item comes once and in order, and what is around it comes with it.
    #[test]
    fn no_request_is_larger_than_the_limit() {
        let sizes = [0, 1, 100, 126, 127, 128, 129, 5, 300, 16];
        for limit in 500..2_000 {
            let (requests, too_large) = requests(limit, &sizes);
            assert_eq!(too_large.items, 0, "{limit}");
            let mut names = Vec::new();
            for request in &requests {
                assert!(request.message.len() <= limit, "{limit}");
                let mut items = 0;
                for of_resource in decode(request).resource_spans {
                    assert_eq!(of_resource.schema_url, "https://resource.example");
                    for of_scope in of_resource.scope_spans {
                        assert_eq!(of_scope.schema_url, "https://scope.example");
                        let scope = of_scope.scope.expect("a scope").name;
                        assert!(!of_scope.spans.is_empty());
                        items += of_scope.spans.len();
                        let spans = of_scope.spans.into_iter();
                        names.extend(spans.map(|span| (scope.clone(), span.name)));
                    }
                }
                assert_eq!(request.items, items);
            }
            let expected = ["first", "last"].into_iter().flat_map(|scope| {
                let spans = sizes.iter().enumerate();
                spans.map(move |(number, size)| {
                    (scope.to_owned(), format!("{number}{}", "x".repeat(*size)))
                })
            });
            assert_eq!(names, expected.collect::<Vec<_>>(), "{limit}");
        }
    }

    #[test]
    fn requests_are_filled_up_to_the_limit() {
        let (all, _) = requests(10_000, &[50]);
        let exact = all[0].message.len();
        assert_eq!(requests(exact, &[50]).0.len(), 1);
        assert_eq!(requests(exact - 1, &[50]).0.len(), 2);
    }

    #[test]
    fn an_item_that_fits_nowhere_is_named_with_its_size() {
        let (requests, too_large) = requests(300, &[1, 400, 2]);
        let items = requests.iter().map(|request| request.items);
        assert_eq!((items.sum::<usize>(), too_large.items), (4, 2));
        let first = too_large.first.expect("a name");
        let expected = "span 1 has 404 bytes, and a request holds at most 300";
        assert_eq!(first, expected);
    }

    #[test]
    fn nothing_is_no_request() {
        let (requests, too_large) = requests(300, &[]);
        assert_eq!((requests, too_large.items), (Vec::new(), 0));
    }
}
