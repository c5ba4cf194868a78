/** Tables that are sorted by their headers. */
import { h } from './dom.js';

/**
 * @template R
 * @typedef {{name: string, title: string, numeric?: boolean, value?: (row: R) => string|number|null, cell: (row: R) => any, wide?: boolean, hint?: string}} Column
 */
/** @typedef {{by: string, down: boolean}} Sort */

/**
 * @template R
 * @param {{caption: string, columns: Column<R>[], rows: R[], rowKey: (row: R) => string, sort?: Sort, onSort?: (sort: Sort) => void, limit?: number, rowClass?: (row: R) => string, onMore?: () => void}} options
 */
export function table({ caption, columns, rows, rowKey, sort, onSort, limit = 200, rowClass, onMore }) {
  const ordered = sort ? sorted(rows, columns, sort) : rows;
  const shown = ordered.slice(0, limit);
  const header = (/** @type {Column<R>} */ column) => {
    const title = column.value && onSort
      ? h('button', { type: 'button', class: 'sort', title: column.hint ?? null, onclick: () => onSort(next(sort, column)) }, column.title,
        h('span', { class: 'sort-mark', 'aria-hidden': 'true' }, sort?.by === column.name ? (sort.down ? '▾' : '▴') : ''))
      : column.title;
    return h('th', { scope: 'col', class: cellClass(column), key: column.name, 'aria-sort': sort?.by === column.name ? (sort.down ? 'descending' : 'ascending') : null }, title);
  };
  return h('div', { class: 'table-frame', key: caption },
    h('table', null,
      h('caption', { class: 'sr' }, caption),
      h('thead', null, h('tr', null, columns.map(header))),
      h('tbody', null, shown.map((row) => h('tr', { key: rowKey(row), class: rowClass?.(row) || null },
        columns.map((column) => h('td', { class: cellClass(column), 'data-label': column.title, key: column.name }, column.cell(row))))))),
    ordered.length > shown.length && h('p', { class: 'note more' }, `${shown.length} of ${ordered.length} rows are shown. `,
      onMore && h('button', { type: 'button', class: 'link', onclick: onMore }, 'Show more')));
}

/** @param {Column<any>} column */
const cellClass = (column) => [column.numeric ? 'numeric' : '', column.wide ? 'wide' : ''].join(' ').trim() || null;

/** Numbers go down first, texts up. @param {Sort|undefined} sort @param {Column<any>} column @returns {Sort} */
function next(sort, column) {
  if (sort?.by !== column.name) return { by: column.name, down: Boolean(column.numeric) };
  return { by: column.name, down: !sort.down };
}

/** Missing values go last, either way. @template R @param {R[]} rows @param {Column<R>[]} columns @param {Sort} sort */
export function sorted(rows, columns, sort) {
  const value = columns.find((column) => column.name === sort.by)?.value;
  if (!value) return rows;
  const sign = sort.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return left < right ? -sign : left > right ? sign : 0;
  });
}
