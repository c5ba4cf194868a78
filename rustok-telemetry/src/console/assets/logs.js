/** The view Logs: the newest lines at the end, as they come; scrolling up holds them back. */
import { query } from './api.js';
import { bdi, h } from './dom.js';
import { plural } from './format.js';
import { icon } from './icons.js';
import { level } from './trace.js';
import { attributeList, button, clock, code, cut, empty, input, longText, select, short, thinned, to, traceLink } from './widgets.js';

const PAGE = 200;
/** The most lines in the page, and the most that wait while it is scrolled up. */
const KEPT = 1_000;
const FILTERS = ['level', 'target', 'text', 'trace_id'];

/**
 * Adds newer lines to those known.
 * @param {any[]} known by sequence @param {any[]} newest newest first
 */
export function join(known, newest) {
  const last = known.length > 0 ? known[known.length - 1].seq : -1;
  return [...known, ...newest.filter((line) => line.seq > last).reverse()];
}

/** @param {import('./app.js').Context} context */
export function logs(context) {
  const { store } = context;
  /** @type {any[]|null} by sequence */
  let lines = null;
  let older = false;
  let gap = -1;
  /** The last line that is shown while scrolled up. @type {number|null} */
  let held = null;
  /** @type {Set<number>} */
  const open = new Set();
  let loaded = '';
  /** @type {number|null} */
  let bottom = null;

  const params = () => context.route().params;
  const filters = () => Object.fromEntries(FILTERS.map((name) => [name, params().get(name)]));
  const frame = () => document.querySelector('.log-frame');
  /** @param {AbortSignal} [signal] @param {number} [before] */
  const ask = (signal, before) => store.get(`api/logs${query({ ...filters(), limit: PAGE, before })}`, signal);
  const waiting = () => (held === null || !lines ? 0 : lines.filter(({ seq }) => seq > /** @type {number} */ (held)).length);

  return {
    title: 'Logs',
    on: ['logs'],
    async load(/** @type {AbortSignal} */ signal) {
      const now = JSON.stringify([filters(), store.peer, store.state?.started_at]);
      if (now !== loaded) {
        const answer = await ask(signal);
        [lines, older, held, gap, loaded] = [answer.lines.reverse(), answer.older, null, -1, now];
        return;
      }
      if (waiting() >= KEPT) return;
      await follow(signal);
    },
    draw() {
      return [filterBar(), lines ? tail(lines) : h('p', { class: 'note', key: 'wait' }, 'Loading…')];
    },
    drawn() {
      const at = frame();
      if (!at) return;
      if (bottom !== null) at.scrollTop = at.scrollHeight - bottom;
      else if (held === null) at.scrollTop = at.scrollHeight;
      bottom = null;
    },
  };

  /** Asks for new lines until they join those known. @param {AbortSignal} signal */
  async function follow(signal) {
    const known = lines ?? [];
    const last = known.length > 0 ? known[known.length - 1].seq : -1;
    let answer = await ask(signal);
    const fresh = [...answer.lines];
    for (let page = 0; page < 4 && joins(answer, last); page += 1) {
      answer = await ask(signal, fresh[fresh.length - 1].seq);
      fresh.push(...answer.lines);
    }
    if (joins(answer, last) && known.length > 0) gap = fresh[fresh.length - 1].seq;
    lines = join(known, fresh);
    if (held === null && lines.length > KEPT) [lines, older] = [lines.slice(-KEPT), true];
  }

  /** Whether there are lines between an answer and the last line known. @param {any} answer @param {number} last */
  function joins(answer, last) {
    return answer.older && answer.lines.length > 0 && answer.lines[answer.lines.length - 1].seq > last + 1 && !answer.lines.some((/** @type {any} */ line) => line.seq <= last);
  }

  function filterBar() {
    const value = (/** @type {string} */ name) => params().get(name) ?? '';
    const set = (/** @type {string} */ name, /** @type {string} */ text) => context.setParams({ [name]: text });
    return h('div', { class: 'filters', role: 'search', 'aria-label': 'Filter log lines', key: 'filters' },
      input('Text', value('text'), (text) => set('text', text), { type: 'search', 'data-search': '' }),
      select('Level, at least', value('level'), [['', 'any'], ['debug', 'debug'], ['info', 'info'], ['warn', 'warn'], ['error', 'error']], (text) => set('level', text)),
      input('Target', value('target'), (text) => set('target', text.trim())),
      input('Trace id', value('trace_id'), (text) => set('trace_id', text.trim())),
      FILTERS.some((name) => value(name) !== '') && button('Clear filters', () => context.setParams(Object.fromEntries(FILTERS.map((name) => [name, '']))), { key: 'clear' }));
  }

  /** @param {any[]} lines */
  function tail(lines) {
    const shown = held === null ? lines : lines.filter(({ seq }) => seq <= /** @type {number} */ (held));
    const more = waiting();
    if (lines.length === 0) {
      return h('section', { class: 'card', key: 'tail', 'aria-label': 'Log lines' }, FILTERS.some((name) => params().get(name))
        ? empty('No line matches the filters.', 'Only lines in memory are searched; the oldest go first.')
        : empty('No log lines yet.', 'Every event of ', code('tracing'), ' that ', code('RUST_LOG'), ' selects appears here, such as ', code('tracing::info!("started")'), '.'));
    }
    return h('section', { class: 'card logs', key: 'tail', 'aria-label': 'Log lines' },
      h('div', { class: 'log-frame', tabIndex: 0, role: 'region', 'aria-label': 'Log lines, the newest last', onscroll: scrolled },
        h('div', { class: 'log-top', key: 'top' }, older ? button('Load older lines', loadOlder) : h('span', { class: 'note' }, 'No older lines in memory')),
        h('ol', { class: 'lines', key: 'lines' }, shown.map(row))),
      thinned(context.store.state, 'Lines of level WARN and above are kept too.'),
      h('div', { class: 'log-foot' },
        h('span', { class: 'note' }, held === null ? `${plural(shown.length, 'line')}, following` : `${plural(shown.length, 'line')}, held while scrolled up`),
        held !== null && button([icon('down'), more > 0 ? `${more >= KEPT ? `${KEPT}+` : more} new ${more === 1 ? 'line' : 'lines'}` : 'Follow'], jump, { class: 'primary', key: 'jump' })));
  }

  /** @param {any} line */
  function row(line) {
    const isOpen = open.has(line.seq);
    const toggle = () => {
      if (!open.delete(line.seq)) open.add(line.seq);
      context.redraw();
    };
    const clicked = (/** @type {any} */ event) => {
      if (!event.target.closest('a, button') && String(getSelection()) === '') toggle();
    };
    return [
      line.seq === gap && h('li', { class: 'gap note', key: 'gap' }, 'Lines in between came too fast to be shown. Filter by level, target or text to see them.'),
      h('li', { class: `line level-${level(line.level)}`, key: line.seq },
        h('div', { class: 'line-head', onclick: clicked },
          h('button', { type: 'button', class: 'twist', 'aria-expanded': String(isOpen), 'aria-label': 'Details', onclick: toggle }, icon(isOpen ? 'down' : 'right')),
          h('span', { class: 'line-time' }, clock(line.time, { millis: true, now: store.now })),
          h('span', { class: 'level' }, String(line.level).slice(0, 8)),
          h('span', { class: 'line-target' }, short(line.target, 60)),
          h('span', { class: 'line-text' }, bdi(cut(line.text, 400)), !isOpen && fields(line.attributes)),
          line.trace_id ? traceLink(line.trace_id, line.span_id) : h('span', { class: 'mono' }, '')),
        isOpen && h('div', { class: 'line-body' },
          h('p', null, longText(line.text, `line ${line.seq}`, context.redraw)),
          attributeList({ ...line.attributes, ...(line.tenant ? { tenant: line.tenant } : {}) }, `line ${line.seq}`, context.redraw),
          h('p', { class: 'note' }, 'Target ', h('a', { href: to('logs', null, { target: line.target }) }, bdi(line.target)), line.trace_id && [' · ', h('a', { href: to('logs', null, { trace_id: line.trace_id }) }, 'All lines of its trace')]))),
    ];
  }

  function scrolled() {
    const at = frame();
    if (!at || !lines) return;
    const atEnd = at.scrollHeight - at.scrollTop - at.clientHeight < 24;
    if (atEnd === (held === null)) return;
    if (atEnd && waiting() > 0) return;
    held = atEnd ? null : (lines[lines.length - 1]?.seq ?? null);
    context.redraw();
  }

  function jump() {
    if (waiting() >= KEPT) loaded = '';
    held = null;
    context.redraw();
    context.reload();
  }

  function loadOlder() {
    return context.act(async () => {
      const answer = await ask(undefined, lines?.[0]?.seq);
      const at = frame();
      bottom = at ? at.scrollHeight - at.scrollTop : null;
      held ??= lines?.[lines.length - 1]?.seq ?? null;
      lines = [...answer.lines.reverse(), ...(lines ?? [])];
      older = answer.older;
    });
  }
}

/** A few attributes behind the text. @param {Record<string, unknown>} attributes */
function fields(attributes) {
  const names = Object.keys(attributes ?? {}).slice(0, 6);
  return names.map((name) => h('span', { class: 'line-field', key: name }, ' ', bdi(cut(name, 40), { class: 'note' }), '=', bdi(cut(String(attributes[name]), 60))));
}
