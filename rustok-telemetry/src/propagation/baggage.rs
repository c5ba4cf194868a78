//! [W3C Baggage](https://www.w3.org/TR/baggage/).
//!
//! A value extends from the first `=` to the first `;`, and may contain `=`. It is percent-decoded: invalid UTF-8
//! becomes U+FFFD, and a `%` without two digits is kept. Properties keep their encoding, without surrounding white
//! space. Repeated headers form one list. Where the specification leaves a choice:
//!
//! - A member with a malformed key, value or property is skipped.
//! - Of members with the same key the last wins, except for the [tenant](super::carried_tenant).
//! - Of more than 64 members, or 8192 bytes, the first are extracted. As many whole members are injected as fit.
//! - Metadata that is not a list of properties is not injected.
//!
//! The SDK's propagator is not used: it ends values at a second `=`, trims them, does not encode `%` and `\`, and reads
//! only one header.

use std::{borrow::Cow, sync::LazyLock};

use opentelemetry::{
    Context,
    baggage::{BaggageExt, BaggageMetadata},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{carried_tenant::Received, carrier};
use crate::trace::TENANT_ID;

pub(super) const HEADER: &str = "baggage";
const MOST_MEMBERS: usize = 64;
const LONGEST: usize = 8192;

/// The characters that a value cannot contain, and `=`, where other parsers end the value.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'=')
    .add(b'\\');

/// The propagator of `baggage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct W3cBaggage;

impl TextMapPropagator for W3cBaggage {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let baggage = context.baggage();
        if baggage.is_empty() {
            return;
        }
        let mut text = String::new();
        // The tenant first, because members beyond the limit are dropped.
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
            // A tenant beyond the limits is read too, because it may contradict an earlier one.
            let is_tenant = key_of(text) == TENANT_ID;
            if !is_within_limits && !is_tenant {
                continue;
            }
            match read(text) {
                Some((key, value, metadata)) => {
                    members += 1;
                    received.insert(key, value, metadata);
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

/// Reads a member: its key, its decoded value and its properties.
fn read(member: &str) -> Option<(&str, Cow<'_, str>, String)> {
    let (pair, metadata) = match member.split_once(';') {
        Some((pair, list)) => (pair, properties(list)?),
        None => (member, String::new()),
    };
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    (is_token(key) && is_value(value)).then_some((key, decoded, metadata))
}

/// Appends a member, unless the text would exceed the limit.
fn push(text: &mut String, key: &str, value: &str, metadata: &BaggageMetadata) {
    let before = text.len();
    if before > 0 {
        text.push(',');
    }
    text.push_str(key);
    text.push('=');
    text.extend(utf8_percent_encode(value, ENCODED));
    if let Some(list) = properties(metadata.as_str()) {
        text.push(';');
        text.push_str(&list);
    }
    if text.len() > LONGEST {
        text.truncate(before);
    }
}

/// Returns the properties without surrounding white space, or `None` if one of them is malformed.
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

/// Returns the key of a member, which may be malformed.
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
