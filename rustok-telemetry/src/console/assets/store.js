/**
 * What all views share: the service's state, whether it answers, the clock, and whether the page is paused.
 * One event stream tells when to look again; a paused or hidden page has none, and asks for nothing.
 */
import { address, request, seriesQuery, ApiError } from './api.js';
import { SeriesCache } from './series.js';

/** @typedef {'connecting'|'live'|'polling'|'gone'|'refused'} Connection */

const FIRST_RETRY = 1_000;
const LAST_RETRY = 30_000;

export class Store extends EventTarget {
  constructor() {
    super();
    /** @type {any} */
    this.state = null;
    /** @type {Connection} */
    this.connection = 'connecting';
    /** @type {number|null} */
    this.goneSince = null;
    this.reason = '';
    this.paused = false;
    this.now = Date.now();
    /** @type {string|null} */
    this.peer = null;
    /** @type {number|null} */
    this.restartedAt = null;
    this.series = new SeriesCache((query, signal) => this.get(`api/series?${query}`, signal));
    this.retryIn = FIRST_RETRY;
    /** @type {EventSource|null} */
    this.source = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.attempt = 0;
    document.addEventListener('visibilitychange', () => (this.active ? this.connect() : this.disconnect()));
  }

  /** Whether the page may ask for anything by itself. */
  get active() {
    return !this.paused && !document.hidden;
  }

  /** @param {string} path @param {AbortSignal} [signal] */
  get(path, signal) {
    return request(path, { peer: this.peer, signal });
  }

  /** The name in effect of a built-in metric, from the declared one. @param {string} declared */
  named(declared) {
    return declared.replace(/^rustok_/, `${this.state?.metric_prefix ?? 'rustok'}_`);
  }

  /**
   * The series of built-in metrics, by their declared names.
   * @param {string[]} metrics @param {string[]} by @param {AbortSignal} [signal] @returns {Promise<import('./series.js').Frames>}
   */
  async builtIn(metrics, by, signal) {
    const names = metrics.map((name) => this.named(name));
    const frames = await this.series.get(seriesQuery(names, { by }), signal);
    const known = metrics.map((name, at) => [name, frames.metrics[names[at]]]).filter(([, metric]) => metric);
    return { ticks: frames.ticks, metrics: Object.fromEntries(known) };
  }

  /** @param {string|null} peer */
  follow(peer) {
    if (peer === this.peer) return;
    this.peer = peer;
    this.series.clear();
    if (this.active) this.connect();
    else void this.refreshState().catch(() => {});
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    if (paused) this.disconnect();
    else this.connect();
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  disconnect() {
    this.attempt += 1;
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** Asks for the state, then opens the event stream. */
  async connect() {
    this.disconnect();
    if (!this.active) return;
    if (!(await this.refreshed(this.attempt))) return;
    this.retryIn = FIRST_RETRY;
    this.answered('live');
    this.emit('connected');
    this.open();
  }

  /** Asks for the state; false if that fails or another attempt has begun. @param {number} attempt */
  async refreshed(attempt) {
    try {
      await this.refreshState();
    } catch (error) {
      if (attempt === this.attempt) this.failed(error);
      return false;
    }
    return attempt === this.attempt;
  }

  async refreshState() {
    const peer = this.peer;
    // The peers are those of the service that serves the page, whichever is shown.
    const [state, own] = await Promise.all([this.get('api/state'), peer === null ? null : request('api/state')]);
    if (peer !== this.peer) return;
    const before = this.state;
    const restarted = before && before.peer === peer && before.started_at !== state.started_at;
    if (restarted) this.restartedAt = state.started_at;
    if (restarted || before?.peer !== peer) this.series.clear();
    this.state = { ...state, peers: (own ?? state).peers ?? [], own: (own ?? state).service, peer };
    this.now = state.now;
    this.changed();
  }

  open() {
    const source = new EventSource(address('api/events'));
    this.source = source;
    let opened = false;
    source.onopen = () => {
      opened = true;
      this.answered('live');
    };
    source.addEventListener('tick', (event) => {
      this.now = Number(parsed(event).now) || Date.now();
      this.emit('tick');
    });
    source.addEventListener('logs', () => this.emit('logs'));
    source.addEventListener('traces', () => this.emit('traces'));
    source.onerror = () => {
      if (this.source !== source) return;
      source.close();
      this.source = null;
      // Without an event stream (too many pages, a proxy that buffers) the page asks from time to time.
      if (opened) void this.connect();
      else this.poll();
    };
  }

  /** Looks again after each tick of the service, and tries the event stream again after a minute. */
  poll() {
    this.answered('polling');
    const attempt = this.attempt;
    let left = 30;
    const again = async () => {
      if (attempt !== this.attempt || !(await this.refreshed(attempt))) return;
      this.emit('tick');
      left -= 1;
      if (left === 0) this.open();
      else this.timer = setTimeout(again, this.state.tick_ms || 2_000);
    };
    this.timer = setTimeout(again, this.state.tick_ms || 2_000);
  }

  /** @param {Connection} connection */
  answered(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.goneSince = null;
    this.changed();
  }

  /** Keeps what is shown, and tries again later each time. @param {unknown} error */
  failed(error) {
    this.disconnect();
    const status = error instanceof ApiError ? error.status : 0;
    this.connection = status === 401 || status === 403 || status === 404 ? 'refused' : 'gone';
    this.goneSince ??= Date.now();
    this.reason = error instanceof Error ? error.message : String(error);
    if (this.active) this.timer = setTimeout(() => this.connect(), this.retryIn);
    this.retryIn = Math.min(LAST_RETRY, this.retryIn * 2);
    this.changed();
  }

  /** @param {string} event */
  emit(event) {
    this.dispatchEvent(new Event(event));
  }
}

/** @param {Event} event */
function parsed(event) {
  try {
    return JSON.parse(/** @type {MessageEvent} */ (event).data);
  } catch {
    return {};
  }
}
