/** Starts the console: the store, the view of the address, and what is around it. */
import { request } from './api.js';
import { h, render } from './dom.js';
import { keys } from './keys.js';
import { logs } from './logs.js';
import { metrics } from './metrics.js';
import { overview } from './overview.js';
import { parts } from './parts.js';
import { href, parse } from './router.js';
import { banner, header, navigation } from './shell.js';
import { Store } from './store.js';
import { telemetry } from './telemetry.js';
import { trace } from './trace.js';
import { traces } from './traces.js';
import { settings, to } from './widgets.js';

/**
 * @typedef {{title: string, on: string[], load: (signal: AbortSignal) => Promise<void>, draw: () => any, drawn?: () => void, leave?: () => void}} View
 * @typedef {{[name: string]: string|number|string[]}} Changes
 * @typedef {{store: Store, route: () => import('./router.js').Route, redraw: () => void, reload: () => void, go: (hash: string) => void, setParams: (changes: Changes, load?: boolean) => void, act: (action: () => Promise<void>) => Promise<void>, post: (path: string, body: unknown) => Promise<any>, copy: (text: string) => void}} Context
 */

const VIEWS = { '': overview, traces, metrics, logs, parts, telemetry };
const THEMES = ['system', 'light', 'dark'];
const [main, title, navigationElement, headerElement, bannerElement] = ['view', 'title', 'navigation', 'header', 'banner'].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));

const store = new Store();
let route = parse(location.hash);
let view = /** @type {View|null} */ (null);
let failure = '';
let loading = /** @type {AbortController|null} */ (null);
let again = false;
let theme = remembered('theme', 'system');

/** @type {Context} */
const context = {
  store, route: () => route, redraw, go: (hash) => { location.hash = hash; },
  reload: () => void load(true),
  setParams, act,
  post: (path, body) => request(path, { peer: store.peer, body }),
  copy: (text) => void navigator.clipboard?.writeText(text).catch(() => {}),
};

/** Shows the view of the address. @param {boolean} first */
function enter(first) {
  const before = route;
  route = parse(location.hash);
  settings.peer = route.params.get('console');
  store.follow(settings.peer);
  const same = view !== null && before.view === route.view && before.id === route.id && before.params.get('console') === route.params.get('console');
  if (!same) {
    view?.leave?.();
    const make = route.view === 'traces' && route.id !== null ? trace : VIEWS[/** @type {keyof typeof VIEWS} */ (route.view)] ?? overview;
    render(main, []);
    view = /** @type {View} */ (make(context));
    failure = '';
  }
  redraw();
  if (!same && !first) {
    scrollTo(0, 0);
    title.focus({ preventScroll: true });
  }
  // While paused, only what the reader opens is requested.
  if (!first || store.paused) void load(true);
}

/**
 * Loads the view. One request after the other: a tick during a load is followed by one more load.
 * @param {boolean} asked by the reader: what is being loaded is no longer wanted
 */
async function load(asked) {
  if (!asked && !store.active) return;
  if (loading && !asked) {
    again = true;
    return;
  }
  loading?.abort();
  const [mine, of] = [new AbortController(), view];
  loading = mine;
  again = false;
  try {
    await of?.load(mine.signal);
    if (mine.signal.aborted) return;
    failure = '';
  } catch (error) {
    if (mine.signal.aborted) return;
    failure = error instanceof Error ? error.message : String(error);
    if (!('status' in /** @type {object} */ (error))) console.error(error);
  } finally {
    if (loading === mine) loading = null;
  }
  if (of !== view) return;
  redraw();
  if (again) void load(false);
}

function redraw() {
  if (!view) return;
  title.textContent = view.title.slice(0, 200);
  document.title = `${view.title.slice(0, 100)} · ${store.state?.service ?? 'RusToK'} console`;
  render(main, view.draw());
  view.drawn?.();
  redrawShell();
}

function redrawShell() {
  document.body.classList.toggle('paused', store.paused);
  render(navigationElement, navigation(route.view));
  render(headerElement, header(store, { pause, theme: nextTheme, utc, help: shortcuts.help, follow, themeName: theme === 'system' ? 'Auto' : theme === 'light' ? 'Light' : 'Dark' }));
  const gone = store.connection === 'gone' || store.connection === 'refused';
  render(bannerElement, banner(store, gone ? '' : failure, { retry, resume: pause, dismiss: () => { store.restartedAt = null; redrawShell(); } }));
}

function retry() {
  store.retryIn = 1_000;
  void store.connect();
  void load(true);
}

/** Changes filters in the address. @param {Changes} changes @param {boolean} [reload] */
function setParams(changes, reload = true) {
  const params = new URLSearchParams(route.params);
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one !== '') params.append(name, String(one));
  }
  history.replaceState(null, '', href(route.view, route.id, params));
  route = parse(location.hash);
  redraw();
  if (reload) void load(true);
}

/** Does what the reader asked for, and says if it failed. @param {() => Promise<void>} action */
async function act(action) {
  try {
    await action();
    failure = '';
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  redraw();
}

function pause() {
  if (!store.paused) {
    loading?.abort();
    loading = null;
  }
  store.pause(!store.paused);
}

function utc() {
  settings.utc = !settings.utc;
  remember('utc', String(settings.utc));
  redraw();
}

function nextTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  remember('theme', theme);
  applyTheme();
}

function applyTheme() {
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  redraw();
}

/** @param {string} name */
function follow(name) {
  const id = route.view === 'metrics' ? route.id : null;
  location.hash = href(route.view, id, { console: name });
}

/** @param {string} name @param {string} otherwise */
function remembered(name, otherwise) {
  try {
    return localStorage.getItem(`rustok-console-${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} name @param {string} value */
function remember(name, value) {
  try {
    localStorage.setItem(`rustok-console-${name}`, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

const shortcuts = keys({ pause, utc, go: (of) => { location.hash = to(of); } });
settings.utc = remembered('utc', 'false') === 'true';
render(/** @type {HTMLElement} */ (document.getElementById('skip')), h('button', { type: 'button', class: 'skip', onclick: () => title.focus() }, 'Skip to the content'));
for (const event of ['connected', 'tick', 'logs', 'traces']) {
  store.addEventListener(event, () => {
    // Only ticks come from a followed console, and without an event stream.
    const every = event === 'connected' || (event === 'tick' && (store.connection === 'polling' || settings.peer !== null));
    if (every || view?.on.includes(event)) void load(false);
    else redrawShell();
  });
}
store.addEventListener('change', redrawShell);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);
addEventListener('hashchange', () => enter(false));
applyTheme();
enter(true);
void store.connect();
