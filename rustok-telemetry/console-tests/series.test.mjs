import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeriesCache, append, failed, label, labelKey, largest, statusClass, total } from '../src/console/assets/series.js';

const counter = (series) => ({ kind: 'counter', unit: '', help: '', series });

test('newer ticks are appended to equal labels', () => {
  const known = { ticks: [1, 2], metrics: { m: counter([{ labels: { a: 'x', b: 'y' }, values: [1, 2] }]) } };
  const newer = { ticks: [2, 3], metrics: { m: counter([{ labels: { b: 'y', a: 'x' }, values: [2, 5] }, { labels: { a: 'new' }, values: [null, 1] }]) } };
  const joined = append(known, newer);
  assert.deepEqual(joined.ticks, [1, 2, 3]);
  assert.deepEqual(joined.metrics.m.series.map(({ values }) => values), [[1, 2, 5], [null, null, 1]]);
});

test('old ticks are dropped, and series without a value with them', () => {
  const known = { ticks: [1, 2], metrics: { m: counter([{ labels: { a: 'gone' }, values: [1, null] }, { labels: { a: 'stays' }, values: [1, 2] }]) } };
  const joined = append(known, { ticks: [3], metrics: { m: counter([{ labels: { a: 'stays' }, values: [3] }]) } }, 2);
  assert.deepEqual(joined.ticks, [2, 3]);
  assert.deepEqual(joined.metrics.m.series, [{ labels: { a: 'stays' }, values: [2, 3] }]);
});

test('a series that had been left out does not seem to grow', () => {
  const known = { ticks: [1, 2], metrics: { m: { ...counter([{ labels: { a: 'x' }, values: [1, 2] }]), left_out: 1 } } };
  const joined = append(known, { ticks: [3], metrics: { m: counter([{ labels: { a: 'late' }, values: [900] }]) } });
  assert.deepEqual(joined.metrics.m.series[1].values, [null, 900, 900]);
});

test('no new tick changes nothing', () => {
  const known = { ticks: [1], metrics: {} };
  assert.equal(append(known, { ticks: [1], metrics: {} }), known);
});

test('the smallest series are summed as others', () => {
  const metric = counter([1, 9, 2, 8].map((size, at) => ({ labels: { at: String(at) }, values: [0, size] })));
  const { shown, others, folded } = largest(metric, 3);
  assert.deepEqual(shown.map(({ labels }) => labels.at), ['1', '3']);
  assert.deepEqual([others.values, folded], [[0, 3], 2]);
  assert.equal(largest(metric, 4).others, null);
});

test('histograms are summed bucket by bucket', () => {
  const all = [{ labels: {}, count: [1, 2], sum: [1, 2], buckets: [[1, 0], [1, 1]] }, { labels: {}, count: [null, 1], sum: [null, 5], buckets: [null, [0, 1]] }];
  assert.deepEqual(total(all), { labels: {}, count: [1, 3], sum: [1, 7], buckets: [[1, 0], [1, 2]] });
});

test('labels have a key whatever their order, and a text', () => {
  assert.equal(labelKey({ a: '1', b: '2' }), labelKey({ b: '2', a: '1' }));
  assert.notEqual(labelKey({ a: '1,b' }), labelKey({ a: '1', b: '' }));
  assert.equal(label({ a: 'x', b: '' }), 'x · (empty)');
  assert.equal(label({}), 'all');
});

test('statuses have classes', () => {
  assert.deepEqual(['200', '503', 'body_error'].map(statusClass), ['2xx', '5xx', 'body error']);
  assert.deepEqual(['200', '404', 'client_closed', '500', 'panic', 'body_error'].map(failed), [false, false, false, true, true, true]);
});

test('the cache asks only for newer ticks', async () => {
  const asked = [];
  const answers = [{ ticks: [1, 2], metrics: {} }, { ticks: [3], metrics: {} }];
  const cache = new SeriesCache(async (query) => { asked.push(query); return answers.shift(); });
  await cache.get('metric=m');
  assert.deepEqual((await cache.get('metric=m')).ticks, [1, 2, 3]);
  assert.deepEqual(asked, ['metric=m', 'metric=m&since=2']);
});
