/**
 * A small virtual DOM. Everything from data becomes a text node or an attribute of a fixed name; there is no way to
 * set HTML. Elements stay in place between renderings, so focus, selection and scroll positions do.
 */

/**
 * @typedef {{tag: string, props: Record<string, any>, children: VNode[], key?: string|number, dom?: Element}} VElement
 * @typedef {VElement|Node|string} VNode
 */

const SVG = 'http://www.w3.org/2000/svg';
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'open', 'hidden', 'tabIndex', 'indeterminate']);
const ATTRIBUTES = /^(id|class|title|role|href|for|type|name|placeholder|lang|dir|datetime|scope|colspan|autocomplete|spellcheck|min|max|step|inputmode|maxlength|selected|aria-[a-z]+|data-[a-z-]+|d|viewBox|x[12]?|y[12]?|width|height|rx|r|cx|cy|points|fill|stroke|stroke-width|stroke-dasharray|focusable|preserveAspectRatio)$/;

/**
 * Describes an element. `on…` are listeners, `style` is an object, `key` identifies it among its siblings.
 * @param {string} tag
 * @param {Record<string, any>|null} [props]
 * @param {...any} children text, elements, nodes, arrays of them; null and false are nothing
 * @returns {VElement}
 */
export function h(tag, props, ...children) {
  const { key, ...rest } = props ?? {};
  return { tag, props: rest, children: flatten(children), key };
}

/** Text from outside, isolated, so that its direction does not reorder the text around it. @param {unknown} text @param {Record<string, any>} [props] */
export function bdi(text, props = {}) {
  return h('bdi', props, String(text ?? ''));
}

/** @param {any[]} children @returns {VNode[]} */
function flatten(children) {
  /** @type {VNode[]} */
  const flat = [];
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === true) continue;
    flat.push(typeof child === 'object' ? child : String(child));
  }
  return flat;
}

/** The link if it is safe to follow: within the page, or http(s). @param {unknown} href @returns {string|null} */
export function safeHref(href) {
  const text = String(href);
  return text.startsWith('#') || /^https?:\/\//i.test(text) ? text : null;
}

/** Renders children into an element. @param {Element} parent @param {any} children */
export function render(parent, children) {
  patchChildren(parent, flatten([children]));
}

/** @type {WeakMap<Node, VElement>} */
const rendered = new WeakMap();

/** @param {Element} parent @param {VNode[]} children */
function patchChildren(parent, children) {
  /** @type {Map<string|number, Node>} */
  const keyed = new Map();
  for (const child of parent.childNodes) {
    const key = rendered.get(child)?.key;
    if (key !== undefined) keyed.set(key, child);
  }
  const kept = new Set(children.filter((child) => child instanceof Node));
  let next = parent.firstChild;
  for (const child of children) {
    const node = reuse(child, next, keyed, kept) ?? create(child, parent);
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
  while (next) {
    const following = next.nextSibling;
    next.remove();
    next = following;
  }
}

/**
 * The node to reuse for a child, patched.
 * @param {VNode} child @param {Node|null} next @param {Map<string|number, Node>} keyed @param {Set<VNode>} kept
 * @returns {Node|null}
 */
function reuse(child, next, keyed, kept) {
  if (child instanceof Node) return child;
  if (typeof child === 'string') {
    if (next?.nodeType !== Node.TEXT_NODE) return null;
    if (next.nodeValue !== child) next.nodeValue = child;
    return next;
  }
  const node = child.key === undefined ? next : (keyed.get(child.key) ?? null);
  const old = node ? rendered.get(node) : undefined;
  if (!node || !old || kept.has(node) || old.key !== child.key || old.tag !== child.tag) return null;
  if (child.key !== undefined) keyed.delete(child.key);
  patch(/** @type {Element} */ (node), old, child);
  return node;
}

/** @param {VNode} child @param {Element} parent @returns {Node} */
function create(child, parent) {
  if (child instanceof Node) return child;
  if (typeof child === 'string') return document.createTextNode(child);
  const svg = child.tag === 'svg' || parent.namespaceURI === SVG;
  const element = svg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  patch(element, { tag: child.tag, props: {}, children: [] }, child);
  return element;
}

/** @param {Element} element @param {VElement} old @param {VElement} now */
function patch(element, old, now) {
  rendered.set(element, now);
  // A select takes its value once its options are there.
  if (now.tag === 'select') patchChildren(element, now.children);
  for (const name of Object.keys(old.props)) if (!(name in now.props)) set(element, name, null, old.props[name]);
  for (const [name, value] of Object.entries(now.props)) set(element, name, value, old.props[name]);
  if (now.tag !== 'select') patchChildren(element, now.children);
}

/** @param {any} element @param {string} name @param {any} value @param {any} old */
function set(element, name, value, old) {
  if (name.startsWith('on')) {
    element[name.toLowerCase()] = typeof value === 'function' ? value : null;
  } else if (name === 'style') {
    for (const property of Object.keys(old ?? {})) if (!(property in (value ?? {}))) element.style.removeProperty(property);
    for (const [property, to] of Object.entries(value ?? {})) if (old?.[property] !== to) element.style.setProperty(property, String(to));
  } else if (PROPERTIES.has(name)) {
    const to = value ?? (name === 'value' ? '' : false);
    // An option without the attribute has its text as value.
    if (name === 'value' && element instanceof HTMLOptionElement) return element.setAttribute('value', to);
    if (name === 'value' && document.activeElement === element && value === old) return;
    if (element[name] !== to) element[name] = to;
  } else if (value !== old) {
    setAttribute(element, name, value);
  }
}

/** @param {Element} element @param {string} name @param {unknown} value */
function setAttribute(element, name, value) {
  if (!ATTRIBUTES.test(name)) throw new Error(`attribute ${name} is not allowed`);
  const text = name === 'href' && value !== null ? safeHref(value) : value;
  if (text === null || text === undefined || text === false) element.removeAttribute(name);
  else element.setAttribute(name, text === true ? '' : String(text));
}
