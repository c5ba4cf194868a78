/** What is wrong now, in words, with what helps. Pure. */
import { count, percent, plural } from './format.js';
import { growth } from './quantiles.js';
import { failed, last } from './series.js';

/**
 * @typedef {{level: 'error'|'warning', what: string, remedy: string, view?: string, id?: string, params?: Record<string, string>, link?: string}} Problem
 * @typedef {import('./series.js').Frames} Frames
 */

/** The metrics that `fromMetrics` reads, by label. */
export const QUERIES = {
  breakers: { metrics: ['rustok_circuit_breaker_state'], by: ['service'] },
  lost: { metrics: ['rustok_telemetry_spans_lost_total', 'rustok_telemetry_log_records_lost_total', 'rustok_telemetry_records_lost_total'], by: ['reason'] },
};

const EXPORTER = { traces: 'OTEL_TRACES_EXPORTER', metrics: 'OTEL_METRICS_EXPORTER', logs: 'OTEL_LOGS_EXPORTER' };
const LOST = {
  rustok_telemetry_spans_lost_total: 'spans',
  rustok_telemetry_log_records_lost_total: 'log records',
  rustok_telemetry_records_lost_total: 'metric records',
};
const WHY = {
  export_failed: ['their export failed', 'See the export status for the reason.'],
  queue_full: ['the export queue was full', 'Raise OTEL_BSP_MAX_QUEUE_SIZE or OTEL_BLRP_MAX_QUEUE_SIZE, or sample fewer traces.'],
  after_shutdown: ['telemetry had been shut down', 'Shut telemetry down last, after the server.'],
  before_init: ['telemetry had not started', 'Start telemetry first in main().'],
  not_finite: ['the value was not finite', 'Check the calculation for NaN and division by zero.'],
  negative: ['a counter or a histogram was given a negative value', 'Use an up-down counter for values that fall.'],
};

/** What `/api/telemetry` says. @param {any} telemetry @returns {Problem[]} */
export function fromTelemetry(telemetry) {
  if (!telemetry) return [];
  const health = telemetry.health ?? {};
  const told = telemetry.problems ?? [];
  /** @type {Problem[]} */
  const problems = told.map((/** @type {any} */ problem) => ({
    level: problem.severity === 'error' ? 'error' : 'warning', what: String(problem.what), remedy: String(problem.remedy ?? ''),
  }));
  for (const text of health.problems ?? []) {
    if (told.some((/** @type {any} */ problem) => String(problem.what).includes(text))) continue;
    problems.push({ level: 'warning', what: String(text), remedy: 'Correct the setting and restart. Strict mode (RUSTOK_TELEMETRY_STRICT, the default) refuses to start instead.' });
  }
  problems.push(...stage(health.stage));
  for (const [signal, of] of Object.entries(health.signals ?? {})) problems.push(...fromSignal(signal, of));
  for (const { metric, label, records } of health.labels_folded ?? []) {
    problems.push({
      level: 'warning', view: 'metrics', id: metric, link: 'Metric',
      what: `Label ${label} of ${metric} has more values than its budget: ${plural(records, 'record')} counted as “other”.`,
      remedy: 'Record fewer distinct values (no ids, no raw paths), or raise the budget in the declaration.',
    });
  }
  return problems;
}

/** @param {string|undefined} name @returns {Problem[]} */
function stage(name) {
  if (name === undefined || name === 'running') return [];
  const remedy = name === 'disabled' ? 'Unset OTEL_SDK_DISABLED and restart.' : 'Nothing is recorded before telemetry starts and after it shuts down.';
  return [{ level: 'error', what: `Telemetry is ${name.replaceAll('_', ' ')}.`, remedy }];
}

/** @param {string} signal @param {any} of @returns {Problem[]} */
function fromSignal(signal, of) {
  /** @type {Problem[]} */
  const problems = [];
  const link = { view: 'telemetry', link: 'Export status' };
  if (of.failing) {
    problems.push({
      ...link, level: 'error', what: `Exporting ${signal} to ${of.endpoint} fails: ${of.last_failure?.reason ?? 'unknown reason'}`,
      remedy: `Start a Collector there or correct OTEL_EXPORTER_OTLP_ENDPOINT; rustok-telemetry-doctor --check finds the cause. ${EXPORTER[/** @type {keyof typeof EXPORTER} */ (signal)] ?? 'The exporter setting'}=none turns this export off.`,
    });
  }
  if (of.last_rejection?.items > 0) {
    problems.push({ ...link, level: 'warning', what: `The receiver rejected ${plural(of.last_rejection.items, 'item')} of ${signal}: ${of.last_rejection.reason}`, remedy: 'The reason is the receiver’s; its own log says more.' });
  }
  const queue = of.queue;
  if (queue && queue.capacity > 0 && queue.length / queue.capacity >= 0.8) {
    problems.push({
      ...link, level: queue.length >= queue.capacity ? 'error' : 'warning',
      what: `The export queue of ${signal} is ${percent(queue.length / queue.capacity)} full (${count(queue.length)} of ${count(queue.capacity)}).`,
      remedy: 'What does not fit is dropped. Exports are too slow or fail: see the export status, sample fewer traces, or raise the queue size.',
    });
  }
  return problems;
}

/** Open breakers, and what was dropped in the last 15 minutes. @param {{breakers?: Frames, lost?: Frames}} frames @returns {Problem[]} */
export function fromMetrics({ breakers, lost }) {
  /** @type {Problem[]} */
  const problems = [];
  for (const { labels, values = [] } of breakers?.metrics.rustok_circuit_breaker_state?.series ?? []) {
    const state = last(values);
    const link = { view: 'parts', params: { part: 'breakers' }, link: 'Circuit breakers' };
    if (state === 1) problems.push({ ...link, level: 'error', what: `The circuit breaker of ${labels.service} is open.`, remedy: `Calls to ${labels.service} are rejected until it closes. Find out in the traces why they failed.` });
    if (state === 2) problems.push({ ...link, level: 'warning', what: `The circuit breaker of ${labels.service} is half-open.`, remedy: 'It lets a few calls through, and closes if they succeed.' });
  }
  for (const [name, what] of Object.entries(LOST)) {
    for (const { labels, values = [] } of lost?.metrics[name]?.series ?? []) {
      const dropped = growth(values);
      if (dropped <= 0) continue;
      const [why, remedy] = WHY[/** @type {keyof typeof WHY} */ (labels.reason)] ?? [labels.reason, ''];
      problems.push({ level: 'warning', view: 'telemetry', link: 'Telemetry', what: `${count(dropped)} ${what} dropped in the last 15 minutes: ${why}.`, remedy });
    }
  }
  return problems;
}

/**
 * Requests that fail now.
 * @param {{status: string, requests: number}[]} statuses of the last minute
 * @returns {Problem[]}
 */
export function fromRequests(statuses) {
  const all = statuses.reduce((sum, { requests }) => sum + requests, 0);
  const bad = statuses.filter(({ status }) => failed(status)).reduce((sum, { requests }) => sum + requests, 0);
  if (all === 0 || bad / all < 0.05) return [];
  return [{
    level: bad / all >= 0.25 ? 'error' : 'warning', what: `${percent(bad / all)} of the requests of the last minute failed (${count(bad)} of ${count(all)}).`,
    remedy: 'Open a failed trace: its red spans have the error.', view: 'traces', params: { status: 'error' }, link: 'Failed traces',
  }];
}

/** Errors first; equal ones once. @param {Problem[]} problems */
export function ordered(problems) {
  const seen = new Set();
  const once = problems.filter(({ what }) => !seen.has(what) && seen.add(what));
  return once.sort((a, b) => Number(b.level === 'error') - Number(a.level === 'error'));
}
