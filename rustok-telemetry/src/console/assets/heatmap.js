/** A heat map of a histogram: time across, buckets upwards, the stronger the colour the more. */
import { bucketGrowth } from './quantiles.js';
import { cssColor, timeRange } from './chart.js';
import { number, time } from './format.js';
import { settings } from './widgets.js';

/**
 * Observations by column of time and bucket.
 * @param {(number[]|null)[]} buckets cumulative over time @param {number[]} ticks @param {number} columns
 * @returns {{from: number, to: number, counts: number[]}[]}
 */
export function cells(buckets, ticks, columns) {
  const step = Math.max(1, Math.ceil((ticks.length - 1) / columns));
  const made = [];
  for (let end = ticks.length - 1; end > 0; end -= step) {
    const start = Math.max(0, end - step);
    made.unshift({ from: ticks[start], to: ticks[end], counts: bucketGrowth(buckets, start, end) ?? [] });
  }
  return made;
}

export class Heatmap {
  constructor() {
    this.element = document.createElement('div');
    this.element.className = 'heatmap';
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.text = document.createElement('p');
    this.text.className = 'note';
    this.element.append(this.canvas, this.text);
    /** @type {any} */
    this.data = null;
    this.resizer = new ResizeObserver(() => this.draw());
    this.resizer.observe(this.element);
    this.canvas.onmousemove = (event) => this.point(event);
    this.canvas.onmouseleave = () => this.describe();
  }

  /** @param {{label: string, ticks: number[], bounds: number[], buckets: (number[]|null)[], format: (value: number) => string}} data */
  show(data) {
    this.data = data;
    this.draw();
    return this.element;
  }

  destroy() {
    this.resizer.disconnect();
  }

  draw() {
    const width = this.element.clientWidth;
    if (!this.data || width === 0) return;
    const { ticks, bounds, buckets, format } = this.data;
    const [ratio, rows] = [globalThis.devicePixelRatio || 1, bounds.length + 1];
    const height = Math.max(180, rows * 15) + 26;
    this.canvas.style.setProperty('height', `${height}px`);
    [this.canvas.width, this.canvas.height] = [width * ratio, height * ratio];
    const canvas = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    canvas.scale(ratio, ratio);
    this.columns = cells(buckets, ticks, Math.max(20, Math.min(90, Math.floor((width - 70) / 8))));
    this.area = { left: 70, top: 4, width: width - 74, height: height - 30, ...timeRange(ticks), rows };
    const most = Math.max(1, ...this.columns.flatMap((column) => column.counts));
    const color = cssColor('--accent');
    const { area } = this;
    const rowHeight = area.height / rows;
    const x = (/** @type {number} */ at) => area.left + ((at - area.start) * area.width) / (area.end - area.start);
    canvas.fillStyle = cssColor('--grid');
    canvas.globalAlpha = 0.35;
    canvas.fillRect(area.left, area.top, area.width, area.height);
    canvas.fillStyle = color;
    for (const column of this.columns) {
      column.counts.forEach((count, bucket) => {
        if (count <= 0) return;
        canvas.globalAlpha = 0.12 + (0.88 * Math.log1p(count)) / Math.log1p(most);
        canvas.fillRect(x(column.from), area.top + area.height - (bucket + 1) * rowHeight, Math.max(1, x(column.to) - x(column.from) - 0.5), rowHeight - 1);
      });
    }
    canvas.globalAlpha = 1;
    canvas.fillStyle = cssColor('--muted');
    canvas.font = '11px system-ui, sans-serif';
    canvas.textAlign = 'right';
    canvas.textBaseline = 'middle';
    bounds.forEach((/** @type {number} */ bound, /** @type {number} */ at) => canvas.fillText(format(bound), area.left - 6, area.top + area.height - (at + 1) * rowHeight));
    canvas.textAlign = 'center';
    canvas.textBaseline = 'top';
    for (let part = 0; part <= 3; part += 1) {
      const at = area.start + (part * (area.end - area.start)) / 3;
      canvas.textAlign = part === 0 ? 'left' : part === 3 ? 'right' : 'center';
      canvas.fillText(time(at, { utc: settings.utc, date: false }), x(at), area.top + area.height + 8);
    }
    this.most = most;
    this.describe();
  }

  describe() {
    const { columns = [], data, most } = this;
    const sums = data.bounds.map((/** @type {number} */ _, /** @type {number} */ bucket) => columns.reduce((sum, column) => sum + (column.counts[bucket] ?? 0), 0));
    const top = sums.indexOf(Math.max(...sums));
    const text = `The stronger the colour, the more observations: up to ${number(most)} in a cell. Most are at or below ${data.format(data.bounds[top])}.`;
    this.text.textContent = text;
    this.canvas.setAttribute('aria-label', `${data.label}. ${text}`);
  }

  /** @param {MouseEvent} event */
  point(event) {
    const { area, columns, data } = this;
    if (!area || !columns) return;
    const at = area.start + ((event.offsetX - area.left) * (area.end - area.start)) / area.width;
    const bucket = Math.floor(((area.top + area.height - event.offsetY) * area.rows) / area.height);
    const column = columns.find(({ from, to }) => at >= from && at < to);
    if (!column || bucket < 0 || bucket >= area.rows) return this.describe();
    const lower = bucket === 0 ? '' : `above ${data.format(data.bounds[bucket - 1])}`;
    const upper = bucket === data.bounds.length ? '' : `up to ${data.format(data.bounds[bucket])}`;
    const when = (/** @type {number} */ tick) => time(tick, { utc: settings.utc });
    this.text.textContent = `${when(column.from)} to ${when(column.to)}, ${[lower, upper].filter(Boolean).join(', ')}: ${number(column.counts[bucket] ?? 0)}`;
  }
}
