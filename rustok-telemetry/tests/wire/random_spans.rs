//! Both paths export the same spans for the same random operations. The test runs them in two processes, one for each path.
//!
//! It does not compare limits, nor the order of attributes and of links. It leaves out the known differences, which concern
//! spans that have not been entered:
//!
//! - A recorded status starts a span of the SDK, so a later name or parent comes too late. A native one has not started.
//! - After `set_parent` or another method of `OpenTelemetrySpanExt`, a recorded value replaces one that `set_attribute`
//!   sets later in a native span, and other attributes and links are in another order.

use std::{
    collections::HashMap,
    env, fs, iter,
    path::{Path, PathBuf},
    process::Command,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Status, TraceContextExt, TraceFlags},
};
use opentelemetry_proto::tonic::{
    common::v1::any_value::Value as AnyValue,
    trace::v1::{Span, span::Link},
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use rustok_telemetry::{Builder, tenant};
use tracing::{error, field::Empty, info, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    builder,
    receiver::Receiver,
    span_paths::{native, remote, sdk, shown},
};

/// The path and the file of a process that the test starts.
const ROLE: &str = "TEST_RANDOM_SPANS_ROLE";
/// The seed of the steps, 1 by default.
const SEED: &str = "TEST_RANDOM_SPANS_SEED";
const RUNS: u64 = 200;

#[derive(Debug, Clone)]
enum Step {
    Open(Parent),
    Enter(usize),
    Exit(usize),
    Record(usize, Field, Value),
    RecordStatus(usize, &'static str),
    Rename(usize),
    Event(Option<usize>, Value),
    Error(Option<usize>, Value),
    SetAttribute(usize, Field, Value),
    SetStatus(usize, Status),
    AddEvent(usize, Value),
    AddLink(usize, usize, Value),
    FollowsFrom(usize, usize),
    SetParent(usize, Parent),
    SetTenant(String),
    Close(usize),
}

#[derive(Debug, Clone, Copy)]
enum Parent {
    Current,
    None,
    Of(usize),
    Remote(TraceFlags),
}

#[derive(Debug, Clone, Copy)]
enum Field {
    First,
    Second,
    Tenant,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Tenant => "tenant_id",
        }
    }
}

#[derive(Debug, Clone)]
enum Value {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Text(String),
}

impl Value {
    fn attribute(&self, key: &'static str) -> KeyValue {
        match self.clone() {
            Self::Signed(value) => KeyValue::new(key, value),
            Self::Unsigned(value) => KeyValue::new(key, value.to_string()),
            Self::Float(value) => KeyValue::new(key, value),
            Self::Bool(value) => KeyValue::new(key, value),
            Self::Text(value) => KeyValue::new(key, value),
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Signed),
        any::<u64>().prop_map(Value::Unsigned),
        any::<f64>().prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        ".{0,12}".prop_map(Value::Text),
    ]
}

fn parent() -> impl Strategy<Value = Parent> {
    prop_oneof![
        4 => Just(Parent::Current),
        1 => Just(Parent::None),
        2 => any::<usize>().prop_map(Parent::Of),
        1 => Just(Parent::Remote(TraceFlags::SAMPLED)),
        1 => Just(Parent::Remote(TraceFlags::NOT_SAMPLED)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let span = any::<usize>;
    let field = || prop_oneof![Just(Field::First), Just(Field::Second), Just(Field::Tenant)];
    let status = prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        ".{0,8}".prop_map(Status::error)
    ];
    let code = prop_oneof![Just("OK"), Just("error"), Just("unset"), Just("other")];
    prop_oneof![
        4 => parent().prop_map(Step::Open),
        4 => span().prop_map(Step::Enter),
        2 => span().prop_map(Step::Exit),
        3 => (span(), field(), value()).prop_map(|(it, field, value)| Step::Record(it, field, value)),
        1 => (span(), code).prop_map(|(it, code)| Step::RecordStatus(it, code)),
        1 => span().prop_map(Step::Rename),
        2 => (any::<Option<usize>>(), value()).prop_map(|(it, value)| Step::Event(it, value)),
        1 => (any::<Option<usize>>(), value()).prop_map(|(it, value)| Step::Error(it, value)),
        2 => (span(), field(), value()).prop_map(|(it, field, value)| Step::SetAttribute(it, field, value)),
        1 => (span(), status).prop_map(|(it, status)| Step::SetStatus(it, status)),
        1 => (span(), value()).prop_map(|(it, value)| Step::AddEvent(it, value)),
        1 => (span(), span(), value()).prop_map(|(it, to, value)| Step::AddLink(it, to, value)),
        1 => (span(), span()).prop_map(|(it, of)| Step::FollowsFrom(it, of)),
        1 => (span(), parent()).prop_map(|(it, parent)| Step::SetParent(it, parent)),
        1 => "[a-c]{0,2}".prop_map(Step::SetTenant),
        2 => span().prop_map(Step::Close),
    ]
}

/// Open spans, and a log of the steps.
#[derive(Default)]
struct Run {
    next: u64,
    open: Vec<Open>,
    log: Vec<String>,
}

struct Open {
    number: u64,
    span: tracing::Span,
    entered: usize,
    has_started: bool,
}

impl Run {
    fn at(&mut self, place: usize) -> &mut Open {
        let place = place % self.open.len();
        &mut self.open[place]
    }

    fn context(&mut self, parent: Parent) -> Context {
        match parent {
            Parent::Current => Context::current(),
            Parent::None => Context::new(),
            Parent::Of(it) => self.at(it).span.context(),
            Parent::Remote(flags) => remote(flags),
        }
    }

    fn open(&mut self, parent: Parent) {
        let number = self.next;
        self.next += 1;
        macro_rules! open {
            ($($parent:tt)*) => {
                info_span!(
                    $($parent)* "random",
                    number,
                    otel.name = %format_args!("span {number}"),
                    first = Empty,
                    second = Empty,
                    tenant_id = Empty,
                    otel.status_code = Empty,
                )
            };
        }
        let span = match parent {
            Parent::None => open!(parent: None,),
            Parent::Of(it) if !self.open.is_empty() => open!(parent: &self.at(it).span,),
            Parent::Remote(flags) => {
                let span = open!();
                span.set_parent(remote(flags)).expect("it has not started");
                span
            }
            Parent::Current | Parent::Of(_) => open!(),
        };
        self.open.push(Open {
            number,
            span,
            entered: 0,
            has_started: false,
        });
    }

    fn run(&mut self, step: &Step) {
        let numbers: Vec<_> = self.open.iter().map(|it| it.number).collect();
        let of = |it: &usize| numbers.get(it.checked_rem(numbers.len())?);
        let (it, other) = match step {
            Step::Open(Parent::Of(it)) => (None, of(it)),
            Step::AddLink(it, to, _)
            | Step::FollowsFrom(it, to)
            | Step::SetParent(it, Parent::Of(to)) => (of(it), of(to)),
            Step::Event(it, _) | Step::Error(it, _) => (it.as_ref().and_then(of), None),
            Step::Open(_) | Step::SetTenant(_) => (None, None),
            Step::Enter(it)
            | Step::Exit(it)
            | Step::Record(it, ..)
            | Step::RecordStatus(it, _)
            | Step::Rename(it)
            | Step::SetAttribute(it, ..)
            | Step::SetStatus(it, _)
            | Step::AddEvent(it, _)
            | Step::SetParent(it, _)
            | Step::Close(it) => (of(it), None),
        };
        self.log.push(format!("of {it:?} and {other:?}: {step:?}"));
        match *step {
            Step::Open(parent) => return self.open(parent),
            Step::SetTenant(ref tenant) => return tenant::set(tenant),
            Step::Event(None, ref value) => return info!(?value, "event"),
            Step::Error(None, ref value) => return error!(error = ?value),
            _ if self.open.is_empty() => return,
            _ => {}
        }
        match *step {
            Step::Open(_) | Step::SetTenant(_) | Step::Event(None, _) | Step::Error(None, _) => {}
            Step::Enter(it) => {
                let of = self.at(it);
                of.span
                    .with_subscriber(|(id, subscriber)| subscriber.enter(id));
                of.entered += 1;
                of.has_started = true;
            }
            Step::Exit(it) => {
                let of = self.at(it);
                if of.entered > 0 {
                    of.span
                        .with_subscriber(|(id, subscriber)| subscriber.exit(id));
                    of.entered -= 1;
                }
            }
            Step::Record(it, field, ref value) => {
                let (span, field) = (&self.at(it).span, field.name());
                match value {
                    Value::Signed(value) => span.record(field, value),
                    Value::Unsigned(value) => span.record(field, value),
                    Value::Float(value) => span.record(field, value),
                    Value::Bool(value) => span.record(field, value),
                    Value::Text(value) => span.record(field, value),
                };
            }
            Step::RecordStatus(it, code) => {
                let of = self.at(it);
                if of.has_started {
                    of.span.record("otel.status_code", code);
                }
            }
            Step::Rename(it) => {
                let name = format!("renamed {}", self.next);
                self.next += 1;
                self.at(it).span.record("otel.name", name);
            }
            Step::Event(Some(it), ref value) => {
                warn!(parent: &self.at(it).span, ?value, "event");
            }
            Step::Error(Some(it), ref value) => {
                error!(parent: &self.at(it).span, error = ?value, "failed");
            }
            Step::SetAttribute(it, field, ref value) => {
                let of = self.at(it);
                let key = match of.has_started {
                    true => field.name(),
                    false => "set before the start",
                };
                let KeyValue { key, value, .. } = value.attribute(key);
                of.span.set_attribute(key, value);
            }
            Step::SetStatus(it, ref status) => self.at(it).span.set_status(status.clone()),
            Step::AddEvent(it, ref value) => {
                let attributes = vec![value.attribute("of the event")];
                self.at(it).span.add_event("added", attributes);
            }
            Step::AddLink(it, to, ref value) => {
                let to = self.context(Parent::Of(to));
                let to = to.span().span_context().clone();
                let attributes = vec![value.attribute("of the link")];
                self.at(it).span.add_link_with_attributes(to, attributes);
            }
            Step::FollowsFrom(it, of) => {
                let of = self.at(of).span.id();
                self.at(it).span.follows_from(of);
            }
            Step::SetParent(it, parent) => {
                let parent = self.context(parent);
                let set = self.at(it).span.set_parent(parent);
                self.log.push(format!("{set:?}"));
            }
            Step::Close(it) => {
                let place = it % self.open.len();
                self.close(place);
            }
        }
    }

    fn close(&mut self, place: usize) {
        let Open { span, entered, .. } = self.open.remove(place);
        for _ in 0..entered {
            span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }
}

#[test]
fn random_spans_are_the_same_on_both_paths() {
    if let Ok(role) = env::var(ROLE) {
        let (path, file) = role.split_once(' ').expect("a path and a file");
        let path = if path == "sdk" { sdk } else { native };
        return write(path, Path::new(file));
    }
    let [of_native, of_sdk] = ["native", "sdk"].map(spans_of_path);
    for (number, (native, sdk)) in of_native.iter().zip(&of_sdk).enumerate() {
        assert_eq!(native, sdk, "run {number}");
    }
    assert_eq!(of_native.len(), of_sdk.len());
    let spans = of_native.iter().flat_map(|it| it.lines());
    let spans = spans.filter(|line| line.contains(" of trace ")).count();
    assert!(spans > 500, "{spans} spans");
}

/// Runs this test again on a path, and returns what arrived of each run.
fn spans_of_path(path: &str) -> Vec<String> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("random_spans_{path}.txt"));
    let output = Command::new(env::current_exe().expect("a path"))
        .args([
            "--exact",
            "random_spans::random_spans_are_the_same_on_both_paths",
            "--include-ignored",
        ])
        .env(ROLE, format!("{path} {}", file.display()))
        .output()
        .expect("the test runs again");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{path}: {stdout}"
    );
    let text = fs::read_to_string(file).expect("the process wrote it");
    text.split(SEPARATOR).map(str::to_owned).collect()
}

const SEPARATOR: &str = "----\n";

fn runs() -> Vec<Vec<Step>> {
    let seed = env::var(SEED).ok();
    let seed = seed.map_or(1, |seed| seed.parse().expect("a number"));
    let config = Config {
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let steps = vec(step(), 1..60);
    let mut next = || steps.new_tree(&mut runner).expect("no filter").current();
    (0..RUNS).map(|_| next()).collect()
}

fn write(path: fn(Builder) -> Builder, file: &Path) {
    let receiver = Receiver::start();
    let endpoint = receiver.plain();
    let telemetry = path(builder(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]))
        .init()
        .expect("telemetry starts");
    let mut next = 0;
    let mut all = Vec::new();
    for steps in runs() {
        let first = next;
        let mut run = Run {
            next,
            ..Run::default()
        };
        steps.iter().for_each(|step| run.run(step));
        while !run.open.is_empty() {
            run.close(run.open.len() - 1);
        }
        next = run.next;
        all.push((first..next, run.log.join("\n")));
    }
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let mut spans = receiver.spans();
    spans.sort_by_key(number_of);
    let numbers: HashMap<_, _> = spans
        .iter()
        .map(|it| (it.span_id.clone(), number_of(it)))
        .collect();
    for span in &mut spans {
        span.attributes
            .sort_by(|one, other| one.key.cmp(&other.key));
        let key = |link: &Link| (numbers.get(&link.span_id), format!("{:?}", link.attributes));
        span.links.sort_by(|one, other| key(one).cmp(&key(other)));
    }
    let traces = traces(&spans);
    let shown = all.iter().map(|(numbers, log)| {
        let of_run = spans.iter().filter(|it| numbers.contains(&number_of(it)));
        let of_run: Vec<_> = of_run.cloned().collect();
        let of_traces: String = of_run.iter().map(|it| in_traces(it, &traces)).collect();
        format!("{log}\n{of_traces}{}", shown(&of_run))
    });
    let shown: Vec<_> = shown.collect();
    fs::write(file, shown.join(SEPARATOR)).expect("the folder is there");
}

/// Numbers the traces by their first span.
fn traces(spans: &[Span]) -> HashMap<Vec<u8>, usize> {
    let mut traces = HashMap::new();
    for span in spans {
        let links = span.links.iter().map(|it| &it.trace_id);
        for id in iter::once(&span.trace_id).chain(links) {
            let next = traces.len();
            traces.entry(id.clone()).or_insert(next);
        }
    }
    traces
}

/// Returns a line with the traces of a span and of its links.
fn in_traces(span: &Span, traces: &HashMap<Vec<u8>, usize>) -> String {
    let links: Vec<_> = span.links.iter().map(|it| traces[&it.trace_id]).collect();
    let of_span = traces[&span.trace_id];
    format!("{:?} of trace {of_span}, links to {links:?}\n", span.name)
}

fn number_of(span: &Span) -> u64 {
    let number = span.attributes.iter().find(|it| it.key == "number");
    match number.and_then(|it| it.value.as_ref()?.value.as_ref()) {
        Some(AnyValue::IntValue(number)) => u64::try_from(*number).expect("not negative"),
        other => panic!("{span:?} has the number {other:?}"),
    }
}
