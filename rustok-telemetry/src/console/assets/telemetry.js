/** The view Telemetry: what is exported, what is dropped, how telemetry is configured, and what this page keeps. */
import { request, ApiError } from './api.js';
import { bdi, h } from './dom.js';
import { icon } from './icons.js';
import { bytes, count, duration, percent, plural } from './format.js';
import { problemItem } from './overview.js';
import { fromTelemetry, ordered } from './problems.js';
import { table } from './table.js';
import { badge, clock, empty, input, longText, meter, section, short, since, to } from './widgets.js';

const NAMES = { traces: 'Traces', metrics: 'Metrics', logs: 'Logs' };
const REASONS = { export_failed: 'export failed', queue_full: 'queue full', after_shutdown: 'after shutdown', before_init: 'before the start', not_finite: 'not finite', negative: 'negative' };

/** @param {import('./app.js').Context} context */
export function telemetry(context) {
  const { store } = context;
  /** @type {any} */
  let data = null;
  /** @type {Map<string, string>} */
  const peers = new Map();
  let filter = '';
  let ticks = 0;

  return {
    title: 'Telemetry',
    on: ['tick'],
    async load(/** @type {AbortSignal} */ signal) {
      // Everything here changes slowly; the state has the memory of the console.
      ticks += 1;
      [data] = await Promise.all([store.get('api/telemetry', signal), ticks % 5 === 1 ? Promise.all([store.refreshState(), askPeers(signal)]) : null]);
    },
    draw() {
      if (!data) return h('p', { class: 'note' }, 'Loading…');
      return [problems(), h('div', { class: 'signals', key: 'signals' }, signals().map(([name, of]) => signalCard(name, of))), dropped(), memory(), followed(), configuration(), resource()];
    },
  };

  /** @param {AbortSignal} signal */
  async function askPeers(signal) {
    await Promise.all((store.state?.peers ?? []).map(async (/** @type {any} */ { name }) => {
      try {
        const state = await request('api/state', { peer: name, signal });
        peers.set(name, `ok ${state.service}`);
      } catch (error) {
        if (signal.aborted) return;
        peers.set(name, error instanceof ApiError ? error.message : String(error));
      }
    }));
  }

  function signals() {
    const order = Object.keys(NAMES);
    return Object.entries(data.health?.signals ?? {}).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  }

  function problems() {
    const all = ordered(fromTelemetry(data));
    if (all.length === 0) return h('section', { class: 'all-well', key: 'problems', 'aria-labelledby': 'problems' }, icon('ok'), h('h2', { id: 'problems' }, 'No problems'), h('p', { class: 'note' }, `Telemetry is ${String(data.health?.stage ?? 'unknown').replaceAll('_', ' ')}.`));
    return section(all.length === 1 ? '1 problem' : `${all.length} problems`, { id: 'problems' }, h('ul', { class: 'problems' }, all.map((problem) => problemItem({ ...problem, ...(problem.view === 'telemetry' ? { view: undefined } : {}) }))));
  }

  /** @param {string} name @param {any} of */
  function signalCard(name, of) {
    const title = NAMES[/** @type {keyof typeof NAMES} */ (name)] ?? name;
    const off = of.endpoint === null || of.endpoint === undefined;
    const state = off ? badge('neutral', 'not exported') : of.failing ? badge('error', 'failing') : of.successes > 0 ? badge('ok', 'exporting') : badge('neutral', 'nothing exported yet');
    const when = (/** @type {any} */ moment) => (moment ? [since(Date.parse(moment.at), store.now), ' (', clock(Date.parse(moment.at), { now: store.now }), ')'] : 'never');
    return section(title, { id: `signal-${name}`, aside: state },
      off ? empty(`${title} are not exported over OTLP.`, `Set OTEL_${name.toUpperCase()}_EXPORTER=otlp to export them. The console has them anyway.`)
        : h('dl', { class: 'attributes' },
          term('Target', longText(of.endpoint, `${name} endpoint`, context.redraw, 120)),
          term('Exports', [count(of.successes), ' succeeded, ', of.failures > 0 ? h('span', { class: 'bad' }, `${count(of.failures)} failed`) : '0 failed']),
          term('Last success', when(of.last_success)),
          term('Last failure', of.last_failure ? [when(of.last_failure), h('br', null), longText(of.last_failure.reason, `${name} failure`, context.redraw)] : 'never'),
          of.last_rejection && term('Rejected', [`${plural(of.last_rejection.items, 'item')}: `, longText(of.last_rejection.reason, `${name} rejection`, context.redraw)]),
          of.queue && queue(of.queue)));
  }

  /** @param {any} of */
  function queue(of) {
    const share = of.capacity > 0 ? of.length / of.capacity : 0;
    const lost = Object.entries(of.lost ?? {});
    return [
      term('Queue', [meter(share, `Queue ${percent(share)} full`), h('span', null, `${count(of.length)} of ${count(of.capacity)} (${percent(share)})${of.exporting ? `, ${count(of.exporting)} being exported` : ''}`)]),
      term('Exported', count(of.exported)),
      term('Dropped', lost.every(([, items]) => !items) ? '0' : lost.filter(([, items]) => Number(items) > 0).map(([reason, items], at) => [at > 0 && ', ', h('span', { class: 'bad' }, `${count(Number(items))} ${reasonText(reason)}`)])),
    ];
  }

  function dropped() {
    const lost = Object.entries(data.health?.records_lost ?? {});
    const folded = data.health?.labels_folded ?? [];
    return section('Metric records', { id: 'records' },
      h('dl', { class: 'attributes' }, lost.map(([reason, records]) => term(`Dropped, ${reasonText(reason)}`, Number(records) > 0 ? h('span', { class: 'bad' }, count(Number(records))) : '0'))),
      folded.length === 0 ? h('p', { class: 'note' }, 'No label has reached its budget.') : table({
        caption: 'Folded labels', rows: folded, rowKey: (of) => `${of.metric} ${of.label}`,
        columns: [
          { name: 'metric', title: 'Metric', wide: true, cell: (of) => h('a', { href: to('metrics', of.metric) }, short(of.metric, 100)) },
          { name: 'label', title: 'Folded label', cell: (of) => short(of.label, 60) },
          { name: 'records', title: 'Records as “other”', numeric: true, cell: (of) => count(of.records) },
        ],
      }));
  }

  function memory() {
    const { state } = store;
    if (!state) return null;
    const { limit, used, metrics, spans, logs } = state.memory;
    const { kept, not_kept: not, thinned } = state;
    /** @type {[string, number, string, number][]} */
    const rows = [
      ['Metrics', metrics, `${plural(kept.series, 'series', 'series')}, ${count(state.ticks)} samples, one every ${duration(state.tick_ms)}`, not.series],
      ['Spans', spans, `${plural(kept.spans, 'span')} in ${plural(kept.traces, 'trace')}`, not.spans + thinned.spans],
      ['Log lines', logs, plural(kept.log_lines, 'line'), not.log_lines + thinned.log_lines],
    ];
    return section('Memory of this console', { id: 'memory', note: `${bytes(used)} of ${bytes(limit)}; the oldest go first` },
      meter(limit > 0 ? used / limit : 0, `Memory ${percent(used / limit)} used`),
      table({
        caption: 'Memory of the console', rows, rowKey: ([name]) => name,
        columns: [
          { name: 'part', title: 'Part', wide: true, cell: ([name]) => name },
          { name: 'memory', title: 'Memory', numeric: true, cell: ([, size]) => bytes(size) },
          { name: 'kept', title: 'Kept', cell: ([, , text]) => text },
          { name: 'not', title: 'Not kept', numeric: true, cell: ([, , , missed]) => count(missed) },
        ],
      }));
  }

  function followed() {
    const list = store.state?.peers ?? [];
    if (list.length === 0) return section('Followed services', { id: 'peers' }, empty('No other console is followed.', 'Console::new().follow("orders", "http://127.0.0.1:5151") puts traces of both services together in one waterfall.'));
    return section('Followed services', { id: 'peers' }, table({
      caption: 'Followed services', rows: list, rowKey: (of) => of.name,
      columns: [
        { name: 'name', title: 'Name', wide: true, cell: (of) => short(of.name, 60) },
        { name: 'url', title: 'Address', cell: (of) => h('a', { href: of.url, title: 'Its own console' }, short(of.url, 80)) },
        { name: 'state', title: 'State', cell: (of) => { const text = peers.get(of.name); return text === undefined ? 'asking…' : text.startsWith('ok ') ? badge('ok', 'answers') : badge('error', [bdi(text.slice(0, 120))]); } },
      ],
    }));
  }

  function configuration() {
    const all = data.configuration ?? [];
    const shown = all.filter((/** @type {any} */ of) => `${of.name} ${of.value} ${of.source}`.toLowerCase().includes(filter.toLowerCase()));
    const aside = input('Filter settings', filter, (text) => { filter = text; context.redraw(); }, { type: 'search', 'data-search': '' });
    return section('Configuration', { id: 'configuration', note: 'as it is in effect; secrets are masked', aside },
      shown.length === 0 ? empty(all.length === 0 ? 'No settings are reported.' : 'No setting matches the filter.') : table({
        caption: 'Configuration', rows: shown, rowKey: (of) => of.name, limit: 500,
        columns: [
          { name: 'name', title: 'Setting', wide: true, cell: (of) => h('span', { class: 'mono' }, short(of.name, 80)) },
          { name: 'value', title: 'Value', cell: (of) => longText(of.value, `setting ${of.name}`, context.redraw, 160) },
          { name: 'source', title: 'Source', cell: (of) => short(of.source, 80) },
        ],
      }));
  }

  function resource() {
    const { state } = store;
    if (!state) return null;
    const attributes = Object.entries(state.resource ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    return section('Service', { id: 'resource', note: 'and the resource attributes of everything that is exported' },
      h('dl', { class: 'attributes' }, term('Name', bdi(state.service)), term('Version', bdi(state.version || '–')), term('Instance', bdi(state.instance)), term('Started', [clock(state.started_at, { now: store.now }), ' (', since(state.started_at, store.now), ')']),
        attributes.map(([name, value]) => term(short(name, 80), longText(value, `resource ${name}`, context.redraw)))));
  }
}

/** @param {string} reason */
function reasonText(reason) {
  return REASONS[/** @type {keyof typeof REASONS} */ (reason)] ?? reason.replaceAll('_', ' ');
}

/** @param {any} name @param {any} value */
function term(name, value) {
  return [h('dt', null, name), h('dd', null, value)];
}
