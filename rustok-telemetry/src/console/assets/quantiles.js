/** Rates of counters and quantiles of histograms, as Prometheus has them. Pure functions. */

/** @typedef {(number|null)[]} Values one value a tick; null where the series did not exist */

/**
 * What a counter grew by in each tick. A series that appears after the first tick grew from 0, and so did one whose
 * counter was reset.
 * @param {Values} values
 * @returns {Values} the first is null
 */
export function increases(values) {
  let last = /** @type {number|null} */ (null);
  return values.map((value, tick) => {
    const before = last;
    last = value ?? last;
    if (value === null || value === undefined || tick === 0) return null;
    return before === null || value < before ? value : value - before;
  });
}

/**
 * The index of the first tick within `span` milliseconds before each tick.
 * @param {number[]} ticks @param {number} span
 */
export function windowStarts(ticks, span) {
  let start = 0;
  return ticks.map((at, tick) => {
    while (start < tick - 1 && ticks[start] < at - span) start += 1;
    return tick === 0 ? 0 : start;
  });
}

/**
 * Growth a second over a sliding window.
 * @param {Values} values cumulative @param {number[]} ticks milliseconds @param {number} [span] window in milliseconds
 * @returns {Values}
 */
export function rate(values, ticks, span = 10_000) {
  const grown = increases(values);
  const sums = running(grown);
  return windowStarts(ticks, span).map((start, tick) => {
    if (tick === 0 || values[tick] === null || values[tick] === undefined) return null;
    return ((sums[tick] - sums[start]) * 1e3) / (ticks[tick] - ticks[start]);
  });
}

/** Running sums, null as 0. @param {Values} values */
function running(values) {
  let sum = 0;
  return values.map((value) => (sum += value ?? 0));
}

/** What a counter grew by over all ticks. @param {Values} values */
export function growth(values) {
  return increases(values).reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 0);
}

/** Adds values; null only where all are null. @param {Values[]} rows @returns {Values} */
export function sum(rows) {
  const length = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length }, (_, tick) => {
    let total = /** @type {number|null} */ (null);
    for (const row of rows) if (row[tick] !== null && row[tick] !== undefined) total = (total ?? 0) + row[tick];
    return total;
  });
}

/** Divides; null where there is nothing to divide by. @param {Values} above @param {Values} below @returns {Values} */
export function ratio(above, below) {
  return below.map((value, tick) => (value ? (above[tick] ?? 0) / value : null));
}

/**
 * A quantile by linear interpolation within a bucket, as Prometheus' `histogram_quantile` computes it.
 * @param {number} quantile from 0 to 1
 * @param {number[]} bounds upper bounds, increasing, without infinity
 * @param {number[]} buckets observations in each bucket, not cumulative; one more than bounds
 * @returns {number|null} null without observations
 */
export function histogramQuantile(quantile, bounds, buckets) {
  const total = buckets.reduce((all, observations) => all + observations, 0);
  if (!(total > 0) || bounds.length === 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (let bucket = 0; bucket < bounds.length; bucket += 1) {
    const reached = below + buckets[bucket];
    if (reached >= rank && buckets[bucket] > 0) {
      if (bucket === 0 && bounds[0] <= 0) return bounds[0];
      const lower = bucket === 0 ? 0 : bounds[bucket - 1];
      return lower + ((bounds[bucket] - lower) * Math.max(0, rank - below)) / buckets[bucket];
    }
    below = reached;
  }
  return bounds[bounds.length - 1];
}

/**
 * What the buckets grew by between two ticks.
 * @param {(number[]|null)[]} buckets cumulative over time @param {number} from @param {number} to
 * @returns {number[]|null} null if the series does not exist at `to`
 */
export function bucketGrowth(buckets, from, to) {
  const end = buckets[to];
  if (!end) return null;
  const start = buckets[from];
  if (!start) return from === to ? null : end;
  const reset = end.some((value, bucket) => value < start[bucket]);
  return reset ? end : end.map((value, bucket) => value - start[bucket]);
}

/** Adds buckets. @param {number[][]} rows @returns {number[]} */
export function addBuckets(rows) {
  const [first = [], ...others] = rows;
  return first.map((value, bucket) => others.reduce((all, row) => all + row[bucket], value));
}

/**
 * A quantile over a sliding window, tick by tick.
 * @param {number} quantile @param {number[]} bounds @param {(number[]|null)[]} buckets
 * @param {number[]} ticks @param {number} [span] window in milliseconds
 * @returns {Values}
 */
export function quantiles(quantile, bounds, buckets, ticks, span = 30_000) {
  return windowStarts(ticks, span).map((start, tick) => {
    if (tick === 0) return null;
    const grown = bucketGrowth(buckets, start, tick);
    return grown ? histogramQuantile(quantile, bounds, grown) : null;
  });
}
