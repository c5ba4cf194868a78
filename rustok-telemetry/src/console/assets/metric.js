/** One metric: a chart by label as rate, value, quantiles or heat map, its current values, and its exemplars. */
import { query, seriesQuery } from './api.js';
import { Charts } from './chart.js';
import { bdi, h } from './dom.js';
import { count, number, plural, quantity } from './format.js';
import { Heatmap } from './heatmap.js';
import { quantiles, rate, histogramQuantile } from './quantiles.js';
import { label, labelKey, largest, last, total } from './series.js';
import { table } from './table.js';
import { button, choice, clock, empty, section, select, short, traceLink } from './widgets.js';

/** The most lines of a chart; the others are summed. */
const LINES = 20;
const SHOWS = {
  counter: [['rate', 'Rate'], ['value', 'Value']],
  histogram: [['quantiles', 'Quantiles'], ['rate', 'Rate'], ['mean', 'Mean'], ['heatmap', 'Heat map']],
  gauge: [['value', 'Value']],
  up_down_counter: [['value', 'Value']],
};

/** @param {import('./app.js').Context} context @param {string} name */
export function metric(context, name) {
  const { store } = context;
  const charts = new Charts();
  const heatmap = new Heatmap();
  /** @type {any} */
  let about = null;
  /** @type {import('./series.js').Frames|null} */
  let frames = null;
  /** @type {import('./series.js').Frames|null} */
  let now = null;
  /** @type {any[]} */
  let exemplars = [];
  let sort = { by: 'value', down: true };
  let exemplarSort = { by: 'value', down: true };

  const params = () => context.route().params;
  const matches = () => params().getAll('match').map((text) => /** @type {[string, string]} */ ([text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
  const shows = () => /** @type {string[][]} */ (SHOWS[/** @type {keyof typeof SHOWS} */ (about.kind)] ?? SHOWS.gauge);
  const show = () => shows().find(([of]) => of === params().get('show'))?.[0] ?? shows()[0][0];
  /** Quantiles and heat maps start as one; others by their first label. */
  const by = () => {
    const given = params().get('by');
    if (given !== null) return given.split(',').filter((of) => about.labels.includes(of));
    return about.kind === 'histogram' ? [] : about.labels.slice(0, 1);
  };

  return {
    async load(/** @type {AbortSignal} */ signal, /** @type {any} */ found) {
      about = found;
      if (!about) return;
      const group = show() === 'heatmap' ? [] : by();
      const recent = store.now - 2 * (store.state?.tick_ms ?? 2_000) - 500;
      const keepsExemplars = ['counter', 'histogram'].includes(about.kind);
      [frames, now, exemplars] = await Promise.all([
        store.series.get(seriesQuery([name], { by: group, match: matches() }), signal),
        store.get(`api/series${query({ metric: name, since: Math.round(recent) })}`, signal),
        keepsExemplars ? store.get(`api/exemplars${query({ metric: name })}`, signal) : [],
      ]);
    },
    draw() {
      if (!about) return section('Unknown metric', { id: 'metric' }, empty('There is no metric of this name.', bdi(name.slice(0, 200))));
      return [section('Over the last 15 minutes', { id: 'metric', key: `about ${name}` },
        h('p', { class: 'metric-help' }, bdi(about.help)),
        h('p', { class: 'note' }, `${about.kind.replaceAll('_', '-')}${about.unit ? ` in ${about.unit}` : ''}, `, about.labels.length > 0 ? `labels ${about.labels.join(', ')}` : 'no labels', `, ${plural(about.series, 'series', 'series')}`),
        controls(), chart()), values(), traces()];
    },
    leave() {
      charts.destroy();
      heatmap.destroy();
    },
  };

  function controls() {
    const known = now?.metrics[name]?.series ?? [];
    return h('div', { class: 'filters' },
      shows().length > 1 && choice('Show as', show(), /** @type {[string, string][]} */ (shows()), (value) => context.setParams({ show: value })),
      about.labels.length > 0 && h('fieldset', { class: 'checks', key: 'by' }, h('legend', null, 'Group by'), about.labels.map((/** @type {string} */ of) => h('label', { class: 'check', key: of },
        h('input', { type: 'checkbox', checked: by().includes(of), disabled: show() === 'heatmap', onchange: () => group(of) }), bdi(of)))),
      about.labels.map((/** @type {string} */ of) => {
        const values = [...new Set(known.map(({ labels }) => labels[of] ?? ''))].sort();
        return select(`Only ${of}`, matches().find(([is]) => is === of)?.[1] ?? '', [['', 'any'], ...values.filter(Boolean).map((value) => /** @type {[string, string]} */ ([value, value]))], (value) => match(of, value));
      }));
  }

  /** @param {string} of */
  function group(of) {
    const next = by().includes(of) ? by().filter((/** @type {string} */ is) => is !== of) : [...by(), of];
    context.setParams({ by: next.join(',') || '-' });
  }

  /** @param {string} of @param {string} value */
  function match(of, value) {
    const others = params().getAll('match').filter((text) => !text.startsWith(`${of}=`));
    context.setParams({ match: value === '' ? others : [...others, `${of}=${value}`] });
  }

  function chart() {
    const of = frames?.metrics[name];
    if (!frames || !of || of.series.length === 0) {
      return empty('Nothing has been recorded yet.', matches().length > 0 ? 'Remove a filter, or wait.' : 'Its first value shows up here within 2 s.', matches().length > 0 && [' ', button('Remove all filters', () => context.setParams({ match: [] }))]);
    }
    const unit = about.unit || '';
    if (show() === 'heatmap') {
      const { buckets = [] } = total(of.series);
      return heatmap.show({ label: `Heat map of ${name}`, ticks: frames.ticks, bounds: of.bounds ?? [], buckets, format: (value) => quantity(value, unit) });
    }
    const { lines, folded } = linesOf(of, frames.ticks);
    const perSecond = show() === 'rate';
    return [
      charts.show(show(), { label: `${name} as ${show()}`, ticks: frames.ticks, lines, height: 280, format: (value) => quantity(value, perSecond && about.kind === 'histogram' ? '' : unit, perSecond) }),
      h('p', { class: 'note' },
        perSecond ? (about.kind === 'histogram' ? 'Observations per second, over 10 s. ' : 'Per second, over 10 s. ') : show() === 'quantiles' ? 'Over 30 s, interpolated within a bucket as Prometheus does. ' : '',
        folded > 0 && `The ${LINES - 1} largest are shown; the other ${folded} are summed as “others”. `,
        of.left_out ? `The service left out ${of.left_out} smaller series: group by fewer labels.` : ''),
    ];
  }

  /** @param {import('./series.js').Metric} of @param {number[]} ticks */
  function linesOf(of, ticks) {
    const isQuantiles = show() === 'quantiles';
    const { shown, others, folded } = largest(of, isQuantiles ? Math.floor(LINES / 3) : LINES);
    const all = others ? [...shown, { ...others, name: `others (${folded})` }] : shown;
    const lines = all.flatMap((/** @type {any} */ series) => {
      const text = series.name ?? label(series.labels, by());
      if (isQuantiles) return [0.5, 0.95, 0.99].map((quantile) => ({ label: by().length > 0 ? `${text} p${quantile * 100}` : `p${quantile * 100}`, values: quantiles(quantile, of.bounds ?? [], series.buckets ?? [], ticks) }));
      if (show() === 'rate') return [{ label: text, values: rate(series.values ?? series.count ?? [], ticks) }];
      if (show() === 'mean') {
        const [sums, counts] = [rate(series.sum ?? [], ticks, 30_000), rate(series.count ?? [], ticks, 30_000)];
        return [{ label: text, values: sums.map((value, tick) => (counts[tick] ? (value ?? 0) / counts[tick] : null)) }];
      }
      return [{ label: text, values: series.values ?? [] }];
    });
    return { lines, folded };
  }

  /** The recorded values whose trace is known, the largest first. */
  function traces() {
    const kept = exemplars.filter(({ labels }) => matches().every(([is, value]) => labels[is] === value));
    if (kept.length === 0) return null;
    /** @type {import('./table.js').Column<any>[]} */
    const columns = [
      ...about.labels.map((/** @type {string} */ is) => ({ name: `label ${is}`, title: is, value: (/** @type {any} */ one) => one.labels[is] ?? '', cell: (/** @type {any} */ one) => short(one.labels[is] || '(empty)', 80) })),
      { name: 'value', title: 'Recorded value', numeric: true, value: (one) => one.value, cell: (one) => quantity(one.value, about.unit || '') },
      { name: 'time', title: 'Time', value: (one) => one.time, cell: (one) => clock(one.time) },
      { name: 'trace', title: 'Trace', value: (one) => one.trace_id, cell: (one) => traceLink(one.trace_id, one.span_id) },
    ];
    return section('Exemplars', { id: 'exemplars', note: 'the latest value of each series, or of each bucket, that was recorded in a sampled span' },
      table({ caption: `Exemplars of ${name.slice(0, 120)}`, rows: kept, rowKey: (one) => `${one.span_id} ${labelKey(one.labels)} ${one.value}`, columns, sort: exemplarSort, onSort: (next) => { exemplarSort = next; context.redraw(); } }));
  }

  function values() {
    const of = now?.metrics[name];
    if (!of || of.series.length === 0) return null;
    const unit = about.unit || '';
    const kept = of.series.filter(({ labels }) => matches().every(([is, value]) => labels[is] === value));
    const histogram = about.kind === 'histogram';
    const value = (/** @type {any} */ series) => last(histogram ? series.count : series.values);
    const quantile = (/** @type {any} */ series) => (/** @type {number} */ at) => {
      const buckets = /** @type {number[]|null} */ (last(series.buckets ?? []));
      return buckets ? histogramQuantile(at, of.bounds ?? [], buckets) : null;
    };
    /** @type {import('./table.js').Column<any>[]} */
    const columns = [
      ...about.labels.map((/** @type {string} */ is) => ({ name: `label ${is}`, title: is, value: (/** @type {any} */ series) => series.labels[is] ?? '', cell: (/** @type {any} */ series) => short(series.labels[is] || '(empty)', 80) })),
      { name: 'value', title: histogram ? 'Observations' : 'Value', numeric: true, value, cell: (series) => h('span', { title: String(value(series)) }, histogram ? count(value(series)) : unit === 's' && about.kind === 'counter' ? `${number(value(series))} s` : quantity(value(series), unit)) },
      ...(histogram ? [
        { name: 'mean', title: 'Mean', numeric: true, value: meanOf, cell: (/** @type {any} */ series) => quantity(meanOf(series), unit) },
        ...[0.5, 0.95, 0.99].map((at) => ({ name: `p${at * 100}`, title: `p${at * 100}`, numeric: true, value: (/** @type {any} */ series) => quantile(series)(at), cell: (/** @type {any} */ series) => quantity(quantile(series)(at), unit) })),
      ] : []),
    ];
    return section('Current values', { id: 'values', note: `since the start of the process${of.left_out ? `; ${of.left_out} smaller series are left out` : ''}` },
      table({ caption: `Current values of ${name.slice(0, 120)}`, rows: kept, rowKey: (series) => labelKey(series.labels), columns, sort, onSort: (next) => { sort = next; context.redraw(); } }));
  }
}

/** @param {any} series */
function meanOf(series) {
  const [sum, observations] = [last(series.sum ?? []), last(series.count ?? [])];
  return observations ? Number(sum) / Number(observations) : null;
}
