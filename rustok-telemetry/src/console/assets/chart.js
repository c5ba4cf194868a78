/** Line charts by uPlot, with a legend of their own and a text for those who don't see them. */
import { bdi, h, render } from './dom.js';
import { bothTimes, time } from './format.js';
import { cut, settings } from './widgets.js';

/**
 * @typedef {{label: string, values: (number|null)[], color?: string}} Line  `color` is the name of a CSS variable
 * @typedef {{label: string, ticks: number[], lines: Line[], format: (value: number|null) => string, height?: number, min?: number, max?: number}} ChartData
 */

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
const COLORS = 8;
/** How much time a chart shows at most, in milliseconds. */
const SPAN = 900_000;

/** The colour and the dashes of a line: no two of the first 32 look the same. @param {number} at @param {string} [color] */
export function look(at, color) {
  return { color: color ?? `--line-${(at % COLORS) + 1}`, dash: DASHES[Math.floor(at / COLORS) % DASHES.length] };
}

/** @param {string} name */
export function cssColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Chart {
  /** @param {string} [sync] charts of the same group show the same time under the cursor */
  constructor(sync = 'console') {
    this.sync = sync;
    this.element = document.createElement('div');
    this.element.className = 'chart';
    this.plot = document.createElement('div');
    this.plot.className = 'plot';
    this.plot.setAttribute('role', 'img');
    this.legend = document.createElement('div');
    this.legend.className = 'legend';
    this.element.append(this.plot, this.legend);
    /** @type {ChartData|null} */
    this.data = null;
    /** @type {any} */
    this.uplot = null;
    this.shape = '';
    /** @type {Set<string>} */
    this.off = new Set();
    /** @type {number|null} */
    this.cursor = null;
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.plot);
  }

  /** @param {ChartData} data @returns {HTMLElement} */
  show(data) {
    this.data = data;
    this.draw();
    return this.element;
  }

  destroy() {
    this.resizer.disconnect();
    this.uplot?.destroy();
    this.uplot = null;
  }

  draw() {
    const data = this.data;
    if (!data) return;
    const width = Math.floor(this.plot.clientWidth);
    const theme = document.documentElement.dataset.theme;
    const shape = JSON.stringify([data.lines.map((line) => [line.label, line.color]), data.label, data.height, theme, settings.utc, width > 0]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.uplot?.destroy();
      this.uplot = width > 0 ? new globalThis.uPlot(this.options(data, width), this.columns(data), this.plot) : null;
      this.hideOff();
    } else {
      this.uplot?.setData(this.columns(data));
    }
    this.plot.setAttribute('aria-label', this.inWords(data));
    this.drawLegend();
  }

  resize() {
    if (!this.uplot) this.draw();
    else if (this.plot.clientWidth > 0) this.uplot.setSize({ width: Math.floor(this.plot.clientWidth), height: this.uplot.height });
  }

  /** @param {ChartData} data */
  columns(data) {
    return [data.ticks.map((tick) => tick / 1e3), ...data.lines.map((line) => line.values)];
  }

  /** @param {ChartData} data @param {number} width */
  options(data, width) {
    const [muted, grid] = [cssColor('--muted'), cssColor('--grid')];
    const font = '11px system-ui, sans-serif';
    const axis = { stroke: muted, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    return {
      width,
      height: data.height ?? 180,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: this.sync }, drag: { x: false, y: false }, points: { size: 6 }, y: false },
      scales: {
        x: { time: true, range: () => this.range() },
        y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => yRange(data, low, high) },
      },
      tzDate: (/** @type {number} */ at) => (settings.utc ? globalThis.uPlot.tzDate(new Date(at * 1e3), 'Etc/UTC') : new Date(at * 1e3)),
      axes: [
        { ...axis, space: 70, size: 22, gap: 4, values: timeLabels },
        { ...axis, size: 60, space: 34, values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map((value) => (this.data ?? data).format(value)) },
      ],
      series: [{}, ...data.lines.map((line, at) => {
        const { color, dash } = look(at, line.color);
        return { label: line.label, stroke: cssColor(color), width: 1.5, dash, points: { show: this.single, size: 4 }, spanGaps: false };
      })],
      hooks: { setCursor: [(/** @type {any} */ plot) => this.point(plot.cursor.idx ?? null)] },
    };
  }

  /** Points only where a value has no neighbours, or it would not be seen. @param {any} plot @param {number} line */
  single = (plot, line) => plot.data[line].length < 3 || plot.data[line].filter((/** @type {any} */ value) => value !== null).length < 2;

  range() {
    const { start, end } = timeRange(this.data?.ticks ?? []);
    return [start / 1e3, end / 1e3];
  }

  /** @param {number|null} at index of the tick under the cursor */
  point(at) {
    if (this.cursor === at) return;
    this.cursor = at;
    this.drawLegend();
  }

  hideOff() {
    this.data?.lines.forEach((line, at) => {
      if (this.off.has(line.label)) this.uplot?.setSeries(at + 1, { show: false });
    });
  }

  /** @param {string} label @param {number} at */
  toggle(label, at) {
    if (!this.off.delete(label)) this.off.add(label);
    this.uplot?.setSeries(at + 1, { show: !this.off.has(label) });
    this.drawLegend();
  }

  drawLegend() {
    const data = this.data;
    if (!data) return;
    const tick = this.cursor ?? data.ticks.length - 1;
    const at = data.ticks[tick];
    render(this.legend, [
      h('span', { class: 'legend-time', title: at ? bothTimes(at) : null, key: 'time' }, at && this.cursor !== null ? time(at, { utc: settings.utc }) : 'now'),
      data.lines.map((line, index) => h('button', {
        type: 'button', class: 'legend-item', key: line.label, 'aria-pressed': String(!this.off.has(line.label)), title: `${cut(line.label, 300)}: show or hide`,
        onclick: () => this.toggle(line.label, index),
      }, swatch(index, line.color), bdi(cut(line.label, 60), { class: 'legend-label' }), h('span', { class: 'legend-value' }, data.format(line.values[tick] ?? null)))),
    ]);
  }

  /** @param {ChartData} data */
  inWords(data) {
    const values = data.lines.slice(0, 8).map((line) => `${cut(line.label, 60)} ${data.format(line.values[line.values.length - 1] ?? null)}`);
    const more = data.lines.length > 8 ? `, and ${data.lines.length - 8} more` : '';
    return `${data.label}. Now: ${values.join(', ') || 'no values'}${more}.`;
  }
}

/** @param {ChartData} data @param {number|null} low @param {number|null} high */
function yRange(data, low, high) {
  const bottom = Math.min(data.min ?? 0, low ?? 0);
  let top = Math.max(data.max ?? -Infinity, high ?? 0);
  if (top <= bottom) top = bottom + 1;
  return [bottom < 0 ? bottom * 1.1 : bottom, data.max === top ? top : top + (top - bottom) * 0.08];
}

/** Times of the axis; those that would be cut off at its ends are left out. @param {any} plot @param {number[]} at seconds */
function timeLabels(plot, at) {
  return at.map((seconds) => {
    const x = plot.valToPos(seconds, 'x');
    const fits = x > 16 && x < plot.over.clientWidth - 16;
    return fits ? time(seconds * 1e3, { utc: settings.utc, date: false }).replace(/:00$/, '') : '';
  });
}

/** The time that charts show: at most 15 minutes, and at least two. @param {number[]} ticks */
export function timeRange(ticks) {
  const end = ticks[ticks.length - 1] ?? Date.now();
  return { start: Math.max(end - SPAN, Math.min(ticks[0] ?? end, end - 120_000)), end };
}

/** A piece of the line. @param {number} at @param {string} [own] */
export function swatch(at, own) {
  const { color, dash } = look(at, own);
  return h('svg', { class: 'swatch', viewBox: '0 0 18 8', width: 18, height: 8, 'aria-hidden': 'true' },
    h('line', { x1: 0, y1: 4, x2: 18, y2: 4, style: { stroke: `var(${color})` }, 'stroke-width': 2, 'stroke-dasharray': dash.join(' ') || null }));
}

/** Charts by name: made when first shown, and ended together. */
export class Charts {
  constructor() {
    /** @type {Map<string, Chart>} */
    this.charts = new Map();
  }

  /** @param {string} name @param {ChartData} data @returns {HTMLElement} */
  show(name, data) {
    let chart = this.charts.get(name);
    if (!chart) this.charts.set(name, (chart = new Chart()));
    return chart.show(data);
  }

  destroy() {
    for (const chart of this.charts.values()) chart.destroy();
    this.charts.clear();
  }
}
