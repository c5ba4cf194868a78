/** Requests to the service that serves this page, or to a console that it follows. */

/** The console's own address, with a slash at its end. */
export const BASE = new URL('..', import.meta.url).href;

/** An answer that is not a success. */
export class ApiError extends Error {
  /** @param {number} status 0 if there was no answer @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path such as `api/state` @param {string|null} [peer] a followed console */
export function address(path, peer = null) {
  return BASE + (peer === null ? '' : `peer/${encodeURIComponent(peer)}/`) + path;
}

/**
 * @param {string} path @param {{peer?: string|null, signal?: AbortSignal, body?: unknown}} [options] with a body it is a POST
 * @returns {Promise<any>}
 */
export async function request(path, { peer = null, signal, body } = {}) {
  const limit = AbortSignal.timeout(10_000);
  let response;
  try {
    response = await fetch(address(path, peer), {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      cache: 'no-store',
      ...(body === undefined ? {} : {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-rustok-console': '1' },
        body: JSON.stringify(body),
      }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, limit.aborted ? 'no answer within 10 s' : 'no answer');
  }
  if (!response.ok) throw new ApiError(response.status, await reason(response));
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'the answer broke off or is not JSON');
  }
}

/** What the service says about a failure, shortened. @param {Response} response */
async function reason(response) {
  const text = await response.text().catch(() => '');
  try {
    return String(JSON.parse(text).error).slice(0, 300);
  } catch {
    return text.slice(0, 300) || `status ${response.status}`;
  }
}

/** A query string. Empty values are left out. @param {Record<string, string|number|null|undefined>} params */
export function query(params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

/**
 * The query of series.
 * @param {string[]} metrics
 * @param {{by?: string[]|null, match?: [string, string][]}} [options] without `by`, every series by itself
 */
export function seriesQuery(metrics, { by = null, match = [] } = {}) {
  const parts = metrics.map((name) => `metric=${encodeURIComponent(name)}`);
  if (by) parts.push(...(by.length > 0 ? by.map((name) => `by=${encodeURIComponent(name)}`) : ['by=']));
  for (const [name, value] of match) parts.push(`match=${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return parts.join('&');
}
