/** Numbers, durations, sizes and times as text. Pure functions. */

/** Says that there is no value. */
export const NONE = '–';

/** @type {[number, string][]} from where on a unit is used */
const SCALES = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']];

/** @param {number|null|undefined} value @returns {value is null|undefined} */
const missing = (value) => value === null || value === undefined || Number.isNaN(value);

/**
 * A number with about three significant digits; large numbers in thousands (k), millions (M) and so on.
 * @param {number|null|undefined} value
 */
export function number(value) {
  if (missing(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  for (const [limit, unit] of SCALES) {
    if (size >= limit) return sign + digits(size / (unit === 'k' ? 1e3 : limit)) + ' ' + unit;
  }
  return sign + digits(size);
}

/** @param {number} size not negative */
function digits(size) {
  if (size === 0) return '0';
  if (size >= 100) return String(Math.round(size));
  if (size >= 10) return trim(size.toFixed(1));
  if (size >= 1) return trim(size.toFixed(2));
  if (size >= 0.001) return trim(size.toPrecision(2));
  return size.toExponential(1).replace('e-', 'e−');
}

/** @param {string} text */
function trim(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** A whole number with thousands separated by thin spaces. @param {number|null|undefined} value */
export function count(value) {
  if (missing(value)) return NONE;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** A duration. @param {number|null|undefined} milliseconds */
export function duration(milliseconds) {
  if (missing(milliseconds)) return NONE;
  const size = Math.abs(milliseconds);
  const sign = milliseconds < 0 ? '−' : '';
  if (size === 0) return '0 ms';
  if (size < 0.001) return `${sign}${digits(size * 1e6)} ns`;
  if (size < 1) return `${sign}${digits(size * 1e3)} µs`;
  if (size < 999.5) return `${sign}${digits(size)} ms`;
  if (size < 59_950) return `${sign}${digits(size / 1e3)} s`;
  const seconds = Math.round(size / 1e3);
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${sign}${days} d ${hours} h`;
  if (hours > 0) return `${sign}${hours} h ${minutes} min`;
  return `${sign}${minutes} min ${seconds % 60} s`;
}

/** A size in powers of 1024. @param {number|null|undefined} size */
export function bytes(size) {
  if (missing(size)) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [Math.abs(size), 0];
  while (value >= 1023.5 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${size < 0 ? '−' : ''}${digits(value)} ${units[unit]}`;
}

/** A share from 0 to 1 as per cent. @param {number|null|undefined} share */
export function percent(share) {
  if (missing(share)) return NONE;
  const value = share * 100;
  if (value > 0 && value < 0.01) return '< 0.01 %';
  if (value < 100 && value >= 99.995) return '99.99 %';
  return `${value >= 99.5 && value < 100 ? trim(value.toFixed(2)) : digits(value)} %`;
}

/**
 * A value in the unit of its metric.
 * @param {number|null|undefined} value
 * @param {string} [unit] in UCUM, as OpenTelemetry has it: `s`, `ms`, `By`, `1`, `{request}`; `%` for shares from 0 to 1
 * @param {boolean} [rate] whether it is per second
 */
export function quantity(value, unit = '', rate = false) {
  if (missing(value)) return NONE;
  const text = inUnit(value, unit, rate);
  return rate && !(unit === 's' || unit === 'ms') ? `${text}/s` : text;
}

/** @param {number} value @param {string} unit @param {boolean} rate */
function inUnit(value, unit, rate) {
  if (unit === 's') return rate ? `${number(value)} s/s` : duration(value * 1e3);
  if (unit === 'ms') return rate ? `${number(value)} ms/s` : duration(value);
  if (unit === 'By') return bytes(value);
  if (unit === '%') return percent(value);
  if (unit === '' || unit === '1' || unit.startsWith('{')) return number(value);
  return `${number(value)} ${unit}`;
}

const two = (/** @type {number} */ value) => String(value).padStart(2, '0');

/**
 * The time of day, with the date unless it is the day of `now`.
 * @param {number} at milliseconds since 1970
 * @param {{utc?: boolean, millis?: boolean, now?: number, date?: boolean}} [options]
 */
export function time(at, { utc = false, millis = false, now = Date.now(), date } = {}) {
  if (missing(at) || !Number.isFinite(at) || Math.abs(at) > 8.64e15) return NONE;
  const part = parts(at, utc);
  const clock = `${two(part.hour)}:${two(part.minute)}:${two(part.second)}`;
  const fine = millis ? `${clock}.${String(part.milli).padStart(3, '0')}` : clock;
  const today = parts(now, utc);
  const other = part.day !== today.day || part.month !== today.month || part.year !== today.year;
  return date ?? other ? `${part.year}-${two(part.month)}-${two(part.day)} ${fine}` : fine;
}

/** @param {number} at @param {boolean} utc */
function parts(at, utc) {
  const date = new Date(at);
  return utc
    ? { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(), milli: date.getUTCMilliseconds() }
    : { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate(), hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds(), milli: date.getMilliseconds() };
}

/** Both times, for a tooltip. @param {number} at */
export function bothTimes(at) {
  const of = (/** @type {boolean} */ utc) => time(at, { utc, millis: true, date: true });
  return `${of(true)} UTC · ${of(false)} local`;
}

/** How long ago. @param {number} at @param {number} now */
export function ago(at, now) {
  if (missing(at)) return NONE;
  const passed = now - at;
  if (passed < 1_500) return 'just now';
  if (passed < 59_500) return `${Math.round(passed / 1e3)} s ago`;
  if (passed < 3_570_000) return `${Math.round(passed / 6e4)} min ago`;
  return `${duration(passed)} ago`;
}

/** An attribute's value as text. @param {unknown} value */
export function plain(value) {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** One or many. @param {number} value @param {string} one @param {string} [many] */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}
