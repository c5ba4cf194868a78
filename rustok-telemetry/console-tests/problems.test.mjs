import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromMetrics, fromRequests, fromTelemetry, ordered } from '../src/console/assets/problems.js';

const signal = { endpoint: 'http://c:4318', failing: false, last_rejection: null, queue: null };
const health = (signals, more = {}) => ({ health: { stage: 'running', signals, labels_folded: [], problems: [], ...more }, problems: [] });

test('all is well without problems', () => {
  assert.deepEqual(fromTelemetry(health({ traces: signal })), []);
  assert.deepEqual(fromMetrics({}), []);
  assert.deepEqual(fromTelemetry(null), []);
});

test('a failing export names target, reason and remedy', () => {
  const [problem] = fromTelemetry(health({ traces: { ...signal, failing: true, last_failure: { reason: 'refused' } } }));
  assert.equal(problem.level, 'error');
  assert.match(problem.what, /traces to http:\/\/c:4318 fails: refused/);
  assert.match(problem.remedy, /OTEL_TRACES_EXPORTER=none/);
});

test('a queue is a problem from 80 per cent', () => {
  const queue = (length) => fromTelemetry(health({ traces: { ...signal, queue: { length, capacity: 10 } } })).map(({ level }) => level);
  assert.deepEqual([queue(7), queue(8), queue(10)], [[], ['warning'], ['error']]);
});

test('folded labels lead to their metric', () => {
  const [problem] = fromTelemetry(health({}, { labels_folded: [{ metric: 'm', label: 'l', records: 3 }] }));
  assert.deepEqual([problem.view, problem.id], ['metrics', 'm']);
});

test('a stopped telemetry is an error', () => {
  assert.equal(fromTelemetry(health({}, { stage: 'disabled' }))[0].level, 'error');
});

test('a setting that was ignored is told once', () => {
  const told = { ...health({}, { problems: ['X is ignored'] }), problems: [{ severity: 'warning', what: 'X is ignored', remedy: 'r' }] };
  assert.equal(fromTelemetry(told).length, 1);
});

test('open breakers and recent drops are problems', () => {
  const breakers = { ticks: [1, 2], metrics: { rustok_circuit_breaker_state: { series: [{ labels: { service: 'a' }, values: [0, 1] }, { labels: { service: 'b' }, values: [1, 0] }] } } };
  const lost = { ticks: [1, 2], metrics: { rustok_telemetry_spans_lost_total: { series: [{ labels: { reason: 'queue_full' }, values: [5, 8] }, { labels: { reason: 'export_failed' }, values: [9, 9] }] } } };
  assert.deepEqual(fromMetrics({ breakers, lost }).map(({ what }) => what), ['The circuit breaker of a is open.', '3 spans dropped in the last 15 minutes: the export queue was full.']);
});

test('failing requests are a problem from 5 per cent', () => {
  const of = (bad) => fromRequests([{ status: '200', requests: 100 - bad }, { status: '500', requests: bad }]).map(({ level }) => level);
  assert.deepEqual([of(4), of(5), of(25)], [[], ['warning'], ['error']]);
  assert.deepEqual(fromRequests([]), []);
});

test('errors come first and equal problems once', () => {
  const problems = [{ level: 'warning', what: 'a' }, { level: 'error', what: 'b' }, { level: 'warning', what: 'a' }];
  assert.deepEqual(ordered(problems).map(({ what }) => what), ['b', 'a']);
});
