/** What is around every view: navigation, the service, the switches, and the banner. */
import { bdi, h } from './dom.js';
import { duration } from './format.js';
import { icon } from './icons.js';
import { badge, button, clock, select, settings, short, to } from './widgets.js';

/** @type {[string, string, Parameters<typeof icon>[0], string][]} view, title, icon, key */
const VIEWS = [
  ['', 'Overview', 'overview', 'o'], ['traces', 'Traces', 'traces', 't'], ['metrics', 'Metrics', 'metrics', 'm'],
  ['logs', 'Logs', 'logs', 'l'], ['parts', 'Parts', 'parts', 'p'], ['telemetry', 'Telemetry', 'telemetry', 'e'],
];

/** @param {string} current */
export function navigation(current) {
  return h('ul', null, VIEWS.map(([view, title, name, key]) => h('li', { key: view },
    h('a', { href: to(view), 'aria-current': view === current ? 'page' : null, title: `Keys: g ${key}` }, icon(name), h('span', null, title)))));
}

/**
 * @param {import('./store.js').Store} store
 * @param {{pause: () => void, theme: () => void, utc: () => void, help: () => void, follow: (name: string) => void, themeName: string}} actions
 */
export function header(store, actions) {
  const { state } = store;
  const peers = state?.peers ?? [];
  return [
    h('div', { class: 'service', key: 'service' },
      h('span', { class: 'service-name' }, state ? short(state.service, 40) : 'RusToK console'),
      state && h('span', { class: 'note service-about' }, state.version && [short(state.version, 20), ' · '], short(state.instance, 40), ' · up ', duration(Math.max(0, Math.floor((store.now - state.started_at) / 1e3) * 1e3)))),
    peers.length > 0 && select('Service', settings.peer ?? '', [['', state?.own ?? 'this service'], ...peers.map((/** @type {any} */ peer) => /** @type {[string, string]} */ ([peer.name, peer.name]))], actions.follow),
    h('div', { class: 'switches', key: 'switches' },
      connection(store),
      button([icon(store.paused ? 'play' : 'pause'), h('span', null, store.paused ? 'Resume' : 'Pause')], actions.pause, { title: 'Key: p', class: store.paused ? 'primary' : null }),
      button([icon('clock'), h('span', null, settings.utc ? 'UTC' : 'Local')], actions.utc, { title: `Times are ${settings.utc ? 'in UTC' : 'local'}. Key: u`, 'aria-label': `Times: ${settings.utc ? 'UTC' : 'local'}` }),
      button([icon('theme'), h('span', null, actions.themeName)], actions.theme, { title: 'Colours: as the system, light or dark', 'aria-label': `Colours: ${actions.themeName}` }),
      button([icon('keys'), h('span', null, 'Keys')], actions.help, { title: 'Key: ?' })),
  ];
}

/** @param {import('./store.js').Store} store */
function connection(store) {
  if (store.paused) return badge('warning', 'Paused', 'Nothing moves and nothing is requested');
  switch (store.connection) {
    case 'live': return badge('ok', 'Live');
    case 'polling': return badge('ok', 'Live, polling', 'The event stream is not available; the page asks every few seconds');
    case 'connecting': return badge('neutral', 'Connecting');
    case 'refused': return badge('error', 'Refused');
    default: return badge('error', 'No answer');
  }
}

/**
 * @param {import('./store.js').Store} store @param {string} failure of the view
 * @param {{retry: () => void, resume: () => void, dismiss: () => void}} actions
 */
export function banner(store, failure, actions) {
  if (store.paused) {
    return h('div', { class: 'banner banner-paused', key: 'paused' }, icon('pause'), h('p', null, 'Paused at ', clock(store.now), '. Nothing moves and nothing is requested.'), button('Resume', actions.resume));
  }
  if (store.connection === 'refused') {
    return h('div', { class: 'banner banner-error', key: 'refused' }, icon('error'), h('p', null, 'The service refuses this page: ', bdi(store.reason)), button('Try again', actions.retry));
  }
  if (store.connection === 'gone') {
    const who = settings.peer === null ? 'The service' : ['The console of ', bdi(settings.peer.slice(0, 60))];
    return h('div', { class: 'banner banner-error', key: 'gone' }, icon('error'),
      h('p', null, who, ' has not answered since ', clock(store.goneSince ?? 0), ' (', bdi(store.reason), '). ', store.state ? 'What is shown is older. ' : '', 'The page keeps trying.'), button('Try now', actions.retry));
  }
  if (failure) return h('div', { class: 'banner banner-error', key: 'failure' }, icon('error'), h('p', null, 'This view could not be loaded: ', bdi(failure)), button('Try again', actions.retry));
  if (store.restartedAt) return h('div', { class: 'banner', key: 'restarted' }, icon('warning'), h('p', null, 'The service restarted at ', clock(store.restartedAt), '; the console starts anew.'), button('Dismiss', actions.dismiss));
  return null;
}
