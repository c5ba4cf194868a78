/** Small parts that the views share. */
import { bdi, h } from './dom.js';
import { ago, bothTimes, bytes, percent, plain, time } from './format.js';
import { icon } from './icons.js';
import { href } from './router.js';

/** How the page shows things; the header changes it. */
export const settings = {
  utc: false,
  /** @type {string|null} the console that is shown */
  peer: null,
};

/** Text that is longer is cut until asked for. */
export const LONG = 400;

/** A link within the page that keeps the console that is shown. @param {string} view @param {string|null} [id] @param {Record<string, any>} [params] */
export function to(view, id = null, params = {}) {
  return href(view, id, settings.peer === null ? params : { ...params, console: settings.peer });
}

/** A time of day. @param {number} at @param {{now?: number, millis?: boolean}} [options] */
export function clock(at, options = {}) {
  return timeElement(at, time(at, { utc: settings.utc, ...options }));
}

/** How long ago. @param {number} at @param {number} now */
export function since(at, now) {
  return timeElement(at, ago(at, now));
}

/** @param {number} at @param {string} text */
function timeElement(at, text) {
  const valid = Number.isFinite(at) && Math.abs(at) <= 8.64e15;
  return valid ? h('time', { datetime: new Date(at).toISOString(), title: bothTimes(at) }, text) : h('span', null, text);
}

/** A status in a word with an icon. @param {'ok'|'error'|'warning'|'neutral'} level @param {any} text @param {string} [title] */
export function badge(level, text, title) {
  return h('span', { class: `badge badge-${level}`, title: title ?? null }, level === 'neutral' ? null : icon(level), h('span', null, text));
}

/** Says that there is nothing yet, and what would bring something. @param {string} title @param {...any} text */
export function empty(title, ...text) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), text.length > 0 && h('p', null, ...text));
}

/** @param {any} text */
export function code(text) {
  return h('code', { dir: 'ltr' }, String(text));
}

/** Says that only a share of the traces is kept, if it is so. @param {any} state @param {string} others what is kept besides */
export function thinned(state, others) {
  const share = state?.thinned?.kept_share ?? 1;
  return share < 1 && h('p', { class: 'note', key: 'thinned' }, `High load: the console keeps ${percent(share)} of the traces. ${others}`);
}

/** A section with a heading. @param {string} title @param {{id: string, aside?: any, note?: string, key?: string}} options @param {...any} children */
export function section(title, { id, aside, note, key }, ...children) {
  return h('section', { class: 'card', 'aria-labelledby': id, key: key ?? id },
    h('div', { class: 'card-head' }, h('h2', { id }, title), note && h('p', { class: 'note' }, note), aside && h('div', { class: 'aside' }, aside)),
    ...children);
}

/** The texts that are shown whole, by their place. @type {Set<string>} */
const whole = new Set();

/**
 * Text from outside, cut if it is long.
 * @param {unknown} value @param {string} place unique @param {() => void} redraw @param {number} [limit]
 */
export function longText(value, place, redraw, limit = LONG) {
  const text = plain(value);
  if (text.length <= limit) return bdi(text, { class: 'long' });
  const open = whole.has(place);
  const toggle = () => {
    if (!whole.delete(place)) whole.add(place);
    redraw();
  };
  return h('span', null,
    bdi(open ? text : `${cut(text, limit)}…`, { class: 'long' }), ' ',
    h('button', { type: 'button', class: 'link', onclick: toggle }, open ? 'Show less' : `Show all (${bytes(text.length)})`));
}

/** Cuts without splitting a character. @param {string} text @param {number} limit */
export function cut(text, limit) {
  if (text.length <= limit) return text;
  const end = /[\uD800-\uDBFF]/.test(text[limit - 1]) ? limit - 1 : limit;
  return text.slice(0, end);
}

/** One line of text from outside, for a cell; the whole in its tooltip. @param {unknown} value @param {number} [limit] */
export function short(value, limit = 120) {
  const text = plain(value);
  return bdi(text.length > limit ? `${cut(text, limit)}…` : text, { class: 'short', title: text.length > 40 ? cut(text, 2_000) : null });
}

/** Attributes as a list of terms. @param {Record<string, unknown>} attributes @param {string} place @param {() => void} redraw */
export function attributeList(attributes, place, redraw) {
  const names = Object.keys(attributes ?? {}).sort();
  if (names.length === 0) return h('p', { class: 'note' }, 'No attributes.');
  return h('dl', { class: 'attributes' }, names.map((name) => [
    h('dt', null, short(name, 80)),
    h('dd', null, longText(attributes[name], `${place}/${name}`, redraw)),
  ]));
}

/** A link to a trace. @param {string} id @param {string|null} [span] */
export function traceLink(id, span = null) {
  return h('a', { class: 'mono', href: to('traces', id, { span }), title: `Trace ${id}` }, id.slice(0, 8));
}

/** A labelled select. @param {string} label @param {string} value @param {[string, string][]} options value and text @param {(value: string) => void} change @param {Record<string, any>} [props] */
export function select(label, value, options, change, props = {}) {
  const known = options.some(([of]) => of === value) ? options : [...options, /** @type {[string, string]} */ ([value, value])];
  return h('label', { class: 'field', key: `select ${label}` }, h('span', null, label),
    h('select', { ...props, value, onchange: (/** @type {any} */ event) => change(event.target.value) },
      known.map(([of, text]) => h('option', { value: of, key: of }, cut(text, 80)))));
}

/** A labelled input that reports what is typed after a moment. @param {string} label @param {string} value @param {(value: string) => void} change @param {Record<string, any>} [props] */
export function input(label, value, change, props = {}) {
  return h('label', { class: 'field', key: `input ${label}` }, h('span', null, label),
    h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...props, value, oninput: (/** @type {any} */ event) => later(label, () => change(event.target.value)) }));
}

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const waiting = new Map();

/** @param {string} name @param {() => void} act */
function later(name, act) {
  clearTimeout(waiting.get(name));
  waiting.set(name, setTimeout(act, 250));
}

/** @param {any} text @param {() => void} act @param {Record<string, any>} [props] */
export function button(text, act, props = {}) {
  return h('button', { type: 'button', ...props, onclick: act }, text);
}

/** One of several, as buttons. @param {string} label @param {string} value @param {[string, string][]} options @param {(value: string) => void} change */
export function choice(label, value, options, change) {
  return h('div', { class: 'choice', role: 'group', 'aria-label': label, key: `choice ${label}` },
    options.map(([of, text]) => h('button', { type: 'button', key: of, 'aria-pressed': String(of === value), onclick: () => change(of) }, text)));
}

/** A bar with its numbers beside it. @param {number} share @param {string} label */
export function meter(share, label) {
  const level = share >= 0.95 ? 'error' : share >= 0.8 ? 'warning' : 'ok';
  return h('div', { class: 'meter', role: 'img', 'aria-label': label },
    h('div', { class: `meter-fill meter-${level}`, style: { width: `${Math.min(100, Math.max(0, share * 100))}%` } }));
}
