/** @param rows of HTML cells */
export function rowsAsTable(rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const isHeader = isHeaderRow(rows);
  const html = rows.map((row, at) => {
    const tag = at === 0 && isHeader ? 'th' : 'td';
    return `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  });
  return `<table>${html.join('\n')}</table>`;
}

/** Names, and not yet values. */
function isHeaderRow([first, ...others]: readonly (readonly string[])[]): boolean {
  if (!first || others.length === 0) return false;
  return first.every((cell) => !/\d/.test(cell)) && first.some((cell) => cell !== '');
}

const FIRST_ROW =
  /(<table>(?:<tbody>)?<tr>)((?:<td>(?:(?!<\/?(?:td|tr|table))[^\d]){0,500}<\/td>){1,100})(<\/tr>\s*<tr>)/g;

/** Marks the first row of tables in HTML as their header if it is one. */
export const withHeaderRows = (html: string): string =>
  html.replace(FIRST_ROW, (_, before: string, cells: string, after: string) => {
    return `${before}${cells.replace(/<(\/?)td>/g, '<$1th>')}${after}`;
  });
