/** What the view Parts shows: the panels of the Grafana dashboard “RusToK Advanced”, from local series. */
import { growth, quantiles, rate, ratio, sum } from './quantiles.js';
import { groupBy, label } from './series.js';

/**
 * @typedef {{label: string, values: (number|null)[], color?: string}} Line
 * @typedef {{title: string, metrics: string[], by: string[], unit: string, perSecond?: boolean, max?: number, note?: string, feed: string, lines: (frames: import('./series.js').Frames, panel: Panel) => Line[]}} Panel
 * @typedef {{id: string, title: string, about: string, panels: Panel[]}} Part
 */

const series = (/** @type {import('./series.js').Frames} */ frames, /** @type {string} */ name) => frames.metrics[name]?.series ?? [];

/** Growth a second of each series. @type {Panel['lines']} */
const rates = (frames, { metrics: [name], by }) => series(frames, name).map(({ labels, values = [] }) => ({ label: label(labels, by), values: rate(values, frames.ticks) }));

/** Values as they are. @type {Panel['lines']} */
const values = (frames, { metrics: [name], by }) => series(frames, name).map((of) => ({ label: label(of.labels, by), values: of.values ?? [] }));

/** The 95th percentile of each series. @type {Panel['lines']} */
const p95 = (frames, { metrics: [name], by }) => series(frames, name).map(({ labels, buckets = [] }) => ({ label: label(labels, by), values: quantiles(0.95, frames.metrics[name].bounds ?? [], buckets, frames.ticks, 60_000) }));

/** Hits among the lookups of each cache. @type {Panel['lines']} */
const hitRate = (frames, { metrics: [name] }) => [...groupBy(series(frames, name), ({ labels }) => labels.cache)].map(([cache, all]) => {
  const of = (/** @type {RegExp} */ results) => sum(all.filter(({ labels }) => results.test(labels.result)).map(({ values = [] }) => rate(values, frames.ticks, 60_000)));
  return { label: cache, values: ratio(of(/^hit$/), of(/^(hit|miss)$/)) };
}).filter((line) => line.values.length > 0);

/** The busy share of the workers of each runtime. @type {Panel['lines']} */
const utilization = (frames, { metrics: [busy, workers] }) => series(frames, busy).map(({ labels, values = [] }) => {
  const of = series(frames, workers).find((other) => other.labels.runtime === labels.runtime)?.values ?? [];
  return { label: labels.runtime, values: rate(values, frames.ticks).map((seconds, tick) => (of[tick] && seconds !== null ? seconds / /** @type {number} */ (of[tick]) : null)) };
});

const panel = (/** @type {string} */ title, /** @type {string} */ metric, /** @type {string[]} */ by, /** @type {Panel['lines']} */ lines, /** @type {string} */ feed, /** @type {Partial<Panel>} */ more = {}) =>
  ({ title, metrics: [metric], by, lines, feed, unit: lines === p95 ? 's' : '', perSecond: lines === rates, note: lines === p95 ? 'over a minute' : lines === rates ? 'over 10 s' : '', ...more });

/** @type {Part[]} */
export const PARTS = [
  {
    id: 'events', title: 'Event bus', about: 'Events published and handled.', panels: [
      panel('Published by event', 'rustok_event_bus_published_total', ['event_type'], rates, 'event_bus::Publisher'),
      panel('Handled by handler', 'rustok_event_bus_dispatched_total', ['handler'], rates, 'event_bus::Handler'),
      panel('Queue depth', 'rustok_event_bus_queue_depth', ['transport'], values, 'event_bus::observe_queue'),
      panel('Processing time p95', 'rustok_event_bus_processing_duration_seconds', ['handler'], p95, 'event_bus::Handler'),
      panel('Lag p95', 'rustok_event_bus_lag_seconds', ['event_type'], p95, 'event_bus::Handler'),
      panel('Errors by event and kind', 'rustok_event_bus_errors_total', ['event_type', 'error_type'], rates, 'event_bus::Handler'),
    ],
  },
  {
    id: 'caches', title: 'Caches', about: 'Lookups, entries and evictions.', panels: [
      panel('Hit rate', 'rustok_cache_operations_total', ['cache', 'result'], hitRate, 'cache::CacheRecorder', { unit: '%', max: 1, note: 'over a minute' }),
      panel('Entries', 'rustok_cache_size', ['cache'], values, 'CacheRecorder::observe_size'),
      panel('Evictions by reason', 'rustok_cache_evictions_total', ['cache', 'reason'], rates, 'CacheRecorder::evicted'),
      panel('Operation time p95', 'rustok_cache_operation_duration_seconds', ['cache', 'operation'], p95, 'cache::CacheRecorder'),
    ],
  },
  {
    id: 'breakers', title: 'Circuit breakers', about: 'State and calls.', panels: [
      panel('Calls by result', 'rustok_circuit_breaker_calls_total', ['service', 'result'], rates, 'circuit_breaker::observe'),
      panel('State: 0 closed, 1 open, 2 half-open', 'rustok_circuit_breaker_state', ['service'], values, 'circuit_breaker::observe', { max: 2 }),
      panel('Failures counted', 'rustok_circuit_breaker_failures', ['service'], values, 'circuit_breaker::CircuitBreakerRecorder'),
    ],
  },
  {
    id: 'database', title: 'Database', about: 'Queries and connections.', panels: [
      panel('Query time p95', 'rustok_database_query_duration_seconds', ['query_type'], p95, 'database::Query'),
      panel('Connections', 'rustok_database_connections', ['state'], values, 'database::observe_sqlx_pool'),
      panel('Query errors', 'rustok_database_query_errors_total', ['query_type', 'error_type'], rates, 'database::Query'),
    ],
  },
  {
    id: 'errors', title: 'Errors by module', about: 'Errors that modules report.', panels: [
      panel('Errors by module', 'rustok_module_errors_total', ['module'], rates, 'metrics::record_module_error'),
      panel('Spans with errors', 'rustok_spans_with_errors_total', ['operation'], rates, '#[rustok_telemetry::instrument]'),
    ],
  },
  {
    id: 'runtime', title: 'Runtime', about: 'Tokio and the process.', panels: [
      panel('Utilization of the workers', 'rustok_tokio_busy_seconds_total', ['runtime'], utilization, 'runtime::observe_tokio', { metrics: ['rustok_tokio_busy_seconds_total', 'rustok_tokio_workers'], unit: '%', max: 1, note: 'over 10 s' }),
      panel('Alive tasks', 'rustok_tokio_alive_tasks', ['runtime'], values, 'runtime::observe_tokio'),
      panel('Global queue', 'rustok_tokio_global_queue_depth', ['runtime'], values, 'runtime::observe_tokio'),
      panel('CPU cores in use', 'process_cpu_seconds_total', [], rates, 'the Cargo feature process (Linux)', { perSecond: false }),
      panel('Resident memory', 'process_resident_memory_bytes', [], values, 'the Cargo feature process (Linux)', { unit: 'By' }),
      panel('Open files', 'process_open_fds', [], values, 'the Cargo feature process (Linux)'),
      panel('Threads', 'process_threads', [], values, 'the Cargo feature process (Linux)'),
    ],
  },
];

/** The requests that parts need: the metrics of equal labels together. @param {Part[]} parts @returns {{by: string[], metrics: string[]}[]} */
export function requests(parts) {
  const groups = groupBy(parts.flatMap(({ panels }) => panels), ({ by }) => by.join(','));
  return [...groups.values()].map((panels) => ({ by: panels[0].by, metrics: [...new Set(panels.flatMap(({ metrics }) => metrics))] }));
}

/** @typedef {{service: string, state: number|null, failures: number|null, results: Record<string, number>}} Breaker */

/** The breakers one by one. @param {(by: string[]) => import('./series.js').Frames|undefined} framesOf @returns {Breaker[]} */
export function breakers(framesOf) {
  const [byService, byResult] = [framesOf(['service']), framesOf(['service', 'result'])];
  const now = (/** @type {string} */ name, /** @type {string} */ service) => {
    const of = (byService ? series(byService, name) : []).find(({ labels }) => labels.service === service)?.values ?? [];
    return of[of.length - 1] ?? null;
  };
  const calls = byResult ? series(byResult, 'rustok_circuit_breaker_calls_total') : [];
  const services = new Set([...(byService ? series(byService, 'rustok_circuit_breaker_state') : []), ...calls].map(({ labels }) => labels.service));
  return [...services].sort().map((service) => ({
    service,
    state: now('rustok_circuit_breaker_state', service),
    failures: now('rustok_circuit_breaker_failures', service),
    results: Object.fromEntries(calls.filter(({ labels }) => labels.service === service).map(({ labels, values = [] }) => [labels.result, growth(values)])),
  }));
}
