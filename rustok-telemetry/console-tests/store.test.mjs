import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../src/console/assets/store.js';

/** A store that has the state, and answers every query with these metrics. */
function storeOf(state, metrics) {
  const store = Object.create(Store.prototype);
  const queries = [];
  const series = { get: async (query) => (queries.push(query), { ticks: [1], metrics }) };
  return { store: Object.assign(store, { state, series }), queries };
}

test('built-in metrics are asked for by the prefix of the service, and found by their declared names', async () => {
  const counter = { kind: 'counter', unit: '', help: '', series: [] };
  const { store, queries } = storeOf({ metric_prefix: 'shop' }, { shop_http_requests_total: counter, process_threads: counter });
  const frames = await store.builtIn(['rustok_http_requests_total', 'process_threads', 'rustok_cache_size'], ['status']);
  assert.deepEqual(queries, ['metric=shop_http_requests_total&metric=process_threads&metric=shop_cache_size&by=status']);
  assert.deepEqual(frames, { ticks: [1], metrics: { rustok_http_requests_total: counter, process_threads: counter } });
  assert.equal(store.named('rustok_cache_size'), 'shop_cache_size');
});

test('a console of an earlier version has the declared names', () => {
  assert.equal(storeOf({}, {}).store.named('rustok_cache_size'), 'rustok_cache_size');
  assert.equal(storeOf(null, {}).store.named('rustok_cache_size'), 'rustok_cache_size');
});
