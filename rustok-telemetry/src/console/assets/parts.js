/** The view Parts: event bus, caches, circuit breakers, database and runtime as small charts. */
import { Charts } from './chart.js';
import { h } from './dom.js';
import { count, number, quantity } from './format.js';
import { sum } from './quantiles.js';
import { PARTS, breakers, requests } from './parts-panels.js';
import { table } from './table.js';
import { badge, choice, code, empty, short, to } from './widgets.js';

/** The most lines of a small chart; the others are summed or left out. */
const LINES = 8;
const STATES = { 0: ['ok', 'closed'], 1: ['error', 'open'], 2: ['warning', 'half-open'] };

/** @param {import('./app.js').Context} context */
export function parts(context) {
  const { store } = context;
  const charts = new Charts();
  /** @type {Map<string, import('./series.js').Frames>} */
  let frames = new Map();

  const chosen = () => {
    const part = context.route().params.get('part');
    return PARTS.some(({ id }) => id === part) ? PARTS.filter(({ id }) => id === part) : PARTS;
  };

  return {
    title: 'Parts',
    on: ['tick'],
    async load(/** @type {AbortSignal} */ signal) {
      const asked = requests(chosen());
      const answers = await Promise.all(asked.map(({ by, metrics }) => store.builtIn(metrics, by, signal)));
      frames = new Map(asked.map(({ by }, at) => [by.join(','), answers[at]]));
    },
    draw() {
      if (frames.size === 0) return h('p', { class: 'note' }, 'Loading…');
      const value = chosen().length === 1 ? chosen()[0].id : '';
      return [
        h('div', { class: 'toolbar', key: 'choice' }, choice('Part', value, [['', 'All'], ...PARTS.map(({ id, title }) => /** @type {[string, string]} */ ([id, title]))], (part) => context.setParams({ part }))),
        chosen().map(partSection),
      ];
    },
    leave: () => charts.destroy(),
  };

  /** @param {import('./parts-panels.js').Part} part */
  function partSection(part) {
    return h('section', { class: 'part', key: part.id, 'aria-labelledby': `part-${part.id}` },
      h('h2', { id: `part-${part.id}` }, part.title),
      part.id === 'breakers' && breakerTable(),
      h('div', { class: 'panels' }, part.panels.map((panel) => panelCard(part, panel))));
  }

  /** @param {import('./parts-panels.js').Part} part @param {import('./parts-panels.js').Panel} panel */
  function panelCard(part, panel) {
    const of = frames.get(panel.by.join(','));
    const all = of ? panel.lines(of, panel) : [];
    const { lines, folded } = limit(all, panel);
    const format = (/** @type {number|null} */ value) => quantity(value, panel.unit, panel.perSecond);
    return h('div', { class: 'card panel', key: panel.title },
      h('div', { class: 'card-head' }, h('h3', null, panel.title), panel.note && h('p', { class: 'note' }, panel.note),
        h('a', { class: 'aside', href: to('metrics', store.named(panel.metrics[0])), 'aria-label': `Metric of ${panel.title}` }, 'Metric')),
      of && lines.length > 0
        ? [charts.show(`${part.id} ${panel.title}`, { label: `${part.title}: ${panel.title}`, ticks: of.ticks, lines, format, height: 130, max: panel.max }), folded && h('p', { class: 'note' }, folded)]
        : empty('Nothing recorded yet.', 'It is fed by ', panel.feed.startsWith('the ') ? panel.feed : code(panel.feed), '.'));
  }

  function breakerTable() {
    const all = breakers((by) => frames.get(by.join(',')));
    if (all.length === 0) return null;
    /** @type {import('./table.js').Column<import('./parts-panels.js').Breaker>[]} */
    const columns = [
      { name: 'service', title: 'Service', wide: true, cell: (of) => short(of.service, 80) },
      { name: 'state', title: 'State', cell: (of) => { const [level, word] = STATES[/** @type {0|1|2} */ (of.state)] ?? ['neutral', 'unknown']; return badge(/** @type {any} */ (level), word); } },
      { name: 'failures', title: 'Failures counted', numeric: true, cell: (of) => number(of.failures) },
      ...['success', 'failure', 'rejected'].map((result) => ({ name: result, title: `Calls: ${result}`, numeric: true, cell: (/** @type {any} */ of) => count(of.results[result] ?? 0) })),
    ];
    return h('div', { class: 'card', key: 'table' }, table({ caption: 'Circuit breakers, calls of the last 15 minutes', rows: all, rowKey: (of) => of.service, columns }), h('p', { class: 'note' }, 'Calls of the last 15 minutes.'));
  }
}

/**
 * The largest lines. What can be added is added up to one line; quantiles and shares cannot.
 * @param {import('./parts-panels.js').Line[]} lines @param {import('./parts-panels.js').Panel} panel
 */
export function limit(lines, panel) {
  if (lines.length <= LINES) return { lines, folded: '' };
  const most = (/** @type {(number|null)[]} */ values) => values.reduce((/** @type {number} */ top, value) => Math.max(top, value ?? 0), 0);
  const ordered = [...lines].sort((a, b) => most(b.values) - most(a.values));
  const [shown, rest] = [ordered.slice(0, LINES - 1), ordered.slice(LINES - 1)];
  shown.sort((a, b) => (a.label < b.label ? -1 : 1));
  const adds = panel.unit !== 's' && panel.unit !== '%';
  if (adds) return { lines: [...shown, { label: `others (${rest.length})`, values: sum(rest.map(({ values }) => values)) }], folded: `The ${LINES - 1} largest are shown; ${rest.length} others are summed.` };
  return { lines: shown, folded: `The ${LINES - 1} largest of ${lines.length} are shown.` };
}
