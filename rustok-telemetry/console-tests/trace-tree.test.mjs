import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build, move, ownTime, place, rows } from '../src/console/assets/trace-tree.js';

const span = (id, parent, start, duration, more = {}) => ({ trace_id: 't', span_id: id, parent_span_id: parent, name: id, kind: 'internal', service: 's', start, duration, status: 'unset', status_text: null, attributes: {}, events: [], links: [], scope: '', sampled: true, ...more });
const log = (seq, id, time) => ({ seq, span_id: id, time, level: 'INFO', target: '', text: '', attributes: {} });
const names = (shown) => shown.map(({ id, depth }) => `${depth} ${id}`);

test('children and log lines are interleaved by time', () => {
  const tree = build([span('b', 'a', 20, 5), span('a', null, 0, 100), span('c', 'a', 10, 5)], [log(1, 'a', 15)]);
  assert.deepEqual(names(rows(tree, new Set(), true)), ['1 a', '2 c', '2 log  1', '2 b']);
  assert.deepEqual(names(rows(tree, new Set(), false)), ['1 a', '2 c', '2 b']);
  assert.deepEqual(names(rows(tree, new Set(['a']), true)), ['1 a']);
  assert.deepEqual([tree.start, tree.end], [0, 100]);
});

test('the same span of two consoles is shown once', () => {
  assert.equal(build([span('a', null, 0, 1), span('a', null, 0, 1)], []).nodes.size, 1);
});

test('a span without its parent is a root that says so', () => {
  const tree = build([span('a', 'missing', 0, 1)], [log(1, 'missing', 0)]);
  assert.deepEqual(tree.roots.map(({ id, orphan }) => [id, orphan]), [['a', true]]);
  assert.equal(tree.loose.length, 1);
});

test('spans in a circle are all shown', () => {
  const tree = build([span('a', 'b', 0, 1), span('b', 'a', 0, 1), span('c', 'c', 0, 1)], []);
  assert.equal(rows(tree, new Set(), true).length, 3);
});

test('a deep trace does not exhaust the stack', () => {
  const spans = Array.from({ length: 5_000 }, (_, at) => span(`s${at}`, at > 0 ? `s${at - 1}` : null, at, 10_000 - at));
  assert.equal(rows(build(spans, []), new Set(), true).length, 5_000);
});

test('an error marks the spans above it', () => {
  const tree = build([span('a', null, 0, 9), span('b', 'a', 1, 2, { status: 'error' })], []);
  assert.deepEqual([tree.nodes.get('a').failedBelow, tree.nodes.get('b').failedBelow], [true, false]);
});

test('a span of no duration has a place', () => {
  const tree = build([span('a', null, 5, 0)], []);
  assert.deepEqual(place(tree, 5, 0), { left: 0, width: 0 });
});

test('own time leaves out children once', () => {
  const tree = build([span('a', null, 0, 100), span('b', 'a', 10, 30), span('c', 'a', 20, 30), span('d', 'a', 90, 50)], []);
  assert.equal(ownTime(tree.nodes.get('a')), 50);
});

test('keys move as in a tree', () => {
  const shown = rows(build([span('a', null, 0, 9), span('b', 'a', 1, 2), span('c', 'b', 1, 1)], []), new Set(['b']), true);
  assert.deepEqual(move(shown, 'a', 'ArrowDown'), { select: 'b' });
  assert.deepEqual(move(shown, 'b', 'ArrowDown'), { select: 'b' });
  assert.deepEqual(move(shown, 'b', 'ArrowRight'), { toggle: 'b' });
  assert.deepEqual(move(shown, 'b', 'ArrowLeft'), { select: 'a' });
  assert.deepEqual(move(shown, 'a', 'ArrowLeft'), { toggle: 'a' });
  assert.equal(move(shown, 'a', 'x'), null);
});
