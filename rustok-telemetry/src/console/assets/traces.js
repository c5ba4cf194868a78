/** The view Traces: those that are kept, by filters of the address; and the operations of their spans. */
import { query } from './api.js';
import { h } from './dom.js';
import { count, duration, percent, plural } from './format.js';
import { table } from './table.js';
import { badge, button, choice, clock, code, empty, input, section, select, short, since, thinned, to } from './widgets.js';

const FILTERS = ['text', 'operation', 'tenant', 'status', 'min_ms', 'max_ms'];
const STEP = 100;

/** @param {import('./app.js').Context} context */
export function traces(context) {
  const { store } = context;
  /** @type {any[]|null} */
  let list = null;
  /** @type {any[]|null} */
  let operations = null;
  let sort = { by: 'count', down: true };
  let wanted = '';
  let mistake = '';

  const params = () => context.route().params;
  const limit = () => Math.min(2_000, Number(params().get('limit')) || STEP);
  const set = (/** @type {string} */ name, /** @type {string} */ value) => context.setParams({ [name]: value });

  return {
    title: 'Traces',
    on: ['tick', 'traces'],
    async load(/** @type {AbortSignal} */ signal) {
      const filters = Object.fromEntries(FILTERS.map((name) => [name, params().get(name)]));
      if (params().get('list') === 'operations') operations = await store.get('api/operations', signal);
      else list = await store.get(`api/traces${query({ ...filters, limit: limit() })}`, signal);
    },
    draw() {
      const shown = params().get('list') === 'operations' ? 'operations' : 'traces';
      return [
        h('div', { class: 'toolbar', key: 'top' },
          choice('What is listed', shown, [['traces', 'Traces'], ['operations', 'Operations']], (value) => set('list', value === 'traces' ? '' : value)),
          paste(), capture()),
        shown === 'operations' ? operationTable() : [filterBar(), traceList()],
      ];
    },
  };

  function paste() {
    const open = (/** @type {Event} */ event) => {
      event.preventDefault();
      const id = traceId(wanted);
      mistake = id ? '' : 'A trace id has 32 hexadecimal digits; a traceparent or traceresponse header works too.';
      if (id) context.go(to('traces', id));
      else context.redraw();
    };
    return h('form', { class: 'inline-form', key: 'paste', onsubmit: open },
      h('label', { class: 'field' }, h('span', null, 'Trace id'),
        h('input', { type: 'text', value: wanted, autocomplete: 'off', spellcheck: 'false', placeholder: 'Paste an id or a traceresponse header', 'aria-describedby': mistake ? 'mistake' : null, oninput: (/** @type {any} */ event) => (wanted = event.target.value) })),
      h('button', { type: 'submit' }, 'Open'), mistake && h('p', { class: 'mistake', id: 'mistake' }, mistake));
  }

  function capture() {
    const until = store.state?.capture?.all_spans_until;
    const left = until ? until - store.now : 0;
    const post = (/** @type {number} */ span) => context.act(async () => {
      const now = await context.post('api/capture', { all_spans_for_ms: span });
      if (store.state) store.state.capture = now.capture ?? now;
      store.now = Math.max(store.now, (store.state?.capture.all_spans_until ?? 0) - span);
    });
    return h('div', { class: 'capture', key: 'capture' }, left > 0
      ? [badge('warning', `Keeping all spans, ${duration(left)} left`), button('Stop', () => post(0))]
      : button('Keep all spans for 5 minutes', () => post(300_000), { title: 'Also keeps traces that the sampler would drop. They are not exported.' }));
  }

  function filterBar() {
    const value = (/** @type {string} */ name) => params().get(name) ?? '';
    const field = (/** @type {string} */ label, /** @type {string} */ name, props = {}) => input(label, value(name), (text) => set(name, text.trim()), props);
    const any = FILTERS.some((name) => value(name) !== '');
    return h('div', { class: 'filters', role: 'search', 'aria-label': 'Filter traces', key: 'filters' },
      field('Text', 'text', { type: 'search', 'data-search': '', placeholder: 'name, attribute, id' }),
      field('Operation', 'operation'), field('Tenant', 'tenant'),
      select('Status', value('status'), [['', 'any'], ['error', 'error'], ['ok', 'ok']], (status) => set('status', status)),
      field('Min. duration, ms', 'min_ms', { type: 'number', min: 0, inputmode: 'decimal' }),
      field('Max. duration, ms', 'max_ms', { type: 'number', min: 0, inputmode: 'decimal' }),
      any && button('Clear filters', () => context.setParams(Object.fromEntries(FILTERS.map((name) => [name, '']))), { key: 'clear' }));
  }

  function traceList() {
    if (!list) return h('p', { class: 'note', key: 'wait' }, 'Loading…');
    const filtered = FILTERS.some((name) => params().get(name));
    const note = list.length >= limit() ? `the newest ${list.length}` : plural(list.length, 'trace');
    return section('Traces', { id: 'trace-list', note },
      thinned(store.state, 'Traces with an error and the slowest are kept too.'),
      list.length > 0 ? traceTable(list, store.now, 'Traces')
        : filtered ? empty('No trace matches the filters.', 'Only traces in memory are searched; the oldest go first.')
          : empty('No traces yet.', 'The HTTP layer makes a trace of every request, and ', code('#[rustok_telemetry::instrument]'), ' a span of every call. Send a request. If the sampler drops most traces, keep all spans for 5 minutes.'),
      list.length >= limit() && limit() < 2_000 && h('p', { class: 'more' }, button('Show more', () => set('limit', String(limit() + STEP * 4)))));
  }

  function operationTable() {
    if (!operations) return h('p', { class: 'note', key: 'wait' }, 'Loading…');
    return section('Operations', { id: 'operation-list', note: 'of the spans that are kept' },
      operations.length === 0 ? empty('No spans yet.', 'Send a request to see its operations.') : table({
        caption: 'Operations', rows: operations, rowKey: (row) => row.name, sort, onSort: (by) => { sort = by; context.redraw(); },
        columns: [
          { name: 'name', title: 'Operation', wide: true, value: (row) => row.name, cell: (row) => h('a', { href: to('traces', null, { operation: row.name }) }, short(row.name, 90)) },
          { name: 'count', title: 'Spans', numeric: true, value: (row) => row.count, cell: (row) => count(row.count) },
          { name: 'errors', title: 'Errors', numeric: true, value: (row) => row.errors, cell: (row) => (row.errors === 0 ? '0' : badge('error', `${count(row.errors)} (${percent(row.errors / row.count)})`)) },
          ...['p50', 'p95', 'max'].map((name) => ({ name, title: name, numeric: true, value: (/** @type {any} */ row) => row[name], cell: (/** @type {any} */ row) => duration(row[name]) })),
        ],
      }));
  }
}

/** The trace id within a text: an id, or a header with one. @param {string} text @returns {string|null} */
export function traceId(text) {
  return /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i.exec(text)?.[0].toLowerCase() ?? null;
}

const KEPT = { error: 'It has an error', slow: 'One of the slowest of its operation', recent: 'Among the newest' };

/** @param {any[]} list @param {number} now @param {string} caption */
export function traceTable(list, now, caption) {
  const longest = Math.max(1e-9, ...list.map((trace) => trace.duration));
  return table({
    caption, rows: list, rowKey: (trace) => trace.trace_id, limit: 2_000,
    rowClass: (trace) => (trace.status === 'error' || trace.errors > 0 ? 'row-bad' : ''),
    columns: [
      { name: 'start', title: 'Time', cell: (trace) => h('span', { class: 'nowrap' }, clock(trace.start, { now }), ' ', h('span', { class: 'note ago' }, since(trace.start, now))) },
      { name: 'name', title: 'Trace', wide: true, cell: (trace) => [h('a', { href: to('traces', trace.trace_id) }, short(trace.name, 100)), ' ', h('span', { class: 'note mono' }, trace.trace_id.slice(0, 8))] },
      { name: 'status', title: 'Status', cell: statusCell },
      { name: 'tenant', title: 'Tenant', cell: (trace) => (trace.tenant === null ? '–' : short(trace.tenant, 30)) },
      { name: 'spans', title: 'Spans', numeric: true, cell: (trace) => count(trace.spans) },
      { name: 'kept', title: 'Kept as', cell: (trace) => h('span', { title: KEPT[/** @type {keyof typeof KEPT} */ (trace.kept_for)] ?? null }, trace.kept_for) },
      { name: 'duration', title: 'Duration', numeric: true, cell: (trace) => h('div', { class: 'duration' }, h('span', null, duration(trace.duration)), h('span', { class: 'duration-bar', style: { width: `${Math.max(1, (trace.duration * 100) / longest)}%` } })) },
    ],
  });
}

/** @param {any} trace */
function statusCell(trace) {
  const status = trace.http?.status ? `${trace.http.status}` : trace.status;
  if (trace.status === 'error') return badge('error', `error${trace.http?.status ? ` ${trace.http.status}` : ''}`);
  if (trace.errors > 0) return badge('warning', `${status}, ${plural(trace.errors, 'error')}`);
  return badge(trace.status === 'ok' || (trace.http?.status ?? 500) < 400 ? 'ok' : 'neutral', status);
}
