/** The address of what is shown: the hash, with filters as parameters. */

/** @typedef {{view: string, id: string|null, params: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function parse(hash) {
  const text = hash.replace(/^#\/?/, '');
  const at = text.indexOf('?');
  const [view = '', ...rest] = (at < 0 ? text : text.slice(0, at)).split('/');
  return { view, id: rest.length > 0 && rest[0] !== '' ? decode(rest.join('/')) : null, params: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * A link. Parameters that are empty are left out.
 * @param {string} view @param {string|null} [id] @param {Record<string, string|number|null|undefined>|URLSearchParams} [params]
 */
export function href(view, id = null, params = {}) {
  const entries = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  const query = new URLSearchParams();
  for (const [name, value] of entries) if (value !== null && value !== undefined && value !== '') query.append(name, String(value));
  const text = query.toString();
  return `#/${view}${id === null ? '' : `/${encodeURIComponent(id)}`}${text ? `?${text}` : ''}`;
}
