/** The view Metrics: all metrics, found by name or help. */
import { h } from './dom.js';
import { plural } from './format.js';
import { empty, section, short, to } from './widgets.js';
import { metric } from './metric.js';

const KINDS = { counter: 'counter', up_down_counter: 'up-down counter', gauge: 'gauge', histogram: 'histogram' };

/** The metrics whose name, help or labels have all words; those with values first. @param {any[]} metrics @param {string} text */
export function found(metrics, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = metrics.filter(({ name, help, labels }) => {
    const where = `${name} ${help} ${labels.join(' ')}`.toLowerCase();
    return words.every((word) => where.includes(word));
  });
  return matching.sort((a, b) => Number(a.series === 0) - Number(b.series === 0) || (a.name < b.name ? -1 : 1));
}

/** @param {import('./app.js').Context} context */
export function metrics(context) {
  const { store } = context;
  /** @type {any[]|null} */
  let all = null;
  let text = '';
  const chosen = context.route().id;
  const one = chosen === null ? null : metric(context, chosen);

  return {
    title: chosen ?? 'Metrics',
    on: ['tick'],
    async load(/** @type {AbortSignal} */ signal) {
      all = await store.get('api/metrics', signal);
      await one?.load(signal, all?.find(({ name }) => name === chosen) ?? null);
    },
    draw() {
      if (!all) return h('p', { class: 'note' }, 'Loading…');
      return h('div', { class: chosen === null ? 'metrics' : 'metrics metrics-chosen' }, list(all), one ? h('div', { class: 'metric', key: 'one' }, one.draw()) : hint());
    },
    leave: () => one?.leave(),
  };

  function hint() {
    return h('div', { class: 'card metric-hint', key: 'hint' }, empty('Choose a metric.', 'Its values over the last 15 minutes are shown by label, as a rate, a value, quantiles or a heat map.'));
  }

  /** @param {any[]} all */
  function list(all) {
    const shown = found(all, text);
    const search = h('label', { class: 'field' }, h('span', null, 'Search names, help and labels'),
      h('input', { type: 'search', value: text, autocomplete: 'off', spellcheck: 'false', 'data-search': '', oninput: (/** @type {any} */ event) => { text = event.target.value; context.redraw(); } }));
    return section('All metrics', { id: 'all-metrics', note: shown.length === all.length ? plural(all.length, 'metric') : `${shown.length} of ${all.length}`, key: 'list' },
      search,
      all.length === 0 ? empty('No metrics yet.', 'They appear after the first sample, within 2 s of the start.')
        : shown.length === 0 ? empty('No metric matches.', 'Every word must be part of the name, the help or a label.')
          : h('ul', { class: 'metric-list' }, shown.map((of) => h('li', { key: of.name },
            h('a', { href: to('metrics', of.name), 'aria-current': of.name === chosen ? 'page' : null },
              h('span', { class: 'metric-name' }, short(of.name, 120)),
              h('span', { class: 'note' }, `${KINDS[/** @type {keyof typeof KINDS} */ (of.kind)] ?? of.kind}${of.unit ? ` in ${of.unit}` : ''} · `, of.series === 0 ? 'nothing recorded' : plural(of.series, 'series', 'series')),
              h('span', { class: 'metric-help' }, short(of.help, 200)))))));
  }
}
