import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, bytes, count, duration, number, percent, plain, plural, quantity, time } from '../src/console/assets/format.js';

test('numbers have about three digits', () => {
  const cases = [[0, '0'], [0.00012, '1.2e−4'], [0.0123, '0.012'], [1.5, '1.5'], [12.34, '12.3'], [1234, '1234'], [12_345, '12.3 k'], [2_500_000, '2.5 M'], [-3, '−3'], [null, '–'], [NaN, '–'], [Infinity, '∞']];
  for (const [value, text] of cases) assert.equal(number(value), text);
});

test('counts have thousands separators', () => {
  assert.equal(count(1_234_567), '1 234 567');
  assert.equal(count(12), '12');
  assert.equal(plural(1, 'span'), '1 span');
  assert.equal(plural(2, 'series', 'series'), '2 series');
});

test('durations choose their unit', () => {
  const cases = [[0, '0 ms'], [0.0005, '500 ns'], [0.25, '250 µs'], [1.5, '1.5 ms'], [999.7, '1 s'], [12_340, '12.3 s'], [59_960, '1 min 0 s'], [3_600_000, '1 h 0 min'], [90_000_000, '1 d 1 h'], [-5, '−5 ms'], [undefined, '–']];
  for (const [value, text] of cases) assert.equal(duration(value), text);
});

test('sizes are powers of 1024', () => {
  const cases = [[0, '0 B'], [1023, '1023 B'], [1024, '1 KiB'], [1_048_576, '1 MiB'], [33_554_432, '32 MiB'], [1_048_575, '1 MiB']];
  for (const [value, text] of cases) assert.equal(bytes(value), text);
});

test('shares near 0 and 1 are not rounded to them', () => {
  const cases = [[0, '0 %'], [0.00001, '< 0.01 %'], [0.5, '50 %'], [0.9987, '99.87 %'], [0.999999, '99.99 %'], [1, '100 %']];
  for (const [value, text] of cases) assert.equal(percent(value), text);
});

test('quantities have their unit', () => {
  assert.equal(quantity(0.25, 's'), '250 ms');
  assert.equal(quantity(2048, 'By'), '2 KiB');
  assert.equal(quantity(2048, 'By', true), '2 KiB/s');
  assert.equal(quantity(3, '', true), '3/s');
  assert.equal(quantity(0.5, 's', true), '0.5 s/s');
  assert.equal(quantity(3, '{request}'), '3');
  assert.equal(quantity(3, 'Cel'), '3 Cel');
  assert.equal(quantity(null, 's'), '–');
});

test('times have the date only on other days', () => {
  const at = Date.UTC(2026, 10, 28, 9, 5, 7, 8);
  assert.equal(time(at, { utc: true, now: at }), '09:05:07');
  assert.equal(time(at, { utc: true, millis: true, now: at }), '09:05:07.008');
  assert.equal(time(at, { utc: true, now: at + 86_400_000 }), '2026-11-28 09:05:07');
  assert.equal(time(NaN), '–');
  assert.equal(time(1e300), '–');
  assert.equal(ago(at, at + 61_000), '1 min ago');
  assert.equal(ago(at, at), 'just now');
});

test('attribute values become text', () => {
  assert.equal(plain({ a: [1] }), '{"a":[1]}');
  assert.equal(plain(null), '');
  assert.equal(plain(false), 'false');
});
