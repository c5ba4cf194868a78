/** A line without axes, for tiles and tables. */
import { h } from './dom.js';

const [WIDTH, HEIGHT] = [120, 28];

/**
 * Points of the line, in parts where values are missing.
 * @param {(number|null)[]} values
 * @returns {string[]}
 */
export function parts(values) {
  const known = values.filter((value) => Number.isFinite(value)).map(Number);
  if (known.length === 0) return [];
  const [low, high] = [Math.min(0, ...known), Math.max(...known)];
  const scale = high > low ? (HEIGHT - 3) / (high - low) : 0;
  /** @type {string[][]} */
  const lines = [[]];
  values.forEach((value, at) => {
    if (value === null || !Number.isFinite(value)) {
      if (lines[lines.length - 1].length > 0) lines.push([]);
      return;
    }
    const x = values.length > 1 ? (at * WIDTH) / (values.length - 1) : WIDTH;
    lines[lines.length - 1].push(`${x.toFixed(1)},${(HEIGHT - 1.5 - (value - low) * scale).toFixed(1)}`);
  });
  return lines.filter((line) => line.length > 0).map((line) => line.join(' '));
}

/** @param {(number|null)[]} values @param {string} label what it shows, in words */
export function sparkline(values, label) {
  return h('svg', { class: 'sparkline', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    parts(values).map((points) => h('polyline', { points, fill: 'none' })));
}
