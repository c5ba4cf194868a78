import assert from 'node:assert/strict';
import { test } from 'node:test';
import { href, parse } from '../src/console/assets/router.js';

test('addresses come back as they were', () => {
  const params = { text: 'a&b=#?%', status: 'error', empty: '', none: null };
  const route = parse(href('metrics', 'name/with?odd#chars', params));
  assert.deepEqual([route.view, route.id], ['metrics', 'name/with?odd#chars']);
  assert.deepEqual([...route.params], [['text', 'a&b=#?%'], ['status', 'error']]);
});

test('short and broken addresses have a view', () => {
  for (const hash of ['', '#', '#/']) assert.deepEqual([parse(hash).view, parse(hash).id], ['', null]);
  assert.equal(parse('#/traces/%zz').id, '%zz');
  assert.equal(href(''), '#/');
});
