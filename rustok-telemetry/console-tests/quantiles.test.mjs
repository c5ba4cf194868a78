import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketGrowth, growth, histogramQuantile, increases, quantiles, rate, ratio, sum, windowStarts } from '../src/console/assets/quantiles.js';

test('a series that appears grew from zero', () => {
  assert.deepEqual(increases([null, null, 3, 5]), [null, null, 3, 2]);
  assert.deepEqual(increases([7, 7, 9]), [null, 0, 2]);
  assert.equal(growth([null, 1, 4]), 4);
});

test('a reset counter grew from zero', () => {
  assert.deepEqual(increases([10, 12, 3]), [null, 2, 3]);
});

test('a gap does not count twice', () => {
  assert.equal(growth([1, 2, null, 5]), 4);
});

test('rates are per second of the real time between ticks', () => {
  assert.deepEqual(rate([0, 10, 30], [0, 2_000, 6_000], 100_000), [null, 5, 5]);
  assert.deepEqual(rate([0, 10, 30], [0, 2_000, 6_000], 4_000), [null, 5, 5]);
  assert.deepEqual(rate([null, null], [0, 2_000]), [null, null]);
});

test('windows always span at least one tick', () => {
  assert.deepEqual(windowStarts([0, 10, 20, 100], 5), [0, 0, 1, 2]);
  assert.deepEqual(windowStarts([0, 10, 20, 30], 20), [0, 0, 0, 1]);
});

test('sums are null only where all are', () => {
  assert.deepEqual(sum([[1, null, null], [2, 3, null]]), [3, 3, null]);
  assert.deepEqual(ratio([1, null, 2], [2, 4, 0]), [0.5, 0, null]);
});

test('quantiles interpolate within a bucket', () => {
  const bounds = [1, 2, 4];
  assert.equal(histogramQuantile(0.5, bounds, [0, 10, 0, 0]), 1.5);
  assert.equal(histogramQuantile(0.25, bounds, [10, 10, 0, 0]), 0.5);
  assert.equal(histogramQuantile(0.75, bounds, [10, 0, 10, 0]), 3);
});

test('quantiles beyond the last bound are that bound', () => {
  assert.equal(histogramQuantile(0.99, [1, 2], [1, 0, 99]), 2);
});

test('quantiles of nothing do not exist', () => {
  assert.equal(histogramQuantile(0.5, [1, 2], [0, 0, 0]), null);
  assert.equal(histogramQuantile(0.5, [], [3]), null);
});

test('a first bucket that ends at or below zero is its bound', () => {
  assert.equal(histogramQuantile(0.5, [-1, 2], [10, 0, 0]), -1);
});

test('buckets that appear grew from zero, reset ones too', () => {
  assert.deepEqual(bucketGrowth([null, [1, 2]], 0, 1), [1, 2]);
  assert.deepEqual(bucketGrowth([[5, 5], [1, 2]], 0, 1), [1, 2]);
  assert.deepEqual(bucketGrowth([[1, 1], [4, 2]], 0, 1), [3, 1]);
  assert.equal(bucketGrowth([[1], null], 0, 1), null);
});

test('quantiles over time use a sliding window', () => {
  const buckets = [[0, 0, 0], [10, 0, 0], [10, 10, 0]];
  assert.deepEqual(quantiles(0.5, [1, 2], buckets, [0, 1_000, 2_000], 1_000), [null, 0.5, 1.5]);
});
