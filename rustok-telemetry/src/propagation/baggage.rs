//! [W3C Baggage](https://www.w3.org/TR/baggage/).
//!
//! A value goes from the first `=` to the first `;`, and may have further `=`. It is percent-decoded; what is not UTF-8
//! then becomes U+FFFD, and a `%` without two digits stays. Properties are kept as they are on the wire, without the white
//! space around them. Several headers are one list. The specification leaves the rest to implementations. Here:
//!
//! - A member that is malformed, in its key, its value or a property, is skipped; the others count.
//! - Of several members with the same key the last counts. The [tenant](super::carried_tenant) is an exception.
//! - Of more than 64 members, or 8192 bytes, the first are read, and as many are written as fit, each of them whole.
//! - Metadata that is not a list of properties is not written.
//!
//! The SDK's propagator is not used. It ends values at a second `=`, trims them, leaves `%` and `\` as they are, and reads
//! one header only.

use std::{borrow::Cow, sync::LazyLock};

use opentelemetry::{
    Context,
    baggage::{BaggageExt, BaggageMetadata},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{carried_tenant::Received, carrier};
use crate::trace::TENANT_ID;

const HEADER: &str = "baggage";
const MOST_MEMBERS: usize = 64;
const LONGEST: usize = 8192;

/// What a value cannot have, and `=`, at which other parsers end it.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'=')
    .add(b'\\');

/// Reads and writes `baggage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct W3cBaggage;

impl TextMapPropagator for W3cBaggage {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let baggage = context.baggage();
        if baggage.is_empty() {
            return;
        }
        let mut text = String::new();
        // The tenant first, since there is an end to what is written.
        if let Some((value, metadata)) = baggage.get_with_metadata(TENANT_ID) {
            push(&mut text, TENANT_ID, value.as_str(), metadata);
        }
        for (key, (value, metadata)) in baggage {
            if key.as_str() != TENANT_ID {
                push(&mut text, key.as_str(), value.as_str(), metadata);
            }
        }
        if !text.is_empty() {
            injector.set(HEADER, text);
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let Some(header) = carrier::value(extractor, HEADER) else {
            return context.clone();
        };
        let mut received = Received::within(context);
        let (mut members, mut end) = (0, 0);
        for text in header.split(',') {
            end += text.len();
            let is_within_limits = members < MOST_MEMBERS && end <= LONGEST;
            end += 1;
            // A tenant beyond the limits may contradict one that came before.
            let is_tenant = key_of(text) == TENANT_ID;
            if !is_within_limits && !is_tenant {
                continue;
            }
            match Member::read(text) {
                Some(member) => {
                    members += 1;
                    received.insert(member.key, member.value, member.metadata);
                }
                None if is_tenant => received.doubt_tenant(),
                None => {}
            }
        }
        received.into_context(context)
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [HEADER.to_owned()]);
        FieldIter::new(&*FIELDS)
    }
}

/// A well-formed member of the list.
struct Member<'a> {
    key: &'a str,
    value: Cow<'a, str>,
    metadata: String,
}

impl<'a> Member<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (pair, metadata) = match text.split_once(';') {
            Some((pair, list)) => (pair, properties(list)?),
            None => (text, String::new()),
        };
        let (key, value) = pair
            .split_once('=')
            .map(|(key, value)| (trim(key), trim(value)))?;
        (is_token(key) && is_value(value)).then(|| Self {
            key,
            value: percent_decode_str(value).decode_utf8_lossy(),
            metadata,
        })
    }
}

/// Appends a member, unless the whole gets too long by it.
fn push(text: &mut String, key: &str, value: &str, metadata: &BaggageMetadata) {
    let before = text.len();
    if before > 0 {
        text.push(',');
    }
    text.push_str(key);
    text.push('=');
    text.extend(utf8_percent_encode(value, ENCODED));
    if let Some(list) = Some(metadata.as_str()).filter(|list| !list.is_empty())
        && let Some(list) = properties(list)
    {
        text.push(';');
        text.push_str(&list);
    }
    if text.len() > LONGEST {
        text.truncate(before);
    }
}

/// Properties without the white space around them, if all of them are well-formed.
fn properties(list: &str) -> Option<String> {
    let mut text = String::with_capacity(list.len());
    for property in list.split(';') {
        if !text.is_empty() {
            text.push(';');
        }
        let (key, value) = match property.split_once('=') {
            Some((key, value)) => (trim(key), Some(trim(value))),
            None => (trim(property), None),
        };
        if !is_token(key) || !value.is_none_or(is_value) {
            return None;
        }
        text.push_str(key);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    Some(text)
}

/// The key of a member, malformed or not.
fn key_of(member: &str) -> &str {
    let end = member.find(['=', ';']).unwrap_or(member.len());
    trim(&member[..end])
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

fn is_value(text: &str) -> bool {
    let is_octet = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    text.bytes().all(is_octet)
}
