/** The keyboard: single keys, and `g` followed by the letter of a view. */
import { h, render } from './dom.js';

/** @type {[string, string][]} */
const HELP = [
  ['/', 'Go to the search or filter of the view'],
  ['p', 'Pause or resume'],
  ['g o', 'Overview'], ['g t', 'Traces'], ['g m', 'Metrics'], ['g l', 'Logs'], ['g p', 'Parts'], ['g e', 'Telemetry'],
  ['↑ ↓', 'Previous and next row of a waterfall'],
  ['← →', 'Close and open a span, or go out and in'],
  ['u', 'Times in UTC or local'],
  ['?', 'These keys'],
  ['Escape', 'Close, or leave a field'],
];
const VIEWS = { o: '', t: 'traces', m: 'metrics', l: 'logs', p: 'parts', e: 'telemetry' };
/** How long `g` waits for its second key. */
const PATIENCE = 1_500;

/** @param {{pause: () => void, utc: () => void, go: (view: string) => void}} actions */
export function keys({ pause, utc, go }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('keys'));
  let since = 0;
  render(dialog, [
    h('div', { class: 'card-head' }, h('h2', { id: 'keys-title' }, 'Keys'), h('div', { class: 'aside' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Close'))),
    h('dl', { class: 'keys' }, HELP.map(([key, text]) => [h('dt', null, key.split(' ').map((one, at) => [at > 0 && ' ', h('kbd', null, one)])), h('dd', null, text)])),
    h('p', { class: 'note' }, 'While paused, nothing moves and nothing is requested until you resume, open something or change a filter.'),
  ]);
  const help = () => (dialog.open ? dialog.close() : dialog.showModal());
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches('input:not([type=checkbox]), select, textarea')) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    if (event.key === 'Escape') return dialog.close();
    if (dialog.open && event.key !== '?') return;
    const afterG = performance.now() - since < PATIENCE;
    since = 0;
    if (afterG && event.key in VIEWS) go(VIEWS[/** @type {keyof typeof VIEWS} */ (event.key)]);
    else if (event.key === 'g') since = performance.now();
    else if (event.key === '?') help();
    else if (event.key === 'p') pause();
    else if (event.key === 'u') utc();
    else if (event.key === '/') {
      const search = /** @type {HTMLInputElement|null} */ (document.querySelector('[data-search]'));
      search?.focus();
      search?.select();
    } else return;
    event.preventDefault();
  });
  return { help };
}
