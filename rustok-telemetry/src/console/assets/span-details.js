/** What is known of the selected span or log line of a trace. */
import { bdi, h } from './dom.js';
import { duration, plural } from './format.js';
import { ownTime } from './trace-tree.js';
import { attributeList, badge, clock, longText, short, to, traceLink } from './widgets.js';

const MANY = 100;

/**
 * @param {import('./trace-tree.js').Tree} tree
 * @param {import('./trace-tree.js').Node|null} node
 * @param {import('./trace-tree.js').Log|null} log
 * @param {import('./app.js').Context} context
 */
export function spanDetails(tree, node, log, context) {
  const redraw = context.redraw;
  const id = node?.id ?? (log ? `log ${log.seq}` : 'none');
  return h('section', { class: 'card details', tabIndex: 0, 'aria-labelledby': 'details', key: `details ${id}` },
    h('h2', { id: 'details' }, node ? 'Selected span' : log ? 'Selected log line' : 'Nothing is selected'),
    node ? ofSpan(tree, node, redraw) : log ? ofLog(log, redraw) : h('p', { class: 'note' }, 'Select a span or a log line.'));
}

/** @param {import('./trace-tree.js').Tree} tree @param {import('./trace-tree.js').Node} node @param {() => void} redraw */
function ofSpan(tree, node, redraw) {
  const { span } = node;
  const place = `span ${span.span_id}`;
  return [
    h('p', { class: 'details-name' }, longText(span.name, `${place} name`, redraw, 200)),
    span.status === 'error' && h('p', { class: 'details-error' }, badge('error', 'Error'), ' ', span.status_text && longText(span.status_text, `${place} status`, redraw)),
    h('dl', { class: 'attributes' },
      term('Service', bdi(span.service)),
      term('Kind', span.kind),
      term('Start', [clock(span.start, { millis: true }), ` (after ${duration(span.start - tree.start)})`]),
      term('Duration', [duration(span.duration), node.children.length > 0 && `, of that itself ${duration(ownTime(node))}`]),
      span.status !== 'error' && term('Status', span.status),
      term('Scope', short(span.scope || '–', 80)),
      term('Span', h('span', { class: 'mono' }, span.span_id)),
      term('Exported', span.sampled ? 'yes, if its export succeeds' : 'no, not sampled')),
    h('h3', null, 'Attributes'),
    attributeList(span.attributes, place, redraw),
    span.events.length > 0 && [h('h3', null, plural(span.events.length, 'event')), h('ul', { class: 'happened' }, span.events.slice(0, MANY).map((event, at) => h('li', { key: at },
      h('p', null, h('strong', null, short(event.name, 120)), h('span', { class: 'note' }, ` after ${duration(event.time - span.start)}`)),
      Object.keys(event.attributes ?? {}).length > 0 && attributeList(event.attributes, `${place} event ${at}`, redraw)))), tooMany(span.events)],
    span.links.length > 0 && [h('h3', null, plural(span.links.length, 'link')), h('ul', { class: 'happened' }, span.links.slice(0, MANY).map((link, at) => h('li', { key: at },
      h('p', null, link.trace_id === span.trace_id ? 'Span of this trace ' : 'Trace ', traceLink(link.trace_id, link.span_id), h('span', { class: 'note mono' }, ` ${link.span_id}`)),
      Object.keys(link.attributes ?? {}).length > 0 && attributeList(link.attributes, `${place} link ${at}`, redraw)))), tooMany(span.links)],
    node.logs.length > 0 && [h('h3', null, plural(node.logs.length, 'log line')), h('ul', { class: 'happened' }, node.logs.slice(0, MANY).map((line) => h('li', { key: line.seq },
      h('p', null, h('span', { class: 'note' }, `${line.level} after ${duration(line.time - span.start)} `)), longText(line.text, `${place} log ${line.seq}`, redraw)))), tooMany(node.logs)],
  ];
}

/** @param {import('./trace-tree.js').Log} log @param {() => void} redraw */
function ofLog(log, redraw) {
  return [
    h('p', { class: 'details-name' }, longText(log.text, `log ${log.seq} text`, redraw)),
    h('dl', { class: 'attributes' }, term('Level', log.level), term('Time', clock(log.time, { millis: true })), term('Target', h('a', { href: to('logs', null, { target: log.target }) }, bdi(log.target)))),
    h('h3', null, 'Attributes'),
    attributeList(log.attributes, `log ${log.seq}`, redraw),
  ];
}

/** @param {string} name @param {any} value */
function term(name, value) {
  return [h('dt', null, name), h('dd', null, value)];
}

/** @param {any[]} all */
function tooMany(all) {
  return all.length > MANY && h('p', { class: 'note' }, `The first ${MANY} of ${all.length} are shown.`);
}
