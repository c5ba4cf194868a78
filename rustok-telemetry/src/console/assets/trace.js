/** The view of one trace: its waterfall, put together from all consoles that have a part of it. */
import { query, request, ApiError } from './api.js';
import { look } from './chart.js';
import { bdi, h } from './dom.js';
import { bothTimes, duration, plural, time } from './format.js';
import { icon } from './icons.js';
import { spanDetails } from './span-details.js';
import { build, move, place, rows } from './trace-tree.js';
import { badge, button, clock, empty, settings, short, to } from './widgets.js';

const STEP = 300;
/** A trace that ended less than this ago may still grow. */
const YOUNG = 30_000;

/** @param {import('./app.js').Context} context */
export function trace(context) {
  const { store } = context;
  const id = /** @type {string} */ (context.route().id);
  /** @type {import('./trace-tree.js').Tree|null} */
  let tree = null;
  /** @type {string[]} */
  let silent = [];
  let lines = 0;
  let missing = '';
  /** @type {Set<string>} */
  const collapsed = new Set();
  let withLogs = true;
  let limit = STEP;
  /** @type {string|null} */
  let selected = context.route().params.get('span');
  /** @type {import('./trace-tree.js').Row[]} */
  let shown = [];
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let remember;

  return {
    title: 'Trace',
    on: ['traces'],
    async load(/** @type {AbortSignal} */ signal) {
      if (tree && store.now - tree.end > YOUNG) return;
      const found = await gather(store, id, signal);
      if (found.spans.length === 0 && tree) return;
      tree = found.spans.length > 0 ? build(found.spans, found.logs) : null;
      [silent, missing, lines] = [found.silent, found.missing, found.logs.length];
      selected ??= tree?.roots[0]?.id ?? null;
    },
    draw() {
      const back = h('p', { class: 'back', key: 'back' }, h('a', { href: to('traces') }, icon('back'), 'Traces'));
      if (!tree) return [back, missing ? empty('This trace is not kept.', missing) : h('p', { class: 'note', key: 'wait' }, 'Loading…')];
      shown = rows(tree, collapsed, withLogs);
      if (selected && !shown.slice(0, limit).some((row) => row.id === selected) && !tree.nodes.has(selected)) selected = shown[0]?.id ?? null;
      return [back, head(tree), silent.length > 0 && silence(), h('div', { class: 'trace', key: 'trace' }, waterfall(tree), details(tree))];
    },
    leave: () => clearTimeout(remember),
  };

  /** @param {import('./trace-tree.js').Tree} tree */
  function head(tree) {
    const errors = [...tree.nodes.values()].filter(({ span }) => span.status === 'error').length;
    const root = tree.roots[0].span;
    return h('div', { class: 'card trace-head', key: 'head' },
      h('h2', null, bdi(root.name.slice(0, 200))),
      h('ul', { class: 'facts' },
        h('li', null, h('span', { class: 'note' }, 'Trace '), h('code', { class: 'mono id' }, id), ' ', button([icon('copy'), 'Copy'], () => context.copy(id), { class: 'small' })),
        h('li', null, h('span', { class: 'note' }, 'Start '), clock(tree.start, { millis: true, now: store.now })),
        h('li', null, h('span', { class: 'note' }, 'Duration '), duration(tree.end - tree.start)),
        h('li', null, plural(tree.nodes.size, 'span'), ', ', plural(lines, 'log line')),
        h('li', null, errors > 0 ? badge('error', plural(errors, 'span with an error', 'spans with errors')) : badge('ok', 'no errors'))),
      h('ul', { class: 'services', 'aria-label': 'Services' }, tree.services.map(({ name, spans }, at) => h('li', { key: name },
        h('span', { class: 'service-color', style: { background: `var(${look(at).color})` } }), short(name, 40), h('span', { class: 'note' }, ` ${plural(spans, 'span')}`)))),
      h('div', { class: 'toolbar' },
        h('label', { class: 'check' }, h('input', { type: 'checkbox', checked: withLogs, onchange: () => { withLogs = !withLogs; context.redraw(); } }), 'Log lines'),
        button('Collapse all', () => { for (const node of tree.nodes.values()) if (node.parent || tree.roots.length > 1) collapsed.add(node.id); else collapsed.delete(node.id); context.redraw(); }, { class: 'small' }),
        button('Expand all', () => { collapsed.clear(); context.redraw(); }, { class: 'small' }),
        h('a', { href: to('logs', null, { trace_id: id }) }, 'In the logs')));
  }

  function silence() {
    return h('p', { class: 'mistake', key: 'silent' }, icon('warning'), ' No answer from ', silent.map((name, at) => [at > 0 && ', ', bdi(name)]), ': their spans are missing.');
  }

  /** @param {import('./trace-tree.js').Tree} tree */
  function waterfall(tree) {
    const whole = tree.end - tree.start;
    const marks = [0, 0.25, 0.5, 0.75, 1];
    const visible = shown.slice(0, limit);
    const stop = visible.some((row) => row.id === selected) ? selected : visible[0]?.id;
    return h('div', { class: 'card waterfall', key: 'waterfall' },
      h('div', { class: 'ruler', 'aria-hidden': 'true' }, h('span', { class: 'ruler-name' }, 'Span'),
        h('span', { class: 'ruler-bars' }, marks.map((mark) => h('span', { class: `mark mark-${mark * 100}`, style: { left: `${mark * 100}%` } }, mark === 0 ? '0' : duration(whole * mark)))), h('span', { class: 'row-value' }, 'Duration')),
      h('div', { class: 'rows', role: 'tree', 'aria-label': 'Spans and log lines by time', onkeydown: onKey },
        visible.map((row) => (row.kind === 'span' ? spanRow(tree, row, stop) : logRow(tree, row, stop)))),
      shown.length > limit && h('p', { class: 'more' }, `${limit} of ${shown.length} rows are shown. `, button('Show more', () => { limit += STEP; context.redraw(); }, { class: 'link' })));
  }

  /** @param {import('./trace-tree.js').Tree} tree @param {import('./trace-tree.js').Row} row @param {string|null|undefined} stop */
  function spanRow(tree, row, stop) {
    const { span, orphan, failedBelow } = /** @type {import('./trace-tree.js').Node} */ (row.node);
    const service = tree.services.findIndex(({ name }) => name === span.service);
    const { left, width } = place(tree, span.start, span.duration);
    const bad = span.status === 'error';
    return h('div', { ...item(row, stop), class: `row${bad ? ' row-bad' : ''}${row.id === selected ? ' selected' : ''}` },
      h('span', { class: 'row-name', style: { 'padding-inline-start': `${Math.min(row.depth - 1, 24) * 14}px` } },
        h('span', { class: 'twist', onclick: (/** @type {Event} */ event) => { event.stopPropagation(); toggle(row.id); } }, row.expandable && icon(row.expanded ? 'down' : 'right')),
        h('span', { class: 'service-color', style: { background: `var(${look(service).color})` } }),
        bad ? icon('error') : failedBelow && !row.expanded ? icon('warning') : null,
        short(span.name, 100), h('span', { class: 'sr' }, bad ? ', error' : '', ', ', bdi(span.service)), orphan && h('span', { class: 'note', title: 'Its parent is not kept here: it is in another service, not sampled, or already gone.' }, ' (parent not kept)')),
      h('span', { class: 'row-bars' },
        h('span', { class: `bar${bad ? ' bar-bad' : ''}`, style: { left: `${left}%`, width: `${width}%`, background: `var(${look(service).color})` } }),
        span.events.map((event, at) => h('span', { class: 'event-mark', key: `event ${at}`, title: String(event.name).slice(0, 100), style: { left: `${place(tree, event.time, 0).left}%` } }))),
      h('span', { class: 'row-value' }, duration(span.duration)));
  }

  /** @param {import('./trace-tree.js').Tree} tree @param {import('./trace-tree.js').Row} row @param {string|null|undefined} stop */
  function logRow(tree, row, stop) {
    const log = /** @type {import('./trace-tree.js').Log} */ (row.log);
    return h('div', { ...item(row, stop), class: `row row-log level-${level(log.level)}${row.id === selected ? ' selected' : ''}` },
      h('span', { class: 'row-name', style: { 'padding-inline-start': `${Math.min(row.depth - 1, 24) * 14}px` } },
        h('span', { class: 'twist' }), h('span', { class: 'level' }, log.level), short(log.text, 200)),
      h('span', { class: 'row-bars' }, h('span', { class: 'log-mark', title: bothTimes(log.time), style: { left: `${place(tree, log.time, 0).left}%` } })),
      h('span', { class: 'row-value' }, time(log.time, { utc: settings.utc, millis: true, now: log.time })));
  }

  /** @param {import('./trace-tree.js').Row} row @param {string|null|undefined} stop */
  function item(row, stop) {
    return {
      key: row.id, role: 'treeitem', tabIndex: row.id === stop ? 0 : -1, 'data-row': row.id,
      'aria-level': row.depth, 'aria-selected': String(row.id === selected), 'aria-expanded': row.expandable ? String(row.expanded) : null,
      onclick: () => choose(row.id),
    };
  }

  /** @param {string} row */
  function choose(row) {
    selected = row;
    context.redraw();
    // Browsers limit how often the address may change.
    clearTimeout(remember);
    if (tree?.nodes.has(row)) remember = setTimeout(() => context.setParams({ span: row }, false), 400);
  }

  /** @param {string} row */
  function toggle(row) {
    if (!collapsed.delete(row)) collapsed.add(row);
    context.redraw();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const done = move(shown.slice(0, limit), selected, event.key);
    if (!done) return;
    event.preventDefault();
    if (done.toggle) toggle(done.toggle);
    if (!done.select) return;
    choose(done.select);
    const row = [.../** @type {Element} */ (event.currentTarget).children].find((child) => /** @type {HTMLElement} */ (child).dataset.row === done.select);
    /** @type {HTMLElement} */ (row)?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {import('./trace-tree.js').Tree} tree */
  function details(tree) {
    const node = selected ? tree.nodes.get(selected) : undefined;
    const log = node ? null : shown.find((row) => row.id === selected)?.log ?? null;
    return spanDetails(tree, node ?? null, log, context);
  }
}

/** The level as a class. @param {string} name */
export function level(name) {
  const lower = String(name).toLowerCase();
  return ['trace', 'debug', 'info', 'warn', 'error'].includes(lower) ? lower : 'info';
}

/**
 * The parts of a trace from the service itself and all consoles that it follows.
 * @param {import('./store.js').Store} store @param {string} id @param {AbortSignal} signal
 */
async function gather(store, id, signal) {
  const names = [null, ...(store.state?.peers ?? []).map((/** @type {any} */ peer) => peer.name)];
  const answers = await Promise.allSettled(names.map((peer) => (peer === null ? whole(id, null, signal) : partOf(id, peer, signal))));
  if (signal.aborted) throw signal.reason;
  /** @type {{spans: any[], logs: any[], silent: string[], missing: string}} */
  const found = { spans: [], logs: [], silent: [], missing: '' };
  answers.forEach((answer, at) => {
    if (answer.status === 'fulfilled') {
      found.spans.push(...answer.value.spans);
      found.logs.push(...answer.value.logs.map((/** @type {any} */ log) => ({ ...log, service: names[at] ?? '' })));
      return;
    }
    const status = answer.reason instanceof ApiError ? answer.reason.status : 0;
    if (status === 404 || status === 400) found.missing = 'The service keeps the newest traces, those with errors, and the slowest of each operation, as long as its memory allows.';
    else if (names[at] === null) throw answer.reason;
    else found.silent.push(/** @type {string} */ (names[at]));
  });
  return found;
}

/** @param {string} id @param {string|null} peer @param {AbortSignal} signal @returns {Promise<{spans: any[], logs: any[]}>} */
function whole(id, peer, signal) {
  return request(`api/traces/${encodeURIComponent(id)}`, { peer, signal });
}

/** The part of a followed console. It is searched first: most have none, which is no error. @param {string} id @param {string} peer @param {AbortSignal} signal */
async function partOf(id, peer, signal) {
  const found = await request(`api/traces${query({ text: id, limit: 50 })}`, { peer, signal });
  return found.some((/** @type {any} */ of) => of.trace_id === id) ? whole(id, peer, signal) : { spans: [], logs: [] };
}
