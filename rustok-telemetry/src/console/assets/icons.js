/** Icons, drawn with lines on 16 by 16. They are always beside a word, so they are hidden from screen readers. */
import { h } from './dom.js';

const PATHS = {
  overview: 'M2 13V8m4 5V3m4 10V6m4 7V9',
  traces: 'M2 4h8M5 8h8M8 12h6',
  metrics: 'M2 12l4-5 3 3 5-7',
  logs: 'M3 3h10M3 6.5h10M3 10h7M3 13.5h5',
  parts: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  telemetry: 'M8 14V9M4.5 6.5a5 5 0 0 1 7 0M2 4a8.5 8.5 0 0 1 12 0M7 9h2',
  error: 'M8 1.8 14.5 13.5H1.5zM8 6v3.6M8 11.4v.4',
  warning: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 4.5v4.2M8 11v.4',
  ok: 'M2.5 8.5l3.5 3.5 7.5-8',
  pause: 'M5 3v10M11 3v10',
  play: 'M4.5 2.5v11l8.5-5.5z',
  theme: 'M8 2a6 6 0 1 0 6 6 4.6 4.6 0 0 1-6-6z',
  keys: 'M1.5 4h13v8h-13zM4 6.5h.5M7.5 6.5h.5M11 6.5h.5M5 9.5h6',
  close: 'M3 3l10 10M13 3L3 13',
  right: 'M6 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  clock: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 4v4.2l2.6 1.6',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 13A3 3 0 0 1 3 8.5L4.5 7',
  back: 'M10 3L5 8l5 5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  return h('svg', { class: `icon icon-${name}`, viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true', focusable: 'false' },
    h('path', { d: PATHS[name] }));
}
