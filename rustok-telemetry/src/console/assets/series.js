/** Series as the console serves them: kept up to date, grouped, and limited. Pure but for the cache. */
import { addBuckets, growth, sum } from './quantiles.js';

/**
 * @typedef {{labels: Record<string, string>, values?: (number|null)[], count?: (number|null)[], sum?: (number|null)[], buckets?: (number[]|null)[]}} Series
 * @typedef {{kind: string, unit: string, help: string, bounds?: number[], series: Series[], left_out?: number}} Metric
 * @typedef {{ticks: number[], metrics: Record<string, Metric>}} Frames
 */

/** The most ticks that are kept. */
export const TICKS = 450;
const ROWS = /** @type {const} */ (['values', 'count', 'sum', 'buckets']);

/** A key for labels, whatever their order. @param {Record<string, string>} labels */
export function labelKey(labels) {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Appends newer ticks to what is known.
 * @param {Frames} known @param {Frames} newer @param {number} [limit]
 * @returns {Frames}
 */
export function append(known, newer, limit = TICKS) {
  const last = known.ticks[known.ticks.length - 1] ?? -Infinity;
  const from = newer.ticks.findIndex((tick) => tick > last);
  if (from < 0) return known;
  const added = newer.ticks.slice(from);
  const drop = Math.max(0, known.ticks.length + added.length - limit);
  /** @type {Record<string, Metric>} */
  const metrics = {};
  for (const name of new Set([...Object.keys(known.metrics), ...Object.keys(newer.metrics)])) {
    metrics[name] = appendMetric(known.metrics[name], newer.metrics[name], known.ticks.length, from, added.length, drop);
  }
  return { ticks: [...known.ticks, ...added].slice(drop), metrics };
}

/**
 * @param {Metric|undefined} known @param {Metric|undefined} newer
 * @param {number} before ticks known @param {number} from first new tick @param {number} added ticks added @param {number} drop
 * @returns {Metric}
 */
function appendMetric(known, newer, before, from, added, drop) {
  const fresh = new Map((newer?.series ?? []).map((series) => [labelKey(series.labels), series]));
  const keys = new Set((known?.series ?? []).map((series) => labelKey(series.labels)));
  const all = [...(known?.series ?? []), ...[...fresh].filter(([key]) => !keys.has(key)).map(([, series]) => ({ labels: series.labels }))];
  const series = all.map((/** @type {Series} */ old) => {
    const now = fresh.get(labelKey(old.labels));
    /** @type {any} */
    const joined = { labels: old.labels };
    for (const row of ROWS) {
      if (!old[row] && !now?.[row]) continue;
      const head = old[row] ?? headOf(before, now?.[row]?.[from] ?? null, Boolean(known?.left_out));
      const tail = now?.[row]?.slice(from) ?? new Array(added).fill(null);
      joined[row] = [...head, ...tail].slice(drop);
    }
    return joined;
  });
  const { kind, unit, help, bounds } = /** @type {Metric} */ (newer ?? known);
  return { kind, unit, help, bounds, series: series.filter(alive), left_out: newer?.left_out };
}

/**
 * The ticks before a series was first seen. If it existed, but was not among the largest, its first value is not growth.
 * @param {number} before @param {any} first @param {boolean} leftOut
 */
function headOf(before, first, leftOut) {
  const head = new Array(before).fill(null);
  if (leftOut && before > 0) head[before - 1] = first;
  return head;
}

/** Whether a series has a value in the window. @param {Series} series */
function alive(series) {
  return ROWS.some((row) => series[row]?.some((/** @type {unknown} */ value) => value !== null));
}

/** The label values as one text. @param {Record<string, string>} labels @param {string[]} [by] */
export function label(labels, by = Object.keys(labels)) {
  return by.map((name) => labels[name] || '(empty)').join(' · ') || 'all';
}

/** The numbers that order a series: the growth of counters and histograms, the last value of others. @param {Series} series @param {string} kind */
export function weight(series, kind) {
  if (kind === 'counter') return growth(series.values ?? []);
  if (kind === 'histogram') return growth(series.count ?? []);
  return Math.abs(last(series.values ?? []) ?? 0);
}

/** The last value that is not null. @template T @param {(T|null)[]} values @returns {T|null} */
export function last(values) {
  for (let tick = values.length - 1; tick >= 0; tick -= 1) {
    if (values[tick] !== null && values[tick] !== undefined) return values[tick];
  }
  return null;
}

/**
 * The largest series, in their order, and the sum of all others as one.
 * @param {Metric} metric @param {number} limit
 * @returns {{shown: Series[], others: Series|null, folded: number}}
 */
export function largest(metric, limit) {
  if (metric.series.length <= limit) return { shown: metric.series, others: null, folded: 0 };
  const ordered = metric.series
    .map((series) => ({ series, size: weight(series, metric.kind) }))
    .sort((a, b) => b.size - a.size)
    .map(({ series }) => series);
  const rest = new Set(ordered.slice(limit - 1));
  return { shown: metric.series.filter((series) => !rest.has(series)), others: total([...rest]), folded: rest.size };
}

/** The sum of series. @param {Series[]} all @returns {Series} */
export function total(all) {
  /** @type {Series} */
  const added = { labels: {} };
  for (const row of /** @type {const} */ (['values', 'count', 'sum'])) {
    const rows = all.map((series) => series[row]).filter((values) => values !== undefined);
    if (rows.length > 0) added[row] = sum(/** @type {(number|null)[][]} */ (rows));
  }
  const rows = all.map((series) => series.buckets).filter((buckets) => buckets !== undefined);
  if (rows.length > 0) {
    added.buckets = rows[0].map((_, tick) => {
      const known = rows.map((buckets) => buckets[tick]).filter((buckets) => buckets !== null && buckets !== undefined);
      return known.length > 0 ? addBuckets(/** @type {number[][]} */ (known)) : null;
    });
  }
  return added;
}

/** Groups items. @template T @param {T[]} items @param {(item: T) => string} key @returns {Map<string, T[]>} */
export function groupBy(items, key) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of items) {
    const of = key(item);
    const group = groups.get(of);
    if (group) group.push(item);
    else groups.set(of, [item]);
  }
  return groups;
}

/** Whether an HTTP request with this status failed: 5xx, a panic, or a body that broke off. @param {string} status */
export function failed(status) {
  return /^5\d\d$/.test(status) || status === 'panic' || status === 'body_error';
}

/** The class of a status: `2xx`, or the word. @param {string} status */
export function statusClass(status) {
  return /^\d{3}$/.test(status) ? `${status[0]}xx` : status.replaceAll('_', ' ');
}

/**
 * Keeps series by query and asks only for newer ticks.
 */
export class SeriesCache {
  /** @param {(query: string, signal?: AbortSignal) => Promise<Frames>} fetch */
  constructor(fetch) {
    this.fetch = fetch;
    /** @type {Map<string, Frames>} */
    this.known = new Map();
  }

  clear() {
    this.known.clear();
  }

  /** @param {string} query without `since` @param {AbortSignal} [signal] @returns {Promise<Frames>} */
  async get(query, signal) {
    const known = this.known.get(query);
    const since = known?.ticks[known.ticks.length - 1];
    const newer = await this.fetch(since === undefined ? query : `${query}&since=${since}`, signal);
    const frames = since === undefined ? newer : append(/** @type {Frames} */ (known), newer);
    this.known.delete(query);
    this.known.set(query, frames);
    if (this.known.size > 24) this.known.delete(/** @type {string} */ (this.known.keys().next().value));
    return frames;
  }
}
