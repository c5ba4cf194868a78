/** The view Overview: what is wrong now, the requests of the last 15 minutes, their routes, the latest errors. */
import { Charts } from './chart.js';
import { bdi, h } from './dom.js';
import { count, number, percent, quantity } from './format.js';
import { icon } from './icons.js';
import { fromMetrics, fromRequests, fromTelemetry, ordered, QUERIES } from './problems.js';
import { addBuckets, bucketGrowth, growth, histogramQuantile, quantiles, rate, ratio, sum } from './quantiles.js';
import { failed, groupBy, last, statusClass } from './series.js';
import { sparkline } from './sparkline.js';
import { table } from './table.js';
import { traceTable } from './traces.js';
import { code, empty, input, section, short, to } from './widgets.js';

const [REQUESTS, DURATION, ACTIVE] = ['rustok_http_requests_total', 'rustok_http_request_duration_seconds', 'rustok_http_active_connections'];
const MINUTE = 60_000;
const CLASSES = { '2xx': '--ok', '3xx': '--line-1', '4xx': '--warning', '5xx': '--error', panic: '--line-4', 'body error': '--line-8', 'client closed': '--line-6', '1xx': '--line-7' };

/** @param {import('./app.js').Context} context */
export function overview(context) {
  const { store } = context;
  const charts = new Charts();
  /** @type {Record<string, any>} */
  let data = {};
  let sort = { by: 'requests', down: true };
  let filter = '';
  let limit = 50;

  return {
    title: 'Overview',
    on: ['tick'],
    async load(/** @type {AbortSignal} */ signal) {
      const series = (/** @type {string[]} */ metrics, /** @type {string[]} */ by) => store.builtIn(metrics, by, signal);
      const [byStatus, total, requests, durations, breakers, lost, telemetry, errors] = await Promise.all([
        series([REQUESTS], ['status']),
        series([DURATION, ACTIVE], []),
        series([REQUESTS], ['method', 'path', 'status']),
        series([DURATION], ['method', 'path']),
        series(QUERIES.breakers.metrics, QUERIES.breakers.by),
        series(QUERIES.lost.metrics, QUERIES.lost.by),
        store.get('api/telemetry', signal),
        store.get('api/traces?status=error&limit=8', signal),
      ]);
      data = { byStatus, total, requests, durations, breakers, lost, telemetry, errors };
    },
    draw() {
      if (!data.byStatus) return h('p', { class: 'note' }, 'Loading…');
      return [problemList(data), tiles(data), graphs(), routeTable(), latestErrors()];
    },
    leave: () => charts.destroy(),
  };

  function graphs() {
    const { byStatus, total } = data;
    const classes = groupBy(byStatus.metrics[REQUESTS]?.series ?? [], (/** @type {any} */ series) => statusClass(series.labels.status));
    const rates = [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, all]) => ({
      label, color: CLASSES[/** @type {keyof typeof CLASSES} */ (label)], values: sum(all.map((series) => rate(series.values ?? [], byStatus.ticks))),
    }));
    const { bounds = [], series = [] } = total.metrics[DURATION] ?? {};
    const latency = [0.5, 0.95, 0.99].map((quantile, at) => ({
      label: `p${quantile * 100}`, color: ['--line-1', '--line-2', '--line-4'][at], values: quantiles(quantile, bounds, series[0]?.buckets ?? [], total.ticks),
    }));
    if (classes.size === 0) return null;
    return h('div', { class: 'columns', key: 'graphs' },
      section('Request rate by status', { id: 'chart-rate', note: 'over 10 s' },
        charts.show('rate', { label: 'Requests per second by status class', ticks: byStatus.ticks, lines: rates, format: (value) => quantity(value, '', true) })),
      section('Latency', { id: 'chart-latency', note: 'over 30 s' },
        charts.show('latency', { label: 'Latency of requests', ticks: total.ticks, lines: latency, format: (value) => quantity(value, 's') })));
  }

  function routeTable() {
    const routes = routesOf(data).filter((route) => `${route.method} ${route.path}`.toLowerCase().includes(filter.toLowerCase()));
    const change = (/** @type {string} */ value) => {
      filter = value;
      context.redraw();
    };
    if (routes.length === 0 && filter === '') {
      return section('Routes', { id: 'routes' }, empty('No requests yet.', 'The layer ', code('TelemetryLayer::new()'), ' of ', code('rustok_telemetry::http'), ' counts every request. Add it last to the router, then send one. Requests to /api/_health/ are not counted.'));
    }
    return section('Routes', { id: 'routes', note: 'of the last 15 minutes', aside: input('Filter routes', filter, change, { type: 'search', 'data-search': '' }) },
      routes.length === 0 ? empty('No route matches the filter.') : table({
        caption: 'Routes of the last 15 minutes', rows: routes, rowKey: (route) => JSON.stringify([route.method, route.path]), sort, limit,
        onSort: (by) => { sort = by; context.redraw(); },
        onMore: () => { limit += 200; context.redraw(); },
        columns: ROUTE_COLUMNS,
      }));
  }

  function latestErrors() {
    const aside = h('a', { href: to('traces', null, { status: 'error' }) }, 'All failed traces');
    return section('Latest errors', { id: 'errors', aside },
      data.errors.length === 0 ? empty('No errors among the traces that are kept.', 'Traces with an error are kept longer than others.') : traceTable(data.errors, store.now, 'Latest errors'));
  }
}

/** @typedef {{method: string, path: string, requests: number, rate: number, errors: number, p50: number|null, p95: number|null, p99: number|null}} RouteRow */
/** @type {import('./table.js').Column<RouteRow>[]} */
const ROUTE_COLUMNS = [
  { name: 'method', title: 'Method', value: (route) => route.method, cell: (route) => bdi(route.method) },
  { name: 'path', title: 'Route', wide: true, value: (route) => route.path, cell: (route) => h('a', { href: to('traces', null, { operation: operation(route) }), title: 'Traces of this route' }, short(route.path, 90)) },
  { name: 'requests', title: 'Requests', numeric: true, value: (route) => route.requests, cell: (route) => count(route.requests) },
  { name: 'rate', title: 'Rate', numeric: true, value: (route) => route.rate, cell: (route) => quantity(route.rate, '', true) },
  { name: 'errors', title: 'Errors', numeric: true, hint: 'Status 5xx, panics, and bodies that broke off', value: (route) => route.errors, cell: errorCell },
  ...['p50', 'p95', 'p99'].map((name) => {
    const value = (/** @type {RouteRow} */ route) => /** @type {any} */ (route)[name];
    return { name, title: name, numeric: true, value, cell: (/** @type {RouteRow} */ route) => quantity(value(route), 's') };
  }),
];

/** @param {RouteRow} route */
function errorCell(route) {
  if (route.errors === 0) return '0';
  return h('a', { class: 'bad', href: to('traces', null, { operation: operation(route), status: 'error' }), title: 'Failed traces of this route' },
    icon('error'), ` ${count(route.errors)} (${percent(route.errors / route.requests)})`);
}

/** The name of the route's spans. @param {RouteRow} route */
function operation(route) {
  return route.path === 'unmatched' ? route.method : `${route.method} ${route.path}`;
}

/** @param {any} data @returns {RouteRow[]} */
function routesOf({ requests, durations }) {
  const seconds = Math.max(1, (last(requests.ticks) - requests.ticks[0]) / 1e3);
  const key = (/** @type {any} */ series) => JSON.stringify([series.labels.method, series.labels.path]);
  const { bounds = [], series: timed = [] } = durations.metrics[DURATION] ?? {};
  const histograms = new Map(timed.map((/** @type {any} */ series) => [key(series), series]));
  return [...groupBy(requests.metrics[REQUESTS]?.series ?? [], key)].map(([route, all]) => {
    const { method = '', path = '' } = all[0].labels;
    const grown = all.map((series) => ({ status: series.labels.status, requests: growth(series.values ?? []) }));
    const total = grown.reduce((sum, { requests }) => sum + requests, 0);
    const buckets = histograms.get(route)?.buckets ?? [];
    const observed = buckets.length > 1 ? bucketGrowth(buckets, 0, buckets.length - 1) : null;
    const at = (/** @type {number} */ quantile) => (observed ? histogramQuantile(quantile, bounds, observed) : null);
    return {
      method, path, requests: total, rate: total / seconds, p50: at(0.5), p95: at(0.95), p99: at(0.99),
      errors: grown.filter(({ status }) => failed(status)).reduce((sum, { requests }) => sum + requests, 0),
    };
  }).filter(({ requests }) => requests > 0);
}

/** @param {any} data */
function problemList(data) {
  const statuses = (data.byStatus.metrics[REQUESTS]?.series ?? []).map((/** @type {any} */ series) => ({ status: series.labels.status, requests: growth(lastMinute(series.values, data.byStatus.ticks)) }));
  const problems = ordered([...fromRequests(statuses), ...fromMetrics(data), ...fromTelemetry(data.telemetry)]);
  if (problems.length === 0) {
    return h('section', { class: 'all-well', key: 'problems', 'aria-labelledby': 'problems' }, icon('ok'), h('h2', { id: 'problems' }, 'Nothing is wrong'), h('p', { class: 'note' }, 'No open circuit breaker, no failing export, no full queue, no folded label.'));
  }
  return section(problems.length === 1 ? '1 problem now' : `${problems.length} problems now`, { id: 'problems', key: 'problems' },
    h('ul', { class: 'problems' }, problems.map((problem) => problemItem(problem))));
}

/** @param {import('./problems.js').Problem} problem */
export function problemItem(problem) {
  const word = problem.level === 'error' ? 'Error' : 'Warning';
  return h('li', { class: `problem problem-${problem.level}`, key: problem.what },
    h('span', { class: 'problem-level' }, icon(problem.level), word),
    h('div', { class: 'problem-text' }, h('p', { class: 'what' }, bdi(problem.what.slice(0, 600))), problem.remedy && h('p', { class: 'note' }, bdi(problem.remedy.slice(0, 600)))),
    problem.view && h('a', { href: to(problem.view, problem.id ?? null, problem.params) }, problem.link));
}

/** The values of the last minute, the one before it first. @param {any[]} values @param {number[]} ticks */
function lastMinute(values, ticks) {
  const from = ticks.findIndex((tick) => tick >= ticks[ticks.length - 1] - MINUTE);
  // A series that appeared within the minute grew from 0.
  return values.slice(from).map((value, at) => (at === 0 && value === null ? 0 : value));
}

/** @param {any} data */
function tiles({ byStatus, total }) {
  const { ticks } = byStatus;
  const statuses = byStatus.metrics[REQUESTS]?.series ?? [];
  const rates = sum(statuses.map((/** @type {any} */ series) => rate(series.values, ticks)));
  const bad = sum(statuses.filter((/** @type {any} */ series) => failed(series.labels.status)).map((/** @type {any} */ series) => rate(series.values, ticks)));
  const grown = (/** @type {any[]} */ all) => all.reduce((sum, series) => sum + growth(lastMinute(series.values, ticks)), 0);
  const [requests, errors] = [grown(statuses), grown(statuses.filter((/** @type {any} */ series) => failed(series.labels.status)))];
  const seconds = Math.min(MINUTE, Math.max(1_000, ticks[ticks.length - 1] - ticks[0])) / 1e3;
  const { bounds = [], series = [] } = total.metrics[DURATION] ?? {};
  const buckets = series[0]?.buckets ?? [];
  const from = Math.max(0, total.ticks.findIndex((/** @type {number} */ tick) => tick >= total.ticks[total.ticks.length - 1] - MINUTE));
  const observed = buckets.length > 1 ? bucketGrowth(buckets, from, buckets.length - 1) : null;
  const active = total.metrics[ACTIVE]?.series[0]?.values ?? [];
  const latency = (/** @type {number} */ quantile) => {
    const value = observed ? histogramQuantile(quantile, bounds, observed) : null;
    return tile(`Latency p${quantile * 100}`, quantity(value, 's'), quantiles(quantile, bounds, buckets, total.ticks), observed ? `of ${count(addBuckets([observed]).reduce((a, b) => a + b, 0))} requests` : 'no requests');
  };
  return h('ul', { class: 'tiles', key: 'tiles', 'aria-label': 'Requests of the last minute' },
    tile('Requests', quantity(requests / seconds, '', true), rates, `${count(requests)} in the last min`),
    tile('Errors', percent(requests > 0 ? errors / requests : null), ratio(bad, rates), `${count(errors)} in the last min`, errors > 0),
    latency(0.5), latency(0.95), latency(0.99),
    tile('Active requests', number(last(active)), active, 'being served now'));
}

/** @param {string} title @param {string} value @param {(number|null)[]} values @param {string} note @param {boolean} [bad] */
function tile(title, value, values, note, bad = false) {
  return h('li', { class: `tile${bad ? ' tile-bad' : ''}`, key: title },
    h('p', { class: 'tile-title' }, bad && icon('error'), title), h('p', { class: 'tile-value' }, value), h('p', { class: 'note' }, note),
    sparkline(values, `${title} over the last 15 minutes, now ${value}`));
}
