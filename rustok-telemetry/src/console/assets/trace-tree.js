/** A trace as a tree, and as the rows of its waterfall. Pure, without recursion: a trace may be very deep. */

/**
 * @typedef {{trace_id: string, span_id: string, parent_span_id: string|null, name: string, kind: string, service: string, start: number, duration: number, status: string, status_text: string|null, attributes: Record<string, unknown>, events: any[], links: any[], scope: string, sampled: boolean}} Span
 * @typedef {{seq: number, time: number, level: string, target: string, text: string, attributes: Record<string, unknown>, span_id: string|null, service?: string}} Log
 * @typedef {{id: string, span: Span, children: Node[], logs: Log[], parent: Node|null, orphan: boolean, failedBelow: boolean}} Node
 * @typedef {{roots: Node[], nodes: Map<string, Node>, loose: Log[], start: number, end: number, services: {name: string, spans: number}[]}} Tree
 * @typedef {{kind: 'span'|'log', id: string, depth: number, node: Node|null, log: Log|null, expandable: boolean, expanded: boolean}} Row
 */

/** @param {Span[]} spans those of several consoles together @param {Log[]} logs @returns {Tree} */
export function build(spans, logs) {
  /** @type {Map<string, Node>} */
  const nodes = new Map();
  for (const span of spans) {
    if (!nodes.has(span.span_id)) nodes.set(span.span_id, { id: span.span_id, span, children: [], logs: [], parent: null, orphan: false, failedBelow: false });
  }
  /** @type {Node[]} */
  const roots = [];
  for (const node of nodes.values()) {
    const parent = node.span.parent_span_id ? nodes.get(node.span.parent_span_id) : undefined;
    if (parent && !within(parent, node)) {
      node.parent = parent;
      parent.children.push(node);
    } else {
      node.orphan = Boolean(node.span.parent_span_id);
      roots.push(node);
    }
  }
  /** @type {Log[]} */
  const loose = [];
  for (const log of logs) {
    const node = log.span_id ? nodes.get(log.span_id) : undefined;
    (node ? node.logs : loose).push(log);
  }
  for (const node of nodes.values()) node.children.sort(byStart);
  for (const node of nodes.values()) if (node.span.status === 'error') for (let above = node.parent; above && !above.failedBelow; above = above.parent) above.failedBelow = true;
  roots.sort(byStart);
  const all = [...nodes.values()].map(({ span }) => span);
  return { roots, nodes, loose, ...bounds(all), services: servicesOf(all) };
}

/** @param {Node} a @param {Node} b */
const byStart = (a, b) => a.span.start - b.span.start;

/** Whether a node is below another or the same: as its parent it would close a circle. @param {Node} node @param {Node} above */
function within(node, above) {
  for (let at = /** @type {Node|null} */ (node); at; at = at.parent) if (at === above) return true;
  return false;
}

/** @param {Span[]} spans */
function bounds(spans) {
  let [start, end] = [Infinity, -Infinity];
  for (const span of spans) {
    start = Math.min(start, span.start);
    end = Math.max(end, span.start + span.duration);
  }
  return spans.length > 0 ? { start, end } : { start: 0, end: 0 };
}

/** @param {Span[]} spans */
function servicesOf(spans) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const { service } of spans) found.set(service, (found.get(service) ?? 0) + 1);
  return [...found].map(([name, count]) => ({ name, spans: count }));
}

/**
 * The rows from top to bottom: each span, then its log lines and children by time.
 * @param {Tree} tree @param {Set<string>} collapsed @param {boolean} withLogs
 * @returns {Row[]}
 */
export function rows(tree, collapsed, withLogs) {
  /** @type {Row[]} */
  const shown = [];
  /** @type {Row[]} */
  const waiting = [];
  const push = (/** @type {Row[]} */ items) => waiting.push(...items.reverse());
  push(below(tree.roots, withLogs ? tree.loose : [], 1));
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    shown.push(row);
    if (!row.node) continue;
    const { children, logs } = row.node;
    row.expandable = children.length > 0 || (withLogs && logs.length > 0);
    row.expanded = row.expandable && !collapsed.has(row.id);
    if (row.expanded) push(below(children, withLogs ? logs : [], row.depth + 1));
  }
  return shown;
}

/** @param {Node[]} nodes @param {Log[]} logs @param {number} depth @returns {Row[]} */
function below(nodes, logs, depth) {
  const base = { depth, expandable: false, expanded: false };
  const items = [
    ...nodes.map((node) => ({ at: node.span.start, row: { ...base, kind: /** @type {const} */ ('span'), id: node.id, node, log: null } })),
    ...logs.map((log) => ({ at: log.time, row: { ...base, kind: /** @type {const} */ ('log'), id: `log ${log.service ?? ''} ${log.seq}`, node: null, log } })),
  ];
  return items.sort((a, b) => a.at - b.at).map(({ row }) => row);
}

/** Where a span is on the time axis, in per cent. @param {Tree} tree @param {number} start @param {number} duration */
export function place(tree, start, duration) {
  const whole = Math.max(tree.end - tree.start, 1e-6);
  const left = Math.min(100, Math.max(0, ((start - tree.start) * 100) / whole));
  return { left, width: Math.min(100 - left, Math.max(0, (duration * 100) / whole)) };
}

/** What a span took itself, without its children: the time that none of them covers. @param {Node} node */
export function ownTime(node) {
  const { start, duration } = node.span;
  const end = start + duration;
  let [covered, reached] = [0, start];
  for (const child of node.children) {
    const from = Math.max(child.span.start, reached);
    const to = Math.min(child.span.start + child.span.duration, end);
    if (to > from) [covered, reached] = [covered + to - from, to];
  }
  return Math.max(0, duration - covered);
}

/**
 * The row to select after a key, as in a tree: up and down, right opens or goes in, left closes or goes out.
 * @param {Row[]} shown @param {string|null} selected @param {string} key
 * @returns {{select?: string, toggle?: string}|null} null if the key has no meaning
 */
export function move(shown, selected, key) {
  if (shown.length === 0) return null;
  const at = Math.max(0, shown.findIndex((row) => row.id === selected));
  const row = shown[at];
  const select = (/** @type {number} */ to) => ({ select: shown[Math.min(shown.length - 1, Math.max(0, to))].id });
  switch (key) {
    case 'ArrowDown': return select(at + 1);
    case 'ArrowUp': return select(at - 1);
    case 'Home': return select(0);
    case 'End': return select(shown.length - 1);
    case 'ArrowRight':
      if (row.expandable && !row.expanded) return { toggle: row.id };
      return row.expanded ? select(at + 1) : null;
    case 'ArrowLeft': {
      if (row.expanded) return { toggle: row.id };
      for (let above = at - 1; above >= 0; above -= 1) if (shown[above].depth < row.depth) return select(above);
      return null;
    }
    default: return null;
  }
}
